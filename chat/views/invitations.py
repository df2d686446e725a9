"""The page behind a link that invites into a private room."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from channels_lts.exceptions import StreamError
from chat import identity, invitations
from chat.responses import status_of
from chat.views.pages import common_context


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show which room it is and who invites, and let in whoever says yes. To do so they need an account."""
    who = identity.of_request(request)
    found = invitations.find(token)
    context = {**common_context(who), "invitation": found}
    if found is None:
        return render(request, "chat/invitation.html", context, status=404)
    if request.method == "POST":
        try:
            if who is not None:
                return redirect(invitations.accept(token, who))
        except StreamError as error:
            return render(request, "chat/invitation.html", {**context, "refused": error}, status=status_of(error))
    return render(request, "chat/invitation.html", context)

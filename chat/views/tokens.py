"""The page on which people make tokens for their programs, see when each was used, and revoke them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from channels_lts.exceptions import StreamError
from chat import identity, limits, tokens
from chat.views.pages import common_context

#: For how many days a token may live, as the page offers it; 0: for ever.
DAYS = (30, 90, 365, 0)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def token_list(request: HttpRequest) -> HttpResponse:
    """List one's tokens. A POST makes one, and shows it in its own answer: no other page shows it again."""
    if request.method != "POST":
        return _page(request)
    days = request.POST.get("days", "0")
    try:
        if days not in {str(choice) for choice in DAYS}:
            days = "0"
        token, secret = tokens.make(request.user, request.POST.get("name", ""), days=int(days) or None)
    except StreamError as error:
        return _page(request, error=error.reason, status=400)
    return _page(request, made=token, secret=secret, status=201)


@never_cache
@login_required
@require_POST
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    tokens.revoke(request.user, pk)
    return redirect("tokens")


def _page(request: HttpRequest, *, status: int = 200, **fields: Any) -> HttpResponse:
    listed = tokens.listed(request.user)
    context = {
        **common_context(identity.of_request(request)),
        "tokens": listed,
        "full": len(listed) >= limits.TOKENS,
        "name_length": limits.WAY_NAME,
        "days": DAYS,
        **fields,
    }
    return render(request, "chat/tokens.html", context, status=status)

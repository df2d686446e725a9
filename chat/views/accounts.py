"""Coming and going: accounts, and guests who only pick a name.

All of them are Django's own ``LoginView``, since it knows which ``next`` is safe, on every Django that we run on.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import LoginView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from chat import identity
from chat.forms import GuestForm, SignupForm
from chat.views.pages import common_context


class SignInView(LoginView):
    template_name = "registration/login.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return {**context, **common_context(identity.of_request(self.request))}


class SignUpView(SignInView):
    """Makes an account and signs in to it."""

    template_name = "registration/signup.html"
    form_class = SignupForm  # type: ignore[assignment]


class GuestView(SignInView):
    """Makes a guest of whoever picked a name; 403 where guests are not wanted."""

    template_name = "chat/guest.html"
    form_class = GuestForm  # type: ignore[assignment]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.CHAT_GUESTS:
            raise PermissionDenied(_("Guests are not admitted here."))
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        identity.become_guest(self.request.session, form.cleaned_data["name"])
        return HttpResponseRedirect(self.get_success_url())


@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session, of guests too; with it go the sockets that it opened."""
    logout(request)
    return redirect(settings.LOGOUT_REDIRECT_URL)

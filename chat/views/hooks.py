"""``POST /hooks/<token>/``: services that know no more than an address to post to."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from channels_lts.exceptions import StreamError
from chat import webhooks
from chat.middleware import refusal
from chat.views.requests import content_of, idempotency_key


# No cookie counts here: the address is all the authority there is.
@csrf_exempt
@never_cache
def hook(request: HttpRequest, secret: str) -> HttpResponse:
    """Post ``text`` into the room of the webhook; 201 for a new message, 200 for a repeat under the same key."""
    try:
        if request.method != "POST":
            raise StreamError("bad_method", _("Only POST is possible here."))
        webhook = webhooks.find(secret)
        content = content_of(request)
        message, again = webhooks.post(webhook, webhooks.text_of(content), idempotency_key(request))
    except StreamError as error:
        response = refusal(error)
        if error.code == "bad_method":
            response["Allow"] = "POST"
        return response
    return JsonResponse({"seq": message.seq, "id": message.uid}, status=200 if again else 201)

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")

from django.core.asgi import get_asgi_application

http = get_asgi_application()

from app import consumers  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

websocket = URLRouter(
    [
        path("echo", consumers.Echo.as_asgi()),
        path("member", consumers.Member.as_asgi()),
        path("publish", consumers.Publisher.as_asgi()),
        path("burst", consumers.Burst.as_asgi()),
    ]
)
application = ProtocolTypeRouter({"http": http, "websocket": websocket})

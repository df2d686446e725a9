"""A project as people wrote them for Channels 1.x: the only news are channels_lts here and install() beside it."""

import os

BASE_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SECRET_KEY = "not a secret"
DEBUG = True
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "oldsite.urls"
STATIC_URL = "/static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True

INSTALLED_APPS = [
    "channels_lts",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "channels",
    "channels.delay",
    "liveblog",
]

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.path.join(BASE_DIR, "db.sqlite3"),
        "OPTIONS": {"timeout": 20},
        # Live-server tests want a file.
        "TEST": {"NAME": os.path.join(BASE_DIR, "test.sqlite3")},
    }
}

LAYERS = {
    "memory": {"BACKEND": "asgiref.inmemory.ChannelLayer"},
    "ipc": {
        "BACKEND": "asgi_ipc.IPCChannelLayer",
        "CONFIG": {"prefix": os.environ.get("PREFIX"), "message_memory": 1024 * 1024, "group_memory": 1024 * 1024},
    },
    "redis": {
        "BACKEND": "asgi_redis.RedisChannelLayer",
        "CONFIG": {"hosts": [os.environ.get("REDIS_URL")], "prefix": os.environ.get("PREFIX")},
    },
}
LAYER = LAYERS[os.environ.get("LAYER", "memory")]
CHANNEL_LAYERS = {
    "default": dict(LAYER, ROUTING="oldsite.routing.channel_routing", TEST_CONFIG=LAYER.get("CONFIG", {})),
}

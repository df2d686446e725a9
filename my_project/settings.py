"""Settings of the reference deployment. This file is the only reader of the environment: docs/settings.md lists it all.

``ENVIRONMENT`` says where we are: ``development`` (``manage.py runserver``, everything in one process), ``embedded``
(``make up``) or ``production``.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent


def env(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def env_list(name: str, default: str = "") -> list[str]:
    return [item.strip() for item in env(name, default).split(",") if item.strip()]


def env_bool(name: str, default: bool) -> bool:
    value = env(name).lower()
    if value in {"1", "on", "true", "yes"}:
        return True
    if value in {"0", "off", "false", "no"}:
        return False
    if not value:
        return default
    raise ImproperlyConfigured(f"{name}={value!r}: expected on or off")


def env_choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    value = env(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name}={value!r}: expected one of {', '.join(choices)}")
    return value


ENVIRONMENT = env_choice("ENVIRONMENT", "development", ("development", "embedded", "production"))
DEBUG = env_bool("DEBUG", ENVIRONMENT == "development")
VAR_DIR = Path(env("VAR_DIR", str(BASE_DIR / "var")))

# --- Secrets and hosts ---
INSECURE_SECRET_KEY = "insecure-key-for-development-only-do-not-serve-people-with-it"  # noqa: S105 (my_project.E002)
SECRET_KEY = env("SECRET_KEY", INSECURE_SECRET_KEY)
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")

# --- Security ---
# HTTPS says how browsers reach the site; nginx ends TLS and tells us with X-Forwarded-Proto, which it always sets.
HTTPS = env_bool("HTTPS", ENVIRONMENT == "production")
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_BROWSER_XSS_FILTER = False
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SAMESITE = "Lax"

# --- Application ---
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels_lts",
    "channels",
    "channels.delay",
    "my_project.apps.ProjectConfig",
    "chat",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "chat.middleware.TokenMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "my_project.middleware.ContentSecurityPolicyMiddleware",
]

ROOT_URLCONF = "my_project.urls"
WSGI_APPLICATION = "my_project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database ---
DATABASES = {
    "default": dj_database_url.parse(
        env("DATABASE_URL", f"sqlite:///{VAR_DIR / 'db.sqlite3'}"),
        conn_max_age=60,
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["ENGINE"] = "my_project.sqlite_wal"
    # Seconds to wait for another process's write lock.
    DATABASES["default"].setdefault("OPTIONS", {})["timeout"] = 20
if "postgresql" in DATABASES["default"]["ENGINE"]:
    # A server that does not answer, or a network that forgot the connection, must not keep a worker for ever: by itself
    # Linux gives up after a quarter of an hour, or after two hours in silence. Seconds, and milliseconds for the last.
    # What DATABASE_URL says goes before.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
        **DATABASES["default"].get("OPTIONS", {}),
    }
    if find_spec("psycopg"):
        # What a worker runs with every frame is parsed and planned once for a connection, and psycopg 3 need not write
        # the values into each statement.
        DATABASES["default"]["OPTIONS"] |= {"server_side_binding": True, "prepare_threshold": 3}

# The key of channels.delay's table; the chat names its keys itself.
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"

# --- Channels ---
_DEFAULT_LAYER = "memory" if ENVIRONMENT == "development" else "redis"
CHANNEL_LAYER = env_choice("CHANNEL_LAYER", _DEFAULT_LAYER, ("redis", "stock", "ipc", "memory"))
REDIS_URLS = env_list("REDIS_URL", "redis://127.0.0.1:6379/0")

_REDIS_CONFIG = {
    "hosts": REDIS_URLS,
    "prefix": "chat:",
    "capacity": 1000,
}
# One list carries the replies to all sockets of an interface server; our layer gives it room by itself.
_STOCK_CONFIG = {**_REDIS_CONFIG, "channel_capacity": {"daphne.response*": 20_000}}
_LAYERS = {
    "redis": {
        "BACKEND": "channels_lts.layer.RedisChannelLayer",
        "CONFIG": _REDIS_CONFIG,
        "TEST_CONFIG": {**_REDIS_CONFIG, "prefix": "chat-test:"},
    },
    "stock": {
        "BACKEND": "asgi_redis.RedisChannelLayer",
        "CONFIG": _STOCK_CONFIG,
        "TEST_CONFIG": {**_STOCK_CONFIG, "prefix": "chat-test:"},
    },
    "ipc": {
        "BACKEND": "asgi_ipc.IPCChannelLayer",
        "CONFIG": {"prefix": "chat"},
        "TEST_CONFIG": {"prefix": "chat-test"},
    },
    "memory": {
        "BACKEND": "asgiref.inmemory.ChannelLayer",
        "CONFIG": {"capacity": 1000},
        "TEST_CONFIG": {},
    },
}
CHANNEL_LAYERS = {"default": {**_LAYERS[CHANNEL_LAYER], "ROUTING": "my_project.routing.channel_routing"}}
# Sessions of sockets are kept in Redis; shared memory has no place for them.
if CHANNEL_LAYER != "ipc":
    CHANNEL_SESSION_ENGINE = "channels_lts.sessions"

# --- People ---
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "home"
CHAT_GUESTS = env_bool("CHAT_GUESTS", ENVIRONMENT != "production")
# How much one may do in a while: chat/limits.py. Off: for measuring.
CHAT_RATES = env_bool("CHAT_RATES", True)

# --- Monitoring ---
METRICS_TOKEN = env("METRICS_TOKEN")

# --- Languages and time ---
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env("TIME_ZONE", "UTC")

# --- Files ---
STATIC_URL = "/static/"
STATIC_ROOT = env("STATIC_ROOT", str(VAR_DIR / "static"))
MEDIA_URL = "/media/"
MEDIA_ROOT = env("MEDIA_ROOT", str(VAR_DIR / "media"))
# The internal nginx location that holds MEDIA_ROOT. Empty: workers send the files themselves.
MEDIA_ACCEL_LOCATION = env("MEDIA_ACCEL_LOCATION")
# Hashed names need `collectstatic`, which `runserver` and the tests do without.
_STATIC_STORAGE = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
    if ENVIRONMENT == "development"
    else "my_project.storage.StaticStorage"
)
# The first is read by Django 4.2 and later, the second before.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _STATIC_STORAGE},
}
STATICFILES_STORAGE = _STATIC_STORAGE
FILE_UPLOAD_PERMISSIONS = 0o644
# An upload has travelled through memory and the channel layer already when Django sees it.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
# As much as the interface server and nginx let through: so it stays in memory, and needs no room for temporary files.
FILE_UPLOAD_MAX_MEMORY_SIZE = 11 * 1024 * 1024

# --- Log ---
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)-7s %(name)s[%(process)d] %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", "INFO")},
    "loggers": {
        "django": {"handlers": [], "level": env("LOG_LEVEL", "INFO"), "propagate": True},
    },
}

"""What lets the page be installed: a manifest, a service worker, and a page for when there is no network."""

from __future__ import annotations

import hashlib
import json

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from chat import assets

_ICONS = (
    ("favicon.svg", "any", "image/svg+xml", "any"),
    ("icons/192.png", "192x192", "image/png", "any"),
    ("icons/512.png", "512x512", "image/png", "any"),
    ("icons/maskable.png", "512x512", "image/png", "maskable"),
)


@require_safe
@cache_control(no_cache=True)
def manifest(request: HttpRequest) -> HttpResponse:
    content = {
        "name": _("Channels Chat"),
        "short_name": _("Chat"),
        "description": _("Talk in rooms, with pictures, in real time."),
        "lang": translation.get_language(),
        "id": "/",
        "start_url": reverse("home"),
        "scope": "/",
        "display": "standalone",
        "background_color": "#f4f6f3",
        "theme_color": "#123a35",
        "icons": [
            {"src": static(f"chat/{name}"), "sizes": sizes, "type": kind, "purpose": purpose}
            for name, sizes, kind, purpose in _ICONS
        ],
    }
    return HttpResponse(json.dumps(content, ensure_ascii=False), content_type="application/manifest+json")


@require_safe
@cache_control(no_cache=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    """Served from the root, for a worker has a say over what lies below its own path.

    Its text changes with any of the files that it keeps. So a deploy brings a new worker, and that drops the old files.
    """
    pages = {language: reverse("offline", args=[language]) for language, _name in settings.LANGUAGES}
    content = {"files": assets.hashed(), "offline": pages, "static": settings.STATIC_URL}
    texts = [json.dumps(content), *(_offline_page(language) for language in pages)]
    version = hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]
    script = render_to_string("chat/service_worker.js", {"settings": json.dumps({"version": version, **content})})
    return HttpResponse(script, content_type="text/javascript; charset=utf-8")


@require_safe
@cache_control(no_cache=True)
def offline(request: HttpRequest, language: str) -> HttpResponse:
    """The page that the service worker shows where the server cannot be reached: the same for everybody."""
    if language not in dict(settings.LANGUAGES):
        raise Http404
    return HttpResponse(_offline_page(language))


def _offline_page(language: str) -> str:
    # Without a request: nothing of whoever asks may get into a page that is kept.
    with translation.override(language):
        return render_to_string("chat/offline.html", {"offline": True})

"""The static files of the page by the URLs under which browsers get them."""

from __future__ import annotations

import functools
import posixpath
import re
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage

# What a module names statically; an import() is for later.
_IMPORT = re.compile(r"""^\s*(?:import|export)\b[^;"']*["'](\.{1,2}/[^"']+)["']""", re.MULTILINE)
# What the page needs, as folders of static files.
_FOLDERS = ("chat/", "channels/js/")


def modules(entry: str) -> list[str]:
    """Return the URLs of *entry*, the name of a static file, and of all modules that it imports, directly or not.

    Names are taken from the files that are served, so they are those that the browser will ask for.
    """
    return _modules_again(entry) if settings.DEBUG else _modules(entry)


def hashed() -> list[str]:
    """Return the URLs of the files of the page that never change under their name: none in development."""
    names = getattr(staticfiles_storage, "hashed_files", {})
    served = sorted({served for name, served in names.items() if name.startswith(_FOLDERS)})
    return [_url(name) for name in served]


def _modules_again(entry: str) -> list[str]:
    found: list[str] = []
    waiting = [_served(entry)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.append(name)
            folder = posixpath.dirname(name)
            paths = [posixpath.normpath(posixpath.join(folder, path)) for path in _IMPORT.findall(_text(name))]
            waiting.extend(reversed(paths))
    return [_url(name) for name in found]


_modules = functools.lru_cache(_modules_again)


def _served(name: str) -> str:
    stored_name = getattr(staticfiles_storage, "stored_name", None)
    return stored_name(name) if stored_name else name


def _text(name: str) -> str:
    # Where nothing has been collected, as in development, the file stands in its app.
    path = Path(staticfiles_storage.path(name))
    if not path.exists():
        found = finders.find(name)
        path = Path(str(found)) if found else path
    return path.read_text(encoding="utf-8")


def _url(name: str) -> str:
    return f"{settings.STATIC_URL}{name}"

"""The status of the channel layers as a page: for staff, renewed every two seconds.

``path("status/", status_page.status)`` puts it into a project; it needs ``django.contrib.auth`` and static files.
"""

from __future__ import annotations

import time
from typing import Any

from channels import channel_layers
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from channels_lts import status_rows
from channels_lts.status import Status, StatusUnknown, read

# Seconds after which an earlier look says nothing of the rates of now.
_OLD = 30.0
# The last look of this process at each layer, and when that was.
_earlier: dict[str, tuple[float, Status]] = {}


@never_cache
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """Show what ``manage.py channelstatus`` shows, of every layer. Rates are those since this process's look before."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if not request.user.is_staff:
        raise PermissionDenied
    return render(request, "channels_lts/status.html", {"layers": [_layer(alias) for alias in settings.CHANNEL_LAYERS]})


def _layer(alias: str) -> dict[str, Any]:
    now = time.monotonic()
    at, earlier = _earlier.pop(alias, (0.0, None))
    try:
        found = read(channel_layers[alias], earlier if now - at < _OLD else None)
    except StatusUnknown as error:
        return {"headline": f"Channel layer {alias}", "unknown": str(error)}
    _earlier[alias] = now, found
    return {
        "headline": status_rows.headline(found),
        "problems": [(problem.kind in status_rows.MILD, problem.text) for problem in found.problems],
        "tables": [_cells(table) for table in status_rows.tables(found)],
        "note": " ".join(status_rows.notes(found)),
    }


def _cells(table: status_rows.Table) -> dict[str, Any]:
    """Return *table* with each cell beside its column, which says how it is aligned."""
    rows = [list(zip(table.columns, row, strict=True)) for row in table.rows]
    return {"columns": table.columns, "rows": rows}

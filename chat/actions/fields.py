"""Fields that several actions take, as JSON has them or as the text of a form."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from channels_lts.streams import field


def optional_number(content: dict[str, Any], name: str, most: int, default: int | None = None) -> int | None:
    """Return the field *name*, a number from 1 to *most*; *default* where it is missing, empty or null.

    Raises:
        StreamError: ``bad_field``: it is something else.
    """
    value = content.get(name)
    if value is None or value == "":
        return default
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    number = field({name: value}, name, int, minimum=1)
    if number > most:
        raise StreamError("bad_field", _("%(name)s must be at most %(most)d") % {"name": name, "most": most})
    return number

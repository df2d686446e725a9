"""What people type, made fit to store and to show. Escaping is not done here: that is the business of templates."""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext as _

from channels_lts.exceptions import StreamError
from chat import limits

_NEWLINES = re.compile(r"\r\n?|\u2028|\u2029")
# Would turn the text that follows a name around.
_DIRECTIONS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean_body(text: str, *, required: bool = True) -> str:
    """Return the body of a message: newlines as ``\\n``, tabs, no other control characters, nothing blank around it.

    Raises:
        StreamError: ``bad_field`` where nothing visible is left and *required* says that there must be,
            ``too_large`` beyond ``limits.BODY`` characters.
    """
    body = _without_controls(_NEWLINES.sub("\n", text), keep="\n\t").strip()
    if not _visible(body):
        if required:
            raise StreamError("bad_field", _("The message is empty."))
        return ""
    if len(body) > limits.BODY:
        raise StreamError(
            "too_large",
            _("The message has %(length)d characters, at most %(limit)d are allowed.")
            % {"length": len(body), "limit": limits.BODY},
        )
    return body


def clean_name(text: str) -> str:
    """Return the name of a room or a guest: one line, composed (NFC), single spaces, no control or direction marks.

    The result is empty when nothing visible is left.
    """
    line = unicodedata.normalize("NFC", _NEWLINES.sub(" ", text))
    name = " ".join(_DIRECTIONS.sub("", _without_controls(line, keep="\t\n")).split())
    return name if _visible(name) else ""


def _without_controls(text: str, *, keep: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        character for character in text if character in keep or unicodedata.category(character) not in ("Cc", "Cs")
    )


def _visible(text: str) -> bool:
    # Zero-width characters are fine within a text, as emoji need them, but make none by themselves.
    return any(not character.isspace() and unicodedata.category(character) != "Cf" for character in text)

"""Accounts by the keys that name people."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth import get_user_model

_KEY = re.compile(r"u([1-9][0-9]{0,17})", re.ASCII)


def of_key(key: str) -> Any | None:
    """Return the account of the person with *key*; None for guests, webhooks, nonsense and accounts that are gone."""
    found = _KEY.fullmatch(key)
    return get_user_model().objects.filter(pk=int(found[1])).first() if found else None

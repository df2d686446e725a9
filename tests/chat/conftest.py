from __future__ import annotations

import pytest

from chat import heads


@pytest.fixture(autouse=True)
def _heads_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a process that tests, nothing is left to a thread that would tell the next test."""
    monkeypatch.setattr(heads, "current", heads.Heads(interval=0))

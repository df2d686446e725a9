"""Frames that wait for Redis: in order, for a while, and not too many."""

from __future__ import annotations

import pytest

from channels_lts.interface import held
from channels_lts.interface.held import Held


def pairs(*sizes: int):
    return [(bytes(size), None) for size in sizes]


def test_what_is_held_comes_back_in_order():
    frames = Held(seconds=60)
    assert frames.add(pairs(1, 2)) == []
    assert frames.add(pairs(3)) == []
    assert len(frames) == 3
    assert frames.take() == pairs(1, 2, 3)
    assert frames.take() == []


def test_what_has_no_room_is_handed_back_with_all_behind_it():
    frames = Held(seconds=60, most_bytes=10)
    assert frames.add(pairs(4, 4, 4, 1)) == pairs(4, 1)
    frames.take()
    assert frames.add(pairs(10)) == []


def test_zero_seconds_hold_nothing():
    assert Held(seconds=0).add(pairs(1)) == pairs(1)


def test_each_is_held_for_its_own_time(monkeypatch: pytest.MonkeyPatch):
    now = 100.0
    monkeypatch.setattr(held, "monotonic", lambda: now)
    frames = Held(seconds=15, most_bytes=4)
    frames.add(pairs(1))
    now = 110.0
    frames.add(pairs(2))
    assert frames.overdue() == []
    now = 115.0
    assert frames.overdue() == pairs(1)
    assert frames.take() == pairs(2)
    assert frames.add(pairs(4)) == []

"""What a worker has taken and not begun."""

from __future__ import annotations

import logging

import pytest

from channels_lts.activity import Activity
from channels_lts.exceptions import LayerUnavailable
from channels_lts.pending import Pending


class Messages:
    """An intake that has numbers, and gives none back while it is away."""

    def __init__(self):
        self.away: Exception | None = None
        self.back: list[int] = []

    def take(self, limit):
        return list(range(limit))

    def put_back(self, taken):
        if self.away:
            raise self.away
        self.back += taken


@pytest.fixture
def messages():
    return Messages()


@pytest.fixture
def pending(messages):
    made = Pending(Activity())
    made.take(messages, 6)
    return made


def rest(pending):
    found = []
    while held := pending.pop():
        found.append(held.taken)
    return found


def test_what_is_picked_leaves_the_others_in_their_order(pending):
    picked = []
    pending.pick(lambda held: held.taken % 2 == 0 and not picked.append(held.taken))
    assert picked == [0, 2, 4]
    assert rest(pending) == [1, 3, 5]
    assert not pending


def test_all_of_it_goes_back_once(pending, messages):
    pending.put_back(messages)
    pending.put_back(messages)
    assert messages.back == [0, 1, 2, 3, 4, 5]
    assert pending._activity.counts() == {"messages_put_back": 6}


def test_what_cannot_go_back_is_still_ours_and_in_its_order(pending, messages, caplog):
    messages.away = LayerUnavailable("away")
    pending.put_back(messages)
    assert rest(pending) == [0, 1, 2, 3, 4, 5]
    assert pending._activity.counts() == {}
    assert not caplog.records


def test_at_the_end_it_is_lost_and_said(pending, messages, caplog):
    messages.away = LayerUnavailable("away")
    with caplog.at_level(logging.ERROR):
        pending.put_back(messages, halted=True)
    assert caplog.messages == ["6 messages could not be put back, and are lost: away"]


def test_a_fault_of_the_layer_is_raised_and_loses_nothing(pending, messages):
    messages.away = TypeError("no good")
    with pytest.raises(TypeError):
        pending.put_back(messages)
    assert rest(pending) == [0, 1, 2, 3, 4, 5]

"""The ledger sees what it is there for: each kind of loss, repetition and disorder makes it complain."""

from __future__ import annotations

import pytest

from tests.faults.fault import Harm
from tests.faults.ledger import Ledger

STORED = [(1, "a-1"), (2, "b-1"), (3, "a-2")]


@pytest.fixture
def ledger() -> Ledger:
    """Three messages, sent, acknowledged, and received by one reader from the first on, by another from the second."""
    ledger = Ledger()
    for seq, uid in STORED:
        ledger.send(uid, uid[0], again=False)
        ledger.acknowledge(uid, seq, uid[0])
    ledger.received = {"ann": (0, [1, 2, 3]), "ben": (1, [2, 3])}
    return ledger


def test_a_clean_book_is_in_order(ledger):
    figures = ledger.check(STORED)
    assert (figures["sent"], figures["acknowledged"], figures["stored"], figures["received"]) == (3, 3, 3, 5)
    assert figures["troubles"] == {}


@pytest.mark.parametrize(
    ("stored", "complaint"),
    [
        (STORED[:2], "acknowledged, but not stored once"),
        ([*STORED, (4, "a-2")], "acknowledged, but not stored once"),
        ([(1, "b-1"), (2, "a-1"), (3, "a-2")], "acknowledged, but not stored once"),
        ([(1, "a-1"), (2, "b-1"), (4, "a-2")], "without gaps"),
        ([*STORED, (4, "c-1")], "ann lacks 1: \\[4\\]"),
    ],
)
def test_what_the_database_has_otherwise_is_told(ledger, stored, complaint):
    with pytest.raises(AssertionError, match=complaint):
        ledger.check(stored)


@pytest.mark.parametrize("got", [[1, 2], [1, 2, 2, 3], [1, 3, 2], [2, 3]])
def test_what_a_reader_has_otherwise_is_told(ledger, got):
    ledger.received["ann"] = (0, got)
    with pytest.raises(AssertionError, match="ann lacks"):
        ledger.check(STORED)


def test_a_message_that_nobody_acknowledges_is_told(ledger):
    ledger.send("a-3", "a", again=False)
    with pytest.raises(AssertionError, match="never acknowledged: 1: \\['a-3'\\]"):
        ledger.check(STORED)


def test_a_message_acknowledged_under_two_numbers_is_told(ledger):
    ledger.acknowledge("a-1", 9, "a")
    with pytest.raises(AssertionError, match="number 1 and as number 9"):
        ledger.check(STORED)


@pytest.mark.parametrize(
    ("kind", "allowed"),
    [
        ("closed", Harm(sockets=True)),
        ("http", Harm(http=True)),
        ("error", Harm(errors=True)),
        ("missed", Harm(frames=True)),
        ("frame lost", Harm(frames=True)),
    ],
)
def test_a_fault_may_cost_what_it_says_and_nothing_else(ledger, kind, allowed):
    window = ledger.begin("allowed", allowed)
    ledger.trouble(kind, "ann", "as expected")
    ledger.end(window)
    assert window.figures["troubles"] == {kind: 1}
    ledger.check(STORED)

    window = ledger.begin("forbidden", Harm())
    ledger.trouble(kind, "ann", "never")
    with pytest.raises(AssertionError, match="broke more than it may"):
        ledger.end(window)


def test_what_no_fault_had_a_part_in_is_told(ledger):
    ledger.end(ledger.begin("over", Harm(frames=True, sockets=True, http=True, errors=True)))
    ledger.trouble("closed", "ann", "code 1006")
    with pytest.raises(AssertionError, match="outside of any fault"):
        ledger.check(STORED)


def test_no_harm_allows_what_comes_twice(ledger):
    window = ledger.begin("allowed", Harm(frames=True, sockets=True, http=True, errors=True))
    ledger.trouble("twice", "ann", "number 2")
    with pytest.raises(AssertionError, match="broke more than it may"):
        ledger.end(window)


def test_who_comes_back_later_than_advised_is_told(ledger, monkeypatch):
    from tests.faults import ledger as module

    window = ledger.begin("drain", Harm(sockets=True))
    away = ledger.close("ann", 40_000, 1012, (0.5, 5.0))
    monkeypatch.setattr(module, "monotonic", lambda: away.at + 60)
    ledger.come_back(away)
    with pytest.raises(AssertionError, match="late back"):
        ledger.end(window)

"""Whatever dies, gets lost or overtakes: who follows the rules of docs/streams.md has every message, once, in order."""

from __future__ import annotations

from unittest import mock

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.chat.base import ChatTestCase
from tests.chat.delivery_model import POINTS, Person, Talk

# Small enough that somebody who is away for some steps has to begin anew.
_RECOVERED, _PAGE = 4, 5
# Of the rounds in which two people can ask for everything that they lack.
_ROUNDS = 20

who = st.integers(0, 1)
# Mostly, workers live.
point = st.one_of(st.none(), st.none(), st.sampled_from(POINTS))
step = st.one_of(
    st.tuples(st.just("send"), who, point),
    st.tuples(st.just("send"), who, point),
    st.tuples(st.just("resend"), who, point),
    st.tuples(st.just("edit"), who, point),
    st.tuples(st.just("edit"), who, point),
    st.tuples(st.just("remove"), who, point),
    st.tuples(st.just("take"), who, st.integers(0, 4)),
    st.tuples(st.just("take_all"), who, st.none()),
    st.tuples(st.just("wait"), who, point),
    st.tuples(st.just("ping"), who, point),
    st.tuples(st.just("lose"), who, st.none()),
    st.tuples(st.just("miss"), who, st.none()),
    st.tuples(st.just("come"), who, point),
    st.tuples(st.just("come_while_others_talk"), who, point),
)


def do(talk: Talk, step: tuple[str, int, str | int | None], number: int) -> None:
    kind, index, given = step
    person = talk.people[index]
    if kind == "send":
        person.send(f"text {number}", given)
    elif kind in ("edit", "remove"):
        # One can only change what one sees.
        person.take_all()
        person.change(kind, f"edited {number}", given)
    elif kind == "come_while_others_talk":
        talk.post_in_between()
        person.come(given)
    elif kind in ("take", "resend", "wait", "ping", "come"):
        getattr(person, kind)(given)
    else:
        getattr(person, kind)()


def nobody_lacks_what_was_not_lost(talk: Talk) -> None:
    """Where nothing can have got lost, everything is there without asking."""
    talk.room.refresh_from_db()
    for person in talk.people:
        if person.lacks_nothing():
            assert (person.last, person.revision) == (talk.room.last_seq, talk.room.revision), person.name


def settle(talk: Talk) -> None:
    """Let nothing more get lost, and everybody ask for what they lack."""
    for _round in range(_ROUNDS):
        busy = False
        for person in talk.people:
            person.take_all()
            busy = person.wait() or busy
        for person in talk.people:
            person.take_all()
            person.ping()
            person.take_all()
        if not busy:
            return
    raise AssertionError("somebody asks and asks")


def check(talk: Talk) -> None:
    stored = talk.stored()
    talk.room.refresh_from_db()
    assert sorted(stored) == list(range(1, talk.room.last_seq + 1))
    numbers = {message.uid: seq for seq, message in stored.items()}
    assert len(numbers) == len(stored), "a message is stored twice"
    for person in talk.people:
        assert not person.unanswered
        assert person.acknowledged == {uid: numbers.get(uid) for uid in person.acknowledged}
        assert person.last == talk.room.last_seq
        has = {seq: _text(person, seq) for seq in range(person.base + 1, person.last + 1)}
        assert has == {seq: (each.uid, each.body, each.removed) for seq, each in stored.items() if seq > person.base}


def _text(person: Person, seq: int) -> tuple[str, str, bool]:
    message = person.messages[seq]
    return message["id"], message["body"], message["removed"]


@settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(step, min_size=5, max_size=30))
@example([("send", 0, "commit"), ("send", 1, None), ("resend", 0, None)])
@example([("send", 0, "answer"), ("resend", 0, None), ("send", 1, "tell")])
@example(
    [
        ("send", 0, None),
        ("take_all", 0, None),
        ("take_all", 1, None),
        ("lose", 1, None),
        ("edit", 0, None),
        ("come", 1, None),
    ]
)
@example([("send", 0, None), ("take_all", 1, None), ("edit", 0, None), ("take_all", 1, None), ("edit", 0, None)])
@example([("come_while_others_talk", 0, None), ("come_while_others_talk", 1, None)])
def interleaving(steps):
    talk = Talk(["ann", "ben"])
    with (
        mock.patch.multiple("chat.streams.ChatStream", recover_most=_RECOVERED, history_size=_PAGE),
        talk.worker.at_work(),
    ):
        for person in talk.people:
            person.come()
            person.take_all()
        for number, each in enumerate(steps):
            do(talk, each, number)
            nobody_lacks_what_was_not_lost(talk)
        settle(talk)
        nobody_lacks_what_was_not_lost(talk)
        check(talk)


class DeliveryRuleTests(ChatTestCase):
    """Each interleaving has a room and people of its own; what it stores goes with the test."""

    def test_every_interleaving_leaves_everybody_with_every_message_once_and_as_it_is_now(self):
        interleaving()

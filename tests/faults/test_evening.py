"""The evening in its short form, and that it sees what is broken."""

from __future__ import annotations

import json
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest

from tests.faults import evening, evening_report
from tests.faults.evening_guest import Book, Guest, Room


@pytest.mark.system
def test_a_short_evening_keeps_every_promise(site):
    results = evening.Evening(60, people=40, rooms=5, rate=20).run_on(site)
    print(evening_report.markdown(results))
    assert results["broken"] == []
    assert results["sent"] == results["acknowledged"] > 500
    assert results["deliveries"] > 5 * results["sent"]
    assert {act["name"].partition(" of ")[0] for act in results["acts"]} == {
        "SIGKILL", "rolling restart", "Redis restarted, empty",
    }  # fmt: skip
    assert "no process ended but those that were ended" in evening_report.markdown(results)


def test_a_long_evening_has_all_that_was_promised():
    acts = evening.programme(30 * 60)
    kills = [act for act in acts if act.kind == "kill"]
    assert len(kills) == 30
    assert {(int(act.at) // 60, act.what.partition(":")[0]) for act in kills} == {
        (minute, "daphne" if minute % 2 else "workers") for minute in range(30)
    }
    assert sum(act.kind == "redis" for act in acts) == 2
    assert {act.what for act in acts if act.kind == "roll"} == {"workers:", "daphne:"}
    assert [act.at for act in acts] == sorted(act.at for act in acts)


class TestLedger:
    """Each promise that could be broken is named."""

    @pytest.fixture
    def crowd(self) -> Any:
        room, book = Room("tea"), Book()
        guests = [Guest(book, room, name, ("127.0.0.1", 1), "", 1) for name in ("ann", "ben")]
        crowd = SimpleNamespace(book=book, rooms=[room], guests=guests)
        for guest in guests:
            guest._epoch, guest.joined = "e", True
            for seq in (1, 2, 3):
                guest._message({"seq": seq, "id": f"m{seq}"})
        book.acknowledged = {f"m{seq}": ("tea", seq) for seq in (1, 2, 3)}
        return crowd

    stored = {1: "m1", 2: "m2", 3: "m3"}

    def unkept(self, crowd: Any, stored: dict[int, str] | None = None) -> str:
        return "\n".join(evening_report.ledger(crowd, {"tea": self.stored if stored is None else stored})[1])

    def test_all_is_well(self, crowd):
        rows, unkept = evening_report.ledger(crowd, {"tea": self.stored})
        assert unkept == []
        assert rows == [
            {"room": "tea", "people": 2, "acknowledged": 3, "stored": 3, "seen": 6, "missing": 0, "lost": 0}
        ]

    def test_an_acknowledged_message_that_is_not_stored(self, crowd):
        assert "1 acknowledged messages are not stored" in self.unkept(crowd, {1: "m1", 2: "m2"})
        assert "numbers have gaps" in self.unkept(crowd, {1: "m1", 3: "m3"})

    def test_a_message_that_is_stored_twice(self, crowd):
        assert "stored twice" in self.unkept(crowd, {**self.stored, 4: "m3"})

    def test_a_reader_who_lacks_the_last_one(self, crowd):
        assert "the last messages are missing: {'ann': 1, 'ben': 1}" in self.unkept(crowd, {**self.stored, 4: "m4"})

    def test_a_message_that_was_told_and_is_another(self, crowd):
        assert "seen, and are stored as something else" in self.unkept(crowd, {**self.stored, 3: "other"})

    def test_readers_who_do_not_agree(self, crowd):
        ann, ben = crowd.guests
        ann._message({"seq": 4, "id": "m4"})
        ben._message({"seq": 4, "id": "another"})
        assert crowd.book.broken == ["ben: number 4 of tea is another, and m4 for others"]

    def test_a_message_that_is_pushed_twice(self, crowd):
        crowd.guests[0]._message({"seq": 3, "id": "m3"})
        assert crowd.book.broken == ["ann: number 3 was pushed twice on one socket"]

    def test_an_acknowledgement_that_changes_its_mind(self, crowd):
        ann = crowd.guests[0]
        for seq in (4, 5):
            ann.unanswered["m4"] = crowd.book.sent["m4"] = 1.0
            ann._ack({"id": "m4", "room": "tea", "seq": seq, "dup": seq == 5})
        assert crowd.book.broken == ["m4 was acknowledged as ('tea', 4) and as ('tea', 5)"]

    def test_a_gap_is_no_loss_and_is_asked_for(self, crowd):
        ann = crowd.guests[0]
        spoken: list[dict[str, Any]] = []
        ann._socket = SimpleNamespace(send=lambda text: spoken.append(json.loads(text)["payload"]))
        ann._message({"seq": 5, "id": "m5"})
        assert ann.lacks() == "has all up to 3 of 5"
        ann.tick(monotonic() + 5)
        ann.tick(monotonic() + 5)
        assert spoken == [{"type": "history", "room": "tea", "after": 3, "limit": 100}]
        ann._take([{"seq": 4, "id": "m4"}, {"seq": 5, "id": "m5"}])
        assert (ann.lacks(), ann.last) == ("", 5)

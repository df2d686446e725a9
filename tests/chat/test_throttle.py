"""How much people may do in a while, on each way in; and that honest ones never notice."""

from __future__ import annotations

from unittest import mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from channels_lts import rates
from channels_lts.drops import Drops
from channels_lts.exceptions import StreamError
from channels_lts.rates import Rate
from chat import limits, throttle
from chat.models import Message, Room
from tests.chat.base import ChatTestCase, guest, image_bytes, who

ONE = Rate(1, per=600, burst=1)


def only(**kinds):
    """Let every rate be ample, but those of *kinds*: one in ten minutes, for a scope."""
    ample = {kind: {"person": Rate(1000, burst=100_000)} for kind in limits.RATES}
    return mock.patch.dict(limits.RATES, ample | {kind: {scope: ONE} for kind, scope in kinds.items()})


class ThrottleTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann = self.user("ann")
        self.tea = self.room("Tea", owner=self.ann)

    def refused(self, answer):
        """Check that an error of a stream says when to come back."""
        assert (answer["type"], answer["code"]) == ("error", "too_fast")
        assert 590_000 < answer["retry_after_ms"] <= 600_000
        return answer

    def refused_over_http(self, response):
        assert response.status_code == 429
        error = response.json()["error"]
        assert error["code"] == "too_fast"
        assert response["Retry-After"] == "600"
        assert 590_000 < error["retry_after_ms"] <= 600_000

    def test_sends_over_a_stream(self):
        page = self.page(self.ann)
        with only(send="connection"):
            assert page.one("chat", "send", room="tea", body="1", id="a")["type"] == "ack"
            assert self.refused(page.one("chat", "send", room="tea", body="2", id="b"))["id"] == "b"
            # Of another tab it is the first.
            assert self.page(self.ann).one("chat", "send", room="tea", body="3", id="c")["type"] == "ack"
            # The socket stays.
            assert page.one("system", "ping")["type"] == "pong"

    def test_sends_of_a_person_on_all_their_devices_and_ways(self):
        with only(send="person"):
            assert self.page(self.ann).one("chat", "send", room="tea", body="1", id="a")["type"] == "ack"
            self.refused(self.page(self.ann).one("chat", "send", room="tea", body="2", id="b"))
            plain = self.socket(self.ann, path="/ws/chat/tea/")
            (answer,) = plain.text({"message": "3"})
            assert answer["error"]["code"] == "too_fast"
            assert answer["error"]["retry_after_ms"] > 590_000
            self.refused_over_http(self.browser(self.ann).post("/rooms/tea/messages/", {"body": "4"}))
            upload = {"image": self.file(image_bytes())}
            self.refused_over_http(self.browser(self.ann).post("/rooms/tea/images/", upload))
            # Others go on.
            assert self.page(guest="gil").one("chat", "send", room="tea", body="5", id="a")["type"] == "ack"
        assert Message.objects.count() == 2

    def test_sends_to_a_room_by_whomever(self):
        with only(send="room"):
            assert self.page(self.ann).one("chat", "send", room="tea", body="1", id="a")["type"] == "ack"
            self.refused(self.page(guest="gil").one("chat", "send", room="tea", body="2", id="b"))
            self.room("Coffee")
            assert self.page(guest="gil").one("chat", "send", room="coffee", body="2", id="b")["type"] == "ack"

    def test_stored_message_is_acknowledged_again_however_fast(self):
        page = self.page(self.ann)
        with only(send="person"):
            page.one("chat", "send", room="tea", body="1", id="a")
            for _ in range(5):
                answer = page.one("chat", "send", room="tea", body="1", id="a")
                assert (answer["type"], answer["dup"]) == ("ack", True)
            again = self.browser(self.ann).post("/rooms/tea/messages/", {"body": "1", "id": "a"})
            assert again.status_code == 200
            # Somebody else's id helps nobody.
            self.refused(page.one("chat", "send", room="tea", body="1", id="b"))
            throttle.check("send", guest(), self.tea)
            with pytest.raises(StreamError):
                throttle.check("send", guest(), self.tea, uid="a")

    def test_joins_and_history(self):
        page = self.page(self.ann)
        with only(join="connection", history="connection"):
            assert page.join(self.tea)["type"] == "joined"
            self.refused(page.join(self.tea))
            assert page.one("chat", "history", room="tea")["type"] == "history"
            self.refused(page.one("chat", "history", room="tea"))

    def test_history_and_reading_over_http(self):
        browser = self.browser(self.ann)
        with only(history="person", read="person"):
            assert browser.get("/rooms/tea/messages/").status_code == 200
            self.refused_over_http(browser.get("/rooms/tea/messages/"))
            self.refused_over_http(browser.get("/rooms/tea/members/"))
            assert browser.post("/rooms/tea/read/", {"seq": 0}).status_code == 204
            self.refused_over_http(browser.post("/rooms/tea/read/", {"seq": 0}))

    def test_actions_over_streams_and_http_share_what_there_is(self):
        page = self.page(self.ann)
        with only(read="person"):
            assert page.one("chat", "read", room="tea", seq=0)["type"] == "done"
            self.refused(page.one("chat", "read", room="tea", seq=0))
            answer = self.browser(self.ann).post("/api/rooms/tea/read/", {"seq": 0}, content_type="application/json")
            self.refused_over_http(answer)

    def test_new_rooms(self):
        page, browser = self.page(self.ann), self.browser(self.ann)
        with only(room="person"):
            assert self.page(self.ann).text(
                {"stream": "rooms", "payload": {"action": "create", "data": {"name": "One"}, "id": 1}}
            )
            page.received()
            (answer,) = page.ask("rooms", "create", data={"name": "Two"}, id=2)
            self.refused(answer)
            response = browser.post("/rooms/new/", {"name": "Three"})
            assert response.status_code == 429
            assert response["Retry-After"] == "600"
            assert "Three" in response.content.decode()
        assert set(Room.objects.values_list("name", flat=True)) >= {"One", "Tea"}
        assert not Room.objects.filter(name__in=["Two", "Three"]).exists()
        assert browser.post("/rooms/new/", {"name": "Three"}).status_code == 302

    def test_uploads_by_number_and_by_bytes(self):
        browser = self.browser(self.ann)
        data = image_bytes()
        with only(upload="person"):
            assert browser.post("/rooms/tea/images/", {"image": self.file(data), "id": "a"}).status_code == 201
            self.refused_over_http(browser.post("/rooms/tea/images/", {"image": self.file(data), "id": "b"}))
            assert browser.post("/rooms/tea/images/", {"image": self.file(data), "id": "a"}).status_code == 200
        hour = Rate(len(data) * 3 / 2, per=900, burst=limits.IMAGE_BYTES)
        with mock.patch.object(limits, "UPLOAD_BYTES", hour):
            rates.take([(f"bytes:{who(self.ann).key}", hour, limits.IMAGE_BYTES - len(data))])
            assert browser.post("/rooms/tea/images/", {"image": self.file(data)}).status_code == 201
            response = browser.post("/rooms/tea/images/", {"image": self.file(data)})
            assert response.status_code == 429
            assert 590 < int(response["Retry-After"]) <= 600

    def file(self, data):
        return SimpleUploadedFile("a.png", data, "image/png")

    def test_refusals_are_counted_and_logged_once_a_second(self):
        page = self.page(self.ann)
        drops = Drops(throttle.logger, "throttled")
        told = mock.patch.object(throttle, "_drops", drops)
        with only(send="person"), told, self.assertLogs("chat.throttle") as logs:
            for number in range(10):
                page.ask("chat", "send", room="tea", body="1", id=f"n{number}")
            assert rates.refusals() == {"send": 9}
        assert 1 <= len(logs.output) <= 2
        assert f"send (last: u{self.ann.pk})" in logs.output[0]

    def test_switch_lets_everything_through(self):
        page = self.page(self.ann)
        with only(send="person"), override_settings(CHAT_RATES=False):
            for number in range(3):
                assert page.one("chat", "send", room="tea", body="1", id=f"n{number}")["type"] == "ack"
            throttle.check_upload(who(self.ann), 1, self.tea)


class HonestPeopleTests(ChatTestCase):
    """With the rates as they are shipped."""

    def test_fifty_messages_that_waited_and_were_stored_already_and_fifty_new_ones(self):
        page = self.page(self.user())
        room = self.room("Tea")
        page.join(room)
        for _ in range(2):
            for number in range(50):
                answers = page.ask("chat", "send", room="tea", body="x", id=f"m{number}")
                assert answers[-1]["type"] == "ack", answers
        for number in range(50, 100):
            assert page.ask("chat", "send", room="tea", body="x", id=f"m{number}")[-1]["type"] == "ack"
        assert room.messages.count() == 100

    def test_two_hundred_people_who_come_at_once(self):
        room = self.room("Tea")
        for number in range(200):
            throttle.check("join", guest(f"p{number}"), None, f"channel{number}")
            throttle.check("send", guest(f"p{number}"), room, f"channel{number}")

    def test_long_scroll_and_a_long_holiday(self):
        room = self.room("Tea")
        for _ in range(150):
            throttle.check("history", guest(), None, "channel")
        for _ in range(60):
            throttle.check_upload(guest(), 5_000_000, room)

    def test_nobody_may_do_what_never_ends(self):
        room = self.room("Tea")

        def flood():
            for _ in range(1000):
                throttle.check("send", guest(), room, "channel")

        with pytest.raises(StreamError) as caught:
            flood()
        assert caught.value.retry_after_ms <= 1000

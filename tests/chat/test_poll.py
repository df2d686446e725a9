from __future__ import annotations

import json
from typing import Any
from unittest import mock

from channels import channel_layers
from channels.message import Message
from channels.test import WSClient
from django.utils import translation

from chat import groups, limits, messages
from tests.chat.base import ChatTestCase, Socket, guest


class Poll:
    """A long-poll as the interface server reports it."""

    def __init__(
        self, slug: str, query: bytes | str = b"since=0", user: Any = None, name: str | None = "gil", **content
    ):
        self.client = Socket(user, None if user else name).client
        self.path = f"/poll/{slug}/"
        headers = [(key.encode(), value) for key, value in self.client.headers.items()]
        request = {"path": self.path, "query_string": query, "method": "GET", "headers": headers, **content}
        self.client.send_and_consume("http.request", request)

    def answer(self) -> tuple[int, Any] | None:
        response = self.client.get_next_message(self.client.reply_channel)
        if response is None:
            return None
        assert dict(response["headers"])[b"Content-Type"] == b"application/json"
        assert int(dict(response["headers"])[b"Content-Length"]) == len(response["content"])
        assert response["more_content"] is False
        return response["status"], json.loads(response["content"])

    def gone(self) -> None:
        self.client.send("http.disconnect", path=self.path)
        self.client.consume("http.disconnect")


class PollTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.tea = self.room("茶")

    def post(self, body="hi"):
        return messages.post(self.tea, guest(), body)[0]

    def members(self, seq):
        return list(channel_layers["default"].group_channels(groups.poll(self.tea.pk, seq)))

    def seqs(self, poll):
        status, content = poll.answer()
        assert status == 200
        return [message["seq"] for message in content["messages"]]

    def test_what_is_there_already_is_answered_at_once(self):
        for _ in range(3):
            self.post()
        assert self.seqs(Poll("茶", b"since=1")) == [2, 3]
        assert self.members(1) == []

    def test_request_waits_without_a_worker_until_somebody_posts(self):
        waiting = Poll("茶")
        assert waiting.answer() is None
        posted = self.post("你好")
        status, content = waiting.answer()
        assert status == 200
        assert [(message["seq"], message["body"]) for message in content["messages"]] == [(posted.seq, "你好")]

    def test_every_waiting_request_gets_exactly_what_it_lacks(self):
        first = Poll("茶", b"since=0")
        self.post()
        second = Poll("茶", b"since=1")
        self.post()
        assert (self.seqs(first), self.seqs(second)) == ([1], [2])

    def test_messages_told_in_the_wrong_order_skip_nobody(self):
        waiting = Poll("茶", b"since=0")
        with mock.patch("chat.messages.tell") as tell:
            for _ in range(2):
                self.post()
        calls = [call[0] for call in tell.call_args_list]
        for message, room in reversed(calls):
            messages.tell(message, room)
        assert self.seqs(waiting) == [1]

    def test_nothing_falls_between_looking_and_waiting(self):
        original = messages.after

        def after(room, seq, limit):
            found = original(room, seq, limit)
            self.post("in between")
            return found

        with mock.patch("chat.messages.after", after):
            poll = Poll("茶", b"since=0")
        assert self.seqs(poll) == [1]

    def test_long_absence_is_answered_in_parts(self):
        for number in range(limits.POLL_MAX + 5):
            self.post(str(number))
        assert self.seqs(Poll("茶", b"since=0")) == list(range(1, limits.POLL_MAX + 1))

    def test_request_that_ends_is_forgotten(self):
        waiting, other = Poll("茶"), Poll("茶")
        assert len(self.members(0)) == 2
        waiting.gone()
        assert self.members(0) == [other.client.reply_channel]
        self.post()
        other.gone()
        assert self.members(0) == []

    def test_end_of_its_interface_server_is_an_answer_like_any_other(self):
        waiting = Poll("茶")
        waiting.client.send_and_consume("http.drain", {"path": waiting.path})
        assert waiting.answer() == (200, {"messages": []})
        waiting.gone()
        assert self.members(0) == []

    def test_end_of_a_request_to_a_room_that_is_gone_is_no_error(self):
        waiting = Poll("茶")
        self.tea.delete()
        waiting.gone()
        Poll("a\0b").gone()

    def test_end_of_every_other_request_concerns_nobody(self):
        client = WSClient()
        client.send("http.disconnect", path="/")
        assert client.consume("http.disconnect") is None

    def test_bad_since_is_refused(self):
        bad = [
            b"", b"since", b"since=", b"since=x", b"since=-1", b"since=1.5", b"since=%2B1", b"since=1_0", b"since=+1",
            b"since=1&since=x", b"since=9223372036854775808", b"since=" + b"9" * 5000, b"before=1",
            b"since=%FF", b"since=\xff", b"\xff\xfe", "since=\u0663", b"since=%D9%A3", b"since=0x1", b"since=1%00",
        ]  # fmt: skip
        for query in bad:
            with self.subTest(query=query[:40]):
                status, content = Poll("茶", query).answer()
                assert (status, content["error"]["code"]) == (400, "bad_field")
                assert "since" in content["error"]["reason"]

    def test_number_that_is_not_there_yet_is_refused(self):
        self.post()
        status, content = Poll("茶", b"since=2").answer()
        assert (status, content["error"]["code"]) == (400, "bad_field")
        assert self.members(2) == []
        assert Poll("茶", b"since=1").answer() is None

    def test_nobody_and_strangers_are_refused(self):
        assert Poll("茶", name=None).answer()[0] == 403
        self.room("Cellar", private=True)
        for slug in ("cellar", "nowhere", "a\0b"):
            status, content = Poll(slug).answer()
            assert (status, content["error"]["code"]) == (404, "not_found")

    def test_only_get_is_possible(self):
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            status, content = Poll("茶", method=method).answer()
            assert (status, content["error"]["code"]) == (405, "bad_method")

    def test_failure_of_ours_is_answered_without_its_reason(self):
        with (
            mock.patch("chat.permissions.open_room", side_effect=RuntimeError("a secret")),
            self.assertLogs("chat.responses", "ERROR"),
        ):
            status, content = Poll("茶").answer()
        assert (status, content["error"]["code"]) == (500, "internal")
        assert "secret" not in str(content)

    def test_reasons_are_not_in_the_language_of_whatever_the_worker_did_before(self):
        with mock.patch("chat.poll._", side_effect=lambda text: translation.get_language()):
            translation.activate("zh-hans")
            self.addCleanup(translation.deactivate)
            assert Poll("茶", b"").answer()[1]["error"]["reason"] == "en"
        assert translation.get_language() == "zh-hans"

    def test_signed_in_person_is_known_by_the_cookie(self):
        ann = self.user("ann")
        self.room("Cellar", private=True, owner=ann)
        assert Poll("cellar", user=ann).answer() is None

    def test_other_paths_are_left_to_the_views(self):
        router = channel_layers["default"].router
        for path in ("/poll/", "/poll/a/b/", "/poll/a", "/healthz/", "/"):
            request = Message({"path": path, "method": "GET"}, "http.request", channel_layers["default"])
            assert router.match(request) is None

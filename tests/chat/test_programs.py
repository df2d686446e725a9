"""What programs ask for by token: rooms, messages with a key against doing it twice, windows of history."""

from __future__ import annotations

import json

from django.test import Client as Browser

from chat import changes, messages, tokens
from chat.models import Message
from tests.chat.base import ChatTestCase, who


class ProgramTests(ChatTestCase):
    url = "/api/rooms/tea/messages/"

    def setUp(self):
        super().setUp()
        self.ann = self.user("ann")
        self.tea = self.room("Tea", owner=self.ann)
        _token, secret = tokens.make(self.ann, "robot")
        self.client = Browser(enforce_csrf_checks=True, HTTP_AUTHORIZATION=f"Bearer {secret}")

    def post(self, content, **headers):
        return self.client.post(self.url, json.dumps(content), content_type="application/json", **headers)

    def test_a_key_stores_a_message_once(self):
        page = self.page(self.ann)
        page.join(self.tea)
        first = self.post({"body": " hi "}, HTTP_IDEMPOTENCY_KEY="k1")
        again = self.post({"body": "hi"}, HTTP_IDEMPOTENCY_KEY="k1")
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()
        assert first.json()["message"]["id"] == "k1"
        assert len([said for said in page.heard("chat") if said["type"] == "message"]) == 1

    def test_the_same_key_with_another_text_is_a_conflict(self):
        self.post({"body": "hi"}, HTTP_IDEMPOTENCY_KEY="k1")
        other = self.post({"body": "ho"}, HTTP_IDEMPOTENCY_KEY="k1")
        assert (other.status_code, other.json()["error"]["code"]) == (409, "conflict")
        assert Message.objects.count() == 1

    def test_a_repeat_of_a_message_that_was_edited_or_removed_since_is_one(self):
        for key, change in (
            ("k1", lambda message: changes.edit(self.tea, who(self.ann), message.seq, "ho")),
            ("k2", changes.remove),
        ):
            self.post({"body": "hi"}, HTTP_IDEMPOTENCY_KEY=key)
            change(Message.objects.get(uid=key))
            assert self.post({"body": "hi"}, HTTP_IDEMPOTENCY_KEY=key).status_code == 200

    def test_keys_of_two_people_are_two(self):
        _token, secret = tokens.make(self.user("ben"), "robot")
        self.post({"body": "hi"}, HTTP_IDEMPOTENCY_KEY="k1")
        response = self.post({"body": "hi"}, HTTP_IDEMPOTENCY_KEY="k1", HTTP_AUTHORIZATION=f"Bearer {secret}")
        assert response.status_code == 201

    def test_bad_keys_are_refused(self):
        for headers, fields, status in (
            ({"HTTP_IDEMPOTENCY_KEY": ""}, {}, 400),
            ({"HTTP_IDEMPOTENCY_KEY": " "}, {}, 400),
            ({"HTTP_IDEMPOTENCY_KEY": "a\x7f"}, {}, 400),
            ({"HTTP_IDEMPOTENCY_KEY": "x" * 65}, {}, 413),
            ({"HTTP_IDEMPOTENCY_KEY": "k1"}, {"id": "k2"}, 400),
        ):
            with self.subTest(headers):
                assert self.post({"body": "hi", **fields}, **headers).status_code == status
        assert self.post({"body": "hi", "id": "k1"}, HTTP_IDEMPOTENCY_KEY="k1").status_code == 201

    def test_windows_of_history(self):
        for number in range(5):
            messages.post(self.tea, who(self.ann), str(number))
        for query, seqs, more in (
            ({}, [1, 2, 3, 4, 5], False),
            ({"before": "4", "limit": "2"}, [2, 3], True),
            ({"after": "0", "limit": "2"}, [1, 2], True),
            ({"after": "3"}, [4, 5], False),
            ({"after": "5"}, [], False),
            ({"after": "9" * 18}, [], False),
        ):
            content = self.client.get(self.url, query).json()
            assert ([message["seq"] for message in content["messages"]], content["more"]) == (seqs, more), query
        for query in ({"after": "-1"}, {"after": "x"}, {"after": ""}, {"after": "1", "before": "2"}, {"limit": "101"}):
            assert self.client.get(self.url, query).json()["error"]["code"] == "bad_field", query

    def test_rooms_are_those_of_the_tokens_owner(self):
        self.room("Cellar", private=True, owner=self.ann)
        self.room("Attic", private=True)
        slugs = {room["slug"] for room in self.client.get("/api/rooms/").json()["rooms"]}
        assert {"tea", "cellar"} <= slugs
        assert "attic" not in slugs
        assert self.client.get("/api/rooms/attic/messages/").status_code == 404
        assert self.client.post("/api/rooms/").status_code == 405

    def test_an_unknown_action_is_told(self):
        response = self.client.post("/api/rooms/tea/nothing/", {}, content_type="application/json")
        assert (response.status_code, response.json()["error"]["code"]) == (400, "unknown_type")

    def test_files_are_served_by_token(self):
        assert self.client.get("/media/images/none.png").status_code == 404
        wrong = self.client.get("/media/images/none.png", HTTP_AUTHORIZATION="Bearer x")
        assert wrong.status_code == 401

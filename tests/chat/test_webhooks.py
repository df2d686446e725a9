from __future__ import annotations

import json

import pytest
from channels.message import Message as ChannelMessage
from django.test import Client as Browser

from channels_lts.exceptions import StreamError
from chat import datagrams, limits, webhooks
from chat.models import Membership, Message, Webhook
from tests.chat.base import ChatTestCase, who


class WebhookCase(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann, self.ben = self.user("ann"), self.user("ben")
        self.cellar = self.room("Cellar", private=True, owner=self.ann)
        self.webhook, self.secret = webhooks.make(self.cellar, who(self.ann), "Build")
        self.browser_of_service = Browser(enforce_csrf_checks=True)

    def post(self, content, secret=None, **headers):
        data = content if isinstance(content, str | bytes) else json.dumps(content)
        url = f"/hooks/{secret or self.secret}/"
        return self.browser_of_service.post(url, data, content_type="application/json", **headers)


class ActionTests(WebhookCase):
    def test_who_manages_the_room_makes_lists_and_revokes(self):
        page = self.page(self.ann)
        made = page.one("chat", "webhook", room="cellar", name="Deploy")
        assert (made["type"], made["webhook"]["name"]) == ("done", "Deploy")
        assert self.browser_of_service.post(made["path"], {"text": "hi"}).status_code == 201
        listed = page.one("chat", "webhooks", room="cellar")["webhooks"]
        assert [each["name"] for each in listed] == ["Build", "Deploy"]
        assert listed[1]["used"]
        assert made["path"].split("/")[2] not in str(listed)
        page.one("chat", "webhook_revoke", room="cellar", webhook=made["webhook"]["id"])
        assert self.browser_of_service.post(made["path"], {"text": "hi"}).status_code == 404
        assert Message.objects.count() == 1

    def test_nobody_else_does(self):
        Membership.objects.create(room=self.cellar, user=self.ben)
        page = self.page(self.ben)
        asked = {"webhook": {"name": "x"}, "webhooks": {}, "webhook_revoke": {"webhook": self.webhook.pk}}
        for kind, fields in asked.items():
            assert page.one("chat", kind, room="cellar", **fields)["code"] == "not_allowed"
        attic = self.room("Attic", owner=self.ann)
        refused = self.page(self.ann).one("chat", "webhook_revoke", room=attic.slug, webhook=self.webhook.pk)
        assert refused["code"] == "not_found"
        assert Webhook.objects.count() == 1

    def test_bad_fields_are_refused(self):
        page = self.page(self.ann)
        for fields in ({}, {"name": ""}, {"name": " "}, {"name": 7}, {"name": None}, {"name": "a\0"}):
            assert page.one("chat", "webhook", room="cellar", **fields)["code"] == "bad_field", fields
        assert page.one("chat", "webhook", room="cellar", name="x" * 81)["code"] == "too_large"
        for fields in ({}, {"webhook": "1"}, {"webhook": 0}, {"webhook": True}, {"webhook": 2**63}):
            assert page.one("chat", "webhook_revoke", room="cellar", **fields)["code"] == "bad_field", fields
        assert page.one("chat", "webhook_revoke", room="cellar", webhook=2**63 - 1)["code"] == "not_found"
        for number in range(limits.WEBHOOKS - 1):
            webhooks.make(self.cellar, who(self.ann), str(number))
        assert page.one("chat", "webhook", room="cellar", name="x")["code"] == "not_allowed"


class HookTests(WebhookCase):
    def test_text_arrives_under_its_name(self):
        page = self.page(self.ann)
        page.join(self.cellar)
        response = self.post({"text": "it is green"})
        assert (response.status_code, response.json()["seq"]) == (201, 1)
        (said,) = page.heard("chat")
        assert said["author"] == {"key": f"w{self.webhook.pk}", "name": "Build", "guest": False}
        assert said["body"] == "it is green"

    def test_forms_as_services_send_them(self):
        for fields in ({"text": "one"}, {"payload": json.dumps({"text": "one", "channel": "#x"})}):
            assert self.browser_of_service.post(f"/hooks/{self.secret}/", fields).status_code == 201
        assert [message.body for message in Message.objects.all()] == ["one", "one"]

    def test_a_command_and_a_slash_are_text(self):
        self.post({"text": "/remind 1m x"})
        assert Message.objects.get().body == "/remind 1m x"

    def test_a_repeat_under_its_key_is_stored_once(self):
        assert self.post({"text": "hi"}, HTTP_IDEMPOTENCY_KEY="k1").status_code == 201
        again = self.post({"text": "hi"}, HTTP_IDEMPOTENCY_KEY="k1")
        assert (again.status_code, again.json()) == (200, {"seq": 1, "id": "k1"})
        _other, secret = webhooks.make(self.cellar, who(self.ann), "Other")
        assert self.post({"text": "hi"}, secret, HTTP_IDEMPOTENCY_KEY="k1").status_code == 201
        assert Message.objects.count() == 2

    def test_bad_requests_are_refused_in_json(self):
        for content, status, code in (
            ({}, 400, "bad_field"), ({"text": ""}, 400, "bad_field"), ({"text": 7}, 400, "bad_field"),
            ({"text": None}, 400, "bad_field"), ({"text": "a\0"}, 400, "bad_field"),
            ({"text": "x" * 4001}, 413, "too_large"),
            ({"text": "x" * limits.REQUEST}, 413, "too_large"), ([], 400, "malformed"), ("{", 400, "malformed"),
            (b"\xff", 400, "malformed"), ("[" * 50_000, 400, "malformed"), ({"payload": "{"}, 400, "malformed"),
            ({"payload": "[]"}, 400, "malformed"), ({"payload": {"text": "x"}}, 400, "bad_field"),
        ):  # fmt: skip
            with self.subTest(str(content)[:40]):
                response = self.post(content)
                assert (response.status_code, response.json()["error"]["code"]) == (status, code)
        for key, status in (("", 400), ("x" * 65, 413), ("a\x01", 400)):
            assert self.post({"text": "x"}, HTTP_IDEMPOTENCY_KEY=key).status_code == status
        response = self.browser_of_service.get(f"/hooks/{self.secret}/")
        assert (response.status_code, response["Allow"]) == (405, "POST")
        assert not Message.objects.exists()

    def test_an_address_that_is_none_or_of_a_room_that_is_gone_is_404(self):
        for secret in ("x", self.secret[:-1], self.webhook.digest, "ü", "a\0b", self.secret + "="):
            assert self.post({"text": "x"}, secret).status_code == 404, secret
        self.cellar.delete()
        response = self.post({"text": "x"})
        assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")

    def test_what_it_said_stays_when_it_is_revoked(self):
        self.post({"text": "x"})
        webhooks.revoke(self.cellar, self.webhook.pk)
        assert Message.objects.get().author_name == "Build"
        with pytest.raises(StreamError, match="not_found"):
            webhooks.find(self.secret)


class DatagramTests(WebhookCase):
    def send(self, data: bytes):
        content = {"data": data, "client": ["192.0.2.1", 4711], "reply_channel": "reply"}
        datagrams.datagram(ChannelMessage(content, "udp.receive", self.layer))
        answer = self.get_next_message("reply")
        return None if answer is None else json.loads(answer["data"])

    @property
    def layer(self):
        from channels import channel_layers

        return channel_layers["default"]

    def test_both_forms_reach_the_room(self):
        assert self.send(json.dumps({"hook": self.secret, "body": "one"}).encode()) == {"seq": 1, "dup": False}
        assert self.send(f"{self.secret} two words\n".encode()) == {"seq": 2, "dup": False}
        assert [message.body for message in Message.objects.order_by("seq")] == ["one", "two words"]

    def test_a_datagram_that_is_sent_again_is_stored_once(self):
        data = json.dumps({"hook": self.secret, "body": "one", "id": "k"}).encode()
        assert self.send(data) == {"seq": 1, "dup": False, "id": "k"}
        assert self.send(data) == {"seq": 1, "dup": True, "id": "k"}

    def test_what_is_wrong_is_told_to_who_knows_the_token(self):
        for fields, code in (
            ({}, "bad_field"), ({"body": ""}, "bad_field"), ({"body": 7}, "bad_field"), ({"body": "a\0"}, "bad_field"),
            ({"body": "x", "id": 7}, "bad_field"), ({"body": "x" * 4001}, "too_large"),
        ):  # fmt: skip
            answer = self.send(json.dumps({"hook": self.secret, **fields}).encode())
            assert answer["error"]["code"] == code, fields
            assert answer["error"]["reason"]
        assert self.send(self.secret.encode())["error"]["code"] == "bad_field"
        assert not Message.objects.exists()

    def test_who_knows_no_token_gets_no_answer_longer_than_what_they_sent(self):
        for data in (b"", b"x", b"\xff" * 20, b"{", b"{}", b"[]", b"null", b'{"hook": 1}', b"\0 x"):
            assert self.send(data) is None, data
        refused = {"error": {"code": "not_found"}}
        for data in (
            b"x" * 40 + b" hi",
            b"[" * 5000,
            b"{" * 5000,
            json.dumps({"hook": "x", "body": "hello there"}).encode(),
        ):
            assert self.send(data) == refused, data[:20]

    def test_a_failure_is_answered_and_logged(self):
        with pytest.MonkeyPatch.context() as patch, self.assertLogs("chat.datagrams", "ERROR"):
            patch.setattr(webhooks, "post", lambda *arguments: 1 / 0)
            assert self.send(f"{self.secret} x".encode())["error"]["code"] == "internal"

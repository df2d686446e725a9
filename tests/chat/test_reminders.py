from __future__ import annotations

import json
from unittest import mock

import pytest
from channels import channel_layers
from channels.message import Message as ChannelMessage
from django.db import transaction

from channels_lts import delay_inbox
from channels_lts.exceptions import LayerUnavailable, StreamError
from chat import commands, reminders
from chat.models import Ban, Membership, Message
from tests.chat.base import ChatTestCase, guest, who


class ReminderCase(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann = self.user("ann")
        self.tea = self.room("Tea", owner=self.ann)

    def delayed(self):
        return self.get_next_message("asgi.delay", require=True).content

    def comes(self, delayed) -> None:
        """The delay server hands it over, as it was kept: in JSON."""
        content = json.loads(json.dumps(delayed["content"]))
        reminders.due(ChannelMessage(content, delayed["channel"], channel_layers["default"]))

    def remind(self, body="/remind 10m the tea", as_whom=None, uid="m1"):
        commands.run(self.tea, as_whom or who(self.ann), body, uid)
        return self.delayed()


class CommandTests(ReminderCase):
    def test_it_is_answered_and_not_posted(self):
        page = self.page(self.ann)
        page.join(self.tea)
        done = page.one("chat", "send", room="tea", body=" /remind 10m the tea\nis ready ", id="m1")
        assert (done["type"], done["action"], done["id"], done["room"]) == ("done", "remind", "m1", "tea")
        assert (done["in_seconds"], done["text"]) == (600, "the tea\nis ready")
        assert done["due"].endswith("Z")
        delayed = self.delayed()
        assert (delayed["channel"], delayed["delay"]) == ("chat.remind", 600_000)
        delay_inbox.read(delayed, channel_layers["default"])
        assert not Message.objects.exists()

    def test_over_http_and_the_one_room_socket_too(self):
        browser = self.browser(self.ann)
        response = browser.post(
            "/api/rooms/tea/messages/", {"body": "/remind 1h30m x"}, content_type="application/json"
        )
        assert (response.status_code, response.json()["done"]["in_seconds"]) == (202, 5400)
        (answer,) = self.socket(self.ann, path="/ws/chat/tea/").text({"message": "/REMIND 2D x"})
        assert answer["done"]["in_seconds"] == 172_800
        assert not Message.objects.exists()

    def test_times(self):
        for text, seconds in (
            ("1s", 1),
            ("10M", 600),
            ("1h30m", 5400),
            ("366d", 366 * 86_400),
            ("0h1s", 1),
            ("5m5m", 600),
        ):
            assert reminders.seconds(text) == seconds
        for text in (
            "",
            "0s",
            "s",
            "10",
            "10 m",
            "-1m",
            "1.5h",
            "367d",
            "1w",
            "1e3s",
            "9" * 9 + "d",
            "\u0661m",
            "1m!",
            "m1",
        ):
            with self.subTest(text), pytest.raises(StreamError, match="bad_field"):
                reminders.seconds(text)

    def test_mistakes_say_how_it_is_written(self):
        page = self.page(self.ann)
        for body in (
            "/remind",
            "/remind ",
            "/remind 10m",
            "/remind 10m  \u200b",
            "/remind tea",
            "/remind tea 10m",
            "/remind 0s x",
        ):
            refused = page.one("chat", "send", room="tea", body=body, id="m1")
            assert (refused["type"], refused["code"], refused["id"]) == ("error", "bad_field", "m1"), body
        assert page.one("chat", "send", room="tea", body="/remind 1m " + "x" * 1001)["code"] == "too_large"
        assert self.get_next_message("asgi.delay") is None

    def test_an_unknown_command_is_told_what_there_is(self):
        page = self.page(self.ann)
        for body in ("/shrug", "/me waves", "/reminder 1m x", "/é x"):
            refused = page.one("chat", "send", room="tea", body=body)
            assert refused["code"] == "bad_field"
            assert "/remind" in refused["reason"]
        assert not Message.objects.exists()

    def test_two_slashes_are_one_and_a_path_is_none(self):
        page = self.page(self.ann)
        as_they_are = ("/etc/hosts is full", "/", "a /remind 1m x", "/1 x")
        for body, posted in (
            ("//remind 1m x", "/remind 1m x"),
            (" // x", "/ x"),
            *zip(as_they_are, as_they_are, strict=True),
        ):
            page.ask("chat", "send", room="tea", body=body)
            assert Message.objects.order_by("-seq")[0].body == posted

    def test_who_may_not_post_is_refused(self):
        Ban.objects.create(room=self.tea, key="ggil", name="gil")
        refused = self.page(guest="gil").one("chat", "send", room="tea", body="/remind 1m x")
        assert refused["type"] == "error"
        assert self.get_next_message("asgi.delay") is None

    def test_what_cannot_be_kept_is_said(self):
        layer = channel_layers["default"]
        for error in (layer.ChannelFull(), LayerUnavailable("away")):
            with (
                mock.patch.object(layer.channel_layer, "send", side_effect=error),
                pytest.raises(StreamError, match="unavailable"),
            ):
                commands.run(self.tea, who(self.ann), "/remind 1m x")


class DueTests(ReminderCase):
    def test_the_server_says_it_and_mentions_who_asked(self):
        page = self.page(self.ann)
        page.join(self.tea)
        self.comes(self.remind())
        said = [payload for payload in page.heard("chat") if payload["type"] == "message"]
        assert [(each["author"]["key"], each["author"]["name"], each["body"]) for each in said] == [
            ("b-remind", "Reminder", "@ann the tea")
        ]

    def test_it_comes_once_however_often_it_is_handed_over(self):
        delayed = self.remind()
        self.comes(delayed)
        self.comes(delayed)
        assert Message.objects.count() == 1

    def test_a_command_that_is_sent_again_under_its_id_is_one_reminder(self):
        first, again, other = self.remind(), self.remind(), self.remind(uid="m2")
        for delayed in (first, again, other):
            self.comes(delayed)
        assert Message.objects.count() == 2

    def test_two_without_an_id_are_two(self):
        for delayed in (self.remind(uid=None), self.remind(uid=None)):
            self.comes(delayed)
        assert Message.objects.count() == 2

    def test_guests_are_reminded_too(self):
        self.comes(self.remind(as_whom=guest("gil")))
        assert Message.objects.get().body == "@gil the tea"

    def test_who_may_not_read_the_room_any_more_is_not_reminded(self):
        ben = self.user("ben")
        cellar = self.room("Cellar", private=True)
        place = Membership.objects.create(room=cellar, user=ben)
        commands.run(cellar, who(ben), "/remind 1m x", "m")
        delayed = self.delayed()
        place.delete()
        with self.assertLogs("chat.reminders", "INFO"):
            self.comes(delayed)
        assert not Message.objects.exists()

    def test_nor_is_who_was_banned_or_whose_account_is_closed_or_gone(self):
        ben, gil = self.user("ben"), guest("gil")
        for identity in (who(ben), gil):
            delayed = self.remind(as_whom=identity)
            with transaction.atomic():
                ban = Ban.objects.create(room=self.tea, key=identity.key, name=identity.name)
                self.comes(delayed)
            assert not Message.objects.exists()
            ban.delete()
        delayed = self.remind(as_whom=who(ben))
        ben.is_active = False
        ben.save()
        self.comes(delayed)
        ben.delete()
        self.comes(delayed)
        assert not Message.objects.exists()

    def test_a_room_that_is_gone_is_logged(self):
        delayed = self.remind()
        self.tea.delete()
        with self.assertLogs("chat.reminders", "INFO"):
            self.comes(delayed)

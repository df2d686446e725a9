from __future__ import annotations

import io
from unittest import mock

import pytest
from django.core.management import CommandError, call_command

from tests.chat.base import ChatTestCase


def run(name: str, *args: str) -> str:
    output = io.StringIO()
    call_command(name, *args, stdout=output, stderr=io.StringIO())
    return output.getvalue()


class AnnounceTests(ChatTestCase):
    def test_everybody_hears_it(self):
        ann, gil = self.page(self.user("ann")), self.page(guest="gil")
        assert run("announce", " Restart at noon. 大厅 ") == "Announced to everybody.\n"
        (heard,) = ann.heard("system")
        assert gil.heard("system") == [heard]
        assert heard.pop("at").endswith("Z")
        assert heard == {"type": "announcement", "text": "Restart at noon. 大厅", "room": None}

    def test_one_room_hears_it_alone(self):
        tea = self.room("茶")
        inside, outside = self.page(self.user("ann")), self.page(guest="gil")
        inside.join(tea)
        run("announce", "Tea is ready", "--room", "茶")
        assert [payload["room"] for payload in inside.heard("system")] == ["茶"]
        assert outside.heard("system") == []

    def test_mistakes_are_named(self):
        for args, part in (
            (["hi", "--room", "nowhere"], "nowhere"),
            ([""], "empty"),
            ([" \n"], "empty"),
            (["x" * 4001], "4000"),
        ):
            with pytest.raises(CommandError, match=part):
                call_command("announce", *args)


class DisconnectTests(ChatTestCase):
    def test_all_sockets_of_a_user_are_closed(self):
        ann = self.user("ann")
        tea = self.room("Tea")
        mine = [self.page(ann), self.page(ann), self.socket(ann, path=f"/ws/chat/{tea.slug}/")]
        other = self.page(self.user("ben"))
        assert run("disconnect", "--user", "ann") == "Told 3 sockets to close.\n"
        assert [socket.received() for socket in mine] == [[{"close": 4001}]] * 3
        assert other.received() == []

    def test_all_sockets_in_a_room_are_closed(self):
        tea = self.room("茶")
        inside, outside = self.page(self.user("ann")), self.page(self.user("ben"))
        plain = self.socket(guest="gil", path="/ws/chat/茶/")
        inside.join(tea)
        inside.received()
        assert run("disconnect", "--room", "茶") == "Told 2 sockets to close.\n"
        assert inside.received() == plain.received() == [{"close": 4001}]
        assert outside.received() == []

    def test_nobody_there_is_no_mistake(self):
        self.user("ann")
        assert run("disconnect", "--user", "ann") == "Told 0 sockets to close.\n"

    def test_mistakes_are_named(self):
        with pytest.raises(CommandError, match="nobody-has-this"):
            call_command("disconnect", "--user", "nobody-has-this")
        with pytest.raises(CommandError, match="nowhere"):
            call_command("disconnect", "--room", "nowhere")
        for args in ([], ["--user", "a", "--room", "b"]):
            with pytest.raises(CommandError):
                call_command("disconnect", *args)


class LayerTests(ChatTestCase):
    def test_in_memory_layer_is_warned_of(self):
        self.user("ann")
        for command in (["announce", "hi"], ["disconnect", "--user", "ann"]):
            for local, warned in ((True, True), (False, False)):
                errors = io.StringIO()
                with mock.patch("chat.broadcast.heard_elsewhere", return_value=not local):
                    call_command(*command, stdout=io.StringIO(), stderr=errors)
                assert ("in memory" in errors.getvalue()) == warned


class SignOutTests(ChatTestCase):
    def test_signing_out_closes_the_sockets_of_this_browser_alone(self):
        ann = self.user("ann")
        here, elsewhere = self.page(ann), self.page(ann)
        browser = self.browser()
        browser.cookies["sessionid"] = here.client.session.session_key
        assert browser.post("/accounts/logout/").status_code == 302
        assert {"close": 4003} in here.received()
        assert elsewhere.received() == []

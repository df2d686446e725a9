from __future__ import annotations

import datetime
import io
import json
from unittest import mock

import pytest
from channels import Channel
from channels.exceptions import DenyConnection
from channels.message import Message as ChannelMessage
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from django.utils import timezone

from channels_lts import bearer, revocation, sessions
from channels_lts.exceptions import StreamError
from chat import groups, limits, tokens, waiting
from chat.models import Client, Token
from tests.chat.base import ChatTestCase, Page, Socket

FOREIGN = (b"origin", b"https://elsewhere.example")


def shows(secret: str) -> tuple[bytes, bytes]:
    return (b"authorization", f"Bearer {secret}".encode())


class TokenCase(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann, self.ben = self.user("ann"), self.user("ben")
        self.room_of_ann = self.room("Cellar", private=True, owner=self.ann)
        self.token, self.secret = tokens.make(self.ann, "robot")

    def bearer(self, secret: str | None = None) -> dict[str, str]:
        return {"HTTP_AUTHORIZATION": f"Bearer {self.secret if secret is None else secret}"}

    def expire(self) -> None:
        Token.objects.update(expires_at=timezone.now() - datetime.timedelta(seconds=1))


class StoreTests(TokenCase):
    def test_a_digest_is_all_that_is_kept(self):
        row = Token.objects.values().get(pk=self.token.pk)
        assert row["digest"] == bearer.digest(self.secret)
        assert self.secret not in str(row)
        assert self.secret.startswith("chat_")
        assert tokens.check(self.secret).user == self.ann

    def test_what_is_no_token_is_none(self):
        for secret in ("", "x", self.secret[:-1], self.secret + "x", self.secret.upper(), self.token.digest, "é" * 9):
            with self.subTest(secret), pytest.raises(StreamError, match="bad_token"):
                tokens.check(secret)

    def test_an_expired_token_and_one_of_a_closed_account_are_none(self):
        self.expire()
        with pytest.raises(StreamError, match="bad_token"):
            tokens.check(self.secret)
        Token.objects.update(expires_at=None)
        self.ann.is_active = False
        self.ann.save()
        with pytest.raises(StreamError, match="bad_token"):
            tokens.check(self.secret)

    def test_use_is_written_down_once_a_minute(self):
        tokens.check(self.secret)
        first = Token.objects.get().last_used_at
        assert first is not None
        with self.assertNumQueries(1):
            tokens.check(self.secret)
        earlier = first - datetime.timedelta(seconds=61)
        Token.objects.update(last_used_at=earlier)
        tokens.check(self.secret)
        assert Token.objects.get().last_used_at >= first

    def test_names_days_and_numbers_have_bounds(self):
        for name, days, code in (
            ("", None, "bad_field"),
            (" \u200b", None, "bad_field"),
            ("x" * 81, None, "too_large"),
            ("x", 0, "bad_field"),
            ("x", -1, "bad_field"),
            ("x", 3651, "bad_field"),
        ):
            with self.subTest(name=name[:5], days=days), pytest.raises(StreamError, match=code):
                tokens.make(self.ann, name, days=days)
        for number in range(limits.TOKENS - 1):
            tokens.make(self.ann, str(number))
        with pytest.raises(StreamError, match="not_allowed"):
            tokens.make(self.ann, "one more")
        assert not tokens.revoke(self.ben, self.token.pk)
        assert tokens.revoke(self.ann, self.token.pk)


class PageTests(TokenCase):
    url = "/accounts/tokens/"

    def test_a_token_is_shown_once(self):
        browser = self.browser(self.ann)
        page = browser.post(self.url, {"name": "build", "days": "30"})
        token = Token.objects.get(name="build")
        (secret,) = {
            word for word in page.content.decode().replace("<", " ").replace(">", " ").split() if "chat_" in word
        }
        assert page.status_code == 201
        assert tokens.check(secret) == token
        assert 29 <= (token.expires_at - timezone.now()).days <= 30
        again = browser.get(self.url).content.decode()
        assert "build" in again
        assert secret not in again

    def test_revoking_is_for_ones_own(self):
        assert self.browser(self.ben).post(f"{self.url}{self.token.pk}/revoke/").status_code == 302
        assert Token.objects.exists()
        assert self.browser(self.ann).post(f"{self.url}{self.token.pk}/revoke/").status_code == 302
        assert not Token.objects.exists()

    def test_nobody_and_guests_are_sent_to_sign_in(self):
        for browser in (self.browser(), self.browser(guest="gil")):
            assert browser.get(self.url)["Location"].startswith("/accounts/login/")
            assert browser.post(f"{self.url}{self.token.pk}/revoke/")["Location"].startswith("/accounts/login/")

    def test_bad_names_are_told(self):
        for name in ("", " ", "x" * 81):
            page = self.browser(self.ann).post(self.url, {"name": name, "days": "x"})
            assert page.status_code == 400
            assert 'role="alert"' in page.content.decode()
        assert Token.objects.count() == 1

    def test_a_token_makes_no_tokens_and_opens_no_page(self):
        for path in (self.url, "/", "/rooms/new/", "/admin/"):
            for response in (
                Browser().get(path, **self.bearer()),
                Browser().post(path, {"name": "x"}, **self.bearer()),
            ):
                assert (response.status_code, response.json()["error"]["code"]) == (403, "not_allowed"), path
        assert Token.objects.count() == 1


class CommandTests(TokenCase):
    def test_it_prints_the_token_and_nothing_else(self):
        output = io.StringIO()
        call_command("token", "ann", "deploy", "--days=2", stdout=output)
        assert tokens.check(output.getvalue().strip()).name == "deploy"
        call_command("token", "ann", "deploy", "--revoke", stdout=output)
        assert not Token.objects.filter(name="deploy").exists()

    def test_mistakes_are_told(self):
        for arguments in (
            ["eve", "x"],
            ["ann", ""],
            ["ann", "x", "--days=0"],
            ["ann", "no", "--revoke"],
            ["a\0b", "x"],
        ):
            with self.subTest(arguments), pytest.raises(CommandError):
                call_command("token", *arguments)


class RequestTests(TokenCase):
    url = "/api/rooms/cellar/messages/"

    def post(self, browser=None, **headers):
        body = json.dumps({"body": "hi"})
        return (browser or Browser()).post(self.url, body, content_type="application/json", **headers)

    def test_a_token_stands_for_its_owner_without_cookie_or_csrf_token(self):
        strict = Browser(enforce_csrf_checks=True)
        response = self.post(strict, **self.bearer())
        assert response.status_code == 201
        assert response.json()["message"]["author"]["key"] == f"u{self.ann.pk}"
        assert not response.cookies

    def test_a_cookie_still_needs_its_csrf_token(self):
        strict = Browser(enforce_csrf_checks=True)
        strict.force_login(self.ann)
        assert self.post(strict).status_code == 403
        assert self.post(strict, HTTP_AUTHORIZATION="Basic YTpi").status_code == 403

    def test_a_wrong_token_is_401_whatever_the_cookies_say(self):
        signed_in = self.browser(self.ann)
        for value in ("Bearer x", "Bearer", "Bearer ", "bearer é", f"Bearer {self.secret}, Bearer {self.secret}",
                      f"Bearer {self.secret} x", "Bearer " + "x" * 5000):  # fmt: skip
            for browser in (Browser(), signed_in):
                response = self.post(browser, HTTP_AUTHORIZATION=value)
                assert (response.status_code, response.json()["error"]["code"]) == (401, "bad_token"), value[:40]
                assert response["WWW-Authenticate"] == 'Bearer realm="chat", error="invalid_token"'
        assert signed_in.get("/", HTTP_AUTHORIZATION="Bearer x").status_code == 401
        self.expire()
        assert self.post(**self.bearer()).status_code == 401

    def test_the_token_counts_and_not_the_cookie(self):
        response = self.post(self.browser(self.ben), **self.bearer())
        assert response.json()["message"]["author"]["name"] == "ann"

    def test_actions_work_by_token(self):
        browser = Browser(enforce_csrf_checks=True)
        self.post(browser, **self.bearer())
        response = browser.post("/api/rooms/cellar/read/", {"seq": 1}, content_type="application/json", **self.bearer())
        assert response.status_code == 200, response.content
        listed = browser.get("/api/rooms/", **self.bearer()).json()["rooms"]
        assert "cellar" in {room["slug"] for room in listed}

    def test_long_poll_takes_a_token_and_no_other(self):
        self.post(**self.bearer())
        for headers, status in (
            ([shows(self.secret)], 200),
            ([shows("x")], 401),
            ([shows(self.secret)] * 2, 401),
            ([], 403),
        ):
            client = self.client_of_polls(headers)
            assert client["status"] == status
            if status == 401:
                assert (b"WWW-Authenticate", b'Bearer realm="chat", error="invalid_token"') in client["headers"]

    def client_of_polls(self, headers):
        from channels.test import HttpClient

        client = HttpClient()
        content = {"method": "GET", "path": "/poll/cellar/", "query_string": b"since=0", "headers": headers}
        Channel("http.request").send({**content, "reply_channel": client.reply_channel}, immediately=True)
        client.consume("http.request")
        return client.get_next_message(client.reply_channel).content


class HandshakeTests(TokenCase):
    def open(self, *headers, user=None, path="/ws/") -> Socket:
        socket = (Page if path == "/ws/" else Socket)(user, None, path)
        socket.headers = list(headers)
        return socket.open()

    def test_a_token_opens_the_streams(self):
        page = self.open(shows(self.secret))
        assert page.greeting[0]["payload"]["identity"]["key"] == f"u{self.ann.pk}"
        assert page.join(self.room_of_ann)["type"] == "joined"
        assert {"ack", "message"} == {answer["type"] for answer in page.ask("chat", "send", room="cellar", body="hi")}

    def test_a_token_opens_one_room(self):
        socket = self.open(shows(self.secret), path="/ws/chat/cellar/")
        (said,) = [frame for frame in socket.text({"message": "hi"}) if "message" in frame]
        assert said["author"] == "ann"

    def test_a_wrong_token_is_refused_whatever_the_cookies_say(self):
        for path in ("/ws/", "/ws/chat/cellar/"):
            for headers in ([shows("x")], [shows("")], [shows(self.secret), shows(self.secret)], [shows("x" * 600)]):
                with self.subTest(path), pytest.raises(DenyConnection):
                    self.open(*headers, user=self.ann, path=path)

    def test_cookies_do_not_count_beside_a_token(self):
        page = self.open(shows(self.secret), user=self.ben)
        assert page.greeting[0]["payload"]["identity"]["name"] == "ann"
        layer, key = page.client.channel_layer, page.client.session.session_key
        for group in (sessions.user_group(self.ben), sessions.session_group(key)):
            assert page.name not in layer.group_channels(group)

    def test_a_foreign_page_with_a_token_may_and_without_one_may_not(self):
        assert self.open(FOREIGN, shows(self.secret)).greeting[0]["payload"]["type"] == "welcome"
        with pytest.raises(DenyConnection):
            self.open(FOREIGN, shows("x"), user=self.ann)
        for path in ("/ws/", "/ws/chat/cellar/"):
            with pytest.raises(DenyConnection), self.assertLogs("channels_lts.origin", "WARNING"):
                self.open(FOREIGN, user=self.ann, path=path)
        with pytest.raises(DenyConnection), self.assertLogs("channels_lts.origin", "WARNING"):
            self.open(FOREIGN, shows(self.secret), path="/ws/echo/")

    def test_sockets_of_a_token_close_with_it_and_others_stay(self):
        page, other = self.open(shows(self.secret)), self.page(self.ann)
        tokens.revoke(self.ann, self.token.pk)
        assert page.received() == [{"close": 4003}]
        assert other.received() == []

    def test_sockets_of_a_token_close_with_the_account_and_the_password(self):
        page = self.open(shows(self.secret))
        self.ann.set_password("another")
        self.ann.save()
        assert page.received() == [{"close": 4003}]
        with mock.patch.object(limits, "IDENTITY_CHECK", 0):
            assert page.text({"stream": "system", "payload": {"type": "ping"}}) == [{"close": 4003}]
        page = self.open(shows(self.secret))
        self.ann.is_active = False
        self.ann.save()
        assert page.received() == [{"close": 4003}]

    def test_a_token_revoked_behind_our_back_is_noticed_within_a_minute(self):
        page = self.open(shows(self.secret))
        Token.objects.all()._raw_delete("default")
        assert page.one("system", "ping")["type"] == "pong"
        with mock.patch.object(limits, "IDENTITY_CHECK", 0):
            assert page.text({"stream": "system", "payload": {"type": "ping"}}) == [{"close": 4003}]

    def test_a_token_revoked_during_the_handshake_opens_nothing(self):
        def revoke_meanwhile(message, user):
            Token.objects.all().delete()

        with mock.patch.object(revocation, "watch", revoke_meanwhile), pytest.raises(DenyConnection):
            self.open(shows(self.secret))

    def test_a_token_that_ends_soon_has_the_delay_server_close_its_sockets(self):
        _token, secret = tokens.make(self.ben, "short", days=1)
        page = self.open(shows(secret))
        delayed = self.get_next_message("asgi.delay", require=True)
        assert delayed["channel"] == page.name
        assert delayed["content"] == {"close": 4003}
        assert 86_000_000 < delayed["delay"] <= 86_400_000
        self.open(shows(self.secret))
        assert self.get_next_message("asgi.delay") is None

    def test_disconnect_leaves_the_group_of_the_token(self):
        page = self.open(shows(self.secret))
        group = tokens.group(self.token.digest)
        assert page.name in page.client.channel_layer.group_channels(group)
        page.close()
        assert page.name not in page.client.channel_layer.group_channels(group)


class Nameless(Page):
    """A page elsewhere, which shows its token with the first frame."""

    def open(self):
        self.headers = [*self.headers, FOREIGN]
        self.client.send_and_consume(
            "websocket.connect",
            {"headers": self.headers, "query_string": b"auth=token", "client": ["192.0.2.1", 4711]},
            path="/ws/",
            check_accept=False,
        )
        self.greeting = self.received()
        return self

    def auth(self, token):
        return self.text({"stream": "system", "payload": {"type": "auth", "token": token, "id": 7}})


class FirstFrameTests(TokenCase):
    def test_it_is_nobody_until_it_shows_a_token(self):
        page = Nameless(self.ann).open()
        assert page.greeting == [{"accept": True}]
        for stream, payload in (
            ("chat", {"type": "join", "room": "cellar", "id": 1}),
            ("system", {"type": "ping", "id": 1}),
            ("rooms", {"type": "create", "data": {"name": "x"}, "id": 1}),
        ):
            (answer,) = page.text({"stream": stream, "payload": payload})
            assert (answer["stream"], answer["payload"]["code"], answer["payload"]["id"]) == (stream, "not_allowed", 1)
        for frame in (7, [], {"stream": "nowhere", "payload": {}}, {"stream": ["x"], "payload": 1}, {"stream": "chat"}):
            (answer,) = page.text(frame)
            assert (answer["stream"], answer["payload"]["code"]) in {("system", "not_allowed"), ("chat", "not_allowed")}
        (answer,) = page.text("no json")
        assert answer["payload"]["code"] == "malformed"
        layer = page.client.channel_layer
        for group in (groups.EVERYBODY, groups.person(f"u{self.ann.pk}"), groups.room(self.room_of_ann.pk),
                      sessions.user_group(self.ann)):  # fmt: skip
            assert page.name not in layer.group_channels(group)
        assert not Client.objects.exists()

    def test_then_it_is_as_if_the_handshake_had_shown_it(self):
        page = Nameless().open()
        (welcome,) = [frame for frame in page.auth(self.secret) if frame["stream"] == "system"]
        assert welcome["payload"]["type"] == "welcome"
        assert welcome["payload"]["identity"]["name"] == "ann"
        assert page.join(self.room_of_ann)["type"] == "joined"
        layer = page.client.channel_layer
        for group in (groups.EVERYBODY, groups.person(f"u{self.ann.pk}")):
            assert page.name in layer.group_channels(group)
        assert page.name not in layer.group_channels("chat.nameless")
        (again,) = page.auth(self.secret)
        assert again["payload"]["type"] == "error"
        tokens.revoke(self.ann, self.token.pk)
        assert {"close": 4003} in page.received()
        page.close()
        assert page.name not in layer.group_channels(groups.EVERYBODY)

    def test_a_wrong_token_is_told_and_closed(self):
        for token in ("x", "", "é", "Bearer " + self.secret, "x" * 513, 7, None):
            page = Nameless(self.ann).open()
            answers = page.auth(token)
            assert answers[0]["payload"]["type"] == "error"
            assert answers[0]["payload"]["id"] == 7
            assert not any(frame.get("payload", {}).get("type") == "welcome" for frame in answers)
            if isinstance(token, str) and len(token) < 513:
                assert answers[1:] == [{"close": 4003}]
            page.close()

    def test_the_delay_server_closes_who_shows_none(self):
        page = Nameless().open()
        delayed = self.get_next_message("asgi.delay", require=True)
        assert (delayed["channel"], delayed["delay"]) == (waiting.CHANNEL, 10_000)
        late = self.remind(page, delayed["content"])
        assert late == [{"close": 4003}]

    def test_who_has_shown_one_stays(self):
        page = Nameless().open()
        delayed = self.get_next_message("asgi.delay", require=True)
        page.auth(self.secret)
        assert self.remind(page, delayed["content"]) == []

    def test_it_closes_by_itself_where_no_delay_server_runs(self):
        page = Nameless().open()
        with mock.patch.object(limits, "SHOW_TOKEN", -1):
            assert page.auth(self.secret) == [{"close": 4003}]

    def test_their_number_is_limited_and_comes_down_again(self):
        with mock.patch.object(limits, "NAMELESS_PER_ADDRESS", 2):
            first, second = Nameless().open(), Nameless().open()
            with pytest.raises(DenyConnection):
                Nameless().open()
            first.close()
            third = Nameless().open()
            second.auth(self.secret)
            Nameless().open()
            assert third.greeting == [{"accept": True}]

    def test_other_sockets_have_no_such_way(self):
        for path in ("/ws/chat/cellar/", "/ws/echo/"):
            socket = Socket(None, None, path)
            socket.headers = [FOREIGN]
            with pytest.raises(DenyConnection):
                socket.client.send_and_consume(
                    "websocket.connect", {"headers": socket.headers, "query_string": b"auth=token"}, path=path
                )

    def remind(self, page, content):
        message = ChannelMessage(content, waiting.CHANNEL, page.client.channel_layer)
        waiting.too_late(message)
        return page.received()

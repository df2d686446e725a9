"""Who may no longer be here: their sockets are told to close, and nobody else's."""

from __future__ import annotations

from asgiref.inmemory import ChannelLayer as InMemory
from channels import route
from channels.sessions import channel_session
from channels.test import TransactionChannelTestCase, apply_routes
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_out
from django.db import transaction
from django.test import Client as Browser
from django.test import override_settings

from channels_lts import sessions
from channels_lts.exceptions import LayerUnavailable
from tests.socket_session import Socket, Who

OURS = override_settings(CHANNEL_SESSION_ENGINE="channels_lts.sessions")


@OURS
class RevocationTests(TransactionChannelTestCase):
    """Who may no longer be here is closed out."""

    def setUp(self):
        self.ann = get_user_model().objects.create_user("ann", password="secret")
        self.ben = get_user_model().objects.create_user("ben", password="secret")
        routes = apply_routes([Who.as_route(path="^/$")])
        routes.enter()
        self.addCleanup(routes.exit)
        self.sockets = {
            name: Socket(user) for name, user in (("ann", self.ann), ("again", self.ann), ("ben", self.ben))
        }
        self.sockets["nobody"] = Socket()
        for socket in self.sockets.values():
            socket.send("websocket.connect")
            socket.received()

    def closed(self, code=4003):
        return {name for name, socket in self.sockets.items() if {"close": code} in socket.received()}

    def browser(self, name):
        browser = Browser()
        browser.cookies[settings.SESSION_COOKIE_NAME] = self.sockets[name].client.session.session_key
        return browser

    def test_signing_out_closes_the_sockets_of_that_browser_alone(self):
        self.browser("ann").post("/accounts/logout/")
        assert self.closed() == {"ann"}

    def test_a_session_of_nobody_ends_with_its_sockets_too(self):
        self.browser("nobody").post("/accounts/logout/")
        assert self.closed() == {"nobody"}

    def test_a_new_password_closes_all(self):
        self.ann.set_password("another")
        self.ann.save()
        assert self.closed() == {"ann", "again"}

    def test_deactivation_closes_all(self):
        self.ann.is_active = False
        self.ann.save(update_fields=["is_active"])
        assert self.closed() == {"ann", "again"}

    def test_deletion_closes_all(self):
        self.ann.delete()
        assert self.closed() == {"ann", "again"}

    def test_a_ban_closes_all_with_a_code_of_its_own(self):
        sessions.close_user(self.ann.pk, 4001)
        assert self.closed(4001) == {"ann", "again"}

    def test_other_changes_close_nothing(self):
        self.ann.first_name = "Ann"
        self.ann.save()
        self.browser("ann").get("/")
        Browser().login(username="ann", password="secret")
        assert self.closed() == set()

    def test_nothing_is_closed_before_the_commit_or_without_one(self):
        with transaction.atomic():
            get_user_model().objects.get(pk=self.ann.pk).delete()
            assert self.closed() == set()
            transaction.set_rollback(True)
        assert self.closed() == set()
        with transaction.atomic():
            self.ann.delete()
            assert self.closed() == set()
        assert self.closed() == {"ann", "again"}

    def test_a_closed_socket_has_left_its_groups(self):
        self.sockets["ann"].send("websocket.disconnect", code=1000)
        sessions.close_user(self.ann)
        assert self.closed() == {"again"}

    def test_a_project_that_knows_people_in_its_own_way_says_whom(self):
        @channel_session
        def connect(message):
            sessions.watch(message, self.ben)

        with apply_routes([route("websocket.connect", connect)]):
            socket = Socket()
            socket.send("websocket.connect")
        sessions.close_user(self.ben)
        assert socket.received() == [{"close": 4003}]

    def test_a_socket_that_opens_while_somebody_signs_out_is_closed_too(self):
        def opens_in_between(**kwargs):
            self.sockets["late"] = socket = Socket()
            socket.client._session = self.sockets["ann"].client.session
            socket.send("websocket.connect")
            assert socket.received() == [{"accept": True}]

        user_logged_out.connect(opens_in_between)
        self.addCleanup(user_logged_out.disconnect, opens_in_between)
        self.browser("ann").post("/accounts/logout/")
        assert self.closed() == {"ann", "late"}

    def test_a_layer_that_is_away_fails_no_logout(self):
        from unittest import mock

        with (
            mock.patch.object(InMemory, "send_group", side_effect=LayerUnavailable("away")),
            self.assertLogs("channels_lts.after_commit", "ERROR"),
        ):
            assert self.browser("ann").post("/accounts/logout/").status_code == 302

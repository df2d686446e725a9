"""Links that let people into a private room."""

from __future__ import annotations

import datetime
import threading

import pytest
from django.db import connection
from django.utils import timezone

from channels_lts.exceptions import StreamError
from chat import invitations, limits, people, permissions
from chat.models import Invitation, Membership
from tests.chat.base import ChatTestCase, guest, who


class InvitationTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann, self.ben, self.eve = self.user("ann"), self.user("ben"), self.user("eve")
        self.den = self.room("Den", private=True, owner=self.ann)

    def invite(self, **fields):
        page = self.page(self.ann)
        return page.one("chat", "invite", room="den", **fields)

    def refused(self, token, user) -> str:
        with pytest.raises(StreamError) as caught:
            invitations.accept(token, who(user))
        return caught.value.code

    def test_invite_list_and_revoke(self):
        made = self.invite(hours=2, uses=3)
        assert made["url"] == f"/invitations/{made['token']}/"
        assert made["uses_left"] == 3
        (listed,) = self.page(self.ann).one("chat", "invitations", room="den")["invitations"]
        assert listed == {key: made[key] for key in listed}
        assert listed["by"] == "ann"
        left = Invitation.objects.get().expires_at - timezone.now()
        assert datetime.timedelta(hours=1.9) < left <= datetime.timedelta(hours=2)
        self.page(self.ann).one("chat", "revoke", room="den", token=made["token"])
        assert self.refused(made["token"], self.ben) == "not_found"
        assert self.page(self.ann).one("chat", "revoke", room="den", token=made["token"])["code"] == "not_found"

    def test_link_is_good_for_a_week_if_nothing_is_said(self):
        assert self.invite()["uses_left"] is None
        left = Invitation.objects.get().expires_at - timezone.now()
        assert datetime.timedelta(days=6.9) < left <= datetime.timedelta(days=7)

    def test_bounds(self):
        for fields in ({"hours": 0}, {"hours": 10**6}, {"uses": 0}, {"uses": 1001}, {"uses": "x"}, {"hours": []}):
            assert self.invite(**fields)["code"] == "bad_field"
        for number in range(limits.INVITATIONS):
            Invitation.objects.create(room=self.den, token=str(number), created_by=self.ann)
        assert self.invite()["code"] == "not_allowed"
        Invitation.objects.filter(token="7").update(uses_left=0)
        assert "token" in self.invite()

    def test_public_rooms_need_none(self):
        self.room("Tea", owner=self.ann)
        assert self.page(self.ann).one("chat", "invite", room="tea")["code"] == "bad_field"

    def test_last_use_and_time(self):
        token = self.invite(uses=1)["token"]
        assert invitations.accept(token, who(self.ann)) == self.den
        assert Invitation.objects.get().uses_left == 1
        assert invitations.accept(token, who(self.ben)) == self.den
        assert permissions.open_room(who(self.ben), "den").role == Membership.MEMBER
        assert self.refused(token, self.eve) == "not_found"
        token = self.invite()["token"]
        Invitation.objects.filter(token=token).update(expires_at=timezone.now())
        assert self.refused(token, self.eve) == "not_found"

    def test_banned_people_and_guests_are_refused(self):
        token = self.invite()["token"]
        people.ban(permissions.open_room(who(self.ann), "den"), who(self.ann), who(self.ben).key)
        assert self.refused(token, self.ben) == "not_allowed"
        with pytest.raises(StreamError):
            invitations.accept(token, guest())
        response = self.browser(self.ben).post(f"/invitations/{token}/")
        assert response.status_code == 403
        assert "banned" in response.content.decode()

    def test_page_from_the_link_to_the_room(self):
        path = self.invite()["url"]
        for browser in (self.browser(), self.browser(guest="gil")):
            for response in (browser.get(path), browser.post(path)):
                text = response.content.decode()
                assert "Den" in text
                assert "ann invites you" in text
                assert f"/accounts/login/?next={path}" in text
        browser = self.browser(self.ben)
        assert "Join the room" in browser.get(path).content.decode()
        # Looking is not joining: mail programs follow links.
        assert not Membership.objects.filter(user=self.ben).exists()
        response = browser.post(path)
        assert (response.status_code, response["Location"]) == (302, "/rooms/den/")
        assert browser.get("/rooms/den/").status_code == 200
        missing = browser.get("/invitations/nonsense/")
        assert missing.status_code == browser.post("/invitations/a%00b/").status_code == 404
        assert "no longer valid" in missing.content.decode()

    @pytest.mark.skipif(connection.vendor == "sqlite", reason="threads share one in-memory SQLite database")
    def test_last_use_is_not_taken_twice(self):
        token = self.invite(uses=2)["token"]
        found = []

        def accept(user):
            try:
                found.append(invitations.accept(token, who(user)).slug)
            except StreamError as error:
                found.append(error.code)
            finally:
                connection.close()

        threads = [threading.Thread(target=accept, args=(self.user(f"user{number}"),)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(found) == ["den"] * 2 + ["not_found"] * 6
        assert self.den.memberships.count() == 3

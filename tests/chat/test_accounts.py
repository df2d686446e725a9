from __future__ import annotations

from django.contrib.auth import get_user_model

from chat.identity import GUEST_SESSION_KEY
from tests.chat.base import ChatTestCase


class AccountTests(ChatTestCase):
    password = "correct horse battery"

    def sign_up(self, name="ann", **fields):
        browser = self.browser()
        data = {"username": name, "password1": self.password, "password2": self.password, **fields}
        return browser, browser.post("/accounts/signup/", data)

    def test_signing_up_signs_in(self):
        browser, response = self.sign_up()
        assert (response.status_code, response["Location"]) == (302, "/")
        assert browser.get("/").context["identity"]["name"] == "ann"

    def test_names_in_any_script_are_fine(self):
        _, response = self.sign_up("王芳")
        assert response.status_code == 302

    def test_mistakes_are_shown(self):
        self.user("ben")
        for fields in (
            {"name": ""},
            {"name": "ben"},
            {"name": "a b"},
            {"name": "x" * 151},
            {"password1": "short", "password2": "short"},
            {"password2": "another"},
        ):
            _, response = self.sign_up(**fields)
            assert response.status_code == 200
            assert response.context["form"].errors
        assert get_user_model().objects.count() == 1

    def test_signing_in_and_out(self):
        self.user("ann", password=self.password)
        browser = self.browser()
        assert browser.post("/accounts/login/", {"username": "ann", "password": "wrong"}).context["form"].errors
        response = browser.post("/accounts/login/", {"username": "ann", "password": self.password})
        assert (response.status_code, response["Location"]) == (302, "/")
        assert browser.get("/accounts/login/").status_code == 302
        assert browser.post("/accounts/logout/")["Location"] == "/"
        assert browser.get("/").context["identity"] is None

    def test_signing_out_needs_a_post(self):
        browser = self.browser(self.user("ann"))
        assert browser.get("/accounts/logout/").status_code == 405
        assert browser.get("/").context["identity"] is not None

    def test_next_is_followed_within_the_site_only(self):
        self.user("ann", password=self.password)
        for target, followed in (
            ("/rooms/new/", "/rooms/new/"),
            ("https://evil.example/", "/"),
            ("//evil.example/", "/"),
            ("/\\evil.example/", "/"),
            ("javascript:alert(1)", "/"),
            ("http:///evil.example", "/"),
            ("", "/"),
        ):
            with self.subTest(target):
                credentials = {"username": "ann", "password": self.password, "next": target}
                assert self.browser().post("/accounts/login/", credentials)["Location"] == followed
                assert self.browser().post("/guest/", {"name": "gil", "next": target})["Location"] == followed
        _, response = self.sign_up("ben", next="//evil.example/")
        assert response["Location"] == "/"

    def test_next_is_kept_by_the_forms(self):
        for path in ("/accounts/login/", "/accounts/signup/", "/guest/"):
            response = self.browser().get(path, {"next": "/rooms/new/"})
            assert response.status_code == 200
            assert response.context["next"] == "/rooms/new/"
            assert self.browser().get(path, {"next": "//evil.example"}).context["next"] == ""

    def test_csrf_is_checked_everywhere(self):
        tea = self.room("Tea", owner=(ann := self.user("ann")))
        browser = self.browser(ann)
        browser.handler.enforce_csrf_checks = True
        for path in (
            "/accounts/login/",
            "/accounts/signup/",
            "/accounts/logout/",
            "/guest/",
            "/rooms/new/",
            *[f"/rooms/{tea.slug}/{name}/" for name in ("messages", "images", "members", "read")],
        ):
            assert browser.post(path, {"name": "x", "body": "x", "seq": "1"}).status_code == 403


class GuestTests(ChatTestCase):
    def test_guest_talks_in_public_rooms_under_the_name_picked(self):
        browser = self.browser()
        response = browser.post("/guest/", {"name": "  Gil \t B. ", "next": "/rooms/tea/"})
        assert response["Location"] == "/rooms/tea/"
        identity = browser.get("/").context["identity"]
        assert (identity["name"], identity["guest"]) == ("Gil B.", True)
        assert identity["key"].startswith("g")
        assert len(identity["key"]) > 16

    def test_guest_with_another_name_is_the_same_guest(self):
        browser = self.browser(guest="Gil")
        key = browser.get("/").context["identity"]["key"]
        browser.post("/guest/", {"name": "Gilbert"})
        identity = browser.get("/").context["identity"]
        assert (identity["key"], identity["name"]) == (key, "Gilbert")

    def test_two_guests_are_two_people(self):
        keys = {self.browser(guest="Gil").session[GUEST_SESSION_KEY]["key"] for _ in range(2)}
        assert len(keys) == 2

    def test_bad_names_are_refused(self):
        self.user("Ann")
        for name in ("", "  ", "\u200b\u202e", "x" * 41, "Ann", "ANN", " ann "):
            response = self.browser().post("/guest/", {"name": name})
            assert response.status_code == 200
            assert response.context["form"].errors
        assert self.browser().get("/guest/").status_code == 200

    def test_person_with_an_account_stays_who_they_are(self):
        browser = self.browser(self.user("ann"))
        assert browser.post("/guest/", {"name": "Gil"}).status_code == 302
        assert browser.get("/").context["identity"]["name"] == "ann"

    def test_guest_can_go(self):
        browser = self.browser(guest="Gil")
        assert browser.post("/accounts/logout/").status_code == 302
        assert browser.get("/").context["identity"] is None

    def test_signing_in_ends_being_a_guest(self):
        browser = self.browser(guest="Gil")
        browser.force_login(self.user("ann"))
        assert browser.get("/").context["identity"]["guest"] is False

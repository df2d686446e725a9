from __future__ import annotations

import json

from django.core.files.storage import default_storage
from django.test import override_settings

from chat import changes, jobs, limits, messages
from chat.images import Picture
from chat.models import Membership, Message
from tests.chat.base import ChatTestCase, guest, image_bytes, who


class MessagesTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann = self.user("ann")
        self.tea = self.room("茶")
        self.url = "/rooms/茶/messages/"
        self.client = self.browser(self.ann)

    def post(self, content, **headers):
        return self.client.post(self.url, json.dumps(content), content_type="application/json", **headers)

    def test_view_posts_a_message_that_sockets_hear(self):
        page = self.page(guest="gil")
        page.join(self.tea)
        response = self.client.post(self.url, {"body": " 你好 ", "id": "m1"})
        assert response.status_code == 201
        assert response["Content-Type"].startswith("application/json")
        message = response.json()["message"]
        assert page.heard("chat") == [{"type": "message", **message}]
        assert (message["seq"], message["id"], message["body"], message["room"]) == (1, "m1", "你好", "茶")

    def test_json_is_as_good_as_a_form_and_a_resend_is_told_by_its_status(self):
        assert self.post({"body": "hi", "id": "m1"}).status_code == 201
        again = self.post({"body": "hi", "id": "m1"})
        assert again.status_code == 200
        assert again.json()["message"]["seq"] == 1
        assert Message.objects.count() == 1

    def test_bad_requests_are_refused_in_json(self):
        for content, status, code in (
            ({}, 400, "bad_field"),
            ({"body": ""}, 400, "bad_field"),
            ({"body": " \n"}, 400, "bad_field"),
            ({"body": 7}, 400, "bad_field"),
            ({"body": None}, 400, "bad_field"),
            ({"body": "a\0b"}, 400, "bad_field"),
            ({"body": "\ud800"}, 400, "bad_field"),
            ({"body": "x" * 4001}, 413, "too_large"),
            ({"body": "x" * limits.REQUEST}, 413, "too_large"),
            ({"body": "x", "id": ""}, 400, "bad_field"),
            ({"body": "x", "id": 7}, 400, "bad_field"),
            ({"body": "x", "id": "x" * 65}, 413, "too_large"),
            ([], 400, "malformed"),
            ("text", 400, "malformed"),
        ):
            with self.subTest(str(content)[:40]):
                response = self.post(content)
                assert (response.status_code, response.json()["error"]["code"]) == (status, code)
                assert response.json()["error"]["reason"]
        for body in (b"{", b"\xff", b" ", b"[" * 50_000):
            response = self.client.post(self.url, body, content_type="application/json")
            assert (response.status_code, response.json()["error"]["code"]) == (400, "malformed")
        for fields, status in (({}, 400), ({"body": ""}, 400), ({"body": "x" * 4001}, 413)):
            assert self.client.post(self.url, fields).status_code == status
        assert not Message.objects.exists()

    def test_longest_message_fits_in_any_script(self):
        for body in ("x" * limits.BODY, "🎉" * limits.BODY):
            assert self.post({"body": body}).status_code == 201

    def test_history_in_windows(self):
        for number in range(5):
            messages.post(self.tea, guest(), str(number))
        for query, seqs, more in (
            ({}, [1, 2, 3, 4, 5], False),
            ({"limit": "2"}, [4, 5], True),
            ({"before": "4", "limit": "2"}, [2, 3], True),
            ({"before": "1"}, [], False),
        ):
            content = self.client.get(self.url, query).json()
            assert [message["seq"] for message in content["messages"]] == seqs
            assert content["more"] is more

    def test_bad_windows_are_refused(self):
        for query in (
            {"limit": "0"}, {"limit": "101"}, {"limit": "x"}, {"limit": ""}, {"limit": "-1"}, {"limit": "1.5"},
            {"before": "0"}, {"before": "x"}, {"before": "-1"}, {"before": "9" * 19}, {"before": "9" * 5000},
            {"before": "\u0663"}, {"before": "1_0"}, {"before": " 1"}, {"before": "a\0"},
        ):  # fmt: skip
            with self.subTest(query=str(query)[:40]):
                response = self.client.get(self.url, query)
                assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_field")

    def test_other_methods_are_refused_in_json(self):
        response = self.client.delete(self.url)
        assert (response.status_code, response["Allow"]) == (405, "GET, POST")
        assert response.json()["error"]["code"] == "bad_method"
        assert self.client.get("/rooms/茶/images/")["Allow"] == "POST"

    def test_answers_are_not_cached(self):
        assert "no-store" in self.client.get(self.url)["Cache-Control"]


class MembersTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann, self.ben = self.user("ann"), self.user("ben")
        self.cellar = self.room("Cellar", private=True, owner=self.ann)
        self.client = self.browser(self.ann)

    def add(self, username, **headers):
        return self.client.post("/rooms/cellar/members/", {"username": username}, **headers)

    def test_members_with_their_roles_and_who_is_here(self):
        Membership.objects.create(room=self.cellar, user=self.ben)
        self.page(self.ben).join(self.cellar)
        content = self.client.get("/rooms/cellar/members/").json()
        assert [(member["name"], member["role"]) for member in content["members"]] == [
            ("ann", "owner"),
            ("ben", "member"),
        ]
        assert content["here"] == [{"key": f"u{self.ben.pk}", "name": "ben", "guest": False}]

    def test_listing_costs_the_same_however_many_there_are(self):
        for number in range(10):
            Membership.objects.create(room=self.cellar, user=self.user(f"user{number}"))
        # Session, user, room, members, who is here.
        with self.assertNumQueries(5):
            self.client.get("/rooms/cellar/members/")

    def test_form_adds_a_member_and_leads_back(self):
        response = self.add(" ben ")
        assert (response.status_code, response["Location"]) == (303, "/rooms/cellar/")
        assert self.browser(self.ben).get("/rooms/cellar/").status_code == 200

    def test_script_gets_json(self):
        response = self.add("ben", HTTP_ACCEPT="application/json")
        assert response.status_code == 201
        assert [member["name"] for member in response.json()["members"]] == ["ann", "ben"]

    def test_member_again_keeps_their_role(self):
        assert self.add("ann").status_code == 303
        assert Membership.objects.get(user=self.ann).role == Membership.OWNER

    def test_mistakes_are_named(self):
        self.user("closed", is_active=False)
        for username, status in (("nemo", 404), ("", 404), ("a\0b", 400), ("closed", 404), ("x" * 9000, 404)):
            assert self.add(username).status_code == status
        assert self.client.post("/rooms/cellar/members/").status_code == 400
        self.room("Tea", owner=self.ann)
        response = self.client.post("/rooms/tea/members/", {"username": "ben"})
        assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_field")


class MediaTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann = self.user("ann")
        self.tea = self.room("Tea")
        picture = Picture(image_bytes("JPEG"), "jpg", 8, 6)
        self.message, _ = jobs.post_image(self.tea, who(self.ann), picture, "", None, "job")
        self.url = f"/media/{self.message.image}"
        self.client = self.browser(self.ann)

    def test_file_is_sent_with_its_type_and_kept_private(self):
        response = self.client.get(self.url)
        assert b"".join(response.streaming_content) == image_bytes("JPEG")
        assert response["Content-Type"] == "image/jpeg"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Cache-Control"].startswith("private")
        assert "sandbox" in response["Content-Security-Policy"]
        assert self.client.head(self.url).status_code == 200

    @override_settings(MEDIA_ACCEL_LOCATION="/_media/")
    def test_nginx_sends_the_file_where_it_can(self):
        response = self.client.get(self.url)
        assert response["X-Accel-Redirect"] == f"/_media/{self.message.image}"
        assert response["Content-Type"] == "image/jpeg"
        assert response.content == b""
        assert self.browser().get(self.url).status_code == 404

    def test_only_files_of_messages_are_served(self):
        name = default_storage.save("images/stray.png", default_storage.open(self.message.image.name))
        odd = ("", "images/", "../settings.py", "images/../../manage.py", "%2e%2e/manage.py", "a%00b", "/etc/passwd")
        for path in (name, *odd):
            assert self.client.get(f"/media/{path}").status_code == 404

    def test_removed_message_has_no_file(self):
        changes.remove(self.message)
        assert self.client.get(self.url).status_code == 404

    def test_file_that_is_lost_is_404(self):
        default_storage.delete(self.message.image.name)
        assert self.client.get(self.url).status_code == 404

    def test_post_is_refused(self):
        assert self.client.post(self.url).status_code == 405

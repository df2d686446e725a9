"""Edits and removals: who may, what is told, and what the room's revision says."""

from __future__ import annotations

import threading

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection

from channels_lts.exceptions import StreamError
from chat import changes, messages, payloads
from chat.models import Message, Room
from tests.chat.base import ChatTestCase, guest, who


class EditTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann, self.ben = self.user("ann"), self.user("ben")
        self.tea = self.room("Tea", owner=self.ben)
        messages.post(self.tea, who(self.ann), "frist")

    def stored(self):
        return Message.objects.select_related("room").get(room=self.tea, seq=1)

    def refused(self, code, call):
        with pytest.raises(StreamError) as caught:
            call()
        assert caught.value.code == code

    def test_everybody_in_the_room_hears_the_whole_message(self):
        ann, gil = self.page(self.ann), self.page(guest="gil")
        ann.join(self.tea)
        gil.join(self.tea)
        answers = ann.ask("chat", "edit", room="tea", seq=1, body=" first\r\n", id=7)
        stored = self.stored()
        message = payloads.message(stored, "tea")
        assert (message["body"], message["revision"]) == ("first", 1)
        assert message["edited"] == payloads.timestamp(stored.edited_at)
        assert gil.heard("chat") == [{"type": "changed", "room": "tea", "revision": 1, "message": message}]
        assert answers[-1] == {"type": "done", "action": "edit", "room": "tea", "message": message, "id": 7}
        assert messages.before(self.tea, None)[0] == [message]

    def test_same_text_changes_nothing_and_tells_nobody(self):
        page = self.page(self.ann)
        page.join(self.tea)
        (answer,) = page.ask("chat", "edit", room="tea", seq=1, body=" frist ")
        assert (answer["type"], answer["message"]["edited"], answer["message"]["revision"]) == ("done", None, 0)
        self.tea.refresh_from_db()
        assert self.tea.revision == 0

    def test_each_change_has_the_next_revision(self):
        messages.post(self.tea, who(self.ann), "second")
        changes.edit(self.tea, who(self.ann), 1, "a")
        changes.edit(self.tea, who(self.ann), 2, "b")
        changes.remove(self.stored())
        self.tea.refresh_from_db()
        assert self.tea.revision == 3
        assert [(item["seq"], item["revision"]) for item in messages.before(self.tea, None)[0]] == [(1, 3), (2, 2)]

    def test_only_the_author_edits(self):
        staff = self.user("root", is_staff=True)
        for other in (who(self.ben), guest("ann"), who(staff)):
            self.refused("not_allowed", lambda other=other: changes.edit(self.tea, other, 1, "mine"))
        assert self.stored().body == "frist"

    def test_guest_edits_their_own(self):
        messages.post(self.tea, guest("gil"), "hi")
        assert changes.edit(self.tea, guest("gil"), 2, "hello").body == "hello"

    def test_text_is_cleaned_and_bounded_as_when_posting(self):
        for body, code in (("", "bad_field"), (" \u200b", "bad_field"), ("x" * 4001, "too_large")):
            self.refused(code, lambda body=body: changes.edit(self.tea, who(self.ann), 1, body))
        assert changes.edit(self.tea, who(self.ann), 1, "a\x07b\0").body == "ab"

    def test_caption_of_a_picture_may_go(self):
        name = default_storage.save("images/x.png", ContentFile(b"x"))
        messages.post(self.tea, who(self.ann), "look", image=messages.StoredImage(name, 3, 4))
        edited = changes.edit(self.tea, who(self.ann), 2, "")
        assert (edited.body, edited.image.name) == ("", name)

    def test_what_was_removed_or_never_there_is_not_found(self):
        changes.remove(self.stored())
        for seq in (1, 2, 2**70):
            self.refused("not_found", lambda seq=seq: changes.edit(self.tea, who(self.ann), seq, "again"))
        assert self.stored().body == ""

    def test_over_http(self):
        browser = self.browser(self.ann)
        answer = browser.post("/api/rooms/tea/edit/", {"seq": 1, "body": "first"}, content_type="application/json")
        assert (answer.status_code, answer.json()["message"]["body"]) == (200, "first")
        other = self.browser(self.ben).post("/api/rooms/tea/edit/", {"seq": 1, "body": "x"}, "application/json")
        assert (other.status_code, other.json()["error"]["code"]) == (403, "not_allowed")

    def test_sockets_of_one_room_and_room_lists_hear_nothing(self):
        plain, page = self.socket(self.ben, path="/ws/chat/tea/"), self.page(self.ben)
        changes.edit(self.tea, who(self.ann), 1, "first")
        assert plain.received() == []
        assert page.received() == []

    def test_who_was_away_is_told_what_changed(self):
        page = self.page(self.ben)
        joined = page.join(self.tea)
        changes.edit(self.tea, who(self.ann), 1, "first")
        since = {name: joined[name] for name in ("epoch", "seq", "revision")}
        again = self.page(self.ben).join(self.tea, since=since)
        assert [item["body"] for item in again["changed"]] == ["first"]


class RemoveByTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann, self.mo, self.olga = self.user("ann"), self.user("mo"), self.user("olga")
        self.tea = self.room("Tea", owner=self.olga, moderator=self.mo, member=self.ann)
        for author in (self.ann, self.olga):
            messages.post(self.tea, who(author), "said")

    def remove(self, user, seq):
        (answer, *_) = [a for a in self.page(user).ask("chat", "remove", room="tea", seq=seq) if a["type"] != "changed"]
        return answer

    def test_author_removes_their_own_and_nobody_elses(self):
        assert self.remove(self.ann, 2)["code"] == "not_allowed"
        assert self.remove(self.ann, 1)["message"]["removed"] is True
        assert not Message.objects.get(seq=2).removed

    def test_moderator_removes_anybodys(self):
        assert self.remove(self.mo, 1)["message"]["removed"] is True
        assert self.remove(self.mo, 2)["message"]["removed"] is True

    def test_removing_again_changes_nothing(self):
        self.remove(self.ann, 1)
        assert self.remove(self.ann, 1)["message"]["revision"] == 1
        assert Room.objects.get(pk=self.tea.pk).revision == 1

    def test_tombstone_tells_no_edit_and_no_mention(self):
        changes.edit(self.tea, who(self.ann), 1, "for @mo")
        message = self.remove(self.ann, 1)["message"]
        assert (message["body"], message["edited"], message["mentions"]) == ("", None, [])


class ManyEditorsTests(ChatTestCase):
    def test_revisions_have_no_gap_when_many_edit_at_once(self):
        if connection.vendor == "sqlite" and connection.is_in_memory_db():
            self.skipTest("threads share one in-memory SQLite database, which has no second connection to wait")
        room, ann = self.room("Tea"), who(self.user("ann"))
        for number in range(4):
            messages.post(room, ann, f"text {number}")

        def work(seq):
            try:
                for number in range(5):
                    changes.edit(room, ann, seq, f"text {seq} {number}")
            finally:
                connection.close()

        threads = [threading.Thread(target=work, args=(seq,)) for seq in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert Room.objects.get(pk=room.pk).revision == 20
        assert len(set(Message.objects.values_list("revision", flat=True))) == 4

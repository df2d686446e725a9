from __future__ import annotations

from channels import Group

from chat import groups, messages, presence
from chat.models import Membership
from tests.chat.base import ChatTestCase, guest, who


class EvictionTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann, self.ben = self.user("ann"), self.user("ben")
        self.boss = self.user("boss", is_staff=True)
        self.tea = self.room("Tea", owner=self.ann)

    def test_private_room_keeps_members_and_staff_and_puts_out_all_others(self):
        pages = {
            "ann": self.page(self.ann),
            "boss": self.page(self.boss),
            "ben": self.page(self.ben),
            "gil": self.page(guest="gil"),
        }
        for page in pages.values():
            page.join(self.tea)
        for page in pages.values():
            page.received()
        self.tea.private = True
        self.tea.save()
        left = {"type": "left", "room": "tea", "reason": "not_allowed"}
        assert {name: left in page.heard("chat") for name, page in pages.items()} == {
            "ann": False,
            "boss": False,
            "ben": True,
            "gil": True,
        }
        messages.post(self.tea, who(self.ann), "secret")
        heard = {name: [payload["type"] for payload in page.heard("chat")] for name, page in pages.items()}
        assert heard == {"ann": ["message"], "boss": ["message"], "ben": [], "gil": []}
        assert [person.name for person in presence.here(self.tea)] == ["ann", "boss"]

    def test_one_room_sockets_of_strangers_are_closed(self):
        mine, theirs = self.socket(self.ann, path="/ws/chat/tea/"), self.socket(guest="gil", path="/ws/chat/tea/")
        self.tea.private = True
        self.tea.save()
        messages.post(self.tea, who(self.ann), "secret")
        assert [frame["message"] for frame in mine.received()] == ["secret"]
        assert theirs.received() == [{"close": 4003}]

    def test_waiting_long_polls_are_let_go_so_that_they_ask_again(self):
        Group(groups.poll(self.tea.pk, 0)).add("waiting")
        self.tea.private = True
        self.tea.save()
        assert self.get_next_message("waiting")["content"] == b'{"messages": []}'

    def test_former_member_is_put_out(self):
        cellar = self.room("Cellar", private=True, owner=self.ann, member=self.ben)
        page = self.page(self.ben)
        page.join(cellar)
        page.received()
        Membership.objects.get(user=self.ben).delete()
        assert page.heard("chat") == [{"type": "left", "room": "cellar", "reason": "not_allowed"}]
        messages.post(cellar, who(self.ann), "secret")
        assert page.heard("chat") == []

    def test_losing_a_place_in_a_public_room_changes_nothing(self):
        Membership.objects.create(room=self.tea, user=self.ben)
        page = self.page(self.ben)
        page.join(self.tea)
        Membership.objects.get(user=self.ben).delete()
        messages.post(self.tea, guest(), "hi")
        assert [payload["type"] for payload in page.heard("chat")] == ["message"]

    def test_deleted_room_is_left_by_all(self):
        page, socket = self.page(self.ben), self.socket(guest="gil", path="/ws/chat/tea/")
        page.join(self.tea)
        page.received()
        self.tea.delete()
        assert page.heard("chat") == [{"type": "left", "room": "tea", "reason": "not_found"}]
        assert {"close": 4003} in socket.received()

    def test_deleting_an_account_with_rooms_open_works(self):
        cellar = self.room("Cellar", private=True, owner=self.ann, member=self.ben)
        page = self.page(self.ben)
        page.join(cellar)
        page.received()
        self.ben.delete()
        assert page.received() == [{"close": 4003}]
        assert [person.name for person in presence.here(cellar)] == []

    def test_closed_account_and_changed_password_close_all_sockets_at_once(self):
        for change in ("is_active", "password"):
            sockets = [self.page(self.ben), self.socket(self.ben, path="/ws/chat/tea/")]
            if change == "is_active":
                self.ben.is_active = False
            else:
                self.ben.set_password("another")
            self.ben.save()
            assert [socket.received() for socket in sockets] == [[{"close": 4003}]] * 2
            self.ben.is_active = True
            self.ben.save()

    def test_signing_in_or_a_new_name_closes_nothing(self):
        page = self.page(self.ben)
        self.browser(self.ben)
        self.ben.first_name = "Ben"
        self.ben.save()
        assert page.received() == []

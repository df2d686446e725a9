"""Finding messages: which words find what, who finds what, and that the index follows whatever happens."""

from __future__ import annotations

import importlib
from unittest import mock

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from django.db.utils import OperationalError

from chat import changes, messages, search, search_index, segments
from chat.models import Ban, Message, Room
from tests.chat.base import ChatTestCase, guest, who


class SearchTestCase(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann = self.user("ann")
        self.tea = self.room("Tea")

    def say(self, *bodies, room=None):
        return [messages.post(room or self.tea, who(self.ann), body)[0] for body in bodies]

    def found(self, query, user=None, **options):
        identity = who(user or self.ann)
        return [item["body"] for item in search.find(identity, query, **{"limit": 20, **options})[0]]


class WordsTests(SearchTestCase):
    def test_words_in_any_order_and_case(self):
        self.say("The kettle is ON", "no tea", "put the KETTLE on the stove")
        assert self.found("on kettle") == ["put the KETTLE on the stove", "The kettle is ON"]
        assert self.found("coffee") == []

    def test_last_word_may_be_a_beginning(self):
        self.say("kettles and pots")
        assert self.found("ket") == ["kettles and pots"]
        assert self.found("ket pots") == []
        # A space behind it: the word has been typed.
        assert self.found("ket ") == []

    def test_chinese_is_found_without_spaces(self):
        self.say("我们明天去公园散步吧", "公平的花园", "今天meeting三点开始", "茶")
        for query, expected in (
            ("公园", ["我们明天去公园散步吧"]),
            ("明天去公园", ["我们明天去公园散步吧"]),
            ("公园 我们", ["我们明天去公园散步吧"]),
            ("吧", ["我们明天去公园散步吧"]),
            ("茶", ["茶"]),
            ("园", ["公平的花园", "我们明天去公园散步吧"]),
            ("meeting", ["今天meeting三点开始"]),
            ("三点 meet", ["今天meeting三点开始"]),
            ("meeting三点", ["今天meeting三点开始"]),
            ("天公", []),
        ):
            with self.subTest(query):
                assert self.found(query) == expected

    def test_what_is_no_query_finds_nothing_and_fails_nowhere(self):
        self.say("hello 'world' \"quoted\" foo:bar a&b (x) not* OR and")
        marks = [*"\\'\"*():&|!<>-+{}^%_;@#,.~?\x01\n🎉", "\u200b", "a\u0301"]
        doubles = [mark + other for mark in "'\"\\*(:&!" for other in "'\"\\*(:a"]
        words = ["", "  ", "a <-> b", "a:*:*", "NOT", "a AND", "OR", "NEAR(a b)", "body:a", "' OR 1=1 --", "字" * 200]
        for query in [*marks, *doubles, *words, "x" * 200, "a" * 100 + "'" * 100, "a & !b"]:
            with self.subTest(query):
                self.found(query)
                self.found(query, room=self.tea)
        page = self.page(self.ann)
        for query in ("'", '"', "(", "", "🎉"):
            assert page.one("chat", "search", query=query)["messages"] == []
        for query in (None, 7, "x" * 201, "a\0b", "\ud800"):
            with self.subTest(repr(query)):
                assert page.one("chat", "search", query=query)["code"] in ("bad_field", "too_large")
        assert self.found("world' quoted\"") == ["hello 'world' \"quoted\" foo:bar a&b (x) not* OR and"]
        assert self.found("(x) foo:bar") != []

    def test_answer_is_whole_messages_with_their_room_newest_first(self):
        self.say(*[f"tea {number}" for number in range(5)])
        page = self.page(self.ann)
        (answer,) = page.ask("chat", "search", query="tea", limit=2, id=3)
        assert [item["seq"] for item in answer["messages"]] == [5, 4]
        assert (answer["more"], answer["id"], answer["query"]) == (True, 3, "tea")
        assert (answer["messages"][0]["room"], answer["messages"][0]["room_name"]) == ("tea", "Tea")
        (rest,) = page.ask("chat", "search", query="tea", before=answer["next"])
        assert [item["seq"] for item in rest["messages"]] == [3, 2, 1]
        assert (rest["more"], rest["next"]) == (False, None)
        assert search.find(who(self.ann), "tea", before=2**70, limit=1)[0] != []

    def test_over_http(self):
        self.say("kettle")
        answer = self.browser(guest="gil").post("/api/search/", {"query": "kettle"}, content_type="application/json")
        assert [item["body"] for item in answer.json()["messages"]] == ["kettle"]


class WhereTests(SearchTestCase):
    def test_only_in_rooms_that_one_may_read(self):
        ben, root = self.user("ben"), self.user("root", is_staff=True)
        den = self.room("Den", private=True, member=self.ann)
        direct = Room.objects.create(name="", private=True, direct="u1:u2")
        direct.memberships.create(user=self.ann)
        banned = self.room("Club")
        Ban.objects.create(room=banned, key=f"u{ben.pk}", name="ben")
        for room in (self.tea, den, direct, banned):
            self.say(f"kettle in {room.slug}", room=room)
        everywhere = [f"kettle in {room.slug}" for room in (banned, direct, den, self.tea)]
        assert self.found("kettle") == everywhere
        assert self.found("kettle", ben) == ["kettle in tea"]
        assert self.found("kettle", root) == ["kettle in club", "kettle in tea"]
        assert [item["body"] for item in search.find(guest(), "kettle", limit=9)[0]] == [
            "kettle in club",
            "kettle in tea",
        ]
        page = self.page(ben)
        assert page.one("chat", "search", query="kettle", room="den")["code"] == "not_found"

    def test_in_one_room(self):
        other = self.room("Coffee")
        self.say("kettle one", f"kettle {other.pk}")
        self.say("kettle there", room=other)
        (answer,) = self.page(self.ann).ask("chat", "search", query="kettle", room="coffee")
        assert [item["body"] for item in answer["messages"]] == ["kettle there"]
        # The room's number in a text is not the room.
        assert self.found(str(self.tea.pk + 1000)) == []


class IndexTests(SearchTestCase):
    def test_edit_is_found_by_its_new_text_only(self):
        self.say("old 旧文字")
        changes.edit(self.tea, who(self.ann), 1, "new 新文字")
        assert self.found("new") == self.found("新文") == ["new 新文字"]
        assert self.found("old") == self.found("旧文") == []

    def test_removed_and_deleted_are_not_found(self):
        one, two = self.say("kettle 水壶", "kettle 水壶 two")
        changes.remove(one)
        assert self.found("kettle") == self.found("水壶") == [two.body]
        two.delete()
        assert self.found("kettle") == self.found("水壶") == []

    def test_messages_from_before_the_search_are_found(self):
        (one, two) = self.say("kettle", "水壶meeting")
        Message.objects.update(segmented="")
        migration = importlib.import_module("chat.migrations.0005_search")
        migration.cut(apps, mock.Mock(connection=connection))
        assert self.found("水壶") == self.found("meeting") == [two.body]
        one.refresh_from_db()
        assert one.segmented == ""

    def test_migrate_puts_triggers_back_that_sqlite_lost(self):
        if connection.vendor != "sqlite":
            self.skipTest("PostgreSQL keeps its index by itself")
        (old,) = self.say("kettle")
        with connection.cursor() as cursor:
            for name in search_index._TRIGGERS:
                cursor.execute(f"DROP TRIGGER {name}")
        self.say("unheard")
        old.delete()
        assert self.found("unheard") == []
        call_command("migrate", verbosity=0)
        assert self.found("unheard") == ["unheard"]
        assert self.found("kettle") == []
        assert not search_index.restore_triggers(connection)

    def test_sqlite_without_fts5_is_told_in_words(self):
        cursor = mock.Mock()
        cursor.execute.side_effect = OperationalError("no such module: fts5")
        with pytest.raises(ImproperlyConfigured, match="built without it"):
            search_index._create_table(cursor)
        cursor.execute.side_effect = OperationalError("disk full")
        with pytest.raises(OperationalError, match="disk full"):
            search_index._create_table(cursor)


def test_only_text_with_chinese_is_indexed_twice():
    assert segments.index_text("plain text, naïve café") == ""
    assert segments.index_text("今天meeting三点") == "今天 天 meeting 三点 点"


def test_last_word_is_a_beginning_only_while_it_is_typed():
    assert segments.phrases("abc def") == [(["abc"], False), (["def"], True)]
    assert segments.phrases("abc def ") == [(["abc"], False), (["def"], False)]
    assert segments.phrases("ab") == [(["ab"], False)]
    assert segments.phrases("... 公园里 !") == [(["公园", "园里"], False)]

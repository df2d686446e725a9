from __future__ import annotations

import json
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from asgiref.inmemory import ChannelLayer as InMemory
from channels.binding.base import BindingMetaclass
from channels.binding.websockets import WebsocketBinding as UpstreamBinding
from channels.test import TransactionChannelTestCase, WSClient, apply_routes
from django.contrib.auth.models import Group
from django.core.checks import Warning
from django.db import transaction
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save

from channels_lts import after_commit, checks
from channels_lts.binding import WebsocketBinding
from channels_lts.exceptions import LayerUnavailable
from channels_lts.streams import Demultiplexer


@contextmanager
def registered(binding: Any) -> Any:
    """A binding is for ever; here it goes with the test."""
    signals = {pre_save: "pre_save", post_save: "post_save", pre_delete: "pre_delete", post_delete: "post_delete"}
    try:
        yield binding
    finally:
        BindingMetaclass.binding_classes.remove(binding)
        for signal, name in signals.items():
            signal.disconnect(getattr(binding, f"{name}_receiver"), sender=binding.model)


class BindingTests(TransactionChannelTestCase):
    """On Django's own model of groups of users: a name, and its permissions."""

    def setUp(self):
        class GroupBinding(WebsocketBinding):
            model = Group
            stream = "groups"
            fields = ["name"]
            channel_session_user = False

            @classmethod
            def group_names(cls, instance):
                return ["watchers"]

            def has_permission(self, user, action, pk):
                return action != "delete"

            def permits(self, user, action, pk, data):
                return super().permits(user, action, pk, data) and (data or {}).get("name") != "forbidden"

        context = registered(GroupBinding)
        self.binding = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

        class Streams(Demultiplexer):
            consumers = {"groups": GroupBinding.consumer}

        routes = apply_routes([Streams.as_route(path="^/$")])
        routes.enter()
        self.addCleanup(routes.exit)
        self.client = WSClient()
        self.client.join_group("watchers")

    def ask(self, **payload):
        self.client.send_and_consume("websocket.receive", text={"stream": "groups", "payload": payload})
        return self.heard()

    def heard(self):
        found = []
        while (reply := self.client.receive(json=False)) is not None:
            found.append(json.loads(reply)["payload"])
        return found

    def refused(self, **payload):
        (error,) = self.ask(**payload)
        assert error["type"] == "error"
        return error["code"]

    def test_create_and_update_and_what_watchers_hear(self):
        (created,) = self.ask(action="create", data={"name": "tea"})
        pk = Group.objects.get().pk
        assert created == {"action": "create", "pk": pk, "data": {"name": "tea"}, "model": "auth.group"}
        (updated,) = self.ask(type="update", pk=pk, data={"name": "coffee"})
        assert updated["data"] == {"name": "coffee"}
        assert Group.objects.get().name == "coffee"

    def test_d12_fields_that_are_not_listed_are_refused_when_creating_too(self):
        pk = Group.objects.create(name="tea").pk
        self.heard()
        for name, value in (("permissions", []), ("id", 7), ("pk", 7), ("nonsense", 1), ("user", [])):
            assert self.refused(action="create", data={"name": "x", name: value}, id=1) == "bad_field"
            assert self.refused(action="update", pk=pk, data={name: value}) == "bad_field"
        assert [group.pk for group in Group.objects.all()] == [pk]

    def test_fields_may_be_all_or_all_but_some(self):
        for changes, expected in (
            ({"fields": ["__all__"]}, {"name", "permissions"}),
            ({"fields": "__all__"}, {"name", "permissions"}),
            ({"fields": None, "exclude": ["permissions"]}, {"name"}),
            ({"fields": ["name", "id"]}, {"name"}),
        ):
            with pytest.MonkeyPatch.context() as patch:
                for name, value in changes.items():
                    patch.setattr(self.binding, name, value)
                assert self.binding.settable() == expected

    def test_d12_permission_sees_the_data(self):
        assert self.refused(action="create", data={"name": "forbidden"}) == "not_allowed"
        pk = Group.objects.create(name="tea").pk
        self.heard()
        assert self.refused(action="update", pk=pk, data={"name": "forbidden"}) == "not_allowed"
        # Upstream's own, with three arguments.
        assert self.refused(action="delete", pk=pk) == "not_allowed"
        assert Group.objects.get().name == "tea"

    def test_mistakes_are_answered(self):
        for request, code in (
            ({"action": "explode"}, "unknown_type"),
            ({"action": 7}, "bad_field"),
            ({}, "bad_field"),
            ({"action": "create", "data": []}, "bad_field"),
            ({"action": "update", "data": {}}, "bad_field"),
            ({"action": "update", "pk": "x", "data": {}}, "bad_field"),
            ({"action": "update", "pk": [], "data": {}}, "bad_field"),
            ({"action": "update", "pk": 2**70, "data": {}}, "bad_field"),
            ({"action": "update", "pk": 12345, "data": {"name": "x"}}, "not_found"),
        ):
            with self.subTest(request=request):
                assert self.refused(**request) == code

    def test_values_that_a_field_cannot_hold_are_answered(self):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.binding, "fields", ["name", "permissions"])
            assert self.refused(action="create", data={"name": "x", "permissions": ["y"]}) == "bad_field"
        assert not Group.objects.exists()

    def test_d24_changes_go_out_after_the_commit_and_never_without_one(self):
        with transaction.atomic():
            Group.objects.create(name="tea")
            assert self.heard() == []
        assert [payload["action"] for payload in self.heard()] == ["create"]
        with transaction.atomic():
            Group.objects.create(name="coffee")
            transaction.set_rollback(True)
        assert self.heard() == []

    def test_a_layer_that_is_away_fails_no_save(self):
        with (
            mock.patch.object(InMemory, "send_group", side_effect=LayerUnavailable("away")),
            self.assertLogs("channels_lts.after_commit", "ERROR"),
        ):
            Group.objects.create(name="tea")
        assert Group.objects.exists()

    def test_after_commit_is_for_anything(self):
        from channels import Channel

        with transaction.atomic():
            after_commit.send(Channel("out"), {"x": 1})
            assert self.get_next_message("out") is None
        assert self.get_next_message("out")["x"] == 1


def test_upstream_bindings_that_let_any_field_be_set_are_named():
    class Careless(UpstreamBinding):
        model = Group
        stream = "groups"
        fields = ["name"]

        def has_permission(self, user, action, pk):
            return True

    class Silent(UpstreamBinding):
        """Nothing comes in by this one."""

        model = Group
        stream = "groups"
        fields = ["name"]

    with registered(Careless), registered(Silent):
        (message,) = checks.check_bindings()
    assert isinstance(message, Warning)
    assert message.id == "channels_lts.W002"
    assert "Careless" in message.msg
    assert checks.check_bindings() == []

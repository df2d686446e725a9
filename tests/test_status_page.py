"""The status as a page, on a real Redis."""

from __future__ import annotations

import uuid

import pytest
from channels import channel_layers
from channels.asgi import ChannelLayerWrapper
from channels.routing import route
from django.contrib.auth import get_user_model

from channels_lts import status_page
from channels_lts.layer import RedisChannelLayer


@pytest.fixture
def staff(db, client):
    client.force_login(get_user_model().objects.create_user("ops", is_staff=True))
    return client


def test_only_staff_see_it(db, client) -> None:
    assert client.get("/status/").url == "/accounts/login/?next=/status/"
    client.force_login(get_user_model().objects.create_user("ann"))
    assert client.get("/status/").status_code == 403


def test_layers_that_keep_no_records_say_so(staff) -> None:
    assert b"keeps no records" in staff.get("/status/").content


@pytest.mark.system
def test_it_shows_queues_problems_and_rates(staff, redis_server, monkeypatch) -> None:
    prefix = f"{uuid.uuid4().hex}:"
    own = RedisChannelLayer(hosts=[redis_server.url], prefix=prefix, stats_prefix=f"stats-{prefix}")
    layer = ChannelLayerWrapper(own, "default", [route("<thumb>", print)])
    monkeypatch.setitem(channel_layers.backends, "default", layer)
    monkeypatch.setattr(status_page, "_earlier", {})
    layer.send("thumbnail", {"a": 1})
    first = staff.get("/status/").content.decode()
    assert "no worker is running" in first
    assert "&lt;thumb&gt;" in first
    assert "messages/s unknown" in first
    second = staff.get("/status/").content.decode()
    assert "messages/s unknown" not in second

"""What is told after a commit, alone and together."""

from __future__ import annotations

import contextlib
from uuid import uuid4

import pytest
from channels import Channel, Group
from channels.asgi import ChannelLayerWrapper
from django.db import transaction

from channels_lts import after_commit
from channels_lts.compat.inmemory import ChannelLayer
from channels_lts.layer import RedisChannelLayer

MEMBER = "daphne.response.abc!x"


@pytest.fixture(params=["ours", "memory"])
def layer(request):
    if request.param == "memory":
        found = ChannelLayer()
    else:
        server = request.getfixturevalue("redis_server")
        found = RedisChannelLayer(hosts=[server.url], prefix=f"{uuid4().hex}:")
    return ChannelLayerWrapper(found, "test", [])


def received(layer) -> list[int]:
    found = []
    while True:
        _, message = layer.receive(["out", "daphne.response.abc!"])
        if message is None:
            return found
        found.append(message["n"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.system
def test_together_sends_at_the_end_what_was_committed(layer):
    layer.group_add("members", MEMBER)
    with after_commit.together():
        with transaction.atomic():
            after_commit.send(Channel("out", channel_layer=layer), {"n": 1})
            with contextlib.suppress(ZeroDivisionError), transaction.atomic():
                after_commit.send(Channel("out", channel_layer=layer), {"n": 2})
                raise ZeroDivisionError
            after_commit.send(Group("members", channel_layer=layer), {"n": 3})
        assert received(layer) == []
    assert sorted(received(layer)) == [1, 3]


@pytest.mark.django_db(transaction=True)
@pytest.mark.system
def test_what_was_committed_is_told_whatever_comes_after(layer):
    with contextlib.suppress(ZeroDivisionError), after_commit.together(), after_commit.together():
        after_commit.send(Channel("out", channel_layer=layer), {"n": 1})
        raise ZeroDivisionError
    after_commit.send(Channel("out", channel_layer=layer), {"n": 2})
    assert received(layer) == [1, 2]


@pytest.mark.django_db(transaction=True)
@pytest.mark.system
def test_together_is_one_call(redis_server, monkeypatch):
    layer = RedisChannelLayer(hosts=[redis_server.url], prefix=f"{uuid4().hex}:")
    batches = []
    monkeypatch.setattr(layer, "send_batch", lambda batch: batches.append(list(batch)) or [])
    wrapper = ChannelLayerWrapper(layer, "test", [])
    with after_commit.together():
        for n in range(3):
            after_commit.send(Channel("out", channel_layer=wrapper), {"n": n})
    assert [[outgoing.message["n"] for outgoing in batch] for batch in batches] == [[0, 1, 2]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.system
def test_a_full_channel_and_a_redis_that_is_away_are_logged(redis_server, caplog):
    layer = RedisChannelLayer(hosts=[redis_server.url], prefix=f"{uuid4().hex}:", capacity=1)
    for found, said in ((layer, "out: it is full"), (RedisChannelLayer(hosts=["redis://127.0.0.1:1/0"]), "could not")):
        wrapper = ChannelLayerWrapper(found, "test", [])
        with after_commit.together():
            for n in range(2):
                after_commit.send(Channel("out", channel_layer=wrapper), {"n": n})
        assert said in caplog.text
        caplog.clear()

"""Who is in a group: on our layer, the stock one, and in memory."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import asgi_redis
import pytest
from django.core.exceptions import ImproperlyConfigured

from channels_lts import presence
from channels_lts.compat.inmemory import ChannelLayer
from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer import RedisChannelLayer
from channels_lts.presence import Person
from tests.services import Redis, free_port, wait_for

pytestmark = pytest.mark.system

ANN, BEN = "here.response.a!1", "here.response.b!2"


@pytest.fixture(params=["ours", "shards", "encrypted", "stock", "memory"])
def layer(request: pytest.FixtureRequest, tmp_path: Any) -> Any:
    if request.param == "memory":
        return ChannelLayer()
    hosts = [request.getfixturevalue("redis_server").url]
    if request.param == "shards":
        other = Redis(tmp_path).start()
        request.addfinalizer(other.stop)  # noqa: PT021  (only one of the layers has it)
        hosts.append(other.url)
    cls = asgi_redis.RedisChannelLayer if request.param == "stock" else RedisChannelLayer
    options = {"symmetric_encryption_keys": ["secret"]} if request.param == "encrypted" else {}
    return cls(hosts=hosts, prefix=f"{uuid4().hex}:", **options)


def test_people_their_channels_and_how_many(layer):
    assert (presence.members("board", layer), presence.count("board", layer), presence.present("board", layer)) == (
        [], 0, []
    )  # fmt: skip
    presence.enter("board", ANN, "ann", {"name": "安"}, layer)
    presence.enter("board", f"{ANN}x", "ann", {"name": "安"}, layer)
    presence.enter("board", BEN, "ben", layer=layer)
    presence.enter("other", BEN, "ben", layer=layer)
    assert sorted(presence.members("board", layer)) == [ANN, f"{ANN}x", BEN]
    assert presence.count("board", layer) == 3
    assert presence.present("board", layer) == [
        Person("ann", {"name": "安"}, (ANN, f"{ANN}x")),
        Person("ben", None, (BEN,)),
    ]
    presence.leave("board", ANN, layer)
    presence.leave("board", ANN, layer)
    presence.leave("board", BEN, layer)
    assert presence.present("board", layer) == [Person("ann", {"name": "安"}, (f"{ANN}x",))]
    assert presence.count("board", layer) == 1
    assert presence.present("other", layer) == [Person("ben", None, (BEN,))]


def test_members_without_people_count_and_are_nobody(layer):
    layer.group_add("board", ANN)
    layer.group_add("board", "worker-7")
    assert presence.count("board", layer) == 2
    assert presence.present("board", layer) == []


def test_who_is_discarded_or_enters_again(layer):
    presence.enter("board", ANN, "ann", 1, layer)
    presence.enter("board", ANN, "ann", 2, layer)
    assert presence.present("board", layer) == [Person("ann", 2, (ANN,))]
    layer.group_discard("board", ANN)
    assert presence.present("board", layer) == []
    # What was kept of them has gone as well.
    layer.group_add("board", ANN)
    assert presence.present("board", layer) == []


def test_wrong_names_and_what_json_cannot_hold(layer):
    for group, channel in (("board 7", ANN), ("board", "ann!?")):
        with pytest.raises(TypeError):
            presence.enter(group, channel, "ann", layer=layer)
    with pytest.raises(TypeError):
        presence.enter("board", ANN, "ann", object(), layer)
    assert presence.count("board", layer) == 0


def test_people_of_a_process_that_died_are_gone_in_time(redis_server, settings):
    settings.CHANNELS_LTS = {"PROCESS_EXPIRY": 1, "ANNOUNCE_INTERVAL": 0.2}
    layer = RedisChannelLayer(hosts=[redis_server.url], prefix=f"{uuid4().hex}:")
    presence.enter("board", ANN, "ann", layer=layer)
    presence.enter("board", BEN, "ben", layer=layer)
    alive = RedisChannelLayer(hosts=[redis_server.url], prefix=layer.prefix)

    def only_ben_is_there() -> bool:
        # His process announces itself while it receives.
        alive.receive(["here.response.b!"])
        return presence.present("board", layer) == [Person("ben", None, (BEN,))]

    began = time.monotonic()
    wait_for(only_ben_is_there, "ann is gone", 5)
    assert time.monotonic() - began < 4
    assert presence.count("board", layer) == 1


def test_counting_fetches_nobody(redis_server):
    layer = RedisChannelLayer(hosts=[redis_server.url], prefix=f"{uuid4().hex}:")
    for number in range(500):
        layer.group_add("board", f"here.response.a!{number}")
    client = layer.connection(0)
    before = client.info("commandstats").get("cmdstat_smembers", {"calls": 0})["calls"]
    assert presence.count("board", layer) == 500
    assert client.info("commandstats").get("cmdstat_smembers", {"calls": 0})["calls"] == before


def test_without_redis():
    layer = RedisChannelLayer(hosts=[f"redis://127.0.0.1:{free_port()}/0"], prefix="away:")
    for look in (presence.members, presence.count, presence.present):
        with pytest.raises(LayerUnavailable):
            look("board", layer)

    class Shared:
        """As IPC: neither Redis nor of one process."""

        def group_add(self, group: str, channel: str) -> None: ...

    with pytest.raises(ImproperlyConfigured):
        presence.enter("board", ANN, "ann", layer=Shared())

"""Channel layers against the conformance suite of ASGI 1, as the asgiref 1.1.2 package carries it.

Our in-memory layer, and the stock layers on our base, where asgiref has none of its own any more.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from channels_lts.compat.inmemory import ChannelLayer

CAPACITY = 5
TESTS = [
    "test_capacity",
    "test_capacity_group",
    "test_capacity_process",
    "test_exceptions",
    "test_flush",
    "test_flush_groups",
    "test_group_channels",
    "test_group_expiry",
    "test_groups",
    "test_groups_process",
    "test_message_alteration_after_send",
    "test_message_expiry",
    "test_new_channel_failures",
    "test_new_channel_single_reader",
    "test_send_recv",
    "test_single_process_receive",
    "test_single_process_receive_error",
    "test_strings",
]


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The module asgiref.conformance of asgiref 1.1.2; the asgiref that is installed stays where it is."""
    target = tmp_path_factory.mktemp("asgiref")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", target, "asgiref==1.1.2"],
        check=True,
    )
    return load("conformance_suite", target / "asgiref" / "conformance.py")


def load(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(suite: Any, name: str, layer: Any, receive_tries: int = 1) -> None:
    """Run one test of the suite against *layer*, as its authors mean it to be run."""

    class Case(suite.ConformanceTestCase):
        channel_layer = layer
        expiry_delay = layer.expiry * 1.2
        capacity_limit = CAPACITY

    Case.receive_tries = receive_tries
    test = Case(name)
    test.setUp()
    getattr(test, name)()


@pytest.mark.parametrize("name", TESTS)
def test_asgi_1_conformance(suite, name):
    check(suite, name, ChannelLayer(expiry=0.2, group_expiry=1, capacity=CAPACITY))


def test_no_test_of_the_suite_is_left_out(suite):
    assert sorted(name for name in dir(suite.ConformanceTestCase) if name.startswith("test")) == TESTS


@pytest.mark.parametrize("name", TESTS)
def test_stock_ipc_layer_conforms_on_our_base(suite, name):
    from asgi_ipc import IPCChannelLayer

    prefix = f"conformance-{os.getpid()}"
    memory = {"message_memory": 1024 * 1024, "group_memory": 1024 * 1024}
    try:
        check(suite, name, IPCChannelLayer(prefix, expiry=0.2, group_expiry=1, capacity=CAPACITY, **memory))
    finally:
        for path in Path("/dev/shm").glob(f"*{prefix}*"):
            path.unlink()


@pytest.mark.system
@pytest.mark.parametrize("keys", [None, ["new key", "old key"]], ids=["plain", "encrypted"])
@pytest.mark.parametrize("name", TESTS)
def test_stock_redis_layer_conforms_on_our_base(suite, name, keys, redis_server):
    from asgi_redis import RedisChannelLayer

    hosts = [redis_server.url, redis_server.url.replace("/0", "/1")]
    options = {"prefix": "conformance:", "symmetric_encryption_keys": keys}
    layer = RedisChannelLayer(hosts=hosts, expiry=1, group_expiry=1, capacity=CAPACITY, **options)
    # Two shards hold twice as much, so the tests of capacity are left to one.
    if "capacity" in name:
        layer = RedisChannelLayer(hosts=hosts[:1], expiry=1, group_expiry=1, capacity=CAPACITY, **options)
    check(suite, name, layer, receive_tries=2)


@pytest.mark.system
@pytest.mark.parametrize("shards", [1, 2])
@pytest.mark.parametrize("keys", [None, ["new key", "old key"]], ids=["plain", "encrypted"])
@pytest.mark.parametrize("name", TESTS)
def test_our_redis_layer_conforms(suite, name, keys, shards, redis_server, monkeypatch):
    from channels_lts.layer import RedisChannelLayer

    monkeypatch.setattr(RedisChannelLayer, "blpop_timeout", 0.1)
    hosts = [redis_server.url.replace("/0", f"/{number}") for number in range(shards)]
    # Queues of processes have room for more, if nobody says how much.
    capacity = {"capacity": CAPACITY, "channel_capacity": {"*!*": CAPACITY}}
    # Two shards hold twice as much.
    if "capacity" in name:
        hosts = hosts[:1]
    layer = RedisChannelLayer(
        hosts=hosts, expiry=1, group_expiry=1, prefix="ours:", symmetric_encryption_keys=keys, **capacity
    )
    check(suite, name, layer)

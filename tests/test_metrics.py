"""A status as Prometheus reads it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from unittest import mock

import pytest
from asgiref.inmemory import ChannelLayer
from channels.asgi import ChannelLayerWrapper
from channels.routing import route
from prometheus_client.parser import text_string_to_metric_families

from channels_lts import metrics
from channels_lts.heartbeat import InterfaceRecord, WorkerRecord
from channels_lts.layer import RedisChannelLayer
from channels_lts.status import Problem, Queue, Redis, Status
from tests.services import ROOT

WORKER = WorkerRecord(
    "vm", 7, ("http.request",), 100.0, pool="http.*", process="web_00", running=1, busy_since=190.0, seen=193.5,
    counts={"messages": 5}, memory=1024, drops={"full": 2},
)  # fmt: skip
INTERFACE = InterfaceRecord("vm", 9, "daphne.response.a!", 100.0, sockets=12, requests=3, counts={"opened": 40})
STATUS = Status(
    layer="default", at=200.0, redis=[Redis("one", True), Redis('two "b"', False)], interfaces=[INTERFACE],
    workers=[WORKER], others=[], queues=[Queue("http.request", 4, 1000, 2.5, 70, 1, workers=2)],
    single=[Queue("daphne.response.a!", 6, 20_000), Queue("daphne.response.b!", 1, 20_000)], complete=True, sent=80,
    refused=1, problems=[Problem("redis", "two", "two cannot be reached")],
)  # fmt: skip


def scraped(status: Status) -> dict[tuple, float]:
    """What Prometheus makes of it: (name, values of labels in the order of their names) -> number."""
    with mock.patch("channels_lts.metrics.read", return_value=status):
        text = metrics.render(None).decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    found = {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value for sample in samples
    }
    assert len(found) == len(samples), "a series came twice"
    return found


def test_every_figure_has_its_series() -> None:
    found = scraped(STATUS)
    expected = {
        ("channels_up",): 1,
        ("channels_redis_up", "one"): 1,
        ("channels_redis_up", 'two "b"'): 0,
        ("channels_problems", "redis"): 1,
        ("channels_problems", "full"): 0,
        ("channels_messages_sent_total",): 80,
        ("channels_messages_refused_total",): 1,
        ("channels_queue_length", "http.request"): 4,
        ("channels_queue_capacity", "http.request"): 1000,
        ("channels_queue_oldest_seconds", "http.request"): 2.5,
        ("channels_queue_workers", "http.request"): 2,
        ("channels_queue_sent_total", "http.request"): 70,
        ("channels_queue_refused_total", "http.request"): 1,
        ("channels_reply_queues",): 2,
        ("channels_reply_queues_length",): 7,
        ("channels_reply_queues_longest",): 6,
        ("channels_interface_sockets", "vm:9"): 12,
        ("channels_interface_requests", "vm:9"): 3,
        ("channels_interface_events_total", "opened", "vm:9"): 40,
        ("channels_worker_running", "http.*", "vm/web_00"): 1,
        ("channels_worker_busy_seconds", "http.*", "vm/web_00"): 3.5,
        ("channels_worker_events_total", "messages", "http.*", "vm/web_00"): 5,
        ("channels_process_memory_bytes", "vm/web_00"): 1024,
        ("channels_process_start_time_seconds", "vm/web_00"): 100,
        ("channels_process_dropped_total", "vm/web_00", "full"): 2,
    }
    assert {key: found.get(key) for key in expected} == expected


def test_who_was_killed_and_who_came_after_are_one_series() -> None:
    successor = replace(WORKER, pid=8, started=150.0, memory=2048)
    found = scraped(replace(STATUS, workers=[successor, WORKER]))
    assert found["channels_process_memory_bytes", "vm/web_00"] == 2048


def test_what_is_not_known_is_left_out() -> None:
    stock = replace(WORKER, running=None, memory=0)
    names = {key[0] for key in scraped(replace(STATUS, workers=[stock], interfaces=None))}
    assert "channels_worker_ending" in names
    assert not names & {"channels_worker_running", "channels_process_memory_bytes", "channels_interface_sockets"}


def test_layers_that_keep_no_records_are_not_up() -> None:
    layer = ChannelLayerWrapper(ChannelLayer(), "default", [])
    assert metrics.render(layer).decode().splitlines()[-1] == "channels_up 0.0"


@pytest.mark.system
def test_a_real_layer_is_read(redis_server) -> None:
    prefix = f"{uuid.uuid4().hex}:"
    own = RedisChannelLayer(hosts=[redis_server.url], prefix=prefix, stats_prefix=f"stats-{prefix}")
    layer = ChannelLayerWrapper(own, "default", [route("thumbnail", print)])
    layer.send("thumbnail", {"a": 1})
    lines = metrics.render(layer).decode().splitlines()
    assert 'channels_queue_length{channel="thumbnail"} 1.0' in lines
    assert 'channels_problems{kind="no_workers"} 1.0' in lines


def test_the_page_lists_them_all() -> None:
    page = (ROOT / "docs" / "status.md").read_text(encoding="utf-8")
    for name, (kind, _text, labels) in metrics.METRICS.items():
        wire = name + ("_total" if kind is metrics.CounterMetricFamily else "")
        assert f"| `{wire}` | {', '.join(f'`{label}`' for label in labels) or '–'} |" in page

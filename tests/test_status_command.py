"""``manage.py channelstatus``: what people and programs get to see."""

from __future__ import annotations

import io
import json
import re
import uuid
from dataclasses import replace
from types import SimpleNamespace

import pytest
from asgiref.inmemory import ChannelLayer
from channels import channel_layers
from channels.asgi import ChannelLayerWrapper
from channels.routing import route
from django.core.management import call_command
from rich.console import Console

from channels_lts import beating, status_problems, status_rows, status_tables
from channels_lts.layer import RedisChannelLayer
from channels_lts.management.commands import channelstatus
from channels_lts.status import Problem, Queue
from channels_lts.worker import Worker
from tests.services import ROOT
from tests.test_heartbeat import InterfaceBeat
from tests.test_status import INTERFACE, NOW, WELL, WORKER

LONG = "a-channel-with-a-name-that-is-quite-a-bit-longer-than-any-terminal-of-eighty-columns-is-wide"
PAGE = ROOT / "docs" / "status.md"


@pytest.fixture
def use(monkeypatch):
    """A function that makes a channel layer the one of the alias "status"."""

    def use_layer(layer, *routing):
        wrapper = ChannelLayerWrapper(layer, "status", [*routing, route(LONG, print)])
        monkeypatch.setitem(channel_layers.backends, "status", wrapper)
        return wrapper

    monkeypatch.setattr(channelstatus, "_SAMPLE", 0.05)
    return use_layer


@pytest.fixture
def layer(use, redis_server):
    prefix = f"{uuid.uuid4().hex}:"
    return use(RedisChannelLayer(hosts=[redis_server.url], prefix=prefix, stats_prefix=f"stats-{prefix}", capacity=10))


@pytest.fixture
def well(layer):
    """The same, with a worker for everything and an interface server."""
    layer.router.check_default()
    beating.WorkerHeartbeat(Worker(layer))._beat()
    InterfaceBeat(layer, "daphne.response.x!")._beat()
    return layer


def ran(*arguments, alias="status", **options) -> SimpleNamespace:
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("channelstatus", "--layer", alias, *arguments, stdout=out, stderr=err, **options)
    return SimpleNamespace(code=ended.value.code, out=out.getvalue(), err=err.getvalue())


@pytest.mark.system
def test_all_well_is_0(well):
    shown = ran()
    assert (shown.code, shown.err) == (0, "")
    assert "All is well." in shown.out
    assert "1 interface server with 3 sockets, 1 worker, 0 messages/s" in shown.out


@pytest.mark.system
def test_what_is_wrong_is_1_and_named_in_one_line_each(well):
    for _ in range(9):
        well.send("thumbnail", {})
    well.send("x?1", {})
    shown = ran()
    assert shown.code == 1
    assert shown.err == "thumbnail is full to 90 %: 9 messages wait\n"
    assert "! thumbnail is full to 90 %" in shown.out
    document = ran("--json")
    assert (document.code, document.err) == (1, "")
    (problem,) = json.loads(document.out)["problems"]
    assert problem["kind"] == "full"


@pytest.mark.system
@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["tables", "json"])
def test_nothing_known_is_2_and_one_line(use, flags):
    use(RedisChannelLayer(hosts=["redis://127.0.0.1:1/0"]))
    away = ran(*flags)
    use(ChannelLayer())
    memory = ran(*flags)
    unknown = ran(*flags, alias="nowhere")
    assert {away.code, memory.code, unknown.code} == {2}
    for shown, words in ((away, "cannot be reached"), (memory, "keeps no records"), (unknown, "no channel layer")):
        assert words in (json.loads(shown.out)["error"] if flags else shown.err)
        assert len((shown.err or "x").splitlines()) == 1
    if flags:
        assert json.loads(away.out)["problems"][0]["kind"] == "unknown"


@pytest.mark.system
def test_piped_output_has_no_colours_and_no_cut_columns(well):
    shown = ran().out
    assert "\x1b" not in shown
    assert LONG in shown
    assert "…" not in shown
    assert "\x1b" in ran(force_color=True).out


@pytest.mark.parametrize("width", [200, 80, 60, 40])
def test_narrow_terminals_lose_columns_and_never_a_name(width):
    worker = replace(WORKER, pool="http.*", running=1, busy_since=NOW - 312, consumer="chat.jobs.make_thumbnail")
    queues = [Queue(LONG, 12_345, 20_000, 3.0, 5, 0, 1.5, 0.0, 2), Queue("b", 0, 100)]
    found = replace(WELL, queues=queues, workers=[worker], problems=[Problem("full", "b", "b is full")])
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(status_tables.render(found, console))
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    # A name that is too long for its column goes on below.
    names = "".join(re.split(r" {2,}", line.strip())[0] for line in lines)
    assert LONG in names
    assert "12,345" in "".join(lines)
    assert ("room for" in "".join(lines)) == (width == 200)


def test_long_lists_of_queues_with_one_reader_are_folded():
    single = [Queue(f"daphne.response.{number}!", 40 - number, 100) for number in range(40)]
    console = Console(file=io.StringIO(), width=120)
    console.print(status_tables.render(replace(WELL, single=single), console))
    shown = console.file.getvalue()
    assert shown.count("daphne.response.") == 6, "five, and the one of the interface server"
    assert re.search(r"35 more with one reader, the longest 35 +630", shown)


def test_states_of_processes():
    def state(**changes):
        return status_rows._worker_state(replace(WORKER, **changes), NOW)

    assert state() == "idle"
    assert state(running=None) == "does not say"
    assert state(ending=True) == "ending"
    assert state(threads=4) == "4 threads idle"
    busy = {"running": 2, "busy_since": NOW - 5, "consumer": "c"}
    assert state(threads=4, **busy) == "busy for 5 s with c, 2 of 4 threads"
    assert state(ending=True, **busy) == "ending, busy for 5 s with c"
    assert state(seen=NOW - 6) == "silent for 6 s"
    assert status_rows._interface_state(replace(INTERFACE, draining=True), NOW) == "draining"
    assert status_rows._interface_state(replace(INTERFACE, stalled=9.0), NOW) == "stands still for 9 s"
    assert [status_rows.duration(seconds) for seconds in (-1, 45, 119, 120, 7200, 200_000)] == [
        "0 s", "45 s", "119 s", "2 min", "2 h", "2 d",
    ]  # fmt: skip


@pytest.mark.system
def test_watch_shows_rates_of_each_interval_until_it_is_stopped(well, monkeypatch):
    naps = []

    def nap(seconds):
        naps.append(seconds)
        if len(naps) == 4:
            raise KeyboardInterrupt
        for _ in range(2):
            well.send("x?1", {})

    monkeypatch.setattr(channelstatus.time, "sleep", nap)
    shown = ran("--watch", "5", "--json")
    assert shown.code == 0
    documents = [json.loads(line) for line in shown.out.splitlines()]
    assert len(documents) == 3
    # Counted up by what was sent between two looks.
    assert [document["sent"] for document in documents] == [2, 4, 6]
    assert all(document["sent_per_second"] > 0 for document in documents)
    # The first one comes soon; after that, as it was told.
    assert naps[0] < 0.1
    assert naps[1] == pytest.approx(5, abs=0.5)


@pytest.mark.system
def test_watch_goes_on_while_redis_is_away(well, monkeypatch):
    looks = iter([lambda: well, lambda: 1 / 0, lambda: well, lambda: well])
    away = ChannelLayerWrapper(RedisChannelLayer(hosts=["redis://127.0.0.1:1/0"]), "status", [])

    def layer(alias):
        try:
            return next(looks)()
        except ZeroDivisionError:
            return away
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(channelstatus.Command, "_layer", staticmethod(layer))
    monkeypatch.setattr(channelstatus.time, "sleep", lambda seconds: None)
    shown = ran("--watch", "1")
    assert shown.code == 0
    assert "cannot be reached" in shown.err
    assert shown.out.count("All is well.") == 1


def test_watch_takes_seconds_that_make_sense(capsys):
    with pytest.raises(Exception, match=r"must be a number of seconds from 0\.1 to 3600, not 'often'"):
        call_command("channelstatus", "--watch", "often")


# --- The page ---


def rows(heading: str) -> set[str]:
    section = PAGE.read_text(encoding="utf-8").split(f"## {heading}")[1].split("\n## ")[0]
    return {
        name
        for cell in re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)
        for name in re.findall(r"`([\w.\[\]]+)`", cell)
    }


@pytest.mark.system
def test_every_key_of_the_document_stands_on_the_page(well):
    document = json.loads(ran("--json").out)
    keys = set(document)
    for name in ("redis", "interfaces", "workers", "queues"):
        keys |= {f"{name}[].{key}" for key in document[name][0]}
    keys |= {f"problems[].{key}" for key in ("kind", "subject", "text")}
    assert rows("JSON") == keys | {"error"}


def test_every_kind_of_problem_stands_on_the_page():
    assert rows("Problems") == {*status_problems.KINDS, "unknown"}

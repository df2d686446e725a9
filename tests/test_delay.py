"""channels_lts.delay and rundelay: real delay servers on SQLite and PostgreSQL, alone and two at a time."""

from __future__ import annotations

import json
import math
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from channels_lts.ready import pid_in
from tests import services
from tests.delay_site import DelaySite, wait_exit
from tests.services import TIMEOUT_SCALE, wait_for

GOOD = {"channel": "late", "content": {"a": [1, "b", None]}, "delay": 5}
BAD = {
    "no channel": {"content": {}, "delay": 1},
    "no content": {"channel": "late", "delay": 1},
    "no delay": {"channel": "late", "content": {}},
    "nothing": {},
    "a channel that is a number": {**GOOD, "channel": 7},
    "a channel that is no name": {**GOOD, "channel": "not a name"},
    "a channel that is too long": {**GOOD, "channel": "x" * 600},
    "content that is text": {**GOOD, "content": "{}"},
    "content with bytes": {**GOOD, "content": {"bytes": b"\xff"}},
    "a delay in text": {**GOOD, "delay": "5"},
    "a delay that is none": {**GOOD, "delay": None},
    "a delay that is true": {**GOOD, "delay": True},
    "a delay below 0": {**GOOD, "delay": -1},
    "a delay beyond all dates": {**GOOD, "delay": 10**18},
    "a delay for ever": {**GOOD, "delay": math.inf},
    "a delay that is no number": {**GOOD, "delay": math.nan},
}


@pytest.fixture
def make_site(
    redis_server: services.Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., DelaySite]]:
    """A function that makes a site; SQLite unless it is told otherwise."""
    with ExitStack() as running:

        def make(database_url: str = "", redis_url: str = redis_server.url, **variables: str) -> DelaySite:
            directory = tmp_path_factory.mktemp("delay")
            site = DelaySite(directory, database_url or f"sqlite:///{directory}/db.sqlite3", redis_url, **variables)
            running.callback(site.stop)
            return site

        yield make


@pytest.fixture(params=["sqlite", "postgres"])
def site(request: pytest.FixtureRequest, make_site: Callable[..., DelaySite], tmp_path: Path) -> DelaySite:
    if request.param == "sqlite":
        return make_site()
    return make_site(request.getfixturevalue("postgres").database(re.sub(r"\W", "_", tmp_path.name.lower())))


def admit(postgres: services.Postgres, database: str, allowed: str) -> None:
    """Let connections to *database* be made or not, and close those there are."""
    import psycopg

    with psycopg.connect(postgres.database_url("postgres"), autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS {allowed}")
        connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")


class TestMessages:
    """What may be kept at all."""

    @staticmethod
    def read(message: dict[str, Any]) -> Any:
        from channels_lts.compat.base_layer import BaseChannelLayer
        from channels_lts.delay_inbox import read

        return read(message, BaseChannelLayer())

    def test_what_is_kept_is_json_as_before(self):
        channel, text, delay = self.read(GOOD)
        assert (channel, json.loads(text), delay.total_seconds()) == ("late", GOOD["content"], 0.005)

    @pytest.mark.parametrize("message", BAD.values(), ids=BAD)
    def test_a_bad_one_is_refused_with_the_reason(self, message):
        from channels_lts.delay_inbox import BadMessage

        with pytest.raises(BadMessage) as refused:
            self.read(message)
        assert re.match(r"it has no|channel: |content |delay ", str(refused.value))


def test_trouble_is_said_once_when_it_begins_and_once_when_it_ends(caplog):
    from channels_lts.delay_inbox import Trouble

    caplog.set_level("INFO")
    trouble = Trouble("it rains")
    trouble.ended()
    for error in ("first", "second"):
        trouble.began(error)
    for _ in range(2):
        trouble.ended()
    assert caplog.messages == ["it rains: first", "no longer: it rains"]


@pytest.mark.system
class TestServers:
    def test_a_message_leaves_when_it_is_due(self, site):
        site.serve("--sleep=30")
        sent = {}
        for milliseconds in (900, 300, 600):
            sent[milliseconds] = time.monotonic()
            site.delay(milliseconds, number=milliseconds)
        for milliseconds in (300, 600, 900):
            assert site.received() == {"number": milliseconds}
            took = time.monotonic() - sent[milliseconds]
            assert milliseconds / 1000 <= took < milliseconds / 1000 + 0.8 * TIMEOUT_SCALE
        wait_for(lambda: site.count() == 0, "nothing is left in the table")

    def test_what_another_server_stored_leaves_within_sleep(self, site):
        site.serve("--sleep=0.3")
        site.insert([("late", '{"from": "another"}')])
        assert site.received(timeout=3) == {"from": "another"}

    def test_two_servers_send_each_message_once(self, site):
        count = 1500
        for attempt in (1, 2, 3):
            site.insert([("late", json.dumps({"number": number})) for number in range(count)], after=3)
            servers = site.serve("--sleep=0.5", count=2)
            numbers = [message["number"] for message in site.all_received(count)]
            assert sorted(numbers) == list(range(count))
            for server in servers:
                server.stop()
            shares = [int(number) for number in re.findall(r"(\d+) sent", site.log())]
            assert sum(shares) == count * attempt
            # Where one was quick enough to do it all, the two did not meet.
            if len(shares) > attempt:
                return
        raise AssertionError(f"one server did it all, each time: {site.log()}")

    def test_bad_messages_are_logged_and_counted_and_the_next_is_served(self, make_site):
        site = make_site()
        [server] = site.serve()
        bad = [message for name, message in BAD.items() if "too long" not in name]
        for message in bad:
            site.layer.send("asgi.delay", message)
        site.delay(1, number=1)
        assert site.received() == {"number": 1}
        assert len(re.findall("ERROR channels_lts.delay skipped a message on asgi.delay: ", site.log())) == len(bad)
        server.stop()
        assert f"ended: {len(bad)} bad, 1 stored, 1 sent" in site.log()

    def test_what_cannot_be_sent_does_not_hold_up_the_rest(self, make_site):
        site = make_site()
        hopeless = [("late", "{no json"), ("late", '"text"'), ("not a name", "{}"), ("late", f'{{"n": {10**30}}}')]
        site.insert([*hopeless, *[("narrow", '{"n": 1}')] * 150, ("late", '{"n": 2}')])
        site.serve("--sleep=0.2")
        assert site.received(timeout=5) == {"n": 2}
        assert site.log().count("ERROR channels_lts.delay skipped delayed message") == len(hopeless)
        # Those for the channel that was full are still due, and are tried again.
        assert [site.received("narrow") for _ in range(3)] == [{"n": 1}] * 3
        assert "Traceback" not in site.log()

    def test_redis_away_costs_a_delay(self, make_site, tmp_path):
        redis = services.Redis(tmp_path).start()
        try:
            site = make_site(redis_url=redis.url)
            [server] = site.serve("--sleep=0.2")
            pid = server.process.pid
            site.delay(500, number=1)
            wait_for(lambda: site.count() == 1, "it is stored")
            redis.stop()
            wait_for(lambda: "cannot send what is due, and will try again" in site.log(), "it was due")
            assert site.count() == 1
            redis.start()
            assert site.received() == {"number": 1}
            site.delay(1, number=2)
            assert site.received() == {"number": 2}
            wait_for(lambda: "no longer: cannot send what is due" in site.log(), "it says so")
            assert site.log().count("cannot send what is due, and will try again: ") == 1
            assert (server.process.pid, server.process.poll()) == (pid, None)
        finally:
            site.stop()
            site.servers.clear()
            redis.stop()

    def test_a_database_that_is_away_is_waited_for(self, make_site, postgres):
        site = make_site(postgres.database("away"))
        [server] = site.serve("--sleep=0.2")
        site.delay(500, number=1)
        wait_for(lambda: site.count() == 1, "it is stored")
        admit(postgres, "away", "false")
        wait_for(lambda: "the database is away, and messages wait: " in site.log(), "it noticed")
        for number in (2, 3):
            site.delay(1, number=number)
        admit(postgres, "away", "true")
        assert sorted(site.received()["number"] for _ in range(3)) == [1, 2, 3]
        assert site.log().count("the database is away, and messages wait: ") == 1
        assert site.log().count("no longer: the database is away") == 1
        assert server.process.poll() is None

    def test_what_it_cannot_store_goes_back_when_it_ends(self, make_site, postgres):
        site = make_site(postgres.database("gone"))
        [server] = site.serve("--sleep=30")
        admit(postgres, "gone", "false")
        site.delay(60_000, number=1)
        wait_for(lambda: "the database is away, and messages wait: " in site.log(), "it noticed")
        server.process.terminate()
        assert wait_exit(server, 10) == 0
        message = site.received("asgi.delay")
        assert (message["channel"], message["content"]) == ("late", {"number": 1})
        assert 50_000 < message["delay"] <= 60_000

    @pytest.mark.parametrize(
        ("backend", "number"),
        [
            ("channels_lts.layer.RedisChannelLayer", signal.SIGTERM),
            ("channels_lts.layer.RedisChannelLayer", signal.SIGINT),
            ("asgi_redis.RedisChannelLayer", signal.SIGTERM),
        ],
    )
    def test_a_signal_ends_it_at_once(self, make_site, number, backend):
        site = make_site(BACKEND=backend)
        [server] = site.serve("--sleep=30")
        assert pid_in(server.directory / "ready") == server.process.pid
        site.delay(100, number=1)
        assert site.received() == {"number": 1}
        began = time.monotonic()
        server.process.send_signal(number)
        assert wait_exit(server, 10) == 0
        # Far less than it waits for messages, or for its next look at the table.
        assert time.monotonic() - began < 3 * TIMEOUT_SCALE
        assert not (server.directory / "ready").exists()

    def test_d29_rundelay_leaves_the_logging_of_the_project_alone(self, make_site):
        site = make_site()
        [server] = site.serve()
        server.stop()
        lines = site.log().splitlines()
        assert [line for line in lines if line.endswith("listening on asgi.delay")] == [
            "OURS INFO channels_lts.delay listening on asgi.delay"
        ]
        assert all(line.startswith("OURS ") for line in lines)


class TestTable:
    """What a server leaves that dies in the middle."""

    @pytest.mark.django_db(transaction=True)
    def test_what_a_dead_server_had_claimed_is_sent_by_another(self, monkeypatch):
        from datetime import timedelta

        from channels_lts import delay_table

        monkeypatch.setattr(delay_table, "_CLAIM", timedelta(seconds=0.5))

        def die(rows):
            raise SystemExit

        dead, other = delay_table.Table(), delay_table.Table()
        other.store([other.row("late", "{}", timedelta(0))])
        with pytest.raises(SystemExit):
            dead.send_due(die, retry=1)
        sent: list[Any] = []

        def send(rows):
            sent.extend(rows)
            return rows, []

        wait_for(lambda: other.send_due(send, retry=1) or sent, "it is due again")
        assert [row.channel_name for row in sent] == ["late"]
        assert other.soonest() is None


def test_a_layer_of_one_process_is_refused(settings):
    with pytest.raises(CommandError, match="in-memory"):
        call_command("rundelay")


def test_without_channels_delay_it_says_what_is_missing(settings):
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "channels.delay"]
    with pytest.raises(CommandError, match=r"add channels\.delay to INSTALLED_APPS"):
        call_command("rundelay")

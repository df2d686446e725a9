"""The bench: its load client against a server that keeps count, the report, Ctrl-C, a quick run of our deployment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench import figures, load, report, run
from tests.frame_server import FrameServer
from tests.services import ROOT, TIMEOUT_SCALE

HTTP = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
CLOSED = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
SOCKETIO = {
    "greeting": "40", "greeted": "40", "ping": "2", "pong": "3",
    "before": '42["m","', "incoming": '42["m","', "after": '"]',
}  # fmt: skip


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    return load.build(tmp_path_factory.mktemp("client"))


@pytest.fixture
def client(program):
    """A function that runs the client against a server, and returns its phases."""

    def run_client(server: FrameServer, mode: str, **options: object) -> list[dict]:
        options = {"seconds": 0.3, "warmup": 0} | options
        limit = int(30 * TIMEOUT_SCALE)
        with load.Load(program, mode, ports=[server.port], options=options, limit=limit) as client:
            return [client.go() for _ in client.ready()]

    return run_client


def flow(program: Path, server: FrameServer, options: dict) -> list[dict]:
    """Let the endless mode run for some lines; returns all."""
    limit = int(30 * TIMEOUT_SCALE)
    with load.Load(program, "flow", ports=[server.port], options=options, limit=limit) as client:
        next(client.ready())
        client.start()
        lines = []
        for line in client.lines():
            lines.append(line)
            if len(lines) == 10:
                client.stop()
    return lines


@pytest.mark.system
class TestLoadClient:
    def test_each_echo_is_counted_once(self, client):
        with FrameServer() as server:
            first, second = client(server, "echo", sizes="1,20")
        assert server.counts["accepted"] == 20
        assert first["count"] > 10
        # What was in flight when time was up is answered, and not counted.
        assert 0 <= server.counts["/echo"] - first["count"] - second["count"] <= 21
        assert [first["lost"], second["lost"], first["wrong"], second["strange"]] == [0, 0, 0, 0]

    def test_half_of_the_rate_is_a_phase_of_its_own(self, client):
        with FrameServer() as server:
            full, steady = client(server, "echo", sizes="2", half=2)
        assert [full["phase"], steady["phase"]] == ["echo", "echo-steady"]
        assert steady["target"] == pytest.approx(full["rate"] / 2, rel=0.05)

    def test_frames_that_arrive_in_pieces_are_whole_ones(self, client):
        with FrameServer(bytewise=True) as server:
            (phase,) = client(server, "echo", sizes="3", size=200)
        assert phase["count"] > 3
        assert [phase["lost"], phase["wrong"], phase["strange"]] == [0, 0, 0]

    def test_pings_are_answered(self, client):
        with FrameServer(ping=True) as server:
            (phase,) = client(server, "echo", sizes="2")
        assert phase["count"] > 2
        assert server.counts["pongs"] >= phase["count"]

    def test_latency_is_what_the_server_takes(self, client):
        with FrameServer(delay=0.02) as server:
            (phase,) = client(server, "echo", sizes="2", seconds=0.5)
        assert 20_000 <= phase["p50_us"] <= phase["p95_us"] <= phase["p99_us"] <= phase["max_us"] * 1.001
        assert phase["p50_us"] < 40_000 * TIMEOUT_SCALE

    def test_a_server_that_falls_behind_a_steady_load_cannot_hide_it(self, client):
        with FrameServer(delay=0.05) as server:
            (phase,) = client(server, "echo", sizes="1", rate=40, seconds=1)
        # 40 a second are due, 20 are done: the last ones are half a second late.
        assert phase["late"] > 0
        assert phase["max_us"] > 300_000

    def test_a_flow_tells_what_was_lost_and_goes_on(self, program):
        options = {"connections": 4, "rate": 100, "interval": 0.1, "patience": 0.2, "settle": 1}
        with FrameServer(delay=0.4) as slow:
            lost = flow(program, slow, options)
        with FrameServer() as quick:
            well = flow(program, quick, options)
        assert sum(line["lost"] for line in lost) > 0
        # It was only late, which is told too; and who waits in vain asks anew.
        assert sum(line["late"] for line in lost) > 0
        assert sum(line["sent"] for line in lost) > 4
        assert sum(line["lost"] + line["late"] + line["wrong"] + line["closed"] for line in well) == 0
        assert sum(line["sent"] for line in well) == sum(line["answered"] for line in well) > 20
        assert [line["end"] for line in well] == [False] * (len(well) - 1) + [True]

    def test_deliveries_to_a_group_are_counted(self, client):
        with FrameServer() as server:
            counted, windowed = client(server, "fanout", members=7, messages=20, windows="4", seconds=2)
        assert (counted["published"], counted["expected"], counted["delivered"], counted["lost"]) == (20, 140, 140, 0)
        assert windowed["delivered"] == windowed["published"] * 7 == server.counts["deliveries"] - 140
        assert counted["disordered"] == windowed["disordered"] == windowed["dropped"] == 0

    def test_lost_deliveries_are_counted(self, client):
        with FrameServer(skip=50) as server:
            (phase,) = client(server, "burst", members=10, messages=30, quiet=0.5)
        assert phase["expected"] == 300
        assert phase["lost"] == server.counts["skipped"] == 6

    def test_what_comes_twice_is_out_of_order(self, client):
        with FrameServer(repeat=True) as server:
            (phase,) = client(server, "burst", members=2, messages=10)
        assert phase["disordered"] > 0

    def test_socket_io_is_spoken(self, client):
        with FrameServer(hello=True, ping=True) as server:
            (phase,) = client(server, "echo", sizes="2", **SOCKETIO)
        assert phase["count"] > 2
        assert server.counts["pongs"] >= phase["count"]
        assert phase["strange"] == 0

    def test_connects_are_counted(self, client):
        with FrameServer() as server:
            (phase,) = client(server, "storm", at_once=5)
        assert 5 < phase["count"] <= server.counts["accepted"]

    @pytest.mark.parametrize(("answer", "close"), [(HTTP, False), (CHUNKED, False), (CLOSED, True)])
    def test_answers_over_http_are_counted(self, client, answer, close):
        with FrameServer(http=answer, close=close) as server:
            (phase,) = client(server, "http", connections=3)
        assert phase["count"] > 3
        assert 0 <= server.counts["requests"] - phase["count"] <= 3
        assert phase["lost"] == 0
        assert (phase["reopened"] > 0) is close

    def test_a_server_that_refuses_is_an_error(self, client):
        with FrameServer(refuse=True) as server, pytest.raises(load.ClientError, match="1 of 1 connections to /echo"):
            client(server, "echo", sizes="1")


def phase(name: str, size: int, rate: float, **more: float) -> dict:
    latencies = {"p50_us": 1000.0, "p95_us": 2000.0, "p99_us": 3000.0, "max_us": 4000.0}
    return {"phase": name, "size": size, "rate": rate, "client_cpu": 0.5, **latencies, **more}


@pytest.fixture
def results() -> dict:
    """Three rounds of fan-out by ours, one by stock, and a burst that lost."""

    def fanout(peer: str, turn: int, *rates: float) -> dict:
        phases = [phase("fanout", 500, rate, window=window, lost=0) for window, rate in zip((1, 8), rates, strict=True)]
        return {"peer": peer, "scenario": "fanout-500", "round": turn, "phases": phases}

    burst = phase("burst", 1000, 50_000, lost=3, expected=1_000_000, window=1000, seconds=20)
    return {
        "date": "2026-01-31 12:00 UTC", "commit": "abc", "quick": False, "complete": True, "pinning": "none", "runs": [
            fanout("ours", 1, 50, 100), fanout("ours", 2, 50, 130), fanout("ours", 3, 50, 90), fanout("stock", 1, 5, 4),
            {"peer": "ours", "scenario": "burst", "round": 1, "phases": [burst]},
        ],
        "machine": {"cores": 2, "cpu": "A processor", "memory": "8 GiB", "kernel": "6", "redis": "7"},
        "peers": {
            "ours": {"title": "channels_lts", "yardstick": False, "versions": {"python": "3.11"}},
            "stock": {"title": "Channels 1.1.8", "yardstick": False, "versions": {}},
        },
        "absent": {"socketio": "node and npm are not installed"},
    }  # fmt: skip


def test_figures_are_ratios_of_the_best_and_of_the_median(results):
    by_name = {figure.name: figure for figure in figures.to_reach(results)}
    fanout = by_name["fan-out to 500, against Channels 1.1.8"]
    assert (fanout.measured, fanout.by_median, fanout.met) == ("26.00 ×", "20.00 ×", True)
    assert by_name["fan-out to 500, against Socket.IO + Redis adapter"].met is None
    assert by_name["lost, burst of group messages to a large group"].met is False


def test_a_figure_that_is_missed_says_no(results):
    results["runs"][1]["phases"][1]["rate"] = 124
    (row,) = (
        line for line in report.to_reach(results).splitlines() if "fan-out to 500, against Channels 1.1.8" in line
    )
    assert [cell.strip() for cell in row.split("|")[2:-1]] == ["≥ 25 ×", "24.80 ×", "20.00 ×", "**no**"]


def test_the_page_tells_results_absent_peers_and_what_was_busy(results, tmp_path):
    results["runs"][0]["phases"][1] |= {"client_busy": True, "client_cpu": 0.93}
    results["runs"][0]["phases"][1]["cpu_elsewhere"] = 0.7
    report.write(results, tmp_path, plots=False)
    text = (tmp_path / "latest.md").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "latest.json").read_text(encoding="utf-8")) == results
    assert "| channels_lts   | 130 (100) |" in text
    assert "socketio is left out: node and npm are not installed" in text
    assert "the machine was busy with other things**: 0.70 of a core" in text
    assert "used 93% of its core, so that it may have been the limit: channels_lts: fanout-500 8" in text


def test_peers_take_turns():
    wanted = run.parser().parse_args(["--scenario", "http", "--rounds", "2"])
    peers = [peer for peer in run.peers.load() if peer.name in ("ours", "stock", "echo", "socketio")]
    order = [(turn, peer.name) for turn, peer, _ in run.plan_of(wanted, peers)]
    # Socket.IO has no Django view, and the yardstick needs no second round.
    assert order == [(1, "ours"), (1, "stock"), (1, "echo"), (2, "ours"), (2, "stock")]


def bench(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "bench.run", "--no-plots", *map(str, arguments)]


@pytest.mark.system
def test_an_interrupted_run_keeps_what_it_measured(tmp_path, wait_for):
    command = bench("--peer", "echo", "--scenario", "http", "--scenario", "storm", "--output", tmp_path)
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        wait_for((tmp_path / "latest.json").exists, "the first run is written", timeout=60)
        # In the middle of the second.
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30 * TIMEOUT_SCALE)
    finally:
        process.kill()
    assert process.returncode == 130, said
    kept = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))
    assert [each["scenario"] for each in kept["runs"]] == ["http"]
    assert kept["complete"] is False
    assert "Not complete" in (tmp_path / "latest.md").read_text(encoding="utf-8")
    assert "Traceback" not in said


@pytest.mark.system
def test_a_quick_run_of_our_deployment(tmp_path):
    options = ["--quick", "--peer", "ours", "--scenario", "echo", "--scenario", "burst", "--output", tmp_path]
    command = bench(*options, "--environment", f"ours={sys.prefix}")
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=180 * TIMEOUT_SCALE, env=os.environ
    )
    assert done.returncode == 0, done.stdout + done.stderr
    runs = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))["runs"]
    phases = {(each["phase"], each["size"]): each for run in runs for each in run["phases"]}
    assert all(phases["echo", size]["count"] > 10 and phases["echo", size]["lost"] == 0 for size in (1, 50, 200))
    assert phases["burst", 200]["delivered"] == 200 * 200

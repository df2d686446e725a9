"""The bench of the chat: its report, and a quick run on SQLite."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from bench.chat import report
from tests.services import ROOT, TIMEOUT_SCALE


@pytest.fixture
def results():
    measured = {
        "phase": "stored",
        "rate": 300.0,
        "delivered": 4000,
        "seconds": 4.0,
        "p50_us": 9000.0,
        "p95_us": 20_000.0,
    }
    rounds = [
        {**measured, "commits": 500.0, "ratio": ratio, "client_cpu": 0.1, "cpu": {}} for ratio in (0.45, 0.6, 0.4)
    ]
    join = {"phase": "join", "p50_us": 4000.0, "p95_us": 12_000.0, "client_cpu": 0.1, "cpu": {}}
    return {
        "date": "2026-01-31 12:00 UTC", "commit": "abc", "complete": True, "messages": 1000,
        "machine": {"cores": 2, "cpu": "A processor", "memory": "8 GiB", "kernel": "6"},
        "databases": {"SQLite": {"rounds": rounds, "join": join}}, "absent": {"PostgreSQL": "it is not installed"},
    }  # fmt: skip


def test_the_table_has_best_and_median_and_says_what_is_missed(results):
    stored, join = report.table(results).splitlines()[2:]
    assert stored.endswith("| ≥ 0.5 × | 0.60 × | 0.45 × | yes |")
    assert join.endswith("| ≤ 10 ms | 12.0 ms | | **no** |")


def test_the_page_tells_what_went_wrong_and_who_is_left_out(results, tmp_path):
    results["databases"]["SQLite"]["rounds"][1] |= {"wrong": 2, "client_cpu": 0.93}
    report.write(results, tmp_path)
    text = (tmp_path / "chat.md").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "chat.json").read_text(encoding="utf-8")) == results
    assert "PostgreSQL is left out: it is not installed." in text
    assert "**SQLite, stored: {'wrong': 2}**" in text
    assert "used 93% of its core" in text


@pytest.mark.system
def test_a_quick_run_on_sqlite(tmp_path):
    options = ["--quick", "--database", "SQLite", "--messages", "2000", "--output", tmp_path]
    done = subprocess.run(
        [sys.executable, "-m", "bench.chat", *options, "--environment", f"ours={sys.prefix}"],
        cwd=ROOT, capture_output=True, text=True, timeout=120 * TIMEOUT_SCALE, env=os.environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "chat.json").read_text(encoding="utf-8"))["databases"]["SQLite"]
    (stored,) = found["rounds"]
    assert stored["count"] > 20
    # Two senders and two readers in each room hear each message.
    assert stored["delivered"] >= stored["count"] * 3
    assert [stored[name] for name in ("wrong", "errors", "resent", "dropped", "unanswered", "tracebacks")] == [0] * 6
    assert stored["commits"] > 0
    assert found["join"]["count"] == 100
    # Fifty messages are more than this.
    assert found["join"]["bytes"] > 7_000

"""``docs/workers.md`` against the code."""

from __future__ import annotations

import re

from channels_lts.management.commands.runworker import Command
from tests.services import ROOT

PAGE = (ROOT / "docs" / "workers.md").read_text(encoding="utf-8")
# Where the worker's process counts.
SOURCES = (
    "pending",
    "finding",
    "worker",
    "worker_group",
    "worker_limits",
    "consuming",
    "replies",
    "time_limit",
    "stopping",
    "intake",
)


def first_cells(heading: str) -> set[str]:
    table = PAGE.split(heading)[1].split("\n\n")[0]
    return {name for row in table.splitlines() for name in re.findall(r"`([^`]+)`", row.split("|")[1])}


def test_every_counter_stands_there_and_is_counted():
    text = "".join((ROOT / "channels_lts" / f"{name}.py").read_text(encoding="utf-8") for name in SOURCES)
    counted = set(re.findall(r'\.count\(\s*"([a-z_]+)"', text))
    assert first_cells("| counter | what happened |") == counted


def test_every_flag_stands_there_and_is_taken():
    parser = Command().create_parser("manage.py", "runworker")
    django = {"--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color"}
    django |= {"--force-color", "--skip-checks"}
    flags = {flag for action in parser._actions for flag in action.option_strings if flag.startswith("--")}
    # As `| flag |` is split off, so is the bar before the first row's cell.
    assert {name for name in first_cells("| flag | default |") if name.startswith("--")} == flags - django

"""``--reload``: new code without a restart by hand, and no consumer cut off."""

from __future__ import annotations

import signal

import pytest
from django.core.management import CommandError, call_command

from tests.services import wait_for
from tests.worker.test_signals import write_version

pytestmark = pytest.mark.system


def test_code_that_changes_is_loaded_after_the_consumer_that_runs(make_process):
    worker = make_process("--reload")
    code = worker.directory / "code_of_today.py"

    def change(text: str, seen: str) -> None:
        """Change the code until that is noticed: before its first look, the reloader knows no other state."""
        wait_for(lambda: code.write_text(text) and seen in worker.log(), seen, 20)

    write_version(worker.directory, 1)
    worker.start(CODE_OF_TODAY="1")
    worker.get_stuck("sleep")
    change("VERSION = 'two'\n", "the code has changed")
    worker.send("go", channel="release")
    assert worker.results(1) == ["sleep"]
    worker.send(0, channel="who")
    assert worker.results(1)[0]["version"] == "two"
    worker.signal(signal.SIGINT)
    assert worker.ends() == 0


def test_it_runs_one_process():
    with pytest.raises(CommandError, match="--reload is for development and runs one process"):
        call_command("runworker", reload=True, processes=2)

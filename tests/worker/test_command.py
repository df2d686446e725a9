"""``runworker``: its options, and what it leaves alone."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from tests.services import ROOT

pytestmark = pytest.mark.system


def test_d29_runworker_leaves_the_logging_of_the_project_alone():
    code = """
        import logging, os, my_project, django
        os.environ["DJANGO_SETTINGS_MODULE"] = "my_project.settings"
        django.setup()
        before = {name: list(logging.getLogger(name).handlers) for name in ("", "django", "django.channels")}
        from unittest import mock
        from django.core.management import call_command
        with mock.patch("channels_lts.worker.Worker.run"):
            call_command("runworker")
        for name, handlers in before.items():
            assert logging.getLogger(name).handlers == handlers, name
            assert logging.getLogger(name).propagate, name
    """
    environment = {"ENVIRONMENT": "embedded", "SECRET_KEY": "x" * 60, "REDIS_URL": "redis://127.0.0.1:1/0"}
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    [line] = [line for line in ran.stderr.splitlines() if "worker on channel layer" in line]
    assert " channels_lts.worker[" in line, "the project's format"


def test_runworker_refuses_a_number_of_threads_that_is_none(caplog):
    from django.core.management import CommandError, call_command

    with pytest.raises(CommandError, match="--threads must be a whole number, 1 or more, not 0"):
        call_command("runworker", threads=0)

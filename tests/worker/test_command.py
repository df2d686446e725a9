"""``runworker``: its options, and what it leaves alone."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
from channels import channel_layers
from django.core.management import CommandError, call_command

from channels_lts import worker_options
from channels_lts.management.commands.runworker import Command
from channels_lts.worker_limits import WorkerLimits
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


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"threads": 0}, "--threads must be a whole number, 1 or more, not 0"),
        ({"processes": "x"}, "--processes must be a whole number, 1 or more, not x"),
        ({"stop_timeout": "soon"}, "--stop-timeout must be a number, 0 or more, not soon"),
        ({"consumer_timeout": "-1"}, "--consumer-timeout must be a number, 0 or more, not -1"),
        ({"max_messages": "1.5"}, "--max-messages must be a whole number, 0 or more, not 1.5"),
        ({"max_rss": "nan"}, "--max-rss must be a number, 0 or more, not nan"),
        ({"abort_consumers": True}, "--abort-consumers needs a --consumer-timeout"),
        ({"ready_file": "/nowhere/at/all"}, "--ready-file: there is no directory /nowhere/at"),
        ({"only_channels": ["nothing.*"]}, "No channel of the routing is left"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_wrong_values_are_refused_in_one_line(options, said, redis_layer):
    with pytest.raises(CommandError) as refused:
        call_command("runworker", **options)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_flags_fall_back_to_the_settings(settings):
    settings.CHANNELS_LTS = {"STOP_TIMEOUT": 1, "CONSUMER_TIMEOUT": 2, "MAX_MESSAGES": 3, "MAX_RSS": 4}
    limits = worker_options.limits({"max_rss": "400"})
    assert (limits.stop_timeout, limits.consumer_timeout, limits.max_messages, limits.max_rss) == (1, 2, 3, 400)
    settings.CHANNELS_LTS = {"MAX_MESSAGES": "many"}
    with pytest.raises(CommandError, match="MAX_MESSAGES in CHANNELS_LTS must be a whole number"):
        worker_options.limits({})


def test_the_command_line_takes_every_option():
    parser = Command().create_parser("manage.py", "runworker")
    line = "--layer x --only-channels a --only-channels b --exclude-channels c --threads 2 --processes 3 --reload"
    limits_line = "--stop-timeout 1 --consumer-timeout 2 --abort-consumers --max-messages 3 --max-rss 4 --ready-file f"
    given = parser.parse_args([*line.split(), *limits_line.split()])
    assert (given.layer, given.only_channels, given.exclude_channels) == ("x", ["a", "b"], ["c"])
    assert worker_options.threads(vars(given)) == 2
    limits = worker_options.limits(vars(given))
    assert limits == WorkerLimits(stop_timeout=1, consumer_timeout=2, abort_consumers=True, max_messages=3, max_rss=4)


@pytest.fixture
def redis_layer(redis_server, monkeypatch):
    """The project's layer is the one in memory, which runworker refuses."""
    layer = channel_layers["default"]
    monkeypatch.setattr(type(layer), "local_only", lambda self: False)

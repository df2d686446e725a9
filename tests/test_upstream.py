"""The test suites of Channels 1.1.8 and Daphne 1.4.2, run as they are on this Django and this Python.

Daphne's is in its package. That of Channels is not: name a directory that has it, ``tests`` of the release's checkout,
in ``CHANNELS_TESTS``, and it runs too.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services import ROOT, TIMEOUT_SCALE

# What tools of that time had and those of today have no more; it concerns the tests only, not what they test.
DAPHNE = """
import hypothesis, os, unittest
from hypothesis import strategies

from channels_lts import compat
compat.install()

for name in ("binary", "dictionaries", "lists", "text"):
    def without_average(*args, strategy=getattr(strategies, name), average_size=None, **kwargs):
        return strategy(*args, **kwargs)
    setattr(strategies, name, without_average)

def settings(*args, **kwargs):
    return Settings(
        derandomize=True, database=None, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
    )

Settings = hypothesis.settings
Settings.register_profile("daphne", settings())
Settings.load_profile("daphne")
settings.register_profile = settings.load_profile = lambda *args: None
hypothesis.settings = settings

import daphne.tests
top = os.path.dirname(daphne.__path__[0])
unittest.main(module=None, argv=["daphne", "discover", "-s", daphne.tests.__path__[0], "-t", top])
"""

CHANNELS = """
import os, sys, unittest.mock

os.environ["DJANGO_SETTINGS_MODULE"] = "upstream_settings"
from channels_lts import compat
compat.install()

import django
import django.test
django.test.mock = unittest.mock
django.setup()
from django.conf import settings
from django.test.utils import get_runner
sys.exit(bool(get_runner(settings)().run_tests(["tests"])))
"""

# The suite's own settings lack what later Djangos check for.
CHANNELS_SETTINGS = """
from tests.settings import *

DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
INSTALLED_APPS = (*INSTALLED_APPS, "django.contrib.messages")
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "OPTIONS": {"context_processors": [
        "django.contrib.auth.context_processors.auth",
        "django.contrib.messages.context_processors.messages",
        "django.template.context_processors.request",
    ]},
}]
"""


def run(script: str, directory: Path) -> int:
    """Run *script* and return how many tests it ran; all of them must pass."""
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(directory)])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300 * TIMEOUT_SCALE,
    )
    assert result.returncode == 0, result.stdout
    ran = re.search(r"^Ran (\d+) tests? in", result.stdout, re.MULTILINE)
    assert ran is not None, result.stdout
    return int(ran[1])


def test_daphnes_own_tests_pass(tmp_path):
    assert run(DAPHNE, tmp_path) == 58


def test_channels_own_tests_pass(tmp_path):
    source = os.environ.get("CHANNELS_TESTS")
    if not source:
        pytest.skip("CHANNELS_TESTS names no directory with the tests of Channels 1.1.8, which its package lacks")
    shutil.copytree(source, tmp_path / "tests")
    (tmp_path / "upstream_settings.py").write_text(CHANNELS_SETTINGS)
    assert run(CHANNELS, tmp_path) == 100

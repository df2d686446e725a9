"""The browser library, by Node's own test runner: what a browser and a server do is scripted there."""

from __future__ import annotations

import subprocess

import pytest

from tests import services

pytestmark = pytest.mark.system

_SUITE = services.ROOT / "tests" / "js"


def test_the_browser_library_passes_its_tests() -> None:
    node = services.find("node")
    files = sorted(str(path) for path in _SUITE.glob("*.test.mjs"))
    assert files
    done = subprocess.run(
        [str(node), "--test", *files],
        capture_output=True,
        text=True,
        timeout=120 * services.TIMEOUT_SCALE,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"

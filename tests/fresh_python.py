"""Scripts in processes that have seen nothing of Django or Channels, for what is done once for a process."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.services import ROOT, TIMEOUT_SCALE


def run(script: str, directory: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run *script* in *directory*, with *options* for Python."""
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    return subprocess.run(
        [sys.executable, "-W", "ignore", *options, "-c", textwrap.dedent(script)],
        cwd=directory,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60 * TIMEOUT_SCALE,
    )


def prints(result: subprocess.CompletedProcess[str]) -> str:
    """Return what the script printed; it must have succeeded."""
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import channels_lts

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.system
def test_library_installs_by_itself_with_pip(tmp_path):
    """Only the library comes along, and importing it needs nothing else and has no effect."""
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    # A copy, since building leaves its own folders beside the source.
    source = tmp_path / "source"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", ROOT.as_uri(), source], check=True)
    subprocess.run([*pip, "--target", target, source], check=True)
    code = "import sys, channels_lts; print(channels_lts.__version__, 'django' in sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(target)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stdout.split() == [channels_lts.__version__, "False"]
    packages = {entry.name for entry in target.iterdir() if not entry.name.endswith(".dist-info")}
    assert packages == {"channels_lts"}
    shipped = {path.relative_to(target).as_posix() for path in target.rglob("*.py")}
    tracked = subprocess.run(
        ["git", "ls-files", "channels_lts/*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert shipped == set(tracked)
    assert (target / "channels_lts" / "py.typed").exists()

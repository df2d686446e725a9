"""Run the library and chat tests on every supported Python and both requirement sets: ``make test-matrix``.

``python tests/matrix.py [--only 3.11-plain ...]``. Each cell has an environment of its own in ``var/matrix``, which is
made anew when its requirements have changed. A Python that this machine lacks is skipped. Ends with how many tests
passed and failed; the exit status is 1 if any failed. Tests that need services (marked ``system``) are not in it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13")
SETS = {
    "plain": ("requirements.txt", []),
    "lts": ("requirements-lts.txt", ["--no-deps", "--require-hashes"]),
}
DIRECTORY = ROOT / "var" / "matrix"
# Seconds that the tests of a cell may take: what hangs must not keep the other cells from running.
TIME_LIMIT = 1800 * float(os.environ.get("TIMEOUT_SCALE", "1"))


@dataclass
class Result:
    """What came of a cell. *note* says why no test ran, if none did."""

    cell: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0
    note: str = ""


def main(arguments: list[str]) -> int:
    cells = [f"{python}-{name}" for python in PYTHONS for name in SETS]
    parser = argparse.ArgumentParser(description="Run the tests on every supported Python and both requirement sets.")
    parser.add_argument("--only", action="append", choices=cells, metavar="CELL", help=f"one of {', '.join(cells)}")
    wanted = parser.parse_args(arguments).only or cells

    results = []
    for version in PYTHONS:
        names = [name for name in SETS if f"{version}-{name}" in wanted]
        python = find_python(version) if names else None
        for name in names:
            cell = f"{version}-{name}"
            if python is None:
                missing = Result(cell, note=f"skipped: no python{version} on PATH or under pyenv")
                print(f"{cell}: {missing.note}", flush=True)
                results.append(missing)
            else:
                results.append(run(cell, python, name))
    results += mixed(results)
    return report(results)


def mixed(results: list[Result]) -> list[Result]:
    """Run interface servers and workers of two Pythons together: that of ``make test``, and the newest of *results*."""
    ours = ROOT / ".venv" / "bin" / "python"
    cells = [result.cell for result in results if result.cell.endswith("-lts") and not result.note]
    if not cells or not ours.exists():
        return []
    cell = f"{cells[-1].partition('-')[0]}+ours"
    print(f"\n=== {cell}", flush=True)
    result, started = Result(cell), time.monotonic()
    summary = DIRECTORY / f"{cell}.xml"
    summary.unlink(missing_ok=True)
    command: list[str | Path] = [ours, "-m", "pytest", "-q", f"--junitxml={summary}", "tests/test_hosts.py"]
    other = variables() | {"OTHER_VENV": str(DIRECTORY / cells[-1])}
    status = subprocess.run(command, cwd=ROOT, env=other, check=False, timeout=TIME_LIMIT).returncode
    if summary.exists():
        count(summary, result)
    if status and not result.failed:
        result.note, result.failed = f"pytest ended with {status}", 1
    result.seconds = time.monotonic() - started
    return [result]


def find_python(version: str) -> str | None:
    """Return a Python *version* that runs, from PATH or else from pyenv."""
    return next((path for path in candidates(version) if runs(path, version)), None)


def candidates(version: str) -> Iterator[str]:
    on_path = shutil.which(f"python{version}")
    if on_path:
        # It may be pyenv's stand-in, which runs only where that version is switched on.
        yield on_path
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=True).stdout.strip()
        installed = Path(root, "versions").glob(f"{version}.*/bin/python{version}")
        yield from map(str, sorted(installed, key=_patch_release, reverse=True))


def _patch_release(path: Path) -> tuple[bool, int]:
    patch = path.parent.parent.name.split(".")[2]
    return patch.isdigit(), int(patch) if patch.isdigit() else 0


def runs(path: str, version: str) -> bool:
    script = "import sys; print('%d.%d' % sys.version_info[:2])"
    result = subprocess.run([path, "-c", script], capture_output=True, text=True, check=False)
    return result.returncode == 0 and result.stdout.strip() == version


def run(cell: str, python: str, name: str) -> Result:
    """Install a cell and run its tests."""
    print(f"\n=== {cell} ({python})", flush=True)
    result, started = Result(cell), time.monotonic()
    try:
        run_tests(install(DIRECTORY / cell, python, *SETS[name]), result)
    except subprocess.CalledProcessError as error:
        result.note = f"cannot be installed: {' '.join(map(str, error.cmd))} ended with {error.returncode}"
    except subprocess.TimeoutExpired:
        result.note = f"no end after {TIME_LIMIT:g} s"
    if result.note:
        # A cell that came to nothing is a failure.
        result.failed = max(result.failed, 1)
        print(f"{cell}: {result.note}", flush=True)
    result.seconds = time.monotonic() - started
    return result


def run_tests(python: Path, result: Result) -> None:
    summary = DIRECTORY / f"{result.cell}.xml"
    summary.unlink(missing_ok=True)
    options = ["-q", "-m", "not system", "--ignore=tests/faults", "-p", "no:cacheprovider", f"--junitxml={summary}"]
    command: list[str | Path] = [python, "-m", "pytest", *options]
    status = subprocess.run(command, cwd=ROOT, env=variables(), check=False, timeout=TIME_LIMIT).returncode
    if summary.exists():
        count(summary, result)
    if status and not result.failed:
        result.note = f"pytest ended with {status}"


def install(directory: Path, python: str, requirements: str, options: list[str]) -> Path:
    """Make the environment in *directory*, if it is not there for these requirements; returns its Python."""
    environment = directory / "bin" / "python"
    stamp = directory / "requirements.sha256"
    wanted = hashlib.sha256((ROOT / requirements).read_bytes() + python.encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(directory, ignore_errors=True)
        subprocess.run([python, "-m", "venv", directory], check=True)
        pip: list[str | Path] = [environment, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *options, "-r", ROOT / requirements], check=True, env=variables())
        # Last, so that what was broken off is not taken for complete.
        stamp.write_text(wanted)
    return environment


def variables() -> dict[str, str]:
    """The environment, without what would lead to another project or Python."""
    strangers = {"DJANGO_SETTINGS_MODULE", "PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"}
    return {name: value for name, value in os.environ.items() if name not in strangers}


def count(summary: Path, result: Result) -> None:
    """Add up the results in pytest's *summary*; each subtest counts."""
    for suite in ElementTree.parse(summary).getroot().iter("testsuite"):
        number = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
        bad = number["failures"] + number["errors"]
        result.failed += bad
        result.skipped += number["skipped"]
        result.passed += number["tests"] - bad - number["skipped"]


def report(results: list[Result]) -> int:
    """Print the table and the sum; returns the exit status."""
    print(f"\n{'cell':<12}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}")
    for result in results:
        numbers = f"{result.passed:>8}{result.failed:>8}{result.skipped:>9}{result.seconds:>9.0f}"
        print(f"{result.cell:<12}{numbers}  {result.note}".rstrip())
    passed, failed = sum(result.passed for result in results), sum(result.failed for result in results)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Child processes: started with a core to run on, and ended with us. Nothing else is ever ended."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

_PR_SET_PDEATHSIG = 1
_TICKS = os.sysconf("SC_CLK_TCK")
_BENDS_PYTHON = {"DJANGO_SETTINGS_MODULE", "PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"}


def variables(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment without what would lead a child to another Python or project, and *extra* on top."""
    kept = {name: value for name, value in os.environ.items() if name not in _BENDS_PYTHON}
    return kept | dict(extra or {})


def raise_open_files() -> None:
    """Take as many file descriptors as we may have; children inherit it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def run(
    command: list[str | Path], *, directory: Path | None = None, timeout: float = 900
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; ``stdout`` has what it said on both outputs."""
    return subprocess.run(  # noqa: S603  (our own command lines)
        command, cwd=directory, env=variables(), check=False, timeout=timeout, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def start(
    command: list[str | Path],
    *,
    cores: set[int] | None = None,
    output: IO[bytes] | None = None,
    environment: Mapping[str, str] | None = None,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """Start a process on *cores* (None: on any). Ctrl-C at our terminal is ours alone; our end is its end too."""
    program = shutil.which(str(command[0])) or str(command[0])

    def prepare() -> None:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if cores:
            os.sched_setaffinity(0, cores)

    streams = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output or subprocess.PIPE} | options
    return subprocess.Popen(  # noqa: S603  (our own command lines)
        [program, *command[1:]], env=variables(environment), start_new_session=True, preexec_fn=prepare, **streams
    )


def stop(process: subprocess.Popen[bytes], *, patience: float = 5) -> None:
    """End a process that :func:`start` started: SIGTERM, and SIGKILL after *patience* seconds."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_kib(pid: int) -> int:
    """Resident memory of a process, KiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0

"""A file that says that a process is ready: for the rolling restart, and for whatever else asks files."""

from __future__ import annotations

import os
from pathlib import Path


class ReadyFile:
    """Holds the process id, from when the process serves until it stops taking work.

    ``--ready-file`` of ``runworker`` and of the interface server. Whoever waits for a process compares the id with that
    of the one that was started: a file that a killed process left behind names another.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def write(self) -> None:
        """Say that this process is ready. The file is there whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        new = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        new.write_text(f"{os.getpid()}\n")
        new.replace(self.path)

    def remove(self) -> None:
        """Take that back; a file of another process stays."""
        if pid_in(self.path) == os.getpid():
            self.path.unlink(missing_ok=True)


def pid_in(path: Path) -> int | None:
    """Return the process id in a ready file; None where there is no such file, or it holds something else."""
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isascii() and text.isdecimal() else None

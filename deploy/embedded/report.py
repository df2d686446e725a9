"""What a person at the terminal gets to read."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


class Failure(Exception):
    """Raised when a step cannot be done. The message is for a person: what is wrong, and what to do about it."""


@contextmanager
def step(what: str) -> Iterator[None]:
    """Print one line: *what* is being done, and once it is done how long it took."""
    print(f"  {what} ... ", end="", flush=True)
    began = time.monotonic()
    try:
        yield
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - began:.1f} s", flush=True)


def note(text: str) -> None:
    print(f"  {text}", flush=True)


def tail(path: Path, count: int) -> list[str]:
    """Return the last *count* lines of a log file; none where there is no such file."""
    if not path.exists():
        return []
    return path.read_text(errors="replace").splitlines()[-count:]


def indent(lines: Iterable[str]) -> str:
    return "\n".join(f"    {line}" for line in lines)

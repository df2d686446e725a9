"""What a person at the terminal gets to read."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_TRACEBACK = "Traceback (most recent call last):"


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


def tail(path: Path, count: int, since: int = 0) -> list[str]:
    """Return the last *count* lines of what a log file holds from byte *since* on; none where there is no such file."""
    if not path.exists():
        return []
    content = path.read_bytes()
    new = content[since:] if len(content) >= since else content
    return new.decode(errors="replace").splitlines()[-count:]


def conclusion(lines: list[str], count: int) -> list[str]:
    """Return the last *count* lines of what a program said, or only the error that a traceback at its end leads to."""
    if _TRACEBACK in lines:
        last = len(lines) - lines[::-1].index(_TRACEBACK)
        plain = [number for number in range(last, len(lines)) if lines[number].strip() and lines[number][0] != " "]
        lines = lines[plain[0] :] if plain else lines
    return lines[-count:]


def indent(lines: Iterable[str]) -> str:
    return "\n".join(f"    {line}" for line in lines)

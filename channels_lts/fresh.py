"""The command that this process runs, again in a fresh interpreter: in its place, or beside it."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterable, Mapping

logger = logging.getLogger(__name__)


def command_line() -> list[str]:
    """Return what started this process: interpreter, its options, and script, ``-m`` module or ``-c`` text."""
    return [sys.executable, *sys.orig_argv[1:]]


def start_over(directory: str, *, environment: Mapping[str, str] | None = None, keep: Iterable[int] = ()) -> None:
    """Become a new process of the same id, in *directory*, with the file descriptors *keep*. Does not return.

    No ``atexit`` function runs.

    Raises:
        OSError: the interpreter or the directory is not there any more.
    """
    os.chdir(directory)
    for descriptor in keep:
        os.set_inheritable(descriptor, True)
    # One more while Python starts must not end the process, as it does where nobody handles it.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, command_line(), {**os.environ, **(environment or {})})  # noqa: S606

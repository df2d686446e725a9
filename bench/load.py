"""Drive the load client: compile ``client/*.c`` with ``cc``, start it, and read what it measured.

The client is C because it must not be what is measured: it shares two cores with the servers.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, cast

from bench import processes

CLIENT = Path(__file__).resolve().parent / "client"
# Share of one core above which the client may have been what limited a result.
BUSY = 0.85


class ClientError(Exception):
    """Raised when the load client cannot be built, or ended without a result; the message is what it said."""


def compile_c(sources: list[Path], program: Path) -> Path:
    """Compile *sources* into *program*, unless it is newer than all of them.

    Raises:
        ClientError: there is no C compiler, or it refused.
    """
    depends = [*sources, *sources[0].parent.glob("*.h")]
    if program.exists() and program.stat().st_mtime > max(source.stat().st_mtime for source in depends):
        return program
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not compiler:
        raise ClientError("no C compiler: the load client is C; install gcc or clang")
    program.parent.mkdir(parents=True, exist_ok=True)
    fresh = program.with_suffix(".new")
    done = processes.run([compiler, "-O2", "-Wall", "-Wextra", "-o", fresh, *sources])
    if done.returncode:
        raise ClientError(f"{compiler} refused the load client:\n{done.stdout}")
    fresh.replace(program)
    return program


def build(directory: Path) -> Path:
    """Return the load client's program, compiled into *directory* where need be."""
    return compile_c(sorted(CLIENT.glob("*.c")), directory / "load")


class Load:
    """One run of the load client: use it as a context manager.

    :meth:`ready` yields what the client says before each phase; :meth:`go` lets that phase run and returns its result.
    """

    def __init__(
        self,
        program: Path,
        mode: str,
        *,
        ports: list[int],
        options: Mapping[str, Any],
        cores: set[int] | None = None,
        limit: int = 120,
    ) -> None:
        arguments = {"ports": ",".join(map(str, ports)), "limit": limit, **options}
        command: list[str | Path] = [program, mode, *(f"{name}={value}" for name, value in arguments.items())]
        self._process = processes.start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cores=cores)
        # Popen types them as optional; with pipes they are there.
        self._input = cast(IO[bytes], self._process.stdin)
        self._output = cast(IO[bytes], self._process.stdout)
        self._errors = cast(IO[bytes], self._process.stderr)

    def __enter__(self) -> Load:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        processes.stop(self._process)

    def ready(self) -> Iterator[dict[str, Any]]:
        """Yield ``{"ready": phase, "size": connections}`` for each phase; end with the client.

        Raises:
            ClientError: the client failed.
        """
        yield from (line for line in self.lines() if "ready" in line)

    def cpu_seconds(self) -> float:
        """Processor time that the client has used."""
        return processes.cpu_seconds(self._process.pid)

    def start(self) -> None:
        """Let the phase run that is ready."""
        self._input.write(b"go\n")
        self._input.flush()

    def go(self) -> dict[str, Any]:
        """Let the phase run that is ready; return what it measured.

        Raises:
            ClientError: the client ended instead.
        """
        self.start()
        line = self._line()
        if line is None:
            for _ in self.ready():
                pass
            raise ClientError("the load client ended without a result")
        line["client_busy"] = line["client_cpu"] > BUSY
        return line

    def stop(self) -> None:
        """Tell a mode without an end to end; :meth:`lines` has its last line then."""
        self.start()

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield each line that the client writes until it ends.

        Raises:
            ClientError: the client failed.
        """
        while line := self._line():
            yield line
        if self._process.wait():
            raise ClientError(self._errors.read().decode(errors="replace").strip() or "the load client failed")

    def _line(self) -> dict[str, Any] | None:
        line = self._output.readline()
        return json.loads(line) if line else None

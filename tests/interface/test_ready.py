"""``--ready-file``: there while the server takes connections, and only then."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from channels_lts.ready import pid_in
from tests.interface.running import Interface, request, run
from tests.services import free_port, wait_for

pytestmark = pytest.mark.system


def test_the_file_is_there_from_listening_until_the_end_begins(
    start_interface: Callable[..., Interface], tmp_path: Path
) -> None:
    ready = tmp_path / "ready"
    ready.write_text(f"{os.getpid()}\n")
    interface = start_interface("--ready-file", str(ready))
    assert interface.process is not None
    wait_for(lambda: pid_in(ready) == interface.process.pid, "it is ready")
    with interface.connect() as client:
        client.send(request("/"))
        waiting = interface.take("http.request")
        interface.signal()
        # Gone although a request is still under way.
        wait_for(lambda: not ready.exists(), "it is not ready any more")
        interface.answer(waiting)
        assert client.response().status == 200
    assert interface.exit_status() == 0


def test_a_server_that_cannot_listen_is_not_ready(start_interface: Callable[..., Interface], tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    running = start_interface()
    ran = run(
        "-p", str(running.port), "--ready-file", str(ready), "tests.interface.project:channel_layer",
        environment=running.environment,
    )  # fmt: skip
    assert (ran.returncode, ready.exists()) == (1, False)


def test_a_file_that_cannot_be_written_is_said_in_one_line(
    start_interface: Callable[..., Interface], tmp_path: Path
) -> None:
    ready = tmp_path / "nowhere" / "ready"
    environment = start_interface().environment
    ran = run(
        "-p", str(free_port()), "-v", "0", "--ready-file", str(ready), "tests.interface.project:channel_layer",
        environment=environment,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (1, f"cannot write {ready}: No such file or directory\n")

"""A project as people wrote them for Channels 1.x works, when all it adds is channels_lts.

The project is in ``tests/compat_project``; here it runs in processes of its own, with its own settings.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from tests import services
from tests.compat_project.liveblog.socket_client import SocketClient

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Project:
    """A copy of the project in *directory*, on the channel layer *layer*."""

    def __init__(self, directory: Path, layer: str, redis_url: str = "") -> None:
        self.directory = directory
        self.prefix = f"compat-{os.getpid()}-{directory.parent.name}"
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "oldsite.settings",
            "PYTHONPATH": str(services.ROOT),
            "PYTHONUNBUFFERED": "1",
            "LAYER": layer,
            "PREFIX": self.prefix,
            "REDIS_URL": redis_url,
        }
        self._running = ExitStack()

    def run(self, *arguments: str) -> str:
        """Run Python to its end and return what it said; it must succeed."""
        result = subprocess.run(
            [sys.executable, "-W", "ignore", *arguments],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120 * services.TIMEOUT_SCALE,
        )
        assert result.returncode == 0, result.stdout
        return result.stdout

    def manage(self, *arguments: str) -> str:
        return self.run("manage.py", *arguments)

    def start(self, *arguments: str) -> services.Service:
        """Start Python and leave it running until the end of the test."""
        logs = self.directory.parent / f"{arguments[-1].strip('-')}-{len(list(self.directory.parent.iterdir()))}"
        logs.mkdir()
        service = services.Service(logs, [sys.executable, *arguments], cwd=self.directory, env=self.environment)
        service.launch()
        self._running.callback(service.stop)
        return service

    def entries(self) -> list[str]:
        """The texts in the database."""
        return self._column("SELECT text FROM liveblog_entry ORDER BY id")

    def tables(self) -> set[str]:
        return set(self._column("SELECT name FROM sqlite_master WHERE type = 'table'"))

    def _column(self, query: str) -> list[str]:
        with closing(sqlite3.connect(self.directory / "db.sqlite3")) as connection:
            return [value for (value,) in connection.execute(query)]

    def close(self) -> None:
        self._running.close()
        for path in Path("/dev/shm").glob(f"*{self.prefix}*"):
            path.unlink()


@pytest.fixture
def make_project(tmp_path: Path) -> Iterator[Callable[..., Project]]:
    with ExitStack() as stack:

        def make(layer: str, redis_url: str = "") -> Project:
            directory = tmp_path / "project"
            ignore = shutil.ignore_patterns("__pycache__", "*.sqlite3")
            shutil.copytree(services.ROOT / "tests" / "compat_project", directory, ignore=ignore)
            project = Project(directory, layer, redis_url)
            stack.callback(project.close)
            return project

        yield make


def get(port: int, path: str, body: bytes | None = None, **headers: str) -> str:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    with urlopen(Request(f"http://127.0.0.1:{port}{path}", data=body, headers=names), timeout=20) as response:
        return response.read().decode()


def says(port: int, text: str) -> bool:
    with suppress(URLError, ConnectionError):
        return get(port, "/") == text
    return False


def visit(port: int) -> None:
    """What people do there: pages, files, a view that answers later, an upload, and two sockets in one room."""
    assert get(port, "/static/liveblog/words.txt") == "static words\n"
    assert get(port, "/later/") == "answered later"
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nloud\r\n--x--\r\n'
    assert get(port, "/upload/", body, Content_Type="multipart/form-data; boundary=x") == "LOUD"
    first, second = SocketClient(port, "/room/one/"), SocketClient(port, "/room/one/")
    assert (first.status, second.status) == (101, 101)
    first.send("hi")
    assert (first.receive(), second.receive()) == ("somebody: hi", "somebody: hi")
    first.close()
    second.close()


def test_checks_and_migrations_are_clean(make_project):
    project = make_project("memory")
    said = project.manage("check", "--fail-level", "ERROR")
    # Its data binding is Channels' own, of which the check warns, and lets it work.
    assert re.findall(r"\((\w+\.[A-Z]\d+)\)", said) == ["channels_lts.W002"]
    project.manage("makemigrations", "--check", "--dry-run")
    project.manage("migrate", "-v0")
    # Under the old label, where Django still takes it: a database that is in use keeps its table.
    assert project.tables() & {"channels.delay_delayedmessage", "channels_delay_delayedmessage"}


def test_tests_with_channels_own_helpers_pass(make_project):
    assert "OK (skipped=2)" in make_project("memory").manage("test", "--noinput")


def test_runserver_serves_and_reloads(make_project):
    project = make_project("memory")
    project.manage("migrate", "-v0")
    port = services.free_port()
    server = project.start("manage.py", "runserver", f"127.0.0.1:{port}")
    server.wait_until(lambda: says(port, "hello"), timeout=30)
    visit(port)
    views = project.directory / "liveblog" / "views.py"
    views.write_text(views.read_text().replace('"hello"', '"changed"'))
    services.wait_for(lambda: says(port, "changed"), "runserver has reloaded", timeout=30)
    visit(port)
    assert "Traceback" not in server.output.read_text()


def test_runworker_refuses_the_in_memory_layer(make_project):
    project = make_project("memory")
    with pytest.raises(AssertionError, match="in-memory layer"):
        project.manage("runworker")


def work_is_done_by_worker_and_delay_server(project: Project) -> None:
    project.manage("migrate", "-v0")
    worker = project.start("manage.py", "runworker")
    delay = project.start("manage.py", "rundelay", "--sleep", "0.2")
    send = "import oldsite.asgi as a; a.channel_layer.send('work', {'text': 'now', 'again': True})"
    project.run("-c", send)
    services.wait_for(lambda: project.entries() == ["now", "delayed"], "both messages are handled", timeout=30)
    for service in (worker, delay):
        assert "Traceback" not in service.output.read_text()


def test_worker_and_delay_server_over_ipc(make_project):
    work_is_done_by_worker_and_delay_server(make_project("ipc"))


@pytest.mark.system
def test_worker_and_delay_server_over_redis(make_project, redis_server):
    work_is_done_by_worker_and_delay_server(make_project("redis", redis_server.url))


@pytest.mark.system
def test_live_server_tests_pass(make_project, redis_server):
    project = make_project("redis", redis_server.url)
    assert "\nOK\n" in project.manage("test", "--noinput")


@pytest.mark.system
def test_daphne_and_workers_over_redis(make_project, redis_server):
    project = make_project("redis", redis_server.url)
    project.manage("migrate", "-v0")
    port = services.free_port()
    daphne = project.start(str(Path(sys.executable).with_name("daphne")), "-p", str(port), "oldsite.asgi:channel_layer")
    worker = project.start("manage.py", "runworker", "--threads", "2")
    daphne.wait_until(lambda: says(port, "hello"), timeout=30)
    visit(port)
    worker.stop(signal.SIGTERM)
    for service in (daphne, worker):
        assert "Traceback" not in service.output.read_text()

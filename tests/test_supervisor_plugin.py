"""channels_lts.supervisor: what supervisorctl does with the plug-in, on supervisor 4.2 and 4.3."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.services import ROOT, TIMEOUT_SCALE, wait_for
from tests.supervisor_programs import READY_FILE, Supervisord, environment, program

pytestmark = pytest.mark.system
WORKERS = ["workers:socket_00", "workers:web_00", "workers:web_01"]
OLD_SUPERVISOR = ["supervisor==4.2.5", "setuptools<80"]


def python_with_old_supervisor() -> str:
    """Return the Python of an environment with supervisor 4.2, which is made at need. It needs pkg_resources."""
    directory = ROOT / "var" / f"supervisor42-{sys.version_info.major}.{sys.version_info.minor}"
    stamp = directory / ".installed"
    if not stamp.exists() or stamp.read_text() != str(OLD_SUPERVISOR):
        shutil.rmtree(directory, ignore_errors=True)
        base = getattr(sys, "_base_executable", sys.executable)
        subprocess.run([base, "-m", "venv", directory], check=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", *OLD_SUPERVISOR]
        subprocess.run([directory / "bin" / "python", *install], check=True)
        stamp.write_text(str(OLD_SUPERVISOR))
    return str(directory / "bin" / "python")


def python_with(version: str) -> str:
    chosen = python_with_old_supervisor() if version == "4.2" else sys.executable
    said = subprocess.run([chosen, "-m", "supervisor.supervisord", "--version"], capture_output=True, text=True)
    assert said.stdout.startswith(version)
    return chosen


# Elsewhere supervisor 4.3 will do: what the plug-in builds on is the same in both, to the letter.
both_versions = pytest.mark.parametrize("supervisord", ["4.2", "4.3"], indirect=True)


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Supervisord]]:
    """A function that returns the running supervisord of a version."""
    running: dict[str, Supervisord] = {}
    with ExitStack() as stack:

        def start(version: str) -> Supervisord:
            if version not in running:
                programs = (
                    program("plain", numprocs=2, startsecs=1),
                    program("slow", stopwaitsecs=1),
                    program("late", READY_FILE, startsecs=2),
                    program("one", "--fd 0", kind="fcgi-"),
                    program("two", f"fd:fileno=0 {READY_FILE}", kind="fcgi-", numprocs=2, startsecs=2),
                )
                service = Supervisord(tmp_path_factory.mktemp("supervisord"), python_with(version), *programs)
                stack.callback(service.stop)
                running[version] = service.start()
            return running[version]

        yield start


@pytest.fixture
def supervisord(request: pytest.FixtureRequest, make: Callable[[str], Supervisord]) -> Supervisord:
    """supervisord with all its processes running; tests share it."""
    return make(getattr(request, "param", "4.3")).reset()


class TestGroups:
    @both_versions
    def test_the_bare_name_of_a_group_means_all_its_processes(self, supervisord):
        running = supervisord.states()
        said = supervisord.control("stop", "workers")
        assert (said.code, sorted(said.text.splitlines())) == (0, [f"{name}: stopped" for name in WORKERS])
        assert supervisord.states() == {**running, **dict.fromkeys(WORKERS, "STOPPED")}
        said = supervisord.control("start", "workers")
        assert (said.code, sorted(said.text.splitlines())) == (0, [f"{name}: started" for name in WORKERS])
        before = supervisord.pids()
        said = supervisord.control("restart", "workers")
        assert said.text.count("stopped") == said.text.count("started") == 3
        after = supervisord.pids()
        assert sorted(name for name in after if after[name] != before[name]) == WORKERS
        said = supervisord.control("status", "workers")
        assert (said.code, [line.split()[0] for line in said.text.splitlines()]) == (0, WORKERS)

    def test_signal_reaches_the_whole_group(self, supervisord):
        assert supervisord.control("signal", "USR1", "workers").code == 0
        wait_for(lambda: sorted(supervisord.events()) == [
            ("socket_00", "signalled"), ("web_00", "signalled"), ("web_01", "signalled"),
        ], "all were signalled")  # fmt: skip

    def test_other_names_mean_what_they_meant(self, supervisord):
        said = supervisord.control("stop", "workers:web_00", "slow:slow_00", "nowhere", "workers:socket_00")
        assert said.text.splitlines() == [
            "workers:web_00: stopped",
            "slow:slow_00: stopped",
            "nowhere: ERROR (no such process)",
            "workers:socket_00: stopped",
        ]
        assert said.code == 1
        assert supervisord.control("start", "workers:*").text.count("started") == 2
        assert supervisord.control("start", "workers:web_01").text == "workers:web_01: ERROR (already started)\n"
        assert supervisord.control("stop").text.startswith("Error: stop requires a process name")
        assert supervisord.control("signal", "USR1").text.startswith("Error: signal requires")
        assert supervisord.control("nonsense").text == "*** Unknown syntax: nonsense\n"


class TestRoll:
    @both_versions
    def test_one_at_a_time_and_the_next_when_the_new_one_is_ready(self, supervisord):
        before = supervisord.pids()
        supervisord.next("ready-after=0.3")
        said = supervisord.control("roll", "workers")
        assert said.code == 0, said.text
        short = [name.partition(":")[2] for name in WORKERS]
        steps = ("stopping", "stopped", "begun", "ready")
        # The old processes left their ready files behind: only the id of the new one in it counts.
        assert supervisord.events() == [(name, step) for name in short for step in steps]
        lines = said.text.splitlines()
        for number, name in enumerate(WORKERS, 1):
            line = rf"{name}: stopped \d+\.\d s, ready (\d+\.\d) s \({number} of 3\)"
            assert 0.3 <= float(re.fullmatch(line, lines[number - 1])[1]) < 5
        assert re.fullmatch(r"rolled 3 in \d+\.\d s", lines[3])
        after = supervisord.pids()
        assert sorted(name for name in after if after[name] != before[name]) == WORKERS

    def test_without_a_ready_file_it_is_ready_when_it_runs(self, supervisord):
        said = supervisord.control("roll", "plain")
        assert said.code == 0, said.text
        assert all(float(seconds) >= 1 for seconds in re.findall(r"ready (\S+) s", said.text))
        assert [step for _, step in supervisord.events()] == ["stopping", "stopped", "begun"] * 2

    def test_names_may_be_mixed_and_each_is_rolled_once(self, supervisord):
        said = supervisord.control("roll", "workers:web_01", "slow", "workers")
        assert re.findall(r"^(\S+): stopped", said.text, re.MULTILINE) == [
            "workers:web_01", "slow:slow_00", "workers:socket_00", "workers:web_00",
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("supervisord", "behaviour"),
        [("4.2", "crash"), ("4.3", "crash"), ("4.3", "never-ready")],
        indirect=["supervisord"],
    )
    def test_one_that_does_not_come_up_ends_it_and_the_rest_is_left_alone(self, supervisord, behaviour):
        before = supervisord.pids()
        supervisord.next(behaviour, "web_00")
        said = supervisord.control("roll", "--timeout", "1", "workers")
        assert said.code == 1
        reason = r"not ready, as .*/web_00\.ready would say, after 1 s" if behaviour == "never-ready" else "[A-Z]+: .+"
        assert re.search(rf"^workers:web_00: ERROR \({reason}\)$", said.text, re.MULTILINE), said.text
        assert "rolled 1 of 3; left alone: workers:web_01" in said.text
        assert f"    web_00 begins: ['{behaviour}']" in said.text
        after = supervisord.pids()
        assert after["workers:web_01"] == before["workers:web_01"]
        assert after["workers:socket_00"] != before["workers:socket_00"]
        assert {name for name, _ in supervisord.events()} == {"web_00", "socket_00"}

    def test_one_that_fails_soon_after_it_was_ready_ends_it_too(self, supervisord):
        supervisord.next("fail-after=0.5", "late_00")
        said = supervisord.control("roll", "late")
        assert said.code == 1
        assert re.search(r"^late:late_00: ERROR \(it was ready, and does not stay up", said.text, re.MULTILINE)
        assert "    failed after a while" in said.text

    def test_a_stopped_one_stays_so_and_a_failed_one_is_started(self, supervisord):
        supervisord.rpc.stopProcess("workers:web_00")
        supervisord.next("crash", "web_01")
        supervisord.rpc.stopProcess("workers:web_01")
        supervisord.rpc.startProcess("workers:web_01", False)
        wait_for(lambda: supervisord.states()["workers:web_01"] in {"FATAL", "EXITED", "BACKOFF"}, "it failed")
        supervisord.next("", "web_01")
        said = supervisord.control("roll", "workers")
        assert said.code == 0, said.text
        assert "workers:web_00: STOPPED, left alone (2 of 3)" in said.text
        assert re.search(r"workers:web_01: (was|stopped) .*ready \d+\.\d s \(3 of 3\)", said.text)
        assert supervisord.states() == {
            name: "STOPPED" if "web_00" in name else "RUNNING" for name in supervisord.states()
        }

    def test_an_unknown_name_or_a_bad_option_touches_nothing(self, supervisord):
        for words, reason in (
            (["workers", "nowhere"], "nowhere: ERROR (no such process or group)"),
            (["workers:web_07"], "workers:web_07: ERROR (no such process or group)"),
            ([], "Error: roll requires a process name"),
            (["--timeout", "soon", "workers"], "Error: --timeout takes a number of seconds, not soon"),
            (["--tiemout", "1", "workers"], "Error: option --tiemout not recognized"),
        ):
            said = supervisord.control("roll", *words)
            assert said.text.startswith(reason)
            assert said.code != 0
        assert supervisord.events() == []

    def test_one_that_had_to_be_killed_is_named(self, supervisord):
        supervisord.next("deaf")
        supervisord.control("restart", "slow")
        supervisord.wait_begun()
        supervisord.next("")
        assert re.search(
            r"stopped 1\.\d s \(killed, after stopwaitsecs\), ready", supervisord.control("roll", "slow").text
        )

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
    def test_ctrl_c_ends_it_when_the_process_at_hand_is_ready(self, supervisord, number):
        before = supervisord.pids()
        supervisord.next("ready-after=0.5")
        with subprocess.Popen(
            supervisord.command("roll", "workers"), cwd=ROOT, env=environment(), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        ) as roll:  # fmt: skip
            wait_for(lambda: ("socket_00", "stopping") in supervisord.events(), "it began")
            roll.send_signal(number)
            said, _ = roll.communicate(timeout=20 * TIMEOUT_SCALE)
        assert roll.returncode == 1
        assert "ending once workers:socket_00 is ready; again: at once" in said
        assert "interrupted; rolled 1 of 3; left alone: workers:web_00, workers:web_01" in said
        assert supervisord.events()[-1] == ("socket_00", "ready")
        after = supervisord.pids()
        assert [name for name in WORKERS if after[name] != before[name]] == ["workers:socket_00"]

    def test_the_last_one_on_a_socket_of_supervisord_is_named(self, supervisord):
        """supervisord closes such a socket with its last process: nothing that rolls can keep it."""
        said = supervisord.control("roll", "one", "two", "workers")
        assert said.code == 0, said.text
        warning = "no other process holds its socket: connections are refused until it is ready"
        assert re.findall(rf"^(\S+): {warning}$", said.text, re.MULTILINE) == ["one:one_00"]

    def test_the_shell_knows_it_and_its_help(self, supervisord):
        shell = supervisord.control(says="help roll\nroll workers:web_00\nhelp\nquit\n")
        assert "roll <gname>" in shell.text
        assert re.search(r"workers:web_00: stopped .* \(1 of 1\)", shell.text)
        assert re.search(r"^channels commands \(type help <topic>\):$", shell.text, re.MULTILINE)
        assert len(re.findall(r"commands \(type help", shell.text)) == 1
        once = supervisord.control("help", "roll")
        assert once.text.startswith("roll <name>\t\tRestart a process")
        assert "No help on" not in once.text + supervisord.control("help", "start").text


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """A checkout with the shipped configuration, deeper than the path of a unix socket may be."""
    checkout = tmp_path / ("deep" * 30)
    shutil.copytree(ROOT / "deploy" / "supervisor", checkout / "deploy" / "supervisor")
    (checkout / "var").mkdir()
    return checkout


class TestShippedConfiguration:
    """Which supervisord supervisorctl speaks to. Nobody listens there, and it says where that is."""

    @pytest.fixture
    def asked(self, shipped: Path, tmp_path: Path) -> Callable[..., str]:
        """A function that runs supervisorctl as a person types it; returns which socket it tried."""
        (shipped / "var" / "supervisor.sock").symlink_to(tmp_path / "supervisor.sock")

        def ask(*options: str, **variables: str) -> str:
            # channels_lts is on the path of the deployment's own environment: tests/test_embedded.py.
            ran = subprocess.run(
                [sys.executable, "-m", "supervisor.supervisorctl", *options,
                 "-c", "deploy/supervisor/supervisord.conf", "status"],
                cwd=shipped, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **variables}, text=True,
                check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            return re.fullmatch(r"unix://(\S+) no such file\n", ran.stdout)[1]

        return ask

    def test_without_an_environment_it_follows_the_link(self, asked, tmp_path):
        assert asked() == f"{tmp_path}/supervisor.sock"

    def test_the_environment_of_a_deployment_leads_to_that_one(self, asked):
        assert asked(RUN_DIR="/nowhere/run") == "/nowhere/run/supervisor.sock"

    def test_what_is_typed_comes_first(self, asked):
        assert asked("-s", "unix:///nowhere/else", RUN_DIR="/nowhere/run") == "/nowhere/else"

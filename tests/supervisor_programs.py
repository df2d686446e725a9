"""supervisord with programs of a few lines, of any version of supervisor; and the program that it runs.

What a program does when it is started next stands in a file beside the configuration, ``next`` or ``next-NAME``: words
such as ``ready-after=0.5`` or ``crash``. What the processes did stands in ``events``, a line each.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import xmlrpc.client
from pathlib import Path
from typing import Any, NamedTuple

from supervisor.xmlrpc import SupervisorTransport

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from channels_lts.ready import ReadyFile, pid_in
from tests.services import ROOT, TIMEOUT_SCALE, Service, free_port, wait_for

CONFIGURATION = """
[supervisord]
logfile=%(here)s/supervisord.log
pidfile=%(here)s/supervisord.pid
[unix_http_server]
file=%(here)s/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://%(here)s/supervisor.sock
[ctlplugin:channels]
supervisor.ctl_factory=channels_lts.supervisor:Plugin

[group:workers]
programs=web,socket
"""
PROGRAM = """
[{kind}program:{name}]
command="{python}" "{script}" %(here)s {name}_%(process_num)02d {arguments}
process_name=%(program_name)s_%(process_num)02d
numprocs={numprocs}
startsecs={startsecs}
startretries=0
stopwaitsecs={stopwaitsecs}
stopsignal=TERM
autorestart=true
redirect_stderr=true
stdout_logfile=%(here)s/%(program_name)s_%(process_num)02d.log
"""
READY_FILE = "--ready-file=%(here)s/%(program_name)s_%(process_num)02d.ready"


class Said(NamedTuple):
    code: int
    text: str


class Supervisord(Service):
    """supervisord of *python*'s environment, with the group ``workers`` of web_00, web_01 and socket_00; and more."""

    def __init__(self, directory: Path, python: str, *programs: str) -> None:
        self.python = python
        self.configuration = directory / "supervisord.conf"
        self._events = directory / "events"
        workers = program("web", READY_FILE, numprocs=2, startsecs=1) + program("socket", READY_FILE)
        self.configuration.write_text(CONFIGURATION + workers + "".join(programs))
        super().__init__(directory, [python, "-m", "supervisor.supervisord", "-n", "-c", self.configuration], cwd=ROOT)

    def start(self) -> Supervisord:
        self.launch()
        self.wait_until((self.directory / "supervisor.sock").exists)
        return self

    @property
    def rpc(self) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self.directory}/supervisor.sock")
        return xmlrpc.client.ServerProxy("http://localhost", transport).supervisor

    def reset(self) -> Supervisord:
        """Let all run, as they are meant to, and forget what they did."""
        for path in self.directory.glob("next*"):
            path.unlink()
        self.rpc.startAllProcesses()
        self.wait_begun()
        self._events.unlink(missing_ok=True)
        return self

    def wait_begun(self) -> None:
        """Wait until all run, and heed signals."""

        def begun() -> bool:
            pids = {name.partition(":")[2]: pid for name, pid in self.pids().items()}
            heeding = all(pid_in(self.directory / f"{name}.begun") == pid for name, pid in pids.items())
            return heeding and set(self.states().values()) == {"RUNNING"}

        wait_for(begun, "all processes run")

    def next(self, behaviour: str, name: str = "") -> None:
        """Say what the programs do from their next start on; that of *name*, if one is given."""
        (self.directory / f"next{'-' if name else ''}{name}").write_text(behaviour)

    def events(self) -> list[tuple[str, str]]:
        """Return what the processes did since the reset: ``("web_00", "ready")``."""
        lines = self._events.read_text().splitlines() if self._events.exists() else []
        return [(name, what) for name, what in map(str.split, lines)]

    def command(self, *arguments: str) -> list[str]:
        return [self.python, "-m", "supervisor.supervisorctl", "-c", str(self.configuration), *arguments]

    def control(self, *arguments: str, says: str = "") -> Said:
        """Run supervisorctl; *says* is typed at its prompt."""
        ran = subprocess.run(
            self.command(*arguments), cwd=ROOT, env=environment(), input=says, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False, timeout=60 * TIMEOUT_SCALE,
        )  # fmt: skip
        return Said(ran.returncode, ran.stdout)

    def states(self) -> dict[str, str]:
        return {f"{info['group']}:{info['name']}": info["statename"] for info in self.rpc.getAllProcessInfo()}

    def pids(self) -> dict[str, int]:
        return {f"{info['group']}:{info['name']}": info["pid"] for info in self.rpc.getAllProcessInfo() if info["pid"]}


def environment(**variables: str) -> dict[str, str]:
    """Return that of a person who has loaded no deployment's."""
    return {**{name: value for name, value in os.environ.items() if name != "RUN_DIR"}, **variables}


def program(
    name: str, arguments: str = "", *, numprocs: int = 1, startsecs: int = 0, stopwaitsecs: int = 10, kind: str = ""
) -> str:
    """Return the section of one program; *kind* is ``fcgi-`` for one whose socket supervisord opens."""
    section = PROGRAM.format(
        kind=kind, name=name, python=sys.executable, script=__file__, arguments=arguments, numprocs=numprocs,
        startsecs=startsecs, stopwaitsecs=stopwaitsecs,
    )  # fmt: skip
    return section + (f"socket=tcp://127.0.0.1:{free_port()}\n" if kind else "")


def main(directory: Path, name: str, *arguments: str) -> None:
    def note(what: str) -> None:
        with (directory / "events").open("a") as events:
            events.write(f"{name} {what}\n")

    def stop(number: int, frame: object) -> None:
        note("stopping")
        if "deaf" not in behaviour:
            time.sleep(float(behaviour.get("stop-after", 0)))
            note("stopped")
            # Its ready file stays, as that of a killed process does.
            os._exit(0)

    own = directory / f"next-{name}"
    common = directory / "next"
    words = (own if own.exists() else common).read_text().split() if own.exists() or common.exists() else []
    behaviour = dict((*word.split("="), "")[:2] for word in words)
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGUSR1, lambda number, frame: note("signalled"))
    ReadyFile(directory / f"{name}.begun").write()
    note("begun")
    print(f"{name} begins: {words}", flush=True)
    if "crash" in behaviour:
        raise SystemExit("the new code is broken")
    time.sleep(float(behaviour.get("ready-after", 0)))
    for argument in arguments:
        if argument.startswith("--ready-file=") and "never-ready" not in behaviour:
            note("ready")
            ReadyFile(argument.partition("=")[2]).write()
    if "fail-after" in behaviour:
        time.sleep(float(behaviour["fail-after"]))
        raise SystemExit("failed after a while")
    while True:
        signal.pause()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])

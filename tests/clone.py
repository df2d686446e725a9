"""A fresh clone of what is committed, and somebody at a shell in it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.services import ROOT, TIMEOUT_SCALE, free_port

sys.path.append(str(ROOT / "deploy"))

from embedded import environment, proc


@dataclass(frozen=True)
class Said:
    code: int
    text: str


class Checkout:
    """A fresh clone of what is committed, and somebody at a shell in it."""

    def __init__(self, directory: Path, python: str, person: dict[str, object], variables: dict[str, str]) -> None:
        self.path = directory / "a clone"
        self.port = free_port()
        self.var = self.path / "var"
        self._python = python
        self._person = person
        self._variables = variables
        subprocess.run(["git", "clone", "--quiet", "--no-local", ROOT, self.path], check=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def make(self, target: str, *variables: str, **environment: str) -> Said:
        return self.run(self.command(target, *variables), **environment)

    def command(self, target: str, *variables: str) -> list[str]:
        return ["make", target, f"PYTHON={self._python}", *variables]

    def up(self, **environment: str) -> Said:
        return self.make("up", f"PORT={self.port}", **environment)

    def run(self, command: list[str], **environment: str) -> Said:
        ran = subprocess.run(  # type: ignore[call-overload]
            command,
            cwd=self.path,
            env={**self._variables, **environment},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600 * TIMEOUT_SCALE,
            **self._person,
        )
        return Said(ran.returncode, ran.stdout)

    def processes(self) -> list[int]:
        """Return supervisord and all that it started, by what the kernel knows."""
        kept = environment.load(self.var / "env")
        if kept is None:
            return []
        run_directory = kept["RUN_DIR"]
        others = [pid for pid in proc._pids() if proc.is_supervisord(pid, run_directory)]
        return others + proc.children_of(f"unix://{run_directory}/supervisor.sock")


def path_without(directory: Path, *programs: str) -> str:
    """Return a PATH with all that is on ours but *programs*."""
    directory.mkdir(mode=0o755)
    for folder in os.environ["PATH"].split(":"):
        for program in Path(folder).glob("*"):
            link = directory / program.name
            if not program.name.startswith(programs) and not link.is_symlink() and os.access(program, os.X_OK):
                link.symlink_to(program)
    return str(directory)


def python_for(person: dict[str, object]) -> str:
    """Return a Python that *person* may run and that can make virtual environments."""
    names = ["python3", "python3.13", "python3.12", "python3.11"]
    folders = [*os.environ["PATH"].split(":"), "/usr/local/bin", "/usr/bin"]
    check = "import sys, ensurepip; sys.exit(sys.version_info < (3, 11))"
    for candidate in [getattr(sys, "_base_executable", sys.executable), *(f"{f}/{n}" for f in folders for n in names)]:
        try:
            ran = subprocess.run([candidate, "-c", check], check=False, capture_output=True, cwd="/", **person)  # type: ignore[call-overload]
        except OSError:  # not there, or not for this person
            continue
        if ran.returncode == 0:
            return candidate
    raise RuntimeError("no Python 3.11 or newer with ensurepip that an unprivileged user may run")


def give(directory: Path, user: str) -> None:
    for path in [directory, *directory.rglob("*")]:
        shutil.chown(path, user, pwd.getpwnam(user).pw_gid)  # type: ignore[arg-type]


def pip_settings(home: Path) -> dict[str, str]:
    """Return what makes pip in *home* use our configuration and a copy of our cache."""
    pip = [sys.executable, "-m", "pip"]
    cache = Path(subprocess.run([*pip, "cache", "dir"], check=True, capture_output=True, text=True).stdout.strip())
    if cache.is_dir():
        shutil.copytree(cache, home / ".cache" / "pip")
    configuration = home / "pip.conf"
    for name in (".pip/pip.conf", ".config/pip/pip.conf"):
        if (Path.home() / name).exists():
            configuration.write_text((Path.home() / name).read_text())
    return {"PIP_CONFIG_FILE": str(configuration)} if configuration.exists() else {}


def here(command: str, directory: Path = ROOT, **variables: str) -> Said:
    """Run a command of deploy/embedded as the user who runs the tests."""
    ran = subprocess.run(
        [getattr(sys, "_base_executable", sys.executable), "deploy/embedded", command],
        cwd=directory,
        env={**os.environ, **variables},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Said(ran.returncode, ran.stdout)

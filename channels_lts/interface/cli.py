"""The command line: Daphne's, flag for flag, and the limits that Daphne lacks."""

from __future__ import annotations

import argparse
import importlib
import logging
import re
import resource
import sys
from typing import Any, NoReturn, TextIO

from channels_lts import conf
from channels_lts.exceptions import ChannelsLTSError
from channels_lts.interface.options import OPTIONS, Option, OptionError, parse

logger = logging.getLogger(__name__)

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
_ARGUMENT = re.compile(r"argument (?:-\w/)?(--[\w-]+)(?:/--?\w+)*: (.*)", re.DOTALL)


class LayerError(ChannelsLTSError):
    """Raised when the channel layer that the command line names cannot be had."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        argument = _ARGUMENT.fullmatch(message)
        if argument:
            message = f"{argument[1]} {argument[2]}"
        self.exit(2, f"{message}\n")


def parser() -> Parser:
    """Return the parser of the command line."""
    made = Parser(
        prog="python -m channels_lts.interface",
        description="HTTP and WebSocket server for a channel layer.",
        epilog="Defaults of the limits are settings: CHANNELS_LTS = {'PING_INTERVAL': 20}.",
        allow_abbrev=False,
    )
    add = made.add_argument
    add("-p", "--port", type=_port, help=f"TCP port to listen on (default {DEFAULT_PORT})")
    add("-b", "--bind", dest="host", help=f"Address to listen on (default {DEFAULT_HOST})")
    add("-u", "--unix-socket", "--unix_socket", dest="unix_socket", help="Unix socket to listen on")
    add("--fd", type=_descriptor, dest="file_descriptor", help="File descriptor of a socket that listens already")
    add(
        "-e", "--endpoint", dest="socket_strings", action="append", default=[],
        help="Endpoint to listen on, as Twisted describes them; may be repeated",
    )  # fmt: skip
    add("-v", "--verbosity", type=_verbosity, default=1, help="0: warnings; 1: also stages and access log; 2: all")
    add(
        "--access-log",
        "--access_log",
        help="File for the access log; - is standard output, the default from verbosity 1",
    )
    for name, option in OPTIONS.items():
        _add_option(made, name, option)
    add("--ws-protocol", "--ws_protocol", nargs="*", dest="ws_protocols", help="Subprotocols that WebSockets may speak")
    add("--root-path", "--root_path", default="", help="Path that the project is mounted at (SCRIPT_NAME)")
    add(
        "--proxy-headers", "--proxy_headers", action="store_true",
        help="Take the visitor's address from X-Forwarded-For, as one proxy in front writes it",
    )  # fmt: skip
    add(
        "--force-sync",
        "--force_sync",
        action="store_true",
        help="Poll the channel layer, also where it can be waited on",
    )
    add("--ready-file", metavar="FILE", help="File to write the process id to when we listen, and to remove at SIGTERM")
    add("channel_layer", help="The channel layer: path.to.module:instance.path")
    return made


def _add_option(made: Parser, name: str, option: Option) -> None:
    def convert(text: str) -> Any:
        try:
            return parse(name, text, "")
        except OptionError as error:
            raise argparse.ArgumentTypeError(str(error).strip()) from None

    flags = [*option.flags, *(flag[:2] + flag[2:].replace("-", "_") for flag in option.flags if flag.count("-") > 2)]
    text = f"{option.help} CHANNELS_LTS[{name!r}], {conf.DEFAULTS[name]} by default."
    made.add_argument(
        *flags, dest=name.lower(), type=convert, metavar="MIN-MAX" if option.kind.span else "N", help=text
    )


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):
        raise argparse.ArgumentTypeError(f"must be a port from 1 to 65535, not {text!r}")
    return int(text)


def _descriptor(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"must be the number of an open file, not {text!r}")
    return int(text)


def _verbosity(text: str) -> int:
    if text not in ("0", "1", "2", "3"):
        raise argparse.ArgumentTypeError(f"must be 0, 1 or 2, not {text!r}")
    return int(text)


def main(arguments: list[str]) -> int:
    """Run the server as *arguments* say. Returns the exit status: 1 where it cannot start, 2 for bad values."""
    args = parser().parse_args(arguments)
    sys.path.insert(0, ".")
    try:
        access_log = _access_log(args)
        channel_layer = load(args.channel_layer)
        # After Django is set up: what the project's LOGGING says holds.
        _set_up_logging(args.verbosity)
        _raise_file_limit()
        server = _server(args, channel_layer, access_log)
        server.run()
    except OptionError as error:
        print(error, file=sys.stderr)
        return 2
    except ChannelsLTSError as error:
        print(error, file=sys.stderr)
        return 1
    return server.exit_status


def _server(args: argparse.Namespace, channel_layer: Any, access_log: TextIO | None) -> Any:
    # Here, not above: Twisted's reactor and Daphne take their time, and --help needs neither.
    from channels_lts.interface.access import AccessLog
    from channels_lts.interface.endpoints import descriptions
    from channels_lts.interface.server import Server

    host, port = args.host, args.port
    if host is None and port is None:
        if args.unix_socket is None and args.file_descriptor is None and not args.socket_strings:
            host, port = DEFAULT_HOST, DEFAULT_PORT
    else:
        host, port = host or DEFAULT_HOST, port or DEFAULT_PORT
    endpoints = args.socket_strings + descriptions(
        host=host, port=port, unix_socket=args.unix_socket, file_descriptor=args.file_descriptor
    )
    values = {name.lower(): getattr(args, name.lower()) for name in OPTIONS}
    forwarded = args.proxy_headers or bool(values["trusted_proxies"])
    return Server(
        channel_layer=channel_layer,
        endpoints=endpoints,
        action_logger=AccessLog(access_log) if access_log else None,
        ws_protocols=args.ws_protocols,
        root_path=args.root_path,
        force_sync=args.force_sync,
        verbosity=args.verbosity,
        ready_file=args.ready_file,
        proxy_forwarded_address_header="X-Forwarded-For" if forwarded else None,
        proxy_forwarded_port_header="X-Forwarded-Port" if forwarded else None,
        proxy_forwarded_proto_header="X-Forwarded-Proto" if forwarded else None,
        **values,
    )


def load(path: str) -> Any:
    """Return the object that *path*, ``module:attribute``, names.

    Raises:
        LayerError: there is none. An error inside the module is not caught.
    """
    module_path, colon, object_path = path.partition(":")
    if not (module_path and colon and object_path):
        raise LayerError(f"channel_layer must be of the form path.to.module:instance.path, not {path!r}")
    try:
        found = importlib.import_module(module_path)
    except ModuleNotFoundError as error:
        if error.name and (module_path == error.name or module_path.startswith(f"{error.name}.")):
            raise LayerError(f"there is no module {error.name!r}, which channel_layer {path!r} names") from None
        raise
    for name in object_path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise LayerError(f"module {module_path!r} has no {object_path!r}, which channel_layer names") from None
    return found


def _access_log(args: argparse.Namespace) -> TextIO | None:
    if args.access_log is None:
        return sys.stdout if args.verbosity >= 1 else None
    if args.access_log == "-":
        return sys.stdout
    try:
        # Appending, so that a rotation by copying and truncating leaves no hole.
        return open(args.access_log, "a", buffering=1, encoding="utf-8")
    except OSError as error:
        raise LayerError(f"the access log {args.access_log!r} cannot be opened: {error.strerror}") from None


def _set_up_logging(verbosity: int) -> None:
    if logger.hasHandlers():
        return
    level = (logging.WARNING, logging.INFO)[verbosity] if verbosity < 2 else logging.DEBUG
    logging.basicConfig(level=level, format="%(asctime)-15s %(levelname)-8s %(message)s")


def _raise_file_limit() -> None:
    """Allow as many connections as the system lets us: each is an open file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

"""Consumers that do what consumers do to workers. Each takes a message with a ``value``."""

from __future__ import annotations

import ctypes
import importlib
import os
import sys
import time
from typing import Any

from channels.channel import Channel
from channels.routing import route

urlpatterns: list[Any] = []
_hoard: list[bytes] = []


def reply(message: Any, value: Any, channel: str = "results") -> None:
    Channel(channel, channel_layer=message.channel_layer).send({"value": value})


def echo(message: Any) -> None:
    reply(message, message["value"])


def says(message: Any, value: Any) -> None:
    """Say at once how far it got."""
    Channel("said", channel_layer=message.channel_layer).send({"value": value}, immediately=True)


def mixed(message: Any) -> None:
    """Do what the value says; all others it sends back."""
    value = message["value"]
    if value in DEEDS:
        says(message, value)
        DEEDS[value](message)
    reply(message, value)


def _sleep(message: Any) -> None:
    """Run until somebody sends on ``release``."""
    layer = message.channel_layer
    while layer.receive(["release"])[0] is None:
        time.sleep(0.02)


def _block(message: Any) -> None:
    """Stand in C for ever, where no signal handler and no exception reaches it."""
    libc = ctypes.CDLL(None)
    mutex = ctypes.create_string_buffer(128)
    libc.pthread_mutex_lock(mutex)
    libc.pthread_mutex_lock(mutex)


def _spin(message: Any) -> None:
    while True:
        time.sleep(0.01)


def _stubborn(message: Any) -> None:
    while True:
        try:
            _spin(message)
        except Exception:
            says(message, "swallowed")


def _exit(message: Any) -> None:
    sys.exit(3)


def _interrupt(message: Any) -> None:
    raise KeyboardInterrupt


def _die(message: Any) -> None:
    os._exit(7)


def _hoard_memory(message: Any) -> None:
    _hoard.append(b"x" * 100 * 1024 * 1024)


def _fork(message: Any) -> None:
    """Fork a process that waits for a signal, and say what became of it."""
    import signal

    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, b"up")
        while True:
            time.sleep(1)
    os.read(read, 2)
    os.kill(child, signal.SIGTERM)
    says(message, f"child {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}")


def _take_wakeup(message: Any) -> None:
    import signal

    signal.set_wakeup_fd(-1)


def _sql(text: str) -> Any:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchone()[0] if cursor.description else None


def _leak(message: Any) -> None:
    from django.db import transaction

    reply(message, "never")
    transaction.atomic().__enter__()
    _sql("INSERT INTO notes VALUES (1)")
    transaction.on_commit(lambda: reply(message, "never"))


def _autocommit(message: Any) -> None:
    from django.db import transaction

    transaction.set_autocommit(False)
    _sql("INSERT INTO notes VALUES (1)")


def _commit_hook(message: Any) -> None:
    from django.db import transaction

    with transaction.atomic():
        _sql("INSERT INTO notes VALUES (1)")
        transaction.on_commit(lambda: reply(message, "committed"))


DEEDS = {
    "query": lambda message: _sql("SELECT 1"),
    "table": lambda message: _sql("CREATE TABLE notes (number int)"),
    "insert": lambda message: _sql("INSERT INTO notes VALUES (1)"),
    "leak": _leak,
    "autocommit": _autocommit,
    "commit hook": _commit_hook,
    "count": lambda message: says(message, _sql("SELECT count(*) FROM notes")),
    "sleep": _sleep,
    "block": _block,
    "spin": _spin,
    "stubborn": _stubborn,
    "exit": _exit,
    "interrupt": _interrupt,
    "die": _die,
    "hoard": _hoard_memory,
    "fork": _fork,
    "wakeup": _take_wakeup,
}


def who(message: Any) -> None:
    """Tell which process and which version of the code this is."""
    code = importlib.import_module("code_of_today")
    reply(message, {"pid": os.getpid(), "version": code.VERSION})


routing = [route("in", mixed), route("who", who), route("slow", mixed)]

if os.environ.get("CODE_OF_TODAY"):
    # As a project's consumers are there from the start.
    import code_of_today  # noqa: F401

"""The Lua scripts beside this module: one file an operation, whose head says what its KEYS, ARGV and result are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import Any, NamedTuple

from redis.exceptions import NoScriptError


class Script:
    """One script, by the name of its file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.source = resources.files(__package__).joinpath("lua", f"{name}.lua").read_bytes()
        self.sha = hashlib.sha1(self.source, usedforsecurity=False).hexdigest().encode()


class Call(NamedTuple):
    """A script with what it is to be run on."""

    script: Script
    keys: Sequence[Any]
    arguments: Sequence[Any]

    def command(self) -> tuple[Any, ...]:
        """Return the command that runs the script where Redis knows it; it answers NOSCRIPT where it does not."""
        return ("EVALSHA", self.script.sha, len(self.keys), *self.keys, *self.arguments)

    def full_command(self) -> tuple[Any, ...]:
        """Return the command that brings the script along: after ``SCRIPT FLUSH``, or a restart."""
        return ("EVAL", self.script.source, len(self.keys), *self.keys, *self.arguments)


def run(connection: Any, call: Call) -> Any:
    """Run *call* on *connection* (redis-py's client), which blocks."""
    try:
        return connection.execute_command(*call.command())
    except NoScriptError:
        return connection.execute_command(*call.full_command())


SEND = Script("send")
SEND_GROUP = Script("send_group")
POP = Script("pop")
PUT_BACK = Script("put_back")
GROUP_ADD = Script("group_add")
GROUP_DISCARD = Script("group_discard")
GROUP_CHANNELS = Script("group_channels")
LEAVE = Script("leave")
ANNOUNCE = Script("announce")
ANNOUNCE_GROUPS = Script("announce_groups")

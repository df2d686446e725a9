"""The Lua scripts beside this module: one file an operation, whose head says what its KEYS, ARGV and result are."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import Any, NamedTuple

from redis.exceptions import NoScriptError, RedisError

from channels_lts.layer.wire import exchange


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


def run(client: Any, call: Call) -> Any:
    """Run *call* on *client* (redis-py's), which blocks.

    Raises:
        What :func:`channels_lts.layer.wire.exchange` raises, and redis.ResponseError where Redis refuses.
    """
    [result] = run_all(client, [call])
    if isinstance(result, Exception):
        raise result
    return result


def run_all(client: Any, calls: Sequence[Call]) -> list[Any]:
    """Run *calls* one after the other, in one round trip. Returns the result of each, or the exception instead.

    Raises:
        What :func:`channels_lts.layer.wire.exchange` raises.
    """
    results = exchange(client, [call.command() for call in calls])
    missing = [position for position, result in enumerate(results) if isinstance(result, NoScriptError)]
    if missing:
        try:
            # All of them, so that a batch of several scripts does not find one there and another missing: that would
            # change the order of what it sends.
            exchange(client, loading())
            again: list[Any] = exchange(client, [calls[position].full_command() for position in missing])
        except (RedisError, OSError) as error:
            again = [error] * len(missing)
        for position, result in zip(missing, again, strict=True):
            results[position] = result
    return results


def loading() -> list[tuple[Any, ...]]:
    """Return the commands that give Redis all scripts."""
    return [("SCRIPT", "LOAD", script.source) for script in _ALL]


SEND = Script("send")
SEND_GROUP = Script("send_group")
POP = Script("pop")
PUT_BACK = Script("put_back")
GROUP_ADD = Script("group_add")
GROUP_DISCARD = Script("group_discard")
GROUP_CHANNELS = Script("group_channels")
GROUP_COUNT = Script("group_count")
LEAVE = Script("leave")
ANNOUNCE = Script("announce")
ANNOUNCE_GROUPS = Script("announce_groups")
BEAT = Script("beat")
RESTORE = Script("restore")
_ALL = (
    SEND,
    SEND_GROUP,
    POP,
    PUT_BACK,
    GROUP_ADD,
    GROUP_DISCARD,
    GROUP_CHANNELS,
    GROUP_COUNT,
    LEAVE,
    ANNOUNCE,
    ANNOUNCE_GROUPS,
    BEAT,
    RESTORE,
)

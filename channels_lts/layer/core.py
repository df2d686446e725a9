"""What all parts of the channel layer share: its settings, the keys in Redis, and the calls to it."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from typing import Any

from redis.exceptions import ResponseError

from channels_lts import conf
from channels_lts.drops import Drops
from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer import scripts
from channels_lts.layer.scripts import Call
from channels_lts.layer.shards import UNAVAILABLE, Shard, is_certain, is_unavailable
from channels_lts.layer.wire import exchange

logger = logging.getLogger(__name__)

Message = dict[str, Any]


class Core:
    """The base of the parts of a layer; what is only named here is in the class of asgi_redis behind them."""

    # Seconds that a pop waits in Redis before it asks again.
    blpop_timeout = 2

    prefix: str
    stats_prefix: str
    expiry: float
    group_expiry: float
    capacity: int
    channel_capacity: list[tuple[Any, int]]
    ring_size: int
    crypter: Any
    global_stats_key: str
    channel_statistics_expiry: int
    global_statistics_expiry: int
    ChannelFull: type[Exception]
    connection: Callable[[int], Any]
    consistent_hash: Callable[[str], int]
    non_local_name: Callable[[str], str]
    serialize: Callable[[Message], bytes]
    valid_channel_name: Callable[..., bool]
    valid_group_name: Callable[[str], bool]

    def _set_up(self) -> None:
        """Begin, when asgi_redis's constructor has run."""
        self.drops = Drops(logger)
        self.shards = [Shard(name) for name in self._shard_names()]
        # Each has its own turn: one that both moved would always come to the same shard.
        self._next_to_send = self._next_to_pop = 0

    def _shard_names(self) -> list[str]:
        raise NotImplementedError

    # --- Keys ---

    def queue_key(self, name: str) -> str:
        """Return the key of the queue of a channel, or of a process (``daphne.response.abc!``)."""
        return self.prefix + name

    def group_key(self, group: str) -> str:
        return f"{self.prefix}group:{group}"

    def members_key(self, group: str, process: str) -> str:
        return f"{self.prefix}members:{group}:{process}"

    def process_key(self, process: str) -> str:
        return f"{self.prefix}process:{process}"

    def statistics_key(self, channel: str) -> str:
        return self.stats_prefix + channel

    # --- Times and sizes ---

    @property
    def queue_lifetime(self) -> int:
        """Seconds that a queue lives after its last message: a little longer than the message."""
        return math.ceil(self.expiry) + 1

    @property
    def group_lifetime(self) -> int:
        """Seconds that a group lives after its last announcement."""
        return math.ceil(self.group_expiry) + 1

    def get_capacity(self, channel: str) -> int:
        """Return how many items may wait on *channel*.

        ``channel_capacity`` comes first. The queue of a process, which carries the messages of all its channels, has
        room for ``PROCESS_CAPACITY`` (or ``capacity``, where that is more).
        """
        for pattern, capacity in self.channel_capacity:
            if pattern.match(channel):
                return capacity
        capacity = self.capacity
        return max(capacity, conf.get("PROCESS_CAPACITY")) if "!" in channel else capacity

    # --- Redis ---

    def check_version(self, only: int | None = None) -> None:
        """Refuse Redis servers that are too old, or *only* one. One that cannot be reached is left for later.

        Raises:
            UnsupportedRedis: one is; the message names it and both versions.
        """
        for index, shard in enumerate(self.shards):
            if only not in (None, index):
                continue
            try:
                version = self.connection(index).info("server")["redis_version"]
            except UNAVAILABLE as error:
                shard.lost(error)
            else:
                shard.check_version(version)

    def _fixed_shard(self, name: str) -> int | None:
        """Return the one shard that a queue lives on, or None where it lives on all of them."""
        return self.consistent_hash(name) if "!" in name or "?" in name else None

    def _run_somewhere(self, name: str, call: Call) -> Any:
        """Run *call* on the shard of queue *name*; for an ordinary channel on any, the next one in turn first."""
        fixed = self._fixed_shard(name)
        if fixed is not None:
            return self._run(fixed, call)
        failures = []
        for index in self.shards_in_turn():
            try:
                return self._run(index, call)
            except LayerUnavailable as error:
                failures.append(str(error))
                if not error.not_done:
                    # It may have been done, and must not be done twice.
                    break
        raise LayerUnavailable("; ".join(failures))

    def shards_in_turn(self) -> list[int]:
        """Return the shards for a message to an ordinary channel: the next one in turn first, those that fail last."""
        if self.ring_size == 1:
            return [0]
        start = self._next_to_send = (self._next_to_send + 1) % self.ring_size
        turn = [(start + offset) % self.ring_size for offset in range(self.ring_size)]
        return sorted(turn, key=lambda index: not self.shards[index].worth_trying())

    def _run(self, index: int, call: Call) -> Any:
        try:
            result = scripts.run(self.connection(index), call)
        except (*UNAVAILABLE, ResponseError) as error:
            raise self._unavailable(index, error) from error
        self.shards[index].back()
        return result

    def _run_all(self, index: int, calls: Sequence[Call]) -> list[Any]:
        """Run *calls* in one round trip; returns the result of each, or what to raise for it."""
        try:
            results = scripts.run_all(self.connection(index), calls)
        except UNAVAILABLE as error:
            return [self._unavailable(index, error)] * len(calls)
        for position, result in enumerate(results):
            if isinstance(result, Exception):
                results[position] = self._unavailable(index, result)
        if not any(isinstance(result, LayerUnavailable) for result in results):
            self.shards[index].back()
        return results

    def _execute(self, index: int, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        try:
            replies = exchange(self.connection(index), commands)
            for reply in replies:
                if isinstance(reply, Exception):
                    raise reply
        except (*UNAVAILABLE, ResponseError) as error:
            raise self._unavailable(index, error) from error
        self.shards[index].back()
        return replies

    def _unavailable(self, index: int, error: Exception) -> Exception:
        """Return what to raise for *error*: LayerUnavailable, or itself where Redis is there and it is a fault."""
        if not is_unavailable(error):
            return error
        shard = self.shards[index]
        shard.lost(error)
        return LayerUnavailable(f"{shard.name} cannot be reached: {error}", not_done=is_certain(error))


def text(name: bytes | str) -> str:
    """Return a name as Redis gave it, as text."""
    return name.decode("ascii") if isinstance(name, bytes) else name

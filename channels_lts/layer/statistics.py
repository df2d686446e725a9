"""The statistics extension of ASGI 1: one hash a channel, and one for all of them together."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable

from channels_lts.layer import items
from channels_lts.layer.core import Core


class Statistics(Core):
    """Answers ``global_statistics`` and ``channel_statistics``; the scripts count."""

    # From asgi_redis.
    STAT_MESSAGES_COUNT: str
    STAT_MESSAGES_PENDING: str
    STAT_MESSAGES_MAX_AGE: str
    STAT_CHANNEL_FULL: str

    def global_statistics(self, only: Collection[int] | None = None) -> dict[str, int]:
        """Return ``messages_count`` and ``channel_full_count`` of all channels together, of the last day.

        A message to a group counts once for each process that has members. *only* names the shards to ask, by number.

        Raises:
            LayerUnavailable: a shard cannot be reached.
        """
        shards = [index for index in range(self.ring_size) if only is None or index in only]
        return self._count(shards, self.statistics_key(self.global_stats_key))

    def channel_statistics(self, channel: str, only: Collection[int] | None = None) -> dict[str, float]:
        """Return the statistics of *channel*: what was sent to it and refused, what waits, and since when (seconds).

        Those of a process (``daphne.response.abc!``) are of all its channels; messages to groups are not in them, but
        where its queue was full. *only* names the shards to ask, by number.

        Raises:
            LayerUnavailable: a shard cannot be reached.
        """
        name = self.non_local_name(channel)
        fixed = self._fixed_shard(name)
        homes = range(self.ring_size) if fixed is None else [fixed]
        shards = [index for index in homes if only is None or index in only]
        statistics: dict[str, float] = {**self._count(shards, self.statistics_key(name))}
        statistics[self.STAT_MESSAGES_PENDING] = statistics[self.STAT_MESSAGES_MAX_AGE] = 0
        for index in shards:
            pending, oldest = self._execute(
                index, [("LLEN", self.queue_key(name)), ("LINDEX", self.queue_key(name), 0)]
            )
            statistics[self.STAT_MESSAGES_PENDING] += pending
            if oldest is not None:
                statistics[self.STAT_MESSAGES_MAX_AGE] = max(statistics[self.STAT_MESSAGES_MAX_AGE], self._age(oldest))
        return statistics

    def _age(self, raw: bytes) -> float:
        try:
            expires = items.decode(raw).expires
        except items.NewerItem as error:
            expires = error.expires
        except items.UnreadableItem:
            return 0
        return max(self.expiry - (expires - time.time()), 0)

    def _count(self, shards: Iterable[int], key: str) -> dict[str, int]:
        fields = [self.STAT_MESSAGES_COUNT, self.STAT_CHANNEL_FULL]
        counts = [self._execute(index, [("HMGET", key, *fields)])[0] for index in shards]
        return {field: sum(int(values[position] or 0) for values in counts) for position, field in enumerate(fields)}

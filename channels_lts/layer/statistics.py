"""The statistics extension of ASGI 1: one hash a channel, and one for all of them together."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from channels_lts.layer import items
from channels_lts.layer.core import Core


class Statistics(Core):
    """Answers ``global_statistics`` and ``channel_statistics``; the scripts count."""

    # From asgi_redis.
    STAT_MESSAGES_COUNT: str
    STAT_MESSAGES_PENDING: str
    STAT_MESSAGES_MAX_AGE: str
    STAT_CHANNEL_FULL: str

    def _count_global_stats(self, connection_list: Iterable[Any]) -> dict[str, int]:
        return self._sum(connection_list, self.statistics_key(self.global_stats_key))

    def _count_channel_stats(self, channel: str, connections: Iterable[Any]) -> dict[str, float]:
        connections = list(connections)
        statistics: dict[str, float] = {**self._sum(connections, self.statistics_key(channel))}
        statistics[self.STAT_MESSAGES_PENDING] = statistics[self.STAT_MESSAGES_MAX_AGE] = 0
        for connection in connections:
            statistics[self.STAT_MESSAGES_PENDING] += connection.llen(self.prefix + channel)
            oldest = connection.lindex(self.prefix + channel, 0)
            if oldest is not None:
                statistics[self.STAT_MESSAGES_MAX_AGE] = max(statistics[self.STAT_MESSAGES_MAX_AGE], self._age(oldest))
        return statistics

    def _age(self, raw: bytes) -> float:
        try:
            return max(self.expiry - (items.decode(raw).expires - time.time()), 0)
        except items.UnreadableItem:
            return 0

    def _sum(self, connections: Iterable[Any], key: str) -> dict[str, int]:
        fields = [self.STAT_MESSAGES_COUNT, self.STAT_CHANNEL_FULL]
        counts = [connection.hmget(key, fields) for connection in connections]
        return {field: sum(int(values[position] or 0) for values in counts) for position, field in enumerate(fields)}

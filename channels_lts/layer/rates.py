"""Token buckets in Redis, for :mod:`channels_lts.rates`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from channels_lts.layer import beside
from channels_lts.layer.scripts import Call, Script
from channels_lts.layer.wire import exchange
from channels_lts.rates import Bucket

# Seconds that the counts of refusals are kept after the last of them.
_COUNTED = 86_400
# All buckets of a layer are on one of its servers, so that those of one call are decided together.
_HOME = "rates"

_TAKE = Script("rates_take")


class InRedis:
    """One call of a script for each decision. Stock layers need Redis 5 or later for it."""

    def __init__(self, layer: Any) -> None:
        self._layer = layer

    def take_each(self, kind: str, asked: Sequence[Sequence[Bucket]]) -> list[int]:
        results = beside.run_each(self._layer, [(_HOME, self._call(kind, buckets)) for buckets in asked])
        return [int(result) for result in results]

    def _call(self, kind: str, buckets: Sequence[Bucket]) -> Call:
        keys = [self._counts, *(beside.key(self._layer, "rate", bucket.name) for bucket in buckets)]
        arguments: list[Any] = [kind, _COUNTED]
        for _name, rate, amount in buckets:
            arguments += [repr(float(number)) for number in (rate.token_ms, rate.burst, amount)]
        return Call(_TAKE, keys, arguments)

    def refusals(self) -> dict[str, int]:
        [found] = beside.attempt(self._layer, _HOME, lambda client: exchange(client, [("HGETALL", self._counts)]))
        if isinstance(found, Exception):
            raise found
        return {kind.decode(): int(count) for kind, count in zip(found[::2], found[1::2], strict=True)}

    @property
    def _counts(self) -> str:
        return beside.key(self._layer, "rates", "refused")

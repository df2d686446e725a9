"""What is kept in Redis beside a channel layer, ours or asgi_redis's: on the server where a socket's own queue is."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer import scripts
from channels_lts.layer.scripts import Call
from channels_lts.layer.shards import describe, is_certain, is_unavailable

T = TypeVar("T")


def key(layer: Any, kind: str, channel: str) -> str:
    """Return the key under which something of *kind* is kept for the socket of reply channel *channel*."""
    return f"{layer.prefix}{kind}:{channel}"


def run(layer: Any, channel: str, call: Call) -> Any:
    """Run *call* on the server where the queue of reply channel *channel* is, so that both fail together.

    Raises:
        LayerUnavailable: it cannot be reached, or may not serve us now.
    """
    return attempt(layer, channel, lambda client: scripts.run(client, call))


def attempt(layer: Any, channel: str, work: Callable[[Any], T]) -> T:
    """Return what *work* returns, which gets redis-py's client of that server; it raises what :func:`run` raises."""
    client = layer.connection(layer.consistent_hash(_process(channel)))
    try:
        return work(client)
    except Exception as error:
        if not is_unavailable(error):
            raise
        where = describe(client.connection_pool.connection_kwargs)
        raise LayerUnavailable(f"{where} cannot be reached: {error}", not_done=is_certain(error)) from error


def run_each(layer: Any, calls: Sequence[tuple[str, Call]]) -> list[Any]:
    """Return what :func:`run` does for each pair of a reply channel and a call; one round trip for each server.

    Raises:
        LayerUnavailable: as :func:`run` does, for one of them.
    """
    places: dict[int, list[int]] = {}
    for place, (channel, _) in enumerate(calls):
        places.setdefault(layer.consistent_hash(_process(channel)), []).append(place)
    results: list[Any] = [None] * len(calls)
    for found in places.values():
        work = functools.partial(scripts.run_all, calls=[calls[place][1] for place in found])
        for place, result in zip(found, attempt(layer, calls[found[0]][0], work), strict=True):
            if isinstance(result, Exception):
                raise result
            results[place] = result
    return results


def _process(channel: str) -> str:
    return channel[: channel.index("!") + 1] if "!" in channel else channel

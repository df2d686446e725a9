"""What is kept in Redis beside a channel layer, ours or asgi_redis's: on the server where a socket's own queue is."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer import scripts
from channels_lts.layer.scripts import Call
from channels_lts.layer.shards import describe, is_certain, is_unavailable
from channels_lts.layer.wire import exchange

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
    return _each(layer, calls, scripts.run_all)


def execute_each(layer: Any, commands: Sequence[tuple[str, tuple[Any, ...]]]) -> list[Any]:
    """Do the same for pairs of a reply channel and a command that can be done again."""
    return _each(layer, commands, exchange)


def _each(layer: Any, wanted: Sequence[tuple[str, T]], work: Callable[[Any, Sequence[T]], list[Any]]) -> list[Any]:
    places: dict[int, list[int]] = {}
    for place, (channel, _) in enumerate(wanted):
        places.setdefault(layer.consistent_hash(_process(channel)), []).append(place)
    results: list[Any] = [None] * len(wanted)
    for found in places.values():
        asked = [wanted[place][1] for place in found]
        answers = attempt(layer, wanted[found[0]][0], functools.partial(_work, work, asked))
        for place, result in zip(found, answers, strict=True):
            results[place] = result
    return results


def _work(work: Callable[[Any, Sequence[T]], list[Any]], asked: Sequence[T], client: Any) -> list[Any]:
    answers = work(client, asked)
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


def _process(channel: str) -> str:
    return channel[: channel.index("!") + 1] if "!" in channel else channel

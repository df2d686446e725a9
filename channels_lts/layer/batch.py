"""Many messages in few calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from redis.exceptions import NoScriptError

from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer import scripts
from channels_lts.layer.scripts import Call
from channels_lts.layer.shards import UNAVAILABLE

if TYPE_CHECKING:
    from channels_lts.layer.redis import Layer


# Items that a call pushes onto one queue at most: what Lua's stack holds, and then some.
ITEMS_IN_A_CALL = 1000


class Outgoing(NamedTuple):
    """A message for a channel, or for a group: the other one is empty."""

    channel: str
    group: str
    message: dict[str, Any]


class _Step(NamedTuple):
    """A call with the messages that it carries: by queue, or the one to a group."""

    call: Call
    queues: list[list[Outgoing]]
    group: Outgoing | None


def send(layer: Layer, messages: Sequence[Outgoing]) -> list[Outgoing]:
    """Do what :meth:`Layer.send_batch` promises."""
    steps = _steps(layer, messages)
    full: list[Outgoing] = []
    failures = []
    for index, planned in steps.items():
        try:
            results = _run(layer, index, [step.call for step in planned])
        except UNAVAILABLE as error:
            failures.append(str(layer._unavailable(index, error)))
            continue
        layer.shards[index].back()
        for step, result in zip(planned, results, strict=True):
            if step.group is not None:
                layer.after_group_send(step.group.group, step.group.message, result)
                continue
            for accepted, sent in zip(result, step.queues, strict=True):
                full += sent[accepted:]
    if failures:
        raise LayerUnavailable("; ".join(failures))
    return full


def _steps(layer: Layer, messages: Sequence[Outgoing]) -> dict[int, list[_Step]]:
    """Plan the calls of each shard. Neighbours that go to channels share one; a message to a group needs its own."""
    steps: dict[int, list[_Step]] = {}
    together: dict[int, dict[str, list[tuple[Outgoing, bytes]]]] = {}
    anywhere = layer.shards_in_turn()[0]

    def close(index: int) -> None:
        queues = together.pop(index, {})
        if queues:
            call = layer.send_call({name: [item for _, item in pairs] for name, pairs in queues.items()})
            sent = [[outgoing for outgoing, _ in pairs] for pairs in queues.values()]
            steps.setdefault(index, []).append(_Step(call, sent, None))

    for outgoing in messages:
        if outgoing.group:
            call = layer.group_call(outgoing.group, outgoing.message)
            for index in range(layer.ring_size):
                close(index)
                steps.setdefault(index, []).append(_Step(call, [], outgoing))
        else:
            name, item = layer.encode(outgoing.channel, outgoing.message)
            fixed = layer._fixed_shard(name)
            index = anywhere if fixed is None else fixed
            queue = together.setdefault(index, {}).setdefault(name, [])
            queue.append((outgoing, item))
            if len(queue) == ITEMS_IN_A_CALL:
                close(index)
    for index in list(together):
        close(index)
    return steps


def _run(layer: Layer, index: int, calls: list[Call]) -> list[Any]:
    connection = layer.connection(index)
    if len(calls) == 1:
        return [scripts.run(connection, calls[0])]
    pipeline = connection.pipeline(transaction=False)
    for call in calls:
        pipeline.execute_command(*call.command())
    results = pipeline.execute(raise_on_error=False)
    for position, result in enumerate(results):
        if isinstance(result, NoScriptError):
            # All that follow failed alike, if they are of this script, so the order stays.
            results[position] = scripts.run(connection, calls[position])
        elif isinstance(result, Exception):
            raise result
    return results

"""Many messages in few calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer.scripts import Call

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
    """A call with the messages that it carries: by queue, or those to groups."""

    call: Call
    queues: list[list[Outgoing]]
    groups: list[Outgoing]


def send(layer: Layer, messages: Sequence[Outgoing]) -> list[Outgoing]:
    """Do what :meth:`Layer.send_batch` promises."""
    sending = _Sending(layer)
    sending.send(messages)
    for _ in range(1, layer.ring_size):
        # Another shard may take what goes to ordinary channels.
        if not sending.ordinary:
            break
        ordinary, sending.ordinary = sending.ordinary, []
        sending.send(ordinary)
    if sending.fault is not None:
        raise sending.fault
    unsent = [*sending.unsent, *sending.ordinary]
    if unsent or sending.doubtful or sending.incomplete:
        problems = "; ".join(dict.fromkeys(sending.problems))
        raise LayerUnavailable(problems, not_done=not sending.doubtful, unsent=[*sending.full, *unsent])
    return sending.full


class _Sending:
    """One batch on its way, and what became of it."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self.full: list[Outgoing] = []
        # What certainly was not sent: to ordinary channels, and all else.
        self.ordinary: list[Outgoing] = []
        self.unsent: list[Outgoing] = []
        # How many messages may have been sent or not; whether a group got its message on some shards alone; and why.
        self.doubtful = 0
        self.incomplete = False
        self.problems: list[str] = []
        self.fault: Exception | None = None

    def send(self, messages: Sequence[Outgoing]) -> None:
        refused: Counter[int] = Counter()
        for index, steps in _steps(self._layer, messages).items():
            for step, result in zip(steps, self._layer._run_all(index, [step.call for step in steps]), strict=True):
                if isinstance(result, LayerUnavailable):
                    self._refused(step, result, refused)
                elif isinstance(result, Exception):
                    self.fault = result
                else:
                    self._sent(step, result)

    def _refused(self, step: _Step, error: LayerUnavailable, refused: Counter[int]) -> None:
        self.problems.append(str(error))
        if not error.not_done:
            count = len(step.groups) + sum(map(len, step.queues))
            self.doubtful += count
            self._layer.drops.add("messages while Redis went away", str(error), count)
            return
        for group in step.groups:
            refused[id(group)] += 1
            self.incomplete = True
            if refused[id(group)] == self._layer.ring_size:
                self.unsent.append(group)
        for sent in step.queues:
            ordinary = self._layer._fixed_shard(sent[0].channel) is None
            (self.ordinary if ordinary else self.unsent).extend(sent)

    def _sent(self, step: _Step, result: Any) -> None:
        if step.groups:
            for outgoing, each in zip(step.groups, result, strict=True):
                try:
                    self._layer.after_group_send(outgoing.group, outgoing.message, each)
                except LayerUnavailable as error:
                    self.problems.append(str(error))
                    self.incomplete = True
            return
        for accepted, sent in zip(result, step.queues, strict=True):
            self.full += sent[accepted:]


def _steps(layer: Layer, messages: Sequence[Outgoing]) -> dict[int, list[_Step]]:
    """Plan the calls of each shard. Neighbours that go to channels share one, and so do those that go to groups."""
    steps: dict[int, list[_Step]] = {}
    together: dict[int, dict[str, list[tuple[Outgoing, bytes]]]] = {}
    groups: list[Outgoing] = []
    anywhere = layer.shards_in_turn()[0]

    def close(index: int) -> None:
        queues = together.pop(index, {})
        if queues:
            call = layer.send_call({name: [item for _, item in pairs] for name, pairs in queues.items()})
            sent = [[outgoing for outgoing, _ in pairs] for pairs in queues.values()]
            steps.setdefault(index, []).append(_Step(call, sent, []))

    def close_groups() -> None:
        if groups:
            call = layer.group_call([(outgoing.group, outgoing.message) for outgoing in groups])
            step = _Step(call, [], list(groups))
            groups.clear()
            for index in range(layer.ring_size):
                steps.setdefault(index, []).append(step)

    for outgoing in messages:
        if outgoing.group:
            for index in list(together):
                close(index)
            groups.append(outgoing)
            if len(groups) == ITEMS_IN_A_CALL:
                close_groups()
        else:
            close_groups()
            name, item = layer.encode(outgoing.channel, outgoing.message)
            fixed = layer._fixed_shard(name)
            index = anywhere if fixed is None else fixed
            queue = together.setdefault(index, {}).setdefault(name, [])
            queue.append((outgoing, item))
            if len(queue) == ITEMS_IN_A_CALL:
                close(index)
    close_groups()
    for index in list(together):
        close(index)
    return steps

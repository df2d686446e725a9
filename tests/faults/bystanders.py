"""People who say nothing while something is harmed: their sockets have to stay, and their groups to come back."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from channels_lts.exceptions import LayerUnavailable
from channels_lts.layer import RedisChannelLayer
from tests.faults.quiet import GROUP
from tests.faults.site import Site
from tests.services import TIMEOUT_SCALE
from tests.visitor import Socket

# Seconds, times TIMEOUT_SCALE, after the end of an outage until groups are whole and everybody is answered.
RECOVERY = 10.0
_PREFIX = "chat:"
# Seconds between two attempts to reach everybody, and that a newcomer waits for an answer: after a silence there is
# a lot to catch up with.
_EVERY = 0.25
_PATIENCE = 3.0


def layer_of(site: Site) -> Any:
    """Return the channel layer of *site*, on its Redis directly, for a sender outside of it."""
    return RedisChannelLayer(hosts=[site.redis.url], prefix=_PREFIX)


class Bystanders:
    """*count* idle sockets, in a ``with`` block. They are told apart by nothing; all must stay open."""

    def __init__(self, site: Site, count: int = 6) -> None:
        self._site = site
        self._count = count
        self._sockets: list[Socket] = []

    def __enter__(self) -> Bystanders:
        visitor = self._site.stack.visitor()
        for _ in range(self._count):
            self._sockets.append(visitor.connect("/ws/quiet/"))
        self.hear_again(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for socket in self._sockets:
            socket.raw.close(timeout=1)

    def hear_again(self, within: float) -> float:
        """Make sure that one message to their group reaches all of them, on the sockets that they had.

        Returns how long that took, in seconds.

        Raises:
            AssertionError: a socket was closed, or does not hear within *within* seconds, times ``TIMEOUT_SCALE``.
        """
        began = time.monotonic()
        deadline = began + within * TIMEOUT_SCALE
        layer = layer_of(self._site)
        deaf = list(self._sockets)
        while deaf:
            assert time.monotonic() < deadline, (
                f"{len(deaf)} of {self._count} do not hear their group after {within:g} s"
            )
            try:
                layer.send_group(GROUP, {"text": f"group {uuid.uuid4().hex}"})
            except LayerUnavailable:
                time.sleep(_EVERY)
                continue
            until = time.monotonic() + _EVERY
            deaf = [socket for socket in deaf if not _hears(socket, until)]
        return time.monotonic() - began

    def are_answered(self, within: float) -> None:
        """Make sure that what each of them says is answered by a worker.

        Raises:
            AssertionError: a socket was closed, or is not answered within *within* seconds, times ``TIMEOUT_SCALE``.
        """
        deadline = time.monotonic() + within * TIMEOUT_SCALE
        for number, socket in enumerate(self._sockets):
            text = f"frame {uuid.uuid4().hex}"
            socket.raw.send(text)
            assert _hears(socket, deadline, text), f"bystander {number} is not answered after {within:g} s"


@contextlib.contextmanager
def nobody_ends(site: Site) -> Iterator[None]:
    """Make sure that no process ends within."""
    before = site.pids()
    yield
    site.unchanged(before)


def newcomers_are_answered(site: Site, within: float, count: int = 6) -> None:
    """Make sure that *count* new sockets, one after the other, are let in and answered at once.

    Who meets an interface server that has not found its way back yet is sent away, and the count begins again.

    Raises:
        AssertionError: that was not so within *within* seconds, times ``TIMEOUT_SCALE``.
    """
    import websocket

    deadline = time.monotonic() + within * TIMEOUT_SCALE
    answered, problem = 0, ""
    while answered < count:
        assert time.monotonic() < deadline, f"newcomers are not all answered after {within:g} s: {problem}"
        try:
            with site.stack.visitor().connect("/ws/quiet/", timeout=_PATIENCE) as socket:
                text = f"frame {uuid.uuid4().hex}"
                socket.raw.send(text)
                assert _hears(socket, time.monotonic() + _PATIENCE * TIMEOUT_SCALE, text), "no answer"
                answered += 1
        except (websocket.WebSocketException, OSError, AssertionError) as error:
            answered, problem = 0, repr(error)
            time.sleep(_EVERY)


def _hears(socket: Socket, until: float, text: str = "") -> bool:
    """Whether *socket* receives a group message, or *text* where it is given, before *until* (monotonic clock)."""
    import websocket

    while True:
        socket.raw.settimeout(max(until - time.monotonic(), 0.01))
        try:
            # Not recv(), which takes a closing frame for an empty text.
            frame = socket.raw.recv_frame()
        except websocket.WebSocketTimeoutException:
            return False
        except (websocket.WebSocketException, OSError) as error:
            raise AssertionError(f"a bystander lost its connection: {error!r}") from error
        if frame.opcode == websocket.ABNF.OPCODE_CLOSE:
            raise AssertionError(f"a bystander was closed with {int.from_bytes(frame.data[:2], 'big')}")
        if frame.opcode == websocket.ABNF.OPCODE_PING:
            socket.raw.pong(frame.data)
        elif frame.opcode == websocket.ABNF.OPCODE_TEXT:
            said = frame.data.decode()
            if said == text or (not text and said.startswith("group ")):
                return True

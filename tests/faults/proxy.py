"""A TCP proxy on the loopback that can be a bad network: slow, silent or closed."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from tests.services import free_port

_HOST = "127.0.0.1"

T = TypeVar("T")


class Proxy:
    """Forwards connections on :attr:`port` to *target_port*, from :meth:`start` until :meth:`stop`.

    Each of :meth:`pass_`, :meth:`drop`, :meth:`delay` and :meth:`refuse` lasts until the next of them. From any thread.
    """

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.port = free_port()
        self.dropping = False
        self.delay_seconds = 0.0
        self._links: set[_Link] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._server: asyncio.Server | None = None

    def start(self) -> Proxy:
        self._thread.start()
        self.pass_()
        return self

    def stop(self) -> None:
        """Close everything. Does nothing where it was never started."""
        if not self._thread.is_alive():
            return
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Proxy:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def connections(self) -> int:
        """How many connections are open, silent ones included."""
        return self._do(lambda: len(self._links))

    def pass_(self) -> None:
        """Forward everything at once, on new connections and on those that lost nothing.

        One that lost something while :meth:`drop` lasted stays silent for good: TCP would not go on behind a hole.
        """
        self._set(listening=True)

    def drop(self) -> None:
        """Half open: connections stay and are still made, but nothing gets through either way, not even an end."""
        self._set(listening=True, dropping=True)

    def delay(self, seconds: float) -> None:
        """Forward everything *seconds* later, in each direction."""
        self._set(listening=True, delay=seconds)

    def refuse(self) -> None:
        """Cut all connections, and refuse new ones."""
        self._set(listening=False)

    def _set(self, *, listening: bool, dropping: bool = False, delay: float = 0.0) -> None:
        async def change() -> None:
            self.dropping, self.delay_seconds = dropping, delay
            if listening and self._server is None:
                self._server = await self._loop.create_server(lambda: _Link(self).client, _HOST, self.port)
            elif not listening and self._server is not None:
                self._server.close()
                self._server = None
            if not listening:
                for link in list(self._links):
                    link.abort()

        asyncio.run_coroutine_threadsafe(change(), self._loop).result(10)

    def _do(self, function: Callable[[], T]) -> T:
        async def call() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(10)

    def opened(self, link: _Link) -> None:
        self._links.add(link)

    def closed(self, link: _Link) -> None:
        self._links.discard(link)


class _Link:
    """One connection: to us from the client, and from us to the target."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        # Something was lost on the way: nothing more gets through.
        self.silent = False
        self.client = _End(self)
        self.target = _End(self)
        self._connecting: asyncio.Task[None] | None = None

    def other(self, end: _End) -> _End:
        return self.target if end is self.client else self.client

    def opened(self, end: _End) -> None:
        if end is not self.client:
            return
        self.proxy.opened(self)
        self.silent = self.proxy.dropping
        if not self.silent:
            end.transport.pause_reading()
            self._connecting = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: self.target, _HOST, self.proxy.target_port)
        except OSError:
            self.abort()
            return
        if self.client.open:
            self.client.transport.resume_reading()
        else:
            self.target.transport.abort()

    def received(self, end: _End, data: bytes) -> None:
        self.silent = self.silent or self.proxy.dropping
        if self.silent:
            self._answer_the_forgotten(end)
            return
        self._later(end, lambda: self.other(end).write(data))

    def ended(self, end: _End) -> None:
        self.silent = self.silent or self.proxy.dropping
        if not self.silent:
            self._later(end, self.other(end).close)
        elif not self.other(end).open:
            self.proxy.closed(self)

    def _later(self, end: _End, action: Callable[[], None]) -> None:
        delay = self.proxy.delay_seconds
        now = asyncio.get_running_loop().time()
        if not delay and now >= end.last_due:
            action()
            return
        # Not before what came before, also where the delay has changed meanwhile.
        end.last_due = max(now + delay, end.last_due + 1e-6)
        asyncio.get_running_loop().call_at(end.last_due, self._unless_lost, action)

    def _unless_lost(self, action: Callable[[], None]) -> None:
        self.silent = self.silent or self.proxy.dropping
        if not self.silent:
            action()

    def _answer_the_forgotten(self, end: _End) -> None:
        """Cut off who speaks to somebody who closed meanwhile: what a host does once packets reach it again."""
        if not self.proxy.dropping and not self.other(end).open:
            end.transport.abort()

    def abort(self) -> None:
        for end in (self.client, self.target):
            if end.open:
                end.transport.abort()
        self.proxy.closed(self)


class _End(asyncio.Protocol):
    transport: Any = None
    open = False

    def __init__(self, link: _Link) -> None:
        self._link = link
        # When the last of what is delayed is due (clock of the loop).
        self.last_due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.open = transport, True
        self._link.opened(self)

    def data_received(self, data: bytes) -> None:
        self._link.received(self, data)

    def connection_lost(self, error: Exception | None) -> None:
        self.open = False
        other = self._link.other(self)
        self._link.ended(self)
        if not other.open:
            self._link.proxy.closed(self._link)

    def write(self, data: bytes) -> None:
        if self.open:
            self.transport.write(data)

    def close(self) -> None:
        if self.open:
            self.transport.close()

    # The sender waits when its reader does.

    def pause_writing(self) -> None:
        self._pause(self._link.other(self), "pause_reading")

    def resume_writing(self) -> None:
        self._pause(self._link.other(self), "resume_reading")

    @staticmethod
    def _pause(other: _End, method: str) -> None:
        if other.open:
            with contextlib.suppress(RuntimeError):
                getattr(other.transport, method)()

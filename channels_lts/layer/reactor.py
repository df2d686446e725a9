"""Redis without blocking Twisted's reactor: one connection that is made again whenever it is lost."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import hiredis
from redis.connection import SSLConnection
from twisted.internet import protocol, threads
from twisted.internet.error import ConnectionDone

from channels_lts import conf, direct
from channels_lts.exceptions import LayerUnavailable, UnsupportedRedis
from channels_lts.layer import scripts, tls
from channels_lts.layer.scripts import Call
from channels_lts.layer.shards import REFUSALS

if TYPE_CHECKING:
    from channels_lts.layer.redis import Layer

logger = logging.getLogger(__name__)

# Gets a reply, or an exception: hiredis.ReplyError where Redis refused, LayerUnavailable where it could not be reached.
Callback = Callable[[Any], None]

_FIRST_DELAY = 0.05
_LONGEST_DELAY = 2.0
_WATCH_INTERVAL = 1.0
# After these a connection is of no use. The others concern one command: memory may be full for it alone.
_ENDING = tuple(word for word in REFUSALS if word not in ("OOM", "MISCONF", "BUSY"))


class ReactorRedis:
    """A connection to one shard of *layer* for use in the reactor's thread.

    It connects on :meth:`start`, and again whenever it is lost, with growing delays of 0.05 to 2 s. *on_up* is called
    each time it is ready. Calls answer in order; those under way when the connection is lost answer LayerUnavailable,
    and so do those made while it is down. Nothing is sent twice.

    Args:
        silence: Seconds that an answer may take beyond ``REDIS_TIMEOUT``: for blocking commands.
    """

    def __init__(
        self, layer: Layer, index: int, *, on_up: Callable[[], None] | None = None, silence: float = 0
    ) -> None:
        self._layer = layer
        self._index = index
        self.shard = layer.shards[index]
        self._on_up = on_up
        self._silence = silence
        self._protocol: _Protocol | None = None
        self.probe_key = layer.process_key("")
        self._pending_connect: Any = None
        self._timer: Any = None
        self._delay = _FIRST_DELAY
        self._ready_at = 0.0
        self._stopped = True

    @property
    def up(self) -> bool:
        """Whether the connection is ready."""
        return self._protocol is not None

    def start(self) -> None:
        """Connect. Returns at once."""
        self._stopped = False
        self._connect()

    def stop(self) -> None:
        """Close the connection for good; calls under way answer LayerUnavailable."""
        self._stopped = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._pending_connect is not None:
            self._pending_connect.disconnect()
        if self._protocol is not None:
            self._protocol.abort()

    def give_up(self, error: object) -> None:
        """Cut the connection because of *error*, and make a new one after a while."""
        if self._protocol is not None:
            self._protocol.abort(error)

    def execute(self, *commands: tuple[tuple[Any, ...], Callback]) -> None:
        """Send commands together, in this order. The reply to each goes to the callback beside it, later."""
        if self._protocol is None:
            from twisted.internet import reactor

            error = LayerUnavailable(f"{self.shard.name} cannot be reached", not_done=True)
            for _, callback in commands:
                reactor.callLater(0, callback, error)
            return
        self._protocol.execute(*commands)

    def run(self, call: Call, callback: Callback) -> None:
        """Run a script, which Redis is given where it does not know it. The result goes to *callback*, later."""

        def on_reply(reply: Any) -> None:
            if isinstance(reply, hiredis.ReplyError) and str(reply).startswith("NOSCRIPT"):
                self.execute((call.full_command(), callback))
            else:
                callback(reply)

        self.execute((call.command(), on_reply))

    # --- Connecting ---

    def _connect(self) -> None:
        if self._stopped:
            return
        pool = self._layer.connection(self._index).connection_pool
        if hasattr(pool, "get_master_address"):
            # Sentinel is asked in a thread, as redis-py's question blocks.
            asked = threads.deferToThread(pool.get_master_address)
            asked.addCallbacks(
                lambda address: self._connect_to(pool, {"host": address[0], "port": address[1]}),
                lambda failure: self._failed(failure.value),
            )
        else:
            self._connect_to(pool, pool.connection_kwargs)

    def _connect_to(self, pool: Any, address: dict[str, Any]) -> None:
        from twisted.internet import reactor

        if self._stopped:
            return
        factory = _Factory(self, pool.connection_kwargs)
        timeout = conf.get("REDIS_TIMEOUT")
        connect: Any = reactor
        if "path" in address:
            self._pending_connect = connect.connectUNIX(address["path"], factory, timeout)
            return
        where = (address.get("host", "localhost"), int(address.get("port", 6379)), factory)
        if not issubclass(pool.connection_class, SSLConnection):
            self._pending_connect = connect.connectTCP(*where, timeout)
            return
        try:
            context = tls.reactor_context(where[0], pool.connection_kwargs)
        except Exception as error:  # a module that is not installed, or a certificate that cannot be read
            self._failed(error)
        else:
            self._pending_connect = connect.connectSSL(*where, context, timeout)

    def _ready(self, ready: _Protocol) -> None:
        self._pending_connect = None
        self._protocol = ready
        self._ready_at = time.monotonic()
        self.shard.back()
        if self._on_up is not None:
            self._on_up()

    def _failed(self, error: object) -> None:
        """Begin anew after a while; the first time after a success it is logged."""
        from twisted.internet import reactor

        if self._protocol is not None and time.monotonic() - self._ready_at > _LONGEST_DELAY:
            # It has served for a while. One that is lost again at once is not tried again at once.
            self._delay = _FIRST_DELAY
        self._protocol = self._pending_connect = None
        if self._stopped:
            return
        self.shard.lost(error)
        self._timer = reactor.callLater(self._delay, self._connect)
        self._delay = min(self._delay * 2, _LONGEST_DELAY)


class _Factory(protocol.ClientFactory):
    noisy = False

    def __init__(self, owner: ReactorRedis, options: dict[str, Any]) -> None:
        self._owner = owner
        self._options = options

    def buildProtocol(self, address: Any) -> _Protocol:
        return _Protocol(self._owner, self._options)

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        self._owner._failed(reason.getErrorMessage())


class _Protocol(protocol.Protocol):
    """The wire: commands out in one order, replies back in the same."""

    def __init__(self, owner: ReactorRedis, options: dict[str, Any]) -> None:
        self._owner = owner
        self._options = options
        self._reader = hiredis.Reader()
        self._callbacks: deque[tuple[Callback, float]] = deque()
        self._watch: Any = None
        self._looked_at: float | None = None
        self._error: object = None

    def connectionMade(self) -> None:
        self._direct = direct.is_direct(self.transport)
        for option in ("setTcpNoDelay", "setTcpKeepAlive"):
            if hasattr(self.transport, option) and "path" not in self._options:
                getattr(self.transport, option)(True)
        greeting: list[tuple[Any, ...]] = []
        if self._options.get("password"):
            greeting.append(("AUTH", self._options["password"]))
        if self._options.get("db"):
            greeting.append(("SELECT", self._options["db"]))
        self.execute(
            *((command, self._greeted) for command in greeting),
            (("INFO", "server"), self._informed),
            # That nobody meets a script that is missing, which would change the order of what is under way.
            *((command, self._greeted) for command in scripts.loading()),
            # It takes part only where it takes writes: a replica, or one that reads its data, answers all of the above.
            (("UNLINK", self._owner.probe_key), self._probed),
        )
        self._look()

    def _greeted(self, reply: Any) -> None:
        if isinstance(reply, Exception):
            self.abort(reply)

    def _informed(self, reply: Any) -> None:
        if isinstance(reply, Exception):
            self.abort(reply)
            return
        fields = dict(line.split(":", 1) for line in reply.decode().splitlines() if ":" in line)
        try:
            self._owner.shard.check_version(fields["redis_version"])
        except UnsupportedRedis as error:
            self.abort(error)

    def _probed(self, reply: Any) -> None:
        if isinstance(reply, Exception):
            self.abort(reply)
        elif self._error is None:
            self._owner._ready(self)

    def execute(self, *commands: tuple[tuple[Any, ...], Callback]) -> None:
        now = time.monotonic()
        self._callbacks.extend((callback, now) for _, callback in commands)
        data = b"".join(hiredis.pack_command(command) for command, _ in commands)
        if not (self._direct and direct.write(self.transport, data)):
            self.transport.write(data)

    def dataReceived(self, data: bytes) -> None:
        self._reader.feed(data)
        while True:
            reply = self._reader.gets()
            if reply is False:
                return
            callback, _ = self._callbacks.popleft()
            if isinstance(reply, hiredis.ReplyError) and str(reply).startswith(_ENDING):
                self.abort(reply)
                reply = LayerUnavailable(f"{self._owner.shard.name} cannot be reached: {reply}")
            try:
                callback(reply)
            except Exception:
                # One caller's error must not cost the others their replies.
                logger.exception("error while a reply of %s was handled", self._owner.shard.name)

    def _look(self) -> None:
        """Give up a connection whose other end has been silent for too long: it is half open."""
        from twisted.internet import reactor

        limit = conf.get("REDIS_TIMEOUT") + self._owner._silence
        now = time.monotonic()
        # Where we come late ourselves, answers may be waiting to be read.
        late = self._looked_at is not None and now - self._looked_at > 2 * _WATCH_INTERVAL
        if self._callbacks and now - self._callbacks[0][1] > limit and not late:
            self.abort(f"no answer for {limit} s")
            return
        self._looked_at = now
        self._watch = reactor.callLater(_WATCH_INTERVAL, self._look)

    def abort(self, error: object = None) -> None:
        """Cut the connection, because of *error*."""
        self._error = self._error or error
        self.transport.abortConnection()

    def connectionLost(self, reason: Any = ConnectionDone) -> None:
        if self._watch is not None and self._watch.active():
            self._watch.cancel()
        error = self._error or reason.getErrorMessage()
        self._owner._failed(error)
        unavailable = LayerUnavailable(f"{self._owner.shard.name} cannot be reached: {error}")
        while self._callbacks:
            callback, _ = self._callbacks.popleft()
            try:
                callback(unavailable)
            except Exception:
                logger.exception("error while the loss of %s was handled", self._owner.shard.name)

"""The load on a site: people who talk, readers over HTTP, raw frames; what becomes of it is in one ledger."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import Future
from time import monotonic
from types import TracebackType
from typing import Any

from tests.faults.fault import Fault, Judge
from tests.faults.frames import Frames
from tests.faults.ledger import Ledger
from tests.faults.people import Person
from tests.faults.prober import Poller, Prober
from tests.faults.site import Site
from tests.services import ROOT, TIMEOUT_SCALE, wait_for

# Where the bench keeps its client, so that it is compiled once.
_BUILT = ROOT / "var" / "bench"
_STORED = """
import json
from chat.models import Message
found = Message.objects.filter(room__slug="lobby").order_by("seq")
print("stored:" + json.dumps(list(found.values_list("seq", "uid"))))
"""


class Load:
    """Runs from :meth:`start` until :meth:`stop`; also a context manager.

    *people* talk in the lobby, each *sends* messages a second; two more only read. Each of two probers sends *requests*
    HTTP requests a second, a long-poller reads too, and *frames* raw frames a second go to ``/ws/echo/`` and back
    (None: no frames; 0: as many as are answered)::

        with Load(site, frames=300) as load:
            figures = load.strike(SomeFault())
            load.finish()
    """

    def __init__(
        self, site: Site, *, people: int = 6, sends: float = 1.5, requests: float = 10, frames: float | None = None,
        seed: int = 0,
    ) -> None:  # fmt: skip
        self.site = site
        self.ledger = Ledger()
        self.people: list[Person] = []
        self.frames = Frames(self.ledger, site.stack.port, _BUILT, rate=frames) if frames is not None else None
        self._sizes = (people, sends, requests, seed)
        self._readers: list[Prober | Poller] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="people", daemon=True)
        self._living: list[Future[None]] = []
        self._stopped = False

    def __enter__(self) -> Load:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Load:
        """Return when everybody has joined and everything is answered."""
        people, sends, requests, seed = self._sizes
        self._thread.start()
        began = monotonic()
        try:
            for number in range(people + 2):
                every = 1 / sends if number < people and sends else 0.0
                self.invite(f"person-{number}", every=every, seed=seed)
            port = self.site.stack.port
            self._readers = [
                Prober(self.ledger, f"prober-{number}", port, self._cookie(f"prober-{number}"), rate=requests)
                for number in range(2 if requests else 0)
            ]
            if requests and sends:
                self._readers.append(Poller(self.ledger, "poller", port, self._cookie("poller")))
            for reader in self._readers:
                reader.start()
            if self.frames is not None:
                self.frames.start()
            wait_for(lambda: self.well(began), "everybody has joined, and is answered", 30)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the load, whatever its state. What it did stays in the ledger."""
        if self._stopped:
            return
        self._stopped = True
        for reader in self._readers:
            reader.stop()
        try:
            if self.frames is not None:
                self.frames.stop()
        finally:
            for person in self.people:
                self._loop.call_soon_threadsafe(person.stop)
            for future in self._living:
                future.cancel()
            # A last turn of the loop for the cancelled to end in.
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0.1), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    def invite(self, name: str, *, every: float = 0, returns: bool = True, seed: int = 0) -> Person:
        """Have one more person come in; see :class:`Person`. They may not have joined yet on return."""
        url = self.site.stack.url.replace("http", "ws", 1) + "/ws/"
        person = Person(self.ledger, name, url, self._cookie(name), every=every, returns=returns, seed=seed)
        if returns:
            self.people.append(person)
        self._living.append(asyncio.run_coroutine_threadsafe(person.live(), self._loop))
        return person

    def well(self, since: float) -> bool:
        """Whether all is as it should be: everybody there and answered, requests and frames after *since* too."""
        for future in self._living:
            # Whoever fails, rather than what is tested, is a fault of the suite.
            if future.done() and not future.cancelled():
                future.result()
        now = monotonic()
        return (
            all(person.joined and person.unanswered_since > now - 1 * TIMEOUT_SCALE for person in self.people)
            and all(reader.well(since) for reader in self._readers)
            and (self.frames is None or self.frames.well(since))
            and self._nobody_lags(now)
        )

    def strike(self, fault: Fault, *, recovery: float = 10) -> dict[str, Any]:
        """Let *fault* happen, and wait until all is well again. Returns the figures of it:

        ``seconds`` that the fault took, ``well_after`` how many more, ``troubles`` by kind, ``codes`` of sockets that
        closed, how many of them were ``advised``, their visitors' ``ports`` and the ``longest_away``, ``never_back``;
        with raw frames, how many ``frames`` left, and the longest ``stall`` without any answer.

        Raises:
            AssertionError: it cost more than its harm allows, or not all was well *recovery* seconds (times
                TIMEOUT_SCALE) after it was over.
        """
        window = self.ledger.begin(fault.name, fault.harm)
        window.figures["struck"] = True
        try:
            fault.strike(self.site)
        finally:
            over = monotonic()
            window.figures["seconds"] = round(over - window.began, 2)
        # Messages sent while it lasted are sent again only after a while: their time is not that of the recovery.
        wait_for(lambda: self.well(over), f"all is well after {fault.name}; {self.state()}", recovery + 5)
        window.figures["well_after"] = round(monotonic() - over, 2)
        if self.frames is not None:
            ended = self.frames.mark()
            window.figures["stall"] = round(self.frames.longest_stall(window.began, ended), 2)
            window.figures["frames"] = self.frames.total("sent", window.began, ended)
        self.ledger.end(window)
        if isinstance(fault, Judge):
            fault.judge(window.figures)
        return window.figures

    def state(self) -> str:
        """Return who is not well, for whoever waits in vain."""
        now = monotonic()
        away = [person.name for person in self.people if not person.joined]
        waiting = [person.name for person in self.people if person.unanswered_since < now - 1]
        readers = [reader.name for reader in self._readers if not reader.well(0)]
        frames = self.frames.lines[-1:] if self.frames is not None else []
        return f"away {away}, unanswered {waiting}, over HTTP {readers}, frames {frames}, at {self._positions()}"

    def finish(self) -> dict[str, Any]:
        """Stop talking, let everybody get what they lack, and check the whole ledger against the database.

        Raises:
            AssertionError: a promise was broken.
        """
        talking = [person for person in self.people if person.talks]
        for person in talking:
            person.talks = False
        wait_for(
            lambda: all(person.unanswered_since == float("inf") for person in talking), "everything is acknowledged", 15
        )
        if self.frames is not None:
            self.frames.stop()
        stored = self.stored()
        last = stored[-1][0] if stored else 0
        # What was pushed is on its way at most this long; what is not here then has to be asked for, which is noted.
        try:
            wait_for(lambda: min(self._positions().values(), default=last) >= last, "everybody has everything", 2)
        except AssertionError:
            catching_up = [
                asyncio.run_coroutine_threadsafe(person.catch_up(last), self._loop) for person in self.people
            ]
            for future in catching_up:
                future.result()
        self.stop()
        return self.ledger.check(stored)

    def stored(self) -> list[tuple[int, str]]:
        """Return number and client's id of each message in the database."""
        said = self.site.stack.manage("shell", "-c", _STORED)
        line = next(line for line in said.splitlines() if line.startswith("stored:"))
        return [(seq, uid) for seq, uid in json.loads(line.removeprefix("stored:"))]

    def _positions(self) -> dict[str, int]:
        positions = {person.name: person.last for person in self.people}
        return positions | {reader.name: reader.last for reader in self._readers if isinstance(reader, Poller)}

    def _nobody_lags(self, now: float) -> bool:
        """Whether everybody has what was acknowledged more than a second ago."""
        known = 0
        for uid, seq in list(self.ledger.acknowledged.items())[-200:]:
            if self.ledger.sent[uid] < now - 1 * TIMEOUT_SCALE:
                known = max(known, seq)
        return all(position >= known for position in self._positions().values())

    def _cookie(self, name: str) -> str:
        return self.site.stack.visitor().be_guest(name).cookie

"""Streams that carry numbered logs: who reads one gets every entry once and in order, or is told to begin anew.

A log is a room, a board, a document: whatever has entries that are numbered from 1 on without gaps. The layer delivers
at most once; what makes up for that is here, and the rest is the reader's:

* an entry is stored, once, before its sender hears ``ack`` and the others hear of it; who got no ``ack`` sends again,
  under the same id, and hears ``dup``;
* a reader who sees a gap in the numbers asks for ``history``;
* a reader who comes back joins with ``since``, and gets what they lack, or ``recovered: false``;
* ``pong`` tells the heads of all logs that a socket has joined, so that a loss on a quiet connection shows too.

Entries may change after they were stored. Each change has the next *revision* of its log, also without gaps; a reader
who lacks one joins again with ``since``. docs/streams.md has the protocol and an example.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from channels import Group

from channels_lts.exceptions import StreamError
from channels_lts.payloads import field
from channels_lts.stream_consumers import StreamConsumer

Entry = dict[str, Any]

_PLACES = ("before", "after", "around")


@dataclass(frozen=True)
class Head:
    """Up to where a log goes, or up to where somebody knows it.

    *epoch* names the numbering: another log that comes to the same name, or one that was emptied, has another.
    *revision* is the number of the last change of a stored entry, 0 where there was none.
    """

    epoch: str
    seq: int
    revision: int = 0

    def public(self) -> dict[str, int]:
        """Return what ``pong`` tells."""
        return {"seq": self.seq, "revision": self.revision}


@dataclass(frozen=True)
class Stored:
    """What became of a ``send``: the entry's id and number; *dup*: it had been stored by an earlier one."""

    id: str
    seq: int
    dup: bool = False


class NumberedStream(StreamConsumer):
    """``join``, ``leave``, ``send`` and ``history`` of numbered logs; a subclass opens, reads and stores them.

    A log is whatever object :meth:`open` returns. Entries are dicts for JSON; each has its number as ``seq``. What is
    stored has to be told to the group of :meth:`group_name` after the commit, by whoever stores it:
    ``channels_lts.after_commit.send`` does that.
    """

    #: The field of a payload that names the log.
    log_field = "log"
    #: Characters of a name, at most.
    name_length = 100
    #: Entries of one ``history``: by default, and at most.
    history_size = 50
    history_most = 100
    #: Who lacks more entries than this, or more changes, begins anew.
    recover_most = 200

    # --- To be supplied ---

    def open(self, name: str, *, write: bool = False) -> Any:
        """Return the log called *name* as it is now, for this socket to read, or to *write*.

        Raises:
            StreamError: ``not_found`` or ``not_allowed``.
        """
        raise NotImplementedError

    def name(self, log: Any) -> str:
        raise NotImplementedError

    def group_name(self, log: Any) -> str:
        """Return the group of the sockets that joined *log*."""
        raise NotImplementedError

    def head(self, log: Any) -> Head:
        """Return the head of *log* as of when it was opened."""
        raise NotImplementedError

    def entries_before(self, log: Any, seq: int | None, limit: int) -> list[Entry]:
        """Return the last *limit* entries before number *seq*, or of all, oldest first."""
        raise NotImplementedError

    def entries_after(self, log: Any, seq: int, limit: int) -> list[Entry]:
        """Return the first *limit* entries after number *seq*, oldest first."""
        raise NotImplementedError

    def store(self, log: Any, payload: dict[str, Any]) -> Stored:
        """Store what *payload* brings as the next entry, tell the group, and return when that is committed.

        Under an ``id`` that the same sender used before, nothing is stored or told.

        Raises:
            StreamError: it is refused.
        """
        raise NotImplementedError

    # --- To be supplied where there is such a thing ---

    def entries_changed(self, log: Any, since: Head, limit: int) -> list[Entry]:
        """Return up to *limit* of the entries up to ``since.seq`` that changed after ``since.revision``, as now."""
        return []

    def entered(self, log: Any) -> None:
        """The socket has joined; again, where it had joined before."""

    def left(self, log: Any) -> None:
        """The socket has left. It may not have joined, or may not read *log* any more."""

    def open_to_leave(self, name: str) -> Any:
        """Return the log called *name*, which the socket wants to leave. Raises what :meth:`open` does."""
        return self.open(name)

    def greeting(self, log: Any) -> dict[str, Any]:
        """Return further fields for ``joined``."""
        return {}

    # --- The protocol ---

    def type_join(self, payload: dict[str, Any]) -> None:
        name, since = self._name(payload), self._since(payload)
        log = self.open(name)
        # Join first, then look: what is stored in between arrives twice, and the number tells, but never not at all.
        self._group(log).add(self.message.reply_channel)
        self.entered(log)
        try:
            log = self.open(name)
        except StreamError:
            # It was taken from this socket in between: whoever did that may not have seen the socket in it.
            self._leave(log)
            raise
        head = self.head(log)
        missed = self._missed(log, head, *since) if since else None
        entries, changed = missed or (self.entries_before(log, None, self.history_size), [])
        self.reply(
            "joined",
            **{self.log_field: self.name(log)},
            epoch=head.epoch,
            seq=head.seq,
            revision=head.revision,
            recovered=missed is not None,
            messages=entries,
            changed=changed,
            **self.greeting(log),
        )

    def type_leave(self, payload: dict[str, Any]) -> None:
        log = self.open_to_leave(self._name(payload))
        self._leave(log)
        self.reply("left", **{self.log_field: self.name(log)})

    def type_send(self, payload: dict[str, Any]) -> None:
        log = self.open(self._name(payload), write=True)
        self.reply("ack", **self.acknowledgement(self.name(log), self.store(log, payload)))

    @classmethod
    def acknowledgement(cls, name: str, stored: Stored) -> dict[str, Any]:
        """Return the fields of the ``ack`` of what was *stored* in the log called *name*."""
        return {"id": stored.id, cls.log_field: name, "seq": stored.seq, "dup": stored.dup}

    def type_history(self, payload: dict[str, Any]) -> None:
        """Answer with entries around one number, or on one side of it; ``more``: older ones, ``newer``: newer ones."""
        log = self.open(self._name(payload))
        limit = field(payload, "limit", int, default=self.history_size, minimum=1)
        if limit > self.history_most:
            raise StreamError("bad_field", f"limit must be at most {self.history_most}")
        places = {name: field(payload, name, int, minimum=0) for name in _PLACES if name in payload}
        if len(places) > 1:
            raise StreamError("bad_field", f"only one of {' and '.join(places)} is possible")
        entries = self._entries(log, limit, **places)
        # The numbers have no gaps, and begin with 1.
        first = entries[0]["seq"] if entries else places.get("after", 0) + 1
        last = entries[-1]["seq"] if entries else places.get("after", 0)
        self.reply(
            "history",
            **{self.log_field: self.name(log)},
            messages=entries,
            more=first > 1,
            newer=last < self.head(log).seq,
        )

    def _entries(
        self, log: Any, limit: int, before: int | None = None, after: int | None = None, around: int | None = None
    ) -> list[Entry]:
        if after is not None:
            return self.entries_after(log, after, limit)
        if around is None:
            if before == 0:
                raise StreamError("bad_field", "before must be at least 1")
            return self.entries_before(log, before, limit)
        around = min(around, self.head(log).seq)
        newer = self.entries_after(log, around, limit // 2)
        return self.entries_before(log, around + 1, limit - limit // 2) + newer

    def _name(self, payload: dict[str, Any]) -> str:
        return field(payload, self.log_field, str, max_length=self.name_length)

    def _since(self, payload: dict[str, Any]) -> tuple[Head, bool] | None:
        """Return up to where the client knows the log, if it says so, and whether it knows of revisions."""
        if payload.get("since") is None:
            return None
        since = field(payload, "since", dict)
        known = Head(
            field(since, "epoch", str),
            field(since, "seq", int, minimum=0),
            field(since, "revision", int, default=0, minimum=0),
        )
        return known, "revision" in since

    def _missed(self, log: Any, head: Head, since: Head, revised: bool) -> tuple[list[Entry], list[Entry]] | None:
        """Return the entries that this client lacks, and those that changed; None where it has to begin anew."""
        if since.epoch != head.epoch or not 0 <= head.seq - since.seq <= self.recover_most:
            return None
        if since.revision > head.revision:
            return None
        changed: list[Entry] = []
        if revised and since.revision < head.revision:
            changed = self.entries_changed(log, since, self.recover_most + 1)
            if len(changed) > self.recover_most:
                return None
        return self.entries_after(log, since.seq, self.recover_most), changed

    def _group(self, log: Any) -> Group:
        return Group(self.group_name(log), channel_layer=self.message.channel_layer)

    def _leave(self, log: Any) -> None:
        self._group(log).discard(self.message.reply_channel)
        self.left(log)


class Heartbeat(StreamConsumer):
    """Answers ``ping`` by ``pong`` with the heads of all logs that this socket has joined."""

    def heads(self) -> Mapping[str, Mapping[str, int]]:
        """Return ``Head.public()``, and what else there is to tell, by name of each log.

        One query should do, since every client asks every so many seconds.
        """
        return {}

    def type_ping(self, payload: dict[str, Any]) -> None:
        self.reply("pong", heads=self.heads())

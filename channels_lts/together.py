"""Consumers that serve several messages in one go: one commit for all of them, and one call for their answers.

A worker with a backlog hands such a consumer what it has taken of its messages. See docs/workers.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Together:
    """Goes before the class of a class consumer, which supplies both methods, and serves single messages as ever."""

    @classmethod
    def joins(cls, message: Any) -> bool:
        """Return whether *message* may be served along with others. Asks nobody, and changes nothing but *message*."""
        raise NotImplementedError

    @classmethod
    def serve_together(cls, messages: Sequence[Any]) -> Sequence[Any]:
        """Serve *messages*, in their order; return those that are to be served alone, by the consumer itself.

        After an exception that is all of them, so what was done may come again. Of the messages of one socket, whatever
        comes after one that is returned has to be returned too, or it would overtake it. What is sent leaves as from
        any consumer: after the end, or at once by :mod:`channels_lts.after_commit`.
        """
        raise NotImplementedError


def is_together(consumer: Any) -> bool:
    """Whether *consumer*, of a route, serves several messages in one go."""
    return isinstance(consumer, type) and issubclass(consumer, Together)

"""What a fault is, for tests and soak alike. ``registry.py`` has them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from tests.faults.site import Site


@dataclass(frozen=True)
class Harm:
    """What a fault may cost while it lasts, and until all is well again. What is not named here must not happen at all.

    Never allowed, whatever the fault: that a message that was acknowledged is not stored, or stored twice; that a
    reader who is back lacks a stored message, or has it twice or out of order; that anything is lost after the end.

    Attributes:
        frames: frames and group messages may get lost, so that people send again or ask for what they lack.
        sockets: sockets may close.
        http: HTTP requests may fail, or go unanswered.
        errors: people may be told of errors.
    """

    frames: bool = False
    sockets: bool = False
    http: bool = False
    errors: bool = False


class Fault(Protocol):
    """Something that happens to a site."""

    @property
    def name(self) -> str: ...

    @property
    def harm(self) -> Harm: ...

    def strike(self, site: Site) -> None:
        """Do the harm; return when it is over and recovery may begin.

        Raises:
            AssertionError: something that the fault promises by itself did not hold, such as that no process ends.
        """


@runtime_checkable
class Judge(Protocol):
    """A fault that looks at its figures too, when all is well again."""

    def judge(self, figures: dict[str, Any]) -> None:
        """Raise an AssertionError where they are worse than promised; see :meth:`Load.strike` for what they hold."""

"""How many connections one address may hold."""

from __future__ import annotations


class Addresses:
    """Counts what each address holds. With *limit* 0 nothing is counted, and an unknown address (None) never is."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._held: dict[str, int] = {}

    def take(self, address: str | None) -> bool:
        """Count one more for *address*; False, and nothing counted, where it holds as many as it may."""
        if not self.limit or address is None:
            return True
        held = self._held.get(address, 0)
        if held >= self.limit:
            return False
        self._held[address] = held + 1
        return True

    def give_back(self, address: str | None) -> None:
        """Count one less. Call it once for each :meth:`take` that was true, with the same address."""
        if not self.limit or address is None:
            return
        held = self._held.get(address, 0)
        if held > 1:
            self._held[address] = held - 1
        else:
            # Addresses come and go without end: keep no zeros.
            self._held.pop(address, None)

"""The peers: one folder each, with what it needs (pinned), its application, and ``peer.py``: how it is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
# Each module has PEERS, a list. In this order they run and stand in the tables.
_MODULES = ("ours", "stock", "channels4", "socketio", "gunicorn", "echo")

ALL_SCENARIOS = frozenset({"fanout", "burst", "echo", "http", "storm", "memory"})


@dataclass(frozen=True)
class Peer:
    """One deployment to measure.

    Commands, and the values of *variables*, may hold ``{bin}`` (programs of its environment), ``{environment}`` (its
    folder), ``{port}``, ``{redis}`` (port) and ``{root}`` (the checkout).
    """

    name: str
    title: str
    # Folder below var/bench that its packages are in. Peers may share one.
    environment: str
    interface: tuple[str, ...]
    worker: tuple[str, ...] = ()
    # pip, npm, cc: how the environment is built, from the files in *folder*.
    built_by: str = "pip"
    pip_options: tuple[str, ...] = ()
    # Where the requirements are, and where the processes run.
    folder: Path = FOLDER
    directory: Path = FOLDER
    variables: Mapping[str, str] = field(default_factory=dict)
    # What answers 200 once all of it runs.
    ready: str = "/"
    scenarios: frozenset[str] = ALL_SCENARIOS
    # Options of the load client: what it speaks, and its paths.
    dialect: Mapping[str, str] = field(default_factory=dict)
    # Packages whose versions belong in the report.
    packages: tuple[str, ...] = ()
    needs_redis: bool = True
    # Part of a comparison, or only a yardstick.
    yardstick: bool = False


def load() -> list[Peer]:
    """Return all peers."""
    return [peer for name in _MODULES for peer in import_module(f"bench.peers.{name}.peer").PEERS]

"""What is measured: each scenario is one run of the load client against one freshly started peer."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.deployment import Cores, Deployment, DeploymentError
from bench.load import ClientError, Load
from bench.peers import Peer

# What a round of measurement calls for each phase that is done: a text for the progress line.
Progress = Callable[[str], None]
MEMORY_WARM_UP = 200
_PATHS = {
    "echo": "path_echo",
    "storm": "path_echo",
    "fanout": "path_member",
    "burst": "path_member",
    "memory": "path_member",
}


@dataclass(frozen=True)
class Scenario:
    """A run of the client's *mode* with *options*.

    *rounds*: who has it in every round: ``all`` where a figure to reach compares rates, ``ours`` where it is about us
    alone, ``none`` where one round is enough.
    """

    name: str
    mode: str
    options: Mapping[str, Any] = field(default_factory=dict)
    quick: Mapping[str, Any] | None = None
    interfaces: int = 1
    rounds: str = "all"
    # Whether Redis commands are counted for each group message.
    commands: bool = False


def _fanout(members: int, windows: str, *, quick: str = "", **more: Any) -> Scenario:
    options = {"members": members, "windows": windows, **more.pop("options", {})}
    name = f"fanout-{members}" + ("-2" if more.get("interfaces") == 2 else "")
    return Scenario(name, "fanout", options, {"members": members, "windows": quick} if quick else None, **more)


# The windows are the same for all; the largest is left out where a slow peer would need a minute for it.
SCENARIOS = [
    _fanout(10, "1,8,32", rounds="none", commands=True, options={"messages": 300}),
    _fanout(100, "1,8,32", rounds="none"),
    _fanout(500, "1,8,32", quick="8", options={"half": 1}),
    _fanout(500, "1,8,32", rounds="none", interfaces=2),
    _fanout(1000, "1,8", rounds="none"),
    _fanout(5000, "1,8", rounds="none", commands=True, options={"messages": 300}),
    Scenario(
        "burst",
        "burst",
        {"members": 1000, "messages": 1000, "drain": 15},
        {"members": 200, "messages": 200, "drain": 5},
        rounds="ours",
    ),
    Scenario("echo", "echo", {"sizes": "1,50,200,1000", "half": 50}, {"sizes": "1,50,200"}),
    Scenario("http", "http", {"connections": 50}, {}),
    Scenario("storm", "storm", {"at_once": 100}, {}),
    Scenario("memory", "memory", {"connections": 2000}, rounds="none"),
]


def run(
    peer: Peer, scenario: Scenario, client: Path, where: Path, *, quick: bool, cores: Cores, say: Progress
) -> dict[str, Any]:
    """Run *scenario* once; returns its phases, or as far as they came with an ``error``."""
    options = dict(scenario.quick or {} if quick else scenario.options)
    options |= {"seconds": 0.6, "warmup": 0.2} if quick else {"seconds": 2, "warmup": 0.7}
    dialect = dict(peer.dialect)
    paths = {name: dialect.pop(f"path_{name}", f"/{name}") for name in ("echo", "member", "publish", "burst")}
    options |= dialect | {"publish_path": paths["publish"], "burst_path": paths["burst"]}
    options["path"] = paths.get(_PATHS.get(scenario.mode, "").removeprefix("path_"), "/")
    result: dict[str, Any] = {
        "peer": peer.name,
        "scenario": scenario.name,
        "interfaces": scenario.interfaces,
        "phases": [],
    }
    try:
        with Deployment(peer, where, interfaces=scenario.interfaces, cores=cores) as deployment:
            if scenario.mode == "memory":
                result["phases"].append(_memory(deployment, client, options, cores))
                say(f"{result['phases'][-1]['per_socket_kib']:.1f} KiB")
            else:
                _phases(deployment, scenario, client, options, cores, result, say)
            if not deployment.alive():
                result["error"] = "a process of the peer ended while it was measured"
    except (ClientError, DeploymentError) as error:
        result["error"] = str(error)
    return result


def _phases(
    deployment: Deployment, scenario: Scenario, client: Path, options: dict[str, Any], cores: Cores,
    result: dict[str, Any], say: Progress,
) -> None:  # fmt: skip
    with Load(client, scenario.mode, ports=deployment.ports, options=options, cores=cores.client) as load:
        for ready in load.ready():
            idle: dict[str, float] = {}
            if ready["ready"] == "fanout-counted":
                idle = _idle_commands(deployment)
            before, client_before = deployment.snapshot(), load.cpu_seconds()
            phase = load.go()
            client_used = load.cpu_seconds() - client_before
            seconds, shares, commands = deployment.since(before)
            machine = shares.pop("machine")
            phase["cpu"] = shares
            # What the machine did beside, in cores. Figures are worth what this is near to 0.
            phase["cpu_elsewhere"] = round(max(machine - sum(shares.values()) - client_used / seconds, 0), 3)
            if idle or ready["ready"] == "fanout-counted":
                _count_commands(phase, commands, idle, seconds)
            result["phases"].append(phase)
            # Not at the end: what a server says while all its sockets close at once was not measured.
            result["tracebacks"] = deployment.tracebacks()
            say(f"{phase['rate']:,.0f}/s")


def _idle_commands(deployment: Deployment, seconds: float = 3.2) -> dict[str, float]:
    """Return the commands a second that run with no message under way. Above the 3 s in which ours says it is there."""
    before = deployment.snapshot()
    time.sleep(seconds)
    took, _, commands = deployment.since(before)
    return {name: calls / took for name, calls in commands.items()}


def _count_commands(phase: dict[str, Any], commands: dict[str, int], idle: dict[str, float], seconds: float) -> None:
    published = max(phase["published"], 1)
    each = {name: (calls - idle.get(name, 0) * seconds) / published for name, calls in commands.items()}
    phase["commands"] = {name: round(calls, 2) for name, calls in each.items() if calls >= 0.005}
    phase["commands_per_message"] = round(sum(each.values()), 2)
    phase["idle_commands_per_second"] = round(sum(idle.values()), 1)


def _memory(deployment: Deployment, client: Path, options: dict[str, Any], cores: Cores) -> dict[str, Any]:
    """Resident memory of the interface with few and with many idle members of a group."""
    size = options["connections"]

    @contextlib.contextmanager
    def held(connections: int) -> Iterator[int]:
        wanted = options | {"connections": connections}
        with Load(client, "idle", ports=deployment.ports, options=wanted, cores=cores.client) as load:
            next(load.ready())
            yield _settled(deployment)

    # What the first connections make it load belongs to the process, not to a socket. They stay: a process keeps what
    # it had for those that are gone, and gives it to the next.
    with held(MEMORY_WARM_UP) as before, held(size) as after:
        each = (after - before) / size
    return {"phase": "memory", "size": size, "before_kib": before, "after_kib": after, "per_socket_kib": round(each, 2)}


def _settled(deployment: Deployment) -> int:
    time.sleep(1)
    return deployment.resident_kib()

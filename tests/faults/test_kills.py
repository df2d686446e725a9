"""SIGKILL under load: what dies takes down what it was doing, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.fault import Harm
from tests.faults.kills import InterfaceKilled, WorkerKilled
from tests.faults.load import Load
from tests.faults.site import Site

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def load(site: Site) -> Iterator[Load]:
    with Load(site, frames=400) as load:
        yield load
        load.finish()


@pytest.mark.parametrize(
    ("pool", "harm"), [("socket", Harm(frames=True)), ("web", Harm(http=True)), ("background", Harm())]
)
def test_a_killed_worker_takes_only_what_it_had_popped(load: Load, pool: str, harm: Harm) -> None:
    figures = load.strike(WorkerKilled(pool, harm), recovery=20)
    assert figures["codes"] == {}


def test_the_people_of_a_killed_interface_server_leave_and_the_others_notice_nothing(load: Load) -> None:
    figures = load.strike(InterfaceKilled(), recovery=20)
    assert "missed" not in figures["troubles"]
    assert "frame lost" not in figures["troubles"]

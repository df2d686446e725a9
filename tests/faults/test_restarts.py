"""Rolling restarts under load, in a short form. ``python -m tests.faults.reliability`` is the long one."""

from __future__ import annotations

import pytest

from tests.faults import rates
from tests.faults.load import Load
from tests.faults.restarts import InterfacesRestarted, WorkersRestarted
from tests.faults.site import Site
from tests.services import TIMEOUT_SCALE

pytestmark = pytest.mark.system


def test_rolling_restarts_of_the_workers_lose_no_frame_no_socket_and_no_request(site: Site) -> None:
    with Load(site, frames=500) as load:
        figures = load.strike(WorkersRestarted(restarts=6))
        book = load.finish()
    assert figures["frames"] > 1000
    # Not: little enough. None.
    assert figures["troubles"] == book["troubles"] == {}
    assert book["acknowledged"] == book["sent"] > 20


def test_a_rolling_restart_of_the_interface_servers_brings_every_socket_back_and_fails_no_request(site: Site) -> None:
    with Load(site, frames=200) as load:
        figures = load.strike(InterfacesRestarted(), recovery=20)
        book = load.finish()
    # Both servers had people, each of whom was told to go and when to come back.
    assert figures["codes"][1012] >= len(load.people)
    assert figures["advised"] == figures["codes"][1012]
    assert "http" not in book["troubles"]
    assert "missed" not in book["troubles"]


def test_a_worker_ends_at_once_when_idle_and_after_its_consumer_when_busy(site: Site) -> None:
    # The quickest: what the machine does beside it takes its time from all of them.
    assert min(rates.idle_stop(site, times=4)) < 0.5 * TIMEOUT_SCALE
    took, consumer = rates.busy_stop(site)
    assert 0.2 < took < consumer + 0.5 * TIMEOUT_SCALE


def test_a_rolling_restart_leaves_most_of_the_throughput(site: Site) -> None:
    before, during = rates.throughput(site, seconds=2)
    assert during >= 0.6 * before

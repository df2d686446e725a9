"""Redis, the network, the database and the disk go away, hang, are slow or full under load, and come back."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import outages
from tests.faults.fault import Fault
from tests.faults.load import Load
from tests.faults.site import Site

pytestmark = pytest.mark.system

# Seconds that each outage lasts here.
SHORT = 3.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("outages"), postgres=True) as site:
        yield site


@pytest.mark.parametrize(
    "fault",
    [
        outages.RedisStopped(SHORT),
        outages.RedisSilent(SHORT),
        outages.RedisSlow(SHORT),
        outages.RedisFull(SHORT),
        outages.DatabaseStopped(SHORT),
        outages.DatabaseHangs(SHORT),
        outages.DiskFull(SHORT),
    ],
    ids=lambda fault: fault.name,
)
def test_outage_costs_a_delay_and_nothing_else(site: Site, fault: Fault) -> None:
    with Load(site) as load:
        load.strike(fault)
        load.finish()

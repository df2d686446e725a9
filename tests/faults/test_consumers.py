"""Consumers that misbehave: each is named where an operator looks, and costs nobody else anything."""

from __future__ import annotations

import pytest

from tests.faults import consumers
from tests.faults.fault import Fault
from tests.faults.load import Load
from tests.faults.site import Site

pytestmark = pytest.mark.system


@pytest.mark.parametrize(
    "fault",
    [
        consumers.ConsumerHangs(1),
        consumers.ConsumerLeaks(),
        consumers.ConsumerFails("raises", "a consumer raises"),
        consumers.ConsumerFails("exits", "a consumer calls sys.exit"),
        consumers.ConsumerKills(),
    ],
    ids=lambda fault: fault.name,
)
def test_a_bad_consumer_is_named_and_harms_nobody_else(site: Site, fault: Fault) -> None:
    with Load(site) as load:
        load.strike(fault)
        load.finish()

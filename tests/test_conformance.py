"""Our in-memory layer against the conformance suite of ASGI 1, as the asgiref 1.1.2 package carries it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from channels_lts.compat.inmemory import ChannelLayer

CAPACITY = 5
EXPIRY = 0.2
TESTS = [
    "test_capacity",
    "test_capacity_group",
    "test_capacity_process",
    "test_exceptions",
    "test_flush",
    "test_flush_groups",
    "test_group_channels",
    "test_group_expiry",
    "test_groups",
    "test_groups_process",
    "test_message_alteration_after_send",
    "test_message_expiry",
    "test_new_channel_failures",
    "test_new_channel_single_reader",
    "test_send_recv",
    "test_single_process_receive",
    "test_single_process_receive_error",
    "test_strings",
]


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The module asgiref.conformance of asgiref 1.1.2; the asgiref that is installed stays where it is."""
    target = tmp_path_factory.mktemp("asgiref")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", target, "asgiref==1.1.2"],
        check=True,
    )
    return load("conformance_suite", target / "asgiref" / "conformance.py")


def load(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def case(suite: Any) -> Any:
    def run(name: str) -> None:
        class Case(suite.ConformanceTestCase):
            channel_layer = ChannelLayer(expiry=EXPIRY, group_expiry=1, capacity=CAPACITY)
            expiry_delay = EXPIRY * 1.5
            capacity_limit = CAPACITY

        test = Case(name)
        test.setUp()
        getattr(test, name)()

    return run


@pytest.mark.parametrize("name", TESTS)
def test_asgi_1_conformance(case, name):
    case(name)


def test_no_test_of_the_suite_is_left_out(suite):
    assert sorted(name for name in dir(suite.ConformanceTestCase) if name.startswith("test")) == TESTS

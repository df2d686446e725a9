"""One message as bytes."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_lts.layer import items

NAMES = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789-_.!?", max_size=199)


def header(version: int = 1, oldest: int = 1, kind: int = 0, name: bytes = b"", extra: bytes = b"") -> bytes:
    """An item's header as the format says, written independently of the code."""
    length = 14 + len(name) + len(extra)
    return bytes([0xC1, version, oldest, length, kind]) + struct.pack(">d", 2.0**31) + bytes([len(name)]) + name + extra


@given(st.sampled_from(items.Kind), NAMES, st.floats(allow_nan=False), st.binary(max_size=300))
def test_an_item_comes_back_as_it_was(kind, name, expires, body):
    assert items.decode(items.encode(kind, name, expires, body)) == (kind, name, expires, body)


def test_the_format_is_what_is_written_down():
    assert items.encode(items.GROUP, "room", 2.0**31, b"body") == header(kind=1, name=b"room") + b"body"


def test_a_longer_header_of_a_newer_version_is_passed_over():
    raw = header(version=2, oldest=1, name=b"x!y", extra=b"new field") + b"body"
    assert items.decode(raw) == (items.MESSAGE, "x!y", 2.0**31, b"body")


@pytest.mark.parametrize("raw", [header(version=2, oldest=2), header(kind=9)])
def test_what_only_newer_readers_understand_says_until_when_it_counts(raw):
    with pytest.raises(items.NewerItem) as raised:
        items.decode(raw)
    assert raised.value.expires == 2.0**31


@given(st.binary(max_size=40))
def test_other_bytes_are_refused(raw):
    with pytest.raises(items.UnreadableItem):
        items.decode(b"\x81" + raw)


@pytest.mark.parametrize("length", range(14 + 5))
def test_a_truncated_item_is_refused(length):
    with pytest.raises(items.UnreadableItem):
        items.decode(items.encode(items.GROUP, "room1", 1.0, b"")[:length])

"""What a server sends, on bytes: RFC 6455's examples, and what a consumer's reply becomes."""

from __future__ import annotations

from typing import Any

import pytest

from channels_lts.interface import frames


def test_examples_of_rfc_6455() -> None:
    assert frames.encode(frames.TEXT, b"Hello") == bytes.fromhex("810548656c6c6f")
    assert frames.encode(frames.PING, b"Hello") == bytes.fromhex("890548656c6c6f")
    assert frames.encode(frames.BINARY, bytes(256)) == bytes.fromhex("827e0100") + bytes(256)
    assert frames.encode(frames.BINARY, bytes(65536)) == bytes.fromhex("827f0000000000010000") + bytes(65536)


@pytest.mark.parametrize(
    ("size", "header"),
    [(0, "8200"), (125, "827d"), (126, "827e007e"), (65535, "827effff"), (65536, "827f0000000000010000")],
)
def test_length_is_written_in_its_shortest_form(size: int, header: str) -> None:
    assert frames.encode(frames.BINARY, bytes(size)) == bytes.fromhex(header) + bytes(size)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"text": "é"}, b"\x81\x02\xc3\xa9"),
        ({"bytes": b"\x00"}, b"\x82\x01\x00"),
        ({"bytes": bytearray(b"a")}, b"\x82\x01a"),
        ({"bytes": memoryview(b"a")}, b"\x82\x01a"),
        ({"text": "a", "bytes": None}, b"\x81\x01a"),
        ({"bytes": b"a", "text": None}, b"\x82\x01a"),
        ({"accept": True}, b""),
        ({"close": True, "reason": "enough"}, b""),
        ({}, b""),
    ],
)
def test_reply(message: dict[str, Any], expected: bytes) -> None:
    assert frames.encode_reply(message) == expected


def test_d30_empty_text_and_empty_bytes_are_frames() -> None:
    assert frames.encode_reply({"text": ""}) == b"\x81\x00"
    assert frames.encode_reply({"bytes": b""}) == b"\x82\x00"


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ({"txt": "a"}, "unknown keys txt in"),
        ({"text": "a", "b": 1, "a": 1}, "unknown keys a, b in"),
        ({"text": "a", 5: 1}, "unknown keys 5 in"),
        ({"text": "a", "bytes": b"a"}, "both text and bytes"),
        ({"text": "", "bytes": b""}, "both text and bytes"),
        ({"text": b"a"}, "must be str, not bytes"),
        ({"text": 5}, "must be str, not int"),
        ({"bytes": "a"}, "must be bytes, not str"),
        ({"bytes": 5}, "must be bytes, not int"),
        ({"text": "\ud800"}, "cannot be UTF-8"),
    ],
)
def test_faulty_reply_is_named(message: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        frames.encode_reply(message)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({}, None),
        ({"close": False}, None),
        ({"close": None}, None),
        ({"close": True}, (1000, "")),
        ({"close": 1000}, (1000, "")),
        ({"close": 1012}, (1012, "")),
        ({"close": 4001, "reason": "enough"}, (4001, "enough")),
        ({"close": True, "reason": "é" * 61}, (1000, "é" * 61)),
    ],
)
def test_close_of_a_reply(message: dict[str, Any], expected: Any) -> None:
    assert frames.close_of(message) == expected


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ({"close": 1}, "not 1"),
        ({"close": 999}, "not 999"),
        ({"close": 1005}, "not 1005"),
        ({"close": 1006}, "not 1006"),
        ({"close": 1015}, "not 1015"),
        ({"close": 5000}, "not 5000"),
        ({"close": "yes"}, "not 'yes'"),
        ({"reason": "enough"}, "reason without close"),
        ({"close": True, "reason": b"a"}, "must be str, not bytes"),
        ({"close": True, "reason": "é" * 62}, "at most 123 bytes"),
        ({"close": True, "reason": "\ud800"}, "cannot be UTF-8"),
    ],
)
def test_faulty_close_is_named(message: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        frames.close_of(message)


def test_close_frame_holds_code_and_reason() -> None:
    assert frames.encode_close(1000) == b"\x88\x02\x03\xe8"
    assert frames.encode_close(4001, "no") == b"\x88\x04\x0f\xa1no"
    assert frames.encode_close() == b"\x88\x00"


def test_long_reason_is_cut_between_characters() -> None:
    odd = frames.encode_close(1000, "a" + "é" * 100)
    assert odd[4:].decode() == "a" + "é" * 61
    even = frames.encode_close(1000, "é" * 100)
    assert even[4:].decode() == "é" * 61

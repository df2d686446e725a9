"""What a browser sends, on bytes: every rule of RFC 6455 and every limit, and another implementation's opinion."""

from __future__ import annotations

import struct
import time
import tracemalloc
from itertools import cycle
from operator import xor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels_lts.interface.decoder import Close, Decoder, Ping, Pong, Violation, unmask

LIMITS = {"max_frame_size": 1 << 20, "max_message_size": 1 << 20}


def frame(
    first: int, payload: bytes = b"", *, mask: bytes | None = b"\x37\xfa\x21\x3d", length_bytes: int | None = None
) -> bytes:
    """A frame by the book; *length_bytes* (0, 2, 8) picks a form of length that need not be the shortest."""
    size = len(payload)
    if length_bytes is None:
        length_bytes = 0 if size < 126 else 2 if size < 65536 else 8
    marker = {0: size, 2: 126, 8: 127}[length_bytes]
    header = bytes([first, marker | (0x80 if mask else 0)]) + (
        size.to_bytes(length_bytes, "big") if length_bytes else b""
    )
    if not mask:
        return header + payload
    return header + mask + bytes(map(xor, payload, cycle(mask)))


def decode(data: bytes, **limits: int) -> list[Any]:
    return Decoder(**{**LIMITS, **limits}).feed(data)


def byte_by_byte(data: bytes, **limits: int) -> list[Any]:
    decoder = Decoder(**{**LIMITS, **limits})
    return [event for i in range(len(data)) for event in decoder.feed(data[i : i + 1])]


def test_examples_of_rfc_6455() -> None:
    assert decode(bytes.fromhex("818537fa213d7f9f4d5158")) == ["Hello"]
    assert decode(bytes.fromhex("8a8537fa213d7f9f4d5158")) == [Pong(b"Hello")]
    assert decode(frame(0x01, b"Hel") + frame(0x80, b"lo")) == ["Hello"]
    assert decode(frame(0x89, b"Hello")) == [Ping(b"Hello")]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 125, 126, 127, 8191, 8192, 8193, 65535, 65536, 1 << 20])
def test_every_size_of_payload(size: int) -> None:
    payload = bytes(i % 251 for i in range(size))
    assert decode(frame(0x82, payload, mask=b"\x01\x80\xff\x7f")) == [payload]


def test_many_messages_in_one_read_keep_their_order() -> None:
    sent = [f"message {i}" for i in range(1000)]
    assert decode(b"".join(frame(0x81, text.encode()) for text in sent)) == sent


def test_control_frames_may_come_between_fragments() -> None:
    data = (
        frame(0x02, b"a") + frame(0x89, b"p") + frame(0x00, b"b") + frame(0x8A) + frame(0x80, b"c") + frame(0x81, b"d")
    )
    expected = [Ping(b"p"), Pong(b""), b"abc", "d"]
    assert decode(data) == expected
    assert byte_by_byte(data) == expected


def test_a_character_may_be_split_between_fragments() -> None:
    assert decode(frame(0x01, b"\xc3") + frame(0x80, b"\xa9")) == ["é"]


def test_empty_messages_count() -> None:
    assert decode(frame(0x81) + frame(0x82) + frame(0x01) + frame(0x80)) == ["", b"", ""]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (frame(0x81, b"a", mask=None), "frame without a mask"),
        (frame(0x82, b"", mask=None), "frame without a mask"),
        (frame(0xC1, b"a"), "reserved bit"),
        (frame(0xA1, b"a"), "reserved bit"),
        (frame(0x91, b"a"), "reserved bit"),
        (frame(0x83, b"a"), "unknown opcode 3"),
        (frame(0x87, b"a"), "unknown opcode 7"),
        (frame(0x8B, b"a"), "unknown opcode 11"),
        (frame(0x8F, b"a"), "unknown opcode 15"),
        (frame(0x09, b"a"), "fragmented control frame"),
        (frame(0x08, b""), "fragmented control frame"),
        (frame(0x89, bytes(126)), "control frame of more than 125 bytes"),
        (frame(0x88, struct.pack("!H", 1000) + bytes(124)), "control frame of more than 125 bytes"),
        (frame(0x80, b"a"), "continuation without a beginning"),
        (frame(0x00, b"a"), "continuation without a beginning"),
        (frame(0x01, b"a") + frame(0x81, b"b"), "new message inside a fragmented one"),
        (frame(0x01, b"a") + frame(0x02, b"b"), "new message inside a fragmented one"),
        (frame(0x81, b"a", length_bytes=2), "shortest form"),
        (frame(0x81, bytes(125), length_bytes=2), "shortest form"),
        (frame(0x81, bytes(65535), length_bytes=8), "shortest form"),
        (b"\x82\xff\x80" + bytes(7) + bytes(4), "highest bit"),
        (frame(0x88, b"\x03"), "close frame of one byte"),
        (frame(0x88, struct.pack("!H", 999)), "close code 999"),
        (frame(0x88, struct.pack("!H", 1004)), "close code 1004"),
        (frame(0x88, struct.pack("!H", 1005)), "close code 1005"),
        (frame(0x88, struct.pack("!H", 1006)), "close code 1006"),
        (frame(0x88, struct.pack("!H", 1015)), "close code 1015"),
        (frame(0x88, struct.pack("!H", 2999)), "close code 2999"),
        (frame(0x88, struct.pack("!H", 5000)), "close code 5000"),
    ],
)
def test_protocol_errors_are_1002(data: bytes, reason: str) -> None:
    for events in (decode(data), byte_by_byte(data)):
        assert len(events) == 1
        assert events[0].code == 1002
        assert reason in events[0].reason


@pytest.mark.parametrize("text", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"ok\x80"])
def test_text_that_is_not_utf8_is_1007(text: bytes) -> None:
    violation = Violation(1007, "text is not UTF-8")
    assert decode(frame(0x81, text)) == [violation]
    assert decode(frame(0x01, text[:1]) + frame(0x80, text[1:])) == [violation]


def test_close_reason_that_is_not_utf8_is_1007() -> None:
    assert decode(frame(0x88, b"\x03\xe8\xff")) == [Violation(1007, "close reason is not UTF-8")]


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 1012, 1014, 3000, 4999])
def test_close_codes_that_may_be_sent(code: int) -> None:
    assert decode(frame(0x88, struct.pack("!H", code) + "fin é".encode())) == [Close(code, "fin é")]


def test_empty_close_has_no_status() -> None:
    assert decode(frame(0x88)) == [Close(1005, "")]


def test_nothing_counts_after_close_or_violation() -> None:
    for last in (frame(0x88), frame(0x83)):
        decoder = Decoder(**LIMITS)
        events = decoder.feed(frame(0x81, b"before") + last + frame(0x81, b"after"))
        assert events[0] == "before"
        assert len(events) == 2
        assert decoder.feed(frame(0x81, b"later")) == []


def test_frame_over_the_limit_is_refused_by_its_header() -> None:
    limit = 1000
    assert decode(frame(0x82, bytes(limit)), max_frame_size=limit) == [bytes(limit)]
    header = frame(0x82, bytes(limit + 1))[:4]
    assert decode(header, max_frame_size=limit) == [Violation(1009, "frame of more than 1000 bytes")]
    huge = b"\x82\xff" + struct.pack("!Q", 1 << 40)
    assert decode(huge)[0].code == 1009


def test_message_over_the_limit_is_refused_by_the_header_of_the_fragment_too_many() -> None:
    begin = frame(0x02, bytes(600)) + frame(0x00, bytes(400))
    assert decode(begin + frame(0x80), max_message_size=1000) == [bytes(1000)]
    header = frame(0x80, bytes(300))[:4]
    assert decode(begin + header, max_message_size=1000) == [Violation(1009, "message of more than 1000 bytes")]
    # A control frame is no part of the message.
    assert decode(begin + frame(0x89, b"p"), max_message_size=1000) == [Ping(b"p")]


def test_message_limit_holds_for_a_single_frame() -> None:
    assert decode(frame(0x82, bytes(1001))[:4], max_message_size=1000)[0].code == 1009


def test_small_pieces_cost_linear_time() -> None:
    """A frame of 4 MiB in pieces of 16 bytes: 20 s where each of them copies all that came before."""
    size = 4 << 20
    data = frame(0x82, bytes(size))
    decoder = Decoder(max_frame_size=size, max_message_size=size)
    began = time.process_time()
    events = [event for i in range(0, len(data), 16) for event in decoder.feed(data[i : i + 16])]
    assert events == [bytes(size)]
    assert time.process_time() - began < 5


def test_endless_empty_fragments_take_no_memory() -> None:
    decoder = Decoder(**LIMITS)
    decoder.feed(frame(0x01, b"a"))
    fragments = frame(0x00) * 10_000
    tracemalloc.start()
    decoder.feed(fragments)
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert grown < 5_000
    assert decoder.feed(frame(0x80, b"b")) == ["ab"]


@settings(deadline=None)
@given(st.binary(max_size=9000), st.binary(min_size=4, max_size=4))
def test_unmask_is_xor_with_the_repeated_mask(payload: bytes, mask: bytes) -> None:
    assert unmask(payload, mask) == bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


messages = st.lists(
    st.one_of(st.text(max_size=300), st.binary(max_size=300), st.binary(min_size=65_530, max_size=65_540)), max_size=8
)


@settings(deadline=None)
@given(messages, st.data())
def test_any_messages_in_any_fragments_and_pieces_arrive_whole(sent: list[str | bytes], data: st.DataObject) -> None:
    stream = bytearray()
    for message in sent:
        payload = message.encode() if isinstance(message, str) else message
        opcode = 1 if isinstance(message, str) else 2
        cuts = sorted(data.draw(st.lists(st.integers(0, len(payload)), max_size=3)))
        parts = [payload[a:b] for a, b in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
        for index, part in enumerate(parts):
            final = 0x80 if index == len(parts) - 1 else 0
            stream += frame(
                final | (opcode if index == 0 else 0), part, mask=data.draw(st.binary(min_size=4, max_size=4)) or None
            )
    assert in_pieces(Decoder(**LIMITS), bytes(stream), data) == sent


def in_pieces(decoder: Decoder, stream: bytes, data: st.DataObject) -> list[Any]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    return [
        event
        for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for event in decoder.feed(stream[a:b])
    ]  # fmt: skip


class Autobahn:
    """The same bytes through autobahn's protocol: what it says of them."""

    def __init__(self) -> None:
        from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
        from twisted.internet.testing import StringTransportWithDisconnection

        events = self.events = []

        class Protocol(WebSocketServerProtocol):
            def onMessage(self, payload: bytes, isBinary: bool) -> None:
                events.append(payload if isBinary else payload.decode())

            def onPing(self, payload: bytes) -> None:
                events.append(Ping(payload))

            def onPong(self, payload: bytes) -> None:
                events.append(Pong(payload))

            def onCloseFrame(self, code: int | None, reasonRaw: bytes | None) -> Any:
                before = len(events)
                result = super().onCloseFrame(code, reasonRaw)
                if len(events) == before:
                    events.append(Close(1005 if code is None else code, (reasonRaw or b"").decode()))
                return result

            def unregisterProducer(self) -> None:
                """The transport of this test has none."""

            def _fail_connection(self, code: int = 1001, reason: str = "") -> None:
                events.append(Violation(code, reason))
                self.state = self.STATE_CLOSED

        factory = WebSocketServerFactory()
        factory.setProtocolOptions(openHandshakeTimeout=0, closeHandshakeTimeout=0)
        factory.protocol = Protocol
        protocol = self.protocol = factory.buildProtocol(None)
        transport = StringTransportWithDisconnection()
        transport.protocol = protocol
        protocol.makeConnection(transport)
        lines = [
            b"GET / HTTP/1.1",
            b"Host: a",
            b"Upgrade: websocket",
            b"Connection: Upgrade",
            b"Sec-WebSocket-Version: 13",
        ]
        protocol.dataReceived(b"\r\n".join([*lines, b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"", b""]))

    def feed(self, data: bytes) -> None:
        self.protocol.dataReceived(data)


texts = st.one_of(st.text(max_size=40), st.text("a", min_size=120, max_size=130)).map(str.encode)
# Fragments hold whole characters: autobahn looks at each fragment's text, we look at the whole message's.
fragments = st.tuples(st.sampled_from([0x01, 0x02, 0x00, 0x80]), texts)
others = st.tuples(
    st.sampled_from([0x81, 0x82, 0x89, 0x8A, 0x88, 0x83, 0xC1, 0x09, 0x8B]),
    st.one_of(texts, st.binary(max_size=5), st.sampled_from([b"\x03\xe8bye", b"\x0f\xa0"])),
)
frames_of_all_kinds = st.tuples(st.one_of(fragments, others), st.sampled_from([None, None, None, 2]))


@settings(deadline=None)
@given(st.lists(frames_of_all_kinds, max_size=8), st.data())
def test_autobahn_agrees(sequence: list[tuple[tuple[int, bytes], int | None]], data: st.DataObject) -> None:
    """Both see the same messages, and an error of the same code at the same frame."""
    stream = b"".join(frame(first, payload, length_bytes=form) for (first, payload), form in sequence)
    reference = Autobahn()
    reference.feed(stream)
    ours = in_pieces(Decoder(**LIMITS), stream, data)
    assert [what(event) for event in ours] == [what(event) for event in reference.events]


def what(event: Any) -> Any:
    """An event without the words of a violation."""
    return ("violation", event.code) if isinstance(event, Violation) else event

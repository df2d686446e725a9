"""What a visitor asks of a site that is harmed, and what becomes of it."""

from __future__ import annotations

import json

from tests.visitor import Response, Socket, Visitor


def say(visitor: Visitor, text: str) -> Response:
    """Post a message by HTTP."""
    body = json.dumps({"body": text}).encode()
    headers = {"Content-Type": "application/json", "X-CSRFToken": visitor.cookies["csrftoken"], "Origin": visitor.url}
    return visitor.request("POST", "/rooms/lobby/messages/", body, headers)


def error_frame(socket: Socket) -> dict[str, object]:
    """Return the next error on whichever stream."""
    while True:
        payload = socket.receive()["payload"]
        if payload["type"] == "error":
            return payload


def refusal(visitor: Visitor, path: str) -> int:
    """Return the status by which a handshake is refused; 0 where it is not."""
    import websocket

    try:
        with visitor.connect(path):
            return 0
    except websocket.WebSocketBadStatusException as error:
        return error.status_code


def close_code(socket: Socket) -> int:
    """Read until the server closes; returns the code."""
    import websocket

    while True:
        # Not recv(), which answers the closing frame, and may find nobody there any more.
        frame = socket.raw.recv_frame()
        if frame.opcode == websocket.ABNF.OPCODE_CLOSE:
            return int.from_bytes(frame.data[:2], "big")

"""Rates and uploads in pieces, as they are shipped: real interface servers, workers and Redis."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from chat import limits
from tests.images import png

pytestmark = pytest.mark.system


def test_a_flood_is_slowed_down_and_its_socket_stays(stack):
    flood = int(limits.RATES["send"]["connection"].burst) + 40
    ann = stack.visitor().be_guest("ann")
    with ann.connect("/ws/") as socket:
        socket.receive_stream("system", "welcome")
        for number in range(flood):
            socket.send_stream("chat", type="send", room="lobby", body=str(number), id=f"m{number}")
        answers = {}
        while len(answers) < flood:
            payload = socket.receive()["payload"]
            if payload["type"] in ("ack", "error"):
                answers[payload["id"]] = payload
        refused = [payload for payload in answers.values() if payload["type"] == "error"]
        assert 0 < len(refused) <= 40
        assert {payload["code"] for payload in refused} == {"too_fast"}
        assert all(0 < payload["retry_after_ms"] <= 1000 for payload in refused)
        # A message that was stored is acknowledged again at once, and the socket goes on.
        stored = next(payload["id"] for payload in answers.values() if payload["type"] == "ack")
        for _ in range(5):
            socket.send_stream("chat", type="send", room="lobby", body="again", id=stored)
            while (payload := socket.receive()["payload"])["type"] not in ("ack", "error"):
                pass
            assert (payload["type"], payload["dup"]) == ("ack", True)
    said = json.loads(stack.manage("channelstatus", "--json", check=False))
    assert said["throttled"]["send"] >= len(refused)


def test_pieces_go_to_whichever_worker_and_become_one_picture(stack):
    ann = stack.visitor().be_guest("ann")
    image = png(800, 600) + bytes(2 * limits.UPLOAD_CHUNK)

    def send(method, path, body, **headers):
        headers = {"X-CSRFToken": ann.cookies["csrftoken"], "Origin": ann.url, **headers}
        return ann.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})

    def send_json(method, path, **content):
        return send(method, path, json.dumps(content).encode(), Content_Type="application/json")

    begun = send_json("POST", "/rooms/lobby/uploads/", size=len(image), id="picture")
    assert begun.status == 201, begun.text
    url = f"/rooms/lobby/uploads/{begun.json()['upload']}/"

    def piece(at):
        body = image[at : at + limits.UPLOAD_CHUNK]
        return send("PATCH", url, body, Content_Type="application/octet-stream", Upload_Offset=str(at))

    with ThreadPoolExecutor(4) as pool:
        # The same piece by four connections at once: one is taken.
        statuses = sorted(response.status for response in pool.map(piece, [0] * 4))
        assert statuses == [200, 409, 409, 409]
    assert piece(5).json()["offset"] == limits.UPLOAD_CHUNK
    assert send_json("POST", url).status == 409
    for at in range(limits.UPLOAD_CHUNK, len(image), limits.UPLOAD_CHUNK):
        assert piece(at).json()["offset"] == min(at + limits.UPLOAD_CHUNK, len(image))
    with ThreadPoolExecutor(3) as pool:
        finished = list(pool.map(lambda _: send_json("POST", url, body="Beds", id="picture"), range(3)))
    assert sorted(response.status for response in finished) == [200, 200, 201]
    assert len({response.json()["message"]["seq"] for response in finished}) == 1
    picture = ann.get(finished[0].json()["message"]["image"]["url"])
    # Without what stood behind its end.
    assert picture.body == png(800, 600)

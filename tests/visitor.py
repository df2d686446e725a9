"""Somebody who comes with cookies but without a browser: plain HTTP and WebSocket, every header under control."""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.services import TIMEOUT_SCALE


@dataclass(frozen=True)
class Response:
    status: int
    headers: http.client.HTTPMessage
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)

    def all(self, name: str) -> list[str]:
        """Return every value of header *name*, in order."""
        return self.headers.get_all(name) or []


class Visitor:
    """Keeps cookies between requests. *url* is scheme, host and port."""

    def __init__(self, url: str, *, timeout: float = 30, context: ssl.SSLContext | None = None) -> None:
        self.url = url
        self.cookies: dict[str, str] = {}
        self._parts = urlsplit(url)
        self._timeout = timeout * TIMEOUT_SCALE
        self._context = context

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def get(self, path: str, **headers: str) -> Response:
        return self.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, **fields: str) -> Response:
        """Post a form as the page would: with the CSRF token, and the Origin of the site."""
        return self.request("POST", path, urlencode(fields).encode(), self._form_headers())

    def upload(self, path: str, name: str, content: bytes, content_type: str = "image/png") -> Response:
        """Post one file in the field *name*."""
        boundary = "----a-boundary-that-no-image-holds"
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="file"\r\n'
        body = f"{head}Content-Type: {content_type}\r\n\r\n".encode() + content + f"\r\n--{boundary}--\r\n".encode()
        headers = {**self._form_headers(), "Content-Type": f"multipart/form-data; boundary={boundary}"}
        return self.request("POST", path, body, headers)

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Response:
        """Send one request on a connection of its own. Redirects are not followed."""
        connection = self._connection()
        try:
            connection.request(
                method, path, body, {**({"Cookie": self.cookie} if self.cookies else {}), **(headers or {})}
            )
            answer = connection.getresponse()
            response = Response(answer.status, answer.headers, answer.read())
        finally:
            connection.close()
        for line in response.all("Set-Cookie"):
            self.cookies.update({name: morsel.value for name, morsel in SimpleCookie(line).items()})
        return response

    def be_guest(self, name: str) -> Visitor:
        """Choose a guest name, as the form on the page does."""
        self.get("/guest/")
        response = self.post("/guest/", name=name, next="/")
        assert response.status == 302, (response.status, response.text[:500])
        return self

    def sign_in(self, username: str, password: str) -> Visitor:
        self.get("/accounts/login/")
        response = self.post("/accounts/login/", username=username, password=password, next="/")
        assert response.status == 302, (response.status, response.text[:500])
        return self

    def connect(self, path: str, *, origin: str | None = None, timeout: float = 15, **headers: str) -> Socket:
        """Open a WebSocket; *origin* is the site's own unless given. A refusal raises what websocket-client raises."""
        return Socket(self, path, origin or self.url, timeout * TIMEOUT_SCALE, headers, self._context)

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=self._timeout, context=self._context)
        return http.client.HTTPConnection(host, port, timeout=self._timeout)

    def _form_headers(self) -> dict[str, str]:
        return {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-CSRFToken": self.cookies.get("csrftoken", ""),
            "Origin": self.url,
            "Referer": f"{self.url}/",
        }


class Socket:
    """A WebSocket that speaks JSON, and text and bytes as they come. Use it in a ``with`` block."""

    def __init__(
        self,
        visitor: Visitor,
        path: str,
        origin: str,
        timeout: float,
        headers: dict[str, str],
        context: ssl.SSLContext | None,
    ) -> None:
        # Only the LTS set's tools hold it, and the plain set's tests pass by here too.
        import websocket

        url = visitor.url.replace("http", "ws", 1) + path
        self.raw = websocket.create_connection(
            url,
            timeout=timeout,
            origin=origin,
            cookie=visitor.cookie or None,
            header={name.replace("_", "-"): value for name, value in headers.items()},
            sslopt={"context": context} if context else {},
        )

    def __enter__(self) -> Socket:
        return self

    def __exit__(self, *exception: object) -> None:
        self.raw.close()

    def send(self, message: Any) -> None:
        self.raw.send(json.dumps(message))

    def receive(self) -> Any:
        return json.loads(self.raw.recv())

    def send_stream(self, stream: str, **payload: Any) -> None:
        self.send({"stream": stream, "payload": payload})

    def receive_stream(self, stream: str, type: str) -> dict[str, Any]:
        """Return the next payload of this *type* on *stream*; what comes before it is dropped."""
        while True:
            frame = self.receive()
            if frame["stream"] == stream and frame["payload"]["type"] == type:
                return frame["payload"]

    def receive_with(self, key: str) -> Any:
        """Return the next JSON frame that holds *key*; what comes before it is dropped."""
        while True:
            frame = self.receive()
            if key in frame:
                return frame

from __future__ import annotations

import json

from channels.test import Client
from django.test import override_settings

from tests.chat.base import ChatTestCase

LOCAL = ["127.0.0.1", 5000]
ELSEWHERE = ["192.0.2.7", 5000]


class MetricsTests(ChatTestCase):
    def ask(self, client=LOCAL, method="GET", **headers):
        content = {
            "path": "/metrics", "method": method, "query_string": b"", "client": client,
            "headers": [(name.replace("_", "-").encode(), value) for name, value in headers.items()],
        }  # fmt: skip
        asking = Client()
        asking.send_and_consume("http.request", content)
        return asking.get_next_message(asking.reply_channel)

    def refused(self, **request):
        response = self.ask(**request)
        assert response["status"] == 404
        assert json.loads(response["content"])["error"]["code"] == "not_found"

    def test_this_machine_is_answered(self):
        for client in (LOCAL, ["::1", 5000]):
            response = self.ask(client)
            assert response["status"] == 200
            # The tests' layer is in memory.
            assert response["content"].splitlines()[-1] == b"channels_up 0.0"
            assert dict(response["headers"])[b"Content-Type"].startswith(b"text/plain; version=0.0.4")

    def test_nobody_else_is(self):
        for client in (ELSEWHERE, None, [""], ["localhost", 1]):
            self.refused(client=client)
        for name in ("x_forwarded_for", "forwarded", "via", "x_forwarded_host"):
            self.refused(**{name: b"127.0.0.1"})

    @override_settings(METRICS_TOKEN="s3cret")
    def test_with_a_token_who_shows_it_is_answered_and_nobody_else(self):
        assert self.ask(ELSEWHERE, authorization=b"Bearer s3cret")["status"] == 200
        for shown in (b"Bearer s3cre", b"Basic s3cret", b"s3cret", b"", b"Bearer \xff"):
            self.refused(client=LOCAL, authorization=shown)
        self.refused(client=LOCAL)

    def test_only_get(self):
        assert self.ask(method="POST")["status"] == 405

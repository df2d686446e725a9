from __future__ import annotations

import json
import threading
import time
from unittest import mock

from channels.test import Client
from django.contrib.sessions.models import Session
from django.db import OperationalError

from channels_lts import heartbeat
from chat import health
from tests.chat.base import ChatTestCase


class HealthTests(ChatTestCase):
    def ask(self, method="GET"):
        client = Client()
        client.send_and_consume("http.request", {"path": "/healthz", "method": method, "query_string": b""})
        response = client.get_next_message(client.reply_channel)
        return response["status"], json.loads(response["content"])

    def test_everything_well_is_200(self):
        status, report = self.ask()
        assert status == 200
        assert report["status"] == report["database"]["status"] == report["layer"]["status"] == "ok"
        # The in-memory layer keeps no records of workers.
        assert report["workers"] == {"status": "unknown"}
        assert self.ask("HEAD")[0] == 200

    def test_it_needs_no_session(self):
        self.ask()
        assert not Session.objects.exists()

    def test_database_that_is_down_is_503_without_secrets(self):
        error = OperationalError('connection to "db.internal" failed: password "hunter2"')
        with (
            mock.patch("django.db.backends.base.base.BaseDatabaseWrapper.cursor", side_effect=error),
            self.assertLogs("chat.health", "WARNING"),
        ):
            status, report = self.ask()
        assert (status, report["status"]) == (503, "down")
        assert report["database"] == {"status": "down", "reason": "OperationalError"}
        assert report["layer"]["status"] == "ok"

    def test_layer_that_fails_or_loses_messages_is_503(self):
        layer = type(Client().channel_layer.channel_layer)
        with (
            mock.patch.object(layer, "new_channel", side_effect=ConnectionError("redis://:hunter2@db")),
            self.assertLogs("chat.health", "WARNING"),
        ):
            status, report = self.ask()
        assert (status, report["layer"]) == (503, {"status": "down", "reason": "ConnectionError"})
        with mock.patch.object(layer, "receive", return_value=(None, None)):
            assert health.examine(Client().channel_layer)["layer"]["reason"] == "a message did not come back"

    def test_channels_without_a_worker_are_named(self):
        record = heartbeat.WorkerRecord("host", 1, ("http.request",), 0.0)
        with mock.patch("channels_lts.heartbeat.workers", return_value=[record]):
            status, report = self.ask()
        assert (status, report["workers"]["status"]) == (503, "down")
        assert "thumbnail" in report["workers"]["reason"]
        assert "http.request" not in report["workers"]["reason"]

    def test_workers_for_everything_are_counted(self):
        channels = tuple(Client().channel_layer.router.channels)
        records = [heartbeat.WorkerRecord("host", pid, channels, 0.0) for pid in (1, 2)]
        with mock.patch("channels_lts.heartbeat.workers", return_value=records):
            status, report = self.ask()
        assert (status, report["workers"]) == (200, {"status": "ok", "count": 2})

    def test_part_that_hangs_is_down_in_bounded_time_and_hangs_only_once(self):
        release = threading.Event()
        started = []

        def hang(layer):
            started.append(1)
            release.wait(20)
            return {"status": "ok"}

        checks = {**health.CHECKS, "database": hang}
        self.addCleanup(release.set)
        with (
            mock.patch.object(health, "CHECKS", checks),
            mock.patch.object(health, "TIME_LIMIT", 0.2),
            self.assertLogs("chat.health", "WARNING"),
        ):
            began = time.monotonic()
            for _ in range(3):
                status, report = self.ask()
                assert (status, report["database"]["status"]) == (503, "down")
                assert "0.2" in report["database"]["reason"]
            assert time.monotonic() - began < 2
            assert len(started) == 1
            release.set()
            health._Examination._stuck["database"].join()
            assert self.ask()[1]["database"] == {"status": "ok"}

    def test_only_get_is_possible(self):
        status, report = self.ask("POST")
        assert (status, report["error"]["code"]) == (405, "bad_method")

"""An upload from the form to the thumbnail, and every way in which it can fail."""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import threading
from pathlib import Path
from unittest import mock

import pytest
from channels import Channel, channel_layers, route
from channels.handler import ViewConsumer
from channels.message import pending_message_store
from channels.test import WSClient, apply_routes
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from PIL import Image

from channels_lts.exceptions import LayerUnavailable, StreamError
from chat import changes, images, jobs, limits, messages
from chat.models import Message
from tests.chat.base import ChatTestCase, image_bytes, who


def noise(format: str = "PNG") -> bytes:
    output = io.BytesIO()
    Image.effect_noise((300, 300), 80).convert("RGB").save(output, format)
    return output.getvalue()


class UploadTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann = self.user("ann")
        self.tea = self.room("茶")
        self.uploader, self.reader = self.page(self.ann), self.page(guest="gil")
        self.reader.join(self.tea)
        self.uploader.received()
        self.client = self.browser(self.ann)
        self.worker = WSClient()

    def upload(self, data: bytes | None = None, status: int = 201, **fields) -> dict:
        file = SimpleUploadedFile("holiday in Rome.svg", image_bytes() if data is None else data, "text/html")
        response = self.client.post("/rooms/茶/images/", {"image": file, **fields})
        assert response.status_code == status, response.content
        return response.json()

    def work(self) -> None:
        """Do the next job, as a worker does."""
        self.worker.consume("thumbnail")

    def files(self) -> list[str]:
        return [os.path.relpath(path, self.media) for path in Path(self.media).rglob("*") if path.is_file()]

    def nothing_is_stored(self) -> bool:
        self.tea.refresh_from_db()
        no_job = self.get_next_message("thumbnail") is None
        return no_job and not Message.objects.exists() and self.files() == [] and self.tea.last_seq == 0

    def test_image_is_posted_at_once_and_its_thumbnail_follows(self):
        answer = self.upload(image_bytes("PNG", (1000, 500)), body=" look ", id="m1")
        message = answer["message"]
        assert (message["seq"], message["id"], message["body"]) == (1, "m1", "look")
        image = message["image"]
        assert (image["width"], image["height"], image["thumbnail"]) == (1000, 500, None)
        assert self.uploader.heard("jobs") == [{"type": "queued", "job": answer["job"], "room": "茶", "seq": 1}]
        assert self.reader.heard("chat") == [{"type": "message", **message}]
        self.work()
        (told,) = self.reader.heard("chat")
        thumbnail = told["message"]["image"]["thumbnail"]
        assert told == {
            "type": "changed",
            "room": "茶",
            "revision": 1,
            "message": {**message, "revision": 1, "image": {**image, "thumbnail": thumbnail}},
        }
        done = {"type": "done", "job": answer["job"], "room": "茶", "seq": 1, "thumbnail": thumbnail}
        assert self.uploader.heard("jobs") == [done]
        # The reader's own jobs are nobody else's.
        assert self.reader.heard("jobs") == []
        served = b"".join(self.client.get(thumbnail).streaming_content)
        assert Image.open(io.BytesIO(served)).size == (480, 240)

    def test_names_of_files_tell_nothing_and_cannot_be_guessed(self):
        self.upload()
        self.upload()
        first, second = self.files()
        for name in (first, second):
            assert name.startswith("images/")
            assert name.endswith(".png")
            assert "Rome" not in name
            assert len(Path(name).stem) >= 32
        assert first != second

    def test_image_needs_no_text_and_takes_no_more_than_a_message(self):
        assert self.upload()["message"]["body"] == ""
        assert self.upload(body="x" * 4001, status=413)["error"]["code"] == "too_large"

    def test_guest_uploads_too(self):
        gil = self.browser(guest="Gil")
        response = gil.post("/rooms/茶/images/", {"image": SimpleUploadedFile("x", image_bytes())})
        assert response.status_code == 201
        assert response.json()["message"]["author"]["guest"] is True

    def test_broken_upload_is_refused_told_and_not_stored(self):
        for data, status, code in (
            (b"not an image at all", 415, "unsupported"),
            (b"<svg/>", 415, "unsupported"),
            (b"\x89PNG\r\n\x1a\n broken header", 400, "bad_field"),
            (b"\xff\xd8\xff\xe0\xff\xff", 400, "bad_field"),
            (b"x" * (limits.IMAGE_BYTES + 1), 413, "too_large"),
        ):
            with self.subTest(data[:12]):
                answer = self.upload(data, status)
                assert answer["error"]["code"] == code
                assert self.uploader.heard("jobs") == [
                    {"type": "failed", "job": answer["job"], "room": "茶", **answer["error"]}
                ]
                assert self.nothing_is_stored()
                assert self.reader.heard("chat") == []

    def test_form_without_a_file_is_refused(self):
        for fields in ({}, {"image": "text"}, {"body": "x"}):
            response = self.client.post("/rooms/茶/images/", fields)
            assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_field")
        response = self.client.post("/rooms/茶/images/", b"{}", content_type="application/json")
        assert response.status_code == 400
        response = self.client.post(
            "/rooms/茶/images/", b"--x\r\nrubbish", content_type="multipart/form-data; boundary=x"
        )
        assert response.status_code == 400
        assert self.nothing_is_stored()

    def test_bad_ids_are_refused(self):
        for uid, status in (("", 400), ("a\nb", 400), ("x" * 65, 413)):
            self.upload(id=uid, status=status)
        assert self.nothing_is_stored()

    def test_empty_file_is_refused(self):
        assert self.upload(b"", 415)["error"]["code"] == "unsupported"

    def test_resend_is_stored_once(self):
        first = self.upload(id="m1")
        again = self.upload(id="m1", status=200)
        assert again["message"] == first["message"]
        assert len(self.files()) == 1
        self.work()
        assert self.get_next_message("thumbnail") is None

    def test_full_channel_is_503_and_nothing_is_stored(self):
        layer = channel_layers["default"]
        with contextlib.suppress(layer.ChannelFull):
            for _ in range(100_000):
                Channel("thumbnail").send({"job": "x"})
        answer = self.upload(status=503)
        assert answer["error"]["code"] == "unavailable"
        assert [payload["type"] for payload in self.uploader.heard("jobs")] == ["failed"]
        while self.get_next_message("thumbnail") is not None:
            pass
        assert self.nothing_is_stored()
        assert self.reader.heard("chat") == []

    def test_channel_layer_away_is_503_and_nothing_is_stored(self):
        layer = channel_layers["default"].channel_layer
        with mock.patch.object(layer, "send", side_effect=LayerUnavailable("out of memory")):
            answer = self.upload(status=503)
        assert answer["error"]["code"] == "unavailable"
        assert self.nothing_is_stored()

    def test_full_disk_is_503_and_no_part_of_the_file_stays(self):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        # What is written beyond it fails, after as much was written as fits: as on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
        try:
            answer = self.upload(noise(), status=503)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert answer["error"]["code"] == "unavailable"
        assert [payload["type"] for payload in self.uploader.heard("jobs")] == ["failed"]
        assert self.nothing_is_stored()

    def test_an_upload_of_any_size_needs_no_temporary_file(self):
        picture = image_bytes() + bytes(limits.IMAGE_BYTES - 1000)
        with mock.patch("django.core.files.temp.NamedTemporaryFile", side_effect=OSError("no space left on device")):
            self.upload(picture)

    def test_file_goes_when_the_transaction_fails(self):
        with (
            mock.patch("chat.messages.tell", side_effect=RuntimeError("the database is away")),
            pytest.raises(RuntimeError),
        ):
            self.upload()
        assert self.files() == []
        assert not Message.objects.exists()

    def test_job_of_a_message_that_was_rolled_back_is_dropped(self):
        picture = images.accept(io.BytesIO(image_bytes()), 1)
        with transaction.atomic():
            jobs.post_image(self.tea, who(self.ann), picture, "", None, "job")
            transaction.set_rollback(True)
        self.work()
        assert self.uploader.heard("jobs") == self.reader.heard("chat") == []

    def test_image_broken_within_leaves_a_tombstone_and_no_file(self):
        answer = self.upload(noise()[:9000], body="look")
        self.reader.received(), self.uploader.received()
        self.work()
        (told,) = self.reader.heard("chat")
        assert (told["type"], told["revision"], told["message"]["removed"]) == ("changed", 1, True)
        (failed,) = self.uploader.heard("jobs")
        assert (failed["type"], failed["job"], failed["room"], failed["code"]) == (
            "failed", answer["job"], "茶", "bad_field",
        )  # fmt: skip
        assert failed["reason"]
        assert self.files() == []
        (shown,), _ = messages.before(self.tea, None)
        assert (shown["seq"], shown["removed"], shown["image"], shown["body"]) == (1, True, None, "")
        # Numbers go on behind the tombstone.
        assert self.upload()["message"]["seq"] == 2

    def test_failure_of_ours_is_told_and_logged_and_the_image_stays(self):
        answer = self.upload()
        self.uploader.received()
        with (
            mock.patch("chat.storage.save", side_effect=OSError("the disk is full")),
            pytest.raises(OSError, match="full"),
        ):
            self.work()
        (failed,) = self.uploader.heard("jobs")
        assert (failed["type"], failed["job"], failed["code"]) == ("failed", answer["job"], "internal")
        assert "disk" not in failed["reason"]
        assert len(self.files()) == 1
        assert not Message.objects.get().removed

    def test_job_done_twice_makes_one_thumbnail(self):
        self.upload()
        job = self.get_next_message("thumbnail").content
        for _ in range(2):
            Channel("thumbnail").send(job)
            self.work()
        assert len(self.files()) == 2
        assert [payload["type"] for payload in self.uploader.heard("jobs")] == ["queued", "done", "done"]

    def test_message_removed_before_the_worker_comes_is_left_alone(self):
        self.upload()
        changes.remove(Message.objects.get())
        self.uploader.received(), self.reader.received()
        self.work()
        assert self.uploader.heard("jobs") == self.reader.heard("chat") == self.files() == []

    def test_message_removed_while_the_worker_works_keeps_no_file(self):
        self.upload()
        original = images.thumbnail

        def meanwhile(data):
            changes.remove(Message.objects.get())
            return original(data)

        self.reader.received()
        with mock.patch("chat.images.thumbnail", meanwhile):
            self.work()
        assert self.files() == []
        assert [payload["type"] for payload in self.reader.heard("chat")] == ["changed"]
        assert Message.objects.get().thumbnail == ""

    def test_message_overtakes_its_thumbnail_even_within_a_consumer(self):
        """The upload runs in a consumer, whose other messages wait for its end: this one must not."""
        picture = images.accept(io.BytesIO(image_bytes()), 1)
        pending_message_store.prepare()
        try:
            jobs.post_image(self.tea, who(self.ann), picture, "", None, "job")
            assert [payload["type"] for payload in self.reader.heard("chat")] == ["message"]
        finally:
            pending_message_store.send_and_flush()

    def test_reasons_are_in_the_language_of_the_uploader(self):
        self.client.cookies["django_language"] = "zh-hans"
        self.upload()
        assert self.get_next_message("thumbnail")["language"] == "zh-hans"

    def test_upload_through_the_interface_server(self):
        """The whole way of a request: multipart body in a channel message, CSRF and session cookies, JSON out."""
        boundary, token = "frontier", "a" * 32
        part = f"--{boundary}\r\nContent-Disposition: form-data; name="
        body = (
            f'{part}"csrfmiddlewaretoken"\r\n\r\n{token}\r\n{part}"image"; filename="x.png"\r\n\r\n'.encode()
            + image_bytes()
            + f"\r\n--{boundary}--\r\n".encode()
        )
        session = self.client.cookies["sessionid"].value
        headers = [
            (b"host", b"localhost"),
            (b"cookie", f"sessionid={session}; csrftoken={token}".encode()),
            (b"content-type", f"multipart/form-data; boundary={boundary}".encode()),
            (b"content-length", str(len(body)).encode()),
        ]
        request = {"method": "POST", "query_string": b"", "headers": headers, "body": body, "server": ["localhost", 80]}
        with apply_routes([route("http.request", ViewConsumer())]):
            self.worker.send_and_consume("http.request", request, path="/rooms/茶/images/")
        answer = self.worker.get_next_message(self.worker.reply_channel)
        assert answer["status"] == 201, answer["content"]
        assert json.loads(answer["content"])["message"]["seq"] == 1
        assert default_storage.exists(Message.objects.get().image.name)

    def test_refusal_is_a_stream_error_with_its_status(self):
        with pytest.raises(StreamError) as caught:
            images.accept(io.BytesIO(b""), 0)
        assert caught.value.code == "unsupported"


class QuickWorkerTests(ChatTestCase):
    def test_worker_that_is_quicker_than_the_commit_waits_for_it(self):
        if connection.vendor == "sqlite" and connection.is_in_memory_db():
            self.skipTest("threads share one in-memory SQLite database, which has no second connection to wait")
        tea, ann = self.room("Tea"), who(self.user("ann"))
        picture = images.accept(io.BytesIO(image_bytes()), 1)
        queued, worked = threading.Event(), threading.Event()

        def work():
            queued.wait(10)
            WSClient().consume("thumbnail")
            worked.set()
            connection.close()

        worker = threading.Thread(target=work)
        worker.start()
        with transaction.atomic():
            jobs.post_image(tea, ann, picture, "", None, "job")
            queued.set()
            # A worker that does not wait is done by now, and found nothing to do.
            assert not worked.wait(0.5)
        worker.join(10)
        assert Message.objects.get().thumbnail

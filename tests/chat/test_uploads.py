"""Uploads in pieces."""

from __future__ import annotations

import datetime
import fcntl
import os
import threading
from pathlib import Path
from unittest import mock

from django.core.files.storage import default_storage
from django.utils import timezone

from chat import limits, uploads
from chat.models import Message, Upload
from tests.chat.base import ChatTestCase, image_bytes, who


class UploadTests(ChatTestCase):
    def setUp(self):
        super().setUp()
        self.ann = self.user("ann")
        self.tea = self.room("Tea")
        self.browser = self.browser(self.ann)
        # Larger than two pieces.
        self.image = image_bytes("PNG", (40, 30)) + b"\0" * (2 * limits.UPLOAD_CHUNK)

    def begin(self, size=None, browser=None, room="tea", **fields):
        content = {"size": len(self.image) if size is None else size, **fields}
        return (browser or self.browser).post(f"/rooms/{room}/uploads/", content, content_type="application/json")

    def begun(self, **fields):
        response = self.begin(**fields)
        assert response.status_code == 201, response.content
        return f"/rooms/tea/uploads/{response.json()['upload']}/"

    def piece(self, url, at, size=limits.UPLOAD_CHUNK, browser=None, method="patch", data=None):
        return getattr(browser or self.browser, method)(
            url, self.image[at : at + size] if data is None else data, content_type="application/octet-stream",
            HTTP_UPLOAD_OFFSET=str(at),
        )  # fmt: skip

    def sent(self, **fields):
        """Send all of it; returns the URL."""
        url = self.begun(**fields)
        for at in range(0, len(self.image), limits.UPLOAD_CHUNK):
            assert self.piece(url, at).status_code == 200
        return url

    def finish(self, url, browser=None, **fields):
        return (browser or self.browser).post(url, fields, content_type="application/json")

    def files(self):
        return [path for path in Path(self.media).rglob("*") if path.is_file()]

    def code(self, response):
        return response.status_code, response.json()["error"]["code"]

    def test_pieces_become_the_message_that_the_whole_would_have_become(self):
        url = self.sent(id="a")
        assert not Message.objects.exists()
        response = self.finish(url, body="look", id="a")
        assert response.status_code == 201
        message = response.json()["message"]
        assert (message["body"], message["id"], message["image"]["width"]) == ("look", "a", 40)
        assert response.json()["job"]
        # Nothing is left of the upload.
        assert not Upload.objects.exists()
        assert [path for path in self.files() if path.suffix == ".part"] == []

    def test_it_goes_on_where_it_was_lost(self):
        url = self.begun(id="a")
        assert self.piece(url, 0).json()["offset"] == limits.UPLOAD_CHUNK
        # The answer to a piece was lost: it comes again.
        response = self.piece(url, 0)
        assert self.code(response) == (409, "conflict")
        assert response.json()["offset"] == limits.UPLOAD_CHUNK
        assert self.browser.get(url).json()["offset"] == limits.UPLOAD_CHUNK
        # Or the page forgot all but the id of the message.
        again = self.begin(id="a")
        assert url.endswith(f"/{again.json()['upload']}/")
        assert again.json()["offset"] == limits.UPLOAD_CHUNK
        assert self.piece(url, 5).json()["offset"] == limits.UPLOAD_CHUNK
        assert self.piece(url, limits.UPLOAD_CHUNK, method="put").status_code == 200
        response = self.finish(url)
        assert (self.code(response), response.json()["offset"]) == ((409, "conflict"), 2 * limits.UPLOAD_CHUNK)
        assert self.piece(url, 2 * limits.UPLOAD_CHUNK).status_code == 200
        assert self.finish(url).status_code == 201

    def test_finishing_again_is_answered_by_the_message(self):
        url = self.sent(id="a")
        first, again = self.finish(url, id="a"), self.finish(url, id="a")
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["message"]["seq"] == again.json()["message"]["seq"]
        assert self.finish(url).status_code == 404
        assert Message.objects.count() == 1

    def test_finishing_twice_at_once_makes_one_message(self):
        upload = Upload.objects.get(token=self.sent(id="a").split("/")[-2])
        found = [uploads.finish(upload, self.tea, who(self.ann), "", "job")]
        try:
            found.append(uploads.finish(upload, self.tea, who(self.ann), "", "job"))
        except Exception as error:
            assert getattr(error, "code", None) in ("not_found", "conflict"), error  # noqa: PT017
        assert Message.objects.count() == 1

    def test_pieces_at_once_follow_on_each_other_or_are_refused(self):
        upload = Upload.objects.get(token=self.begun().split("/")[-2])
        outcomes = []

        def append():
            try:
                outcomes.append(uploads.append(upload, 0, self.image[: limits.UPLOAD_CHUNK]))
            except uploads.WrongOffset as error:
                outcomes.append(-error.offset)

        threads = [threading.Thread(target=append) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == [-limits.UPLOAD_CHUNK] * 5 + [limits.UPLOAD_CHUNK]
        assert Path(default_storage.path(upload.path)).read_bytes() == self.image[: limits.UPLOAD_CHUNK]

    def test_a_piece_waits_until_another_worker_has_stored_its_own(self):
        upload = Upload.objects.get(token=self.begun().split("/")[-2])
        uploads.append(upload, 0, b"a")
        file = os.open(default_storage.path(upload.path), os.O_RDWR)
        fcntl.flock(file, fcntl.LOCK_EX)
        waiting = threading.Thread(target=uploads.append, args=(upload, 2, b"c"))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        os.pwrite(file, b"b", 1)
        os.close(file)
        waiting.join(10)
        assert Path(default_storage.path(upload.path)).read_bytes() == b"abc"

    def test_others_know_nothing_of_it(self):
        url = self.begun()
        others = [ChatTestCase.browser(self, self.user("ben")), ChatTestCase.browser(self, guest="gil")]
        for browser in others:
            assert browser.get(url).status_code == 404
            assert self.piece(url, 0, browser=browser).status_code == 404
            assert self.finish(url, browser=browser).status_code == 404
            assert browser.delete(url).status_code == 404
        self.room("Coffee")
        assert self.browser.get(url.replace("tea", "coffee")).status_code == 404
        self.tea.private = True
        self.tea.save()
        assert self.piece(url, 0).status_code == 404
        assert ChatTestCase.browser(self).get(url).status_code == 403

    def test_bad_requests(self):
        for size in (0, -1, "x", 1.5, True, [], "1e3"):
            assert self.code(self.begin(size)) == (400, "bad_field"), size
        assert self.code(self.browser.post("/rooms/tea/uploads/", {})) == (400, "bad_field")
        assert self.code(self.begin(limits.IMAGE_BYTES + 1)) == (413, "too_large")
        assert self.code(self.begin(id="\0")) == (400, "bad_field")
        assert self.code(self.begin(room="nowhere")) == (404, "not_found")
        assert self.browser.post("/rooms/tea/uploads/", {"size": "100"}).status_code == 201
        assert self.browser.get("/rooms/tea/uploads/").status_code == 405
        assert self.browser.get("/rooms/tea/uploads/../").status_code == 404
        url = self.begun()
        for at in ("", "-1", "x", "1.0", "99999999999999999999"):
            response = self.browser.patch(url, b"x", content_type="application/octet-stream", HTTP_UPLOAD_OFFSET=at)
            assert self.code(response) == (400, "bad_field"), at
        assert self.code(self.browser.patch(url, b"x")) == (400, "bad_field")
        assert self.code(self.piece(url, 0, size=limits.UPLOAD_CHUNK + 1)) == (413, "too_large")
        assert self.code(self.piece(url, 1)) == (409, "conflict")
        assert self.browser.post(url, b"{", content_type="application/json").status_code == 400
        assert self.code(self.finish(url)) == (409, "conflict")
        assert self.files() == []

    def test_more_than_was_announced_is_refused_and_less_is_not_finished(self):
        url = self.begun(size=100)
        assert self.code(self.piece(url, 0, size=101)) == (413, "too_large")
        assert self.piece(url, 0, size=99).status_code == 200
        assert self.code(self.finish(url)) == (409, "conflict")

    def test_what_is_no_image_is_refused_and_gone(self):
        url = self.begun(size=5)
        self.piece(url, 0, data=b"hello")
        response = self.finish(url)
        assert self.code(response) == (415, "unsupported")
        assert response.json()["job"]
        assert (Upload.objects.count(), self.files(), Message.objects.count()) == (0, [], 0)

    def test_giving_up_leaves_nothing(self):
        url = self.begun()
        self.piece(url, 0)
        assert self.browser.delete(url).status_code == 204
        assert (Upload.objects.count(), self.files()) == (0, [])
        assert self.piece(url, limits.UPLOAD_CHUNK).status_code == 404

    def test_unfinished_ones_expire_and_are_swept_by_the_next(self):
        url = self.begun()
        self.piece(url, 0)
        then = timezone.now() - datetime.timedelta(seconds=limits.UPLOAD_LIFE + 1)
        Upload.objects.update(created_at=then)
        assert self.piece(url, limits.UPLOAD_CHUNK).status_code == 404
        assert len(self.files()) == 1
        assert self.begin(browser=ChatTestCase.browser(self, guest="gil")).status_code == 201
        assert (Upload.objects.count(), self.files()) == (1, [])

    def test_they_go_with_their_room(self):
        self.piece(self.begun(), 0)
        self.tea.delete()
        assert self.files() == []

    def test_so_many_of_one_person_may_be_open(self):
        for number in range(limits.UPLOADS_OPEN):
            self.begun(id=f"u{number}")
        assert self.code(self.begin(id="more")) == (403, "not_allowed")
        # One that is known goes on, and others may begin.
        assert self.begin(id="u0").status_code == 201
        assert self.begin(browser=ChatTestCase.browser(self, guest="gil")).status_code == 201

    def test_full_disk_keeps_what_arrived_and_nothing_half(self):
        url = self.begun()
        self.piece(url, 0)
        write = os.pwrite
        full = OSError(28, "No space left on device")
        with mock.patch("os.pwrite") as pwrite:
            # Ten bytes still fit.
            pwrite.side_effect = lambda file, data, at: (
                write(file, data[:10], at) if at == limits.UPLOAD_CHUNK else _fail(full)
            )
            assert self.code(self.piece(url, limits.UPLOAD_CHUNK)) == (503, "unavailable")
        assert self.browser.get(url).json()["offset"] == limits.UPLOAD_CHUNK
        for at in range(limits.UPLOAD_CHUNK, len(self.image), limits.UPLOAD_CHUNK):
            assert self.piece(url, at).status_code == 200
        with mock.patch.object(default_storage, "save", side_effect=full):
            assert self.code(self.finish(url)) == (503, "unavailable")
        assert not Message.objects.exists()
        # The disk has room again: nothing has to be sent once more.
        assert self.finish(url).status_code == 201

    def test_disk_that_takes_no_directory(self):
        with mock.patch("os.makedirs", side_effect=OSError(28, "No space left on device")):
            assert self.code(self.piece(self.begun(), 0)) == (503, "unavailable")


def _fail(error):
    raise error

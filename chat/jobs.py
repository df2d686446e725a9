"""Thumbnails: asked for by whoever stores an image, made by a worker on the channel ``thumbnail``.

The uploader's ``jobs`` stream hears ``queued``, then ``done`` or ``failed``; the room hears ``changed``: the
message has a thumbnail, or was removed.
"""

from __future__ import annotations

import logging
import uuid
from typing import Any

from channels import Channel
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from channels_lts.exceptions import LayerUnavailable, StreamError
from chat import broadcast, changes, groups, images, messages, payloads, storage
from chat.identity import Identity
from chat.models import Message, Room

logger = logging.getLogger(__name__)

CHANNEL = "thumbnail"


def new_job() -> str:
    return uuid.uuid4().hex


def post_image(
    room: Room, identity: Identity, picture: images.Picture, body: str, uid: str | None, job: str
) -> tuple[Message, bool]:
    """Store *picture* as a message of *room* and have its thumbnail made. All of it happens, or nothing.

    Raises:
        StreamError: ``unavailable`` where the workers have more to do than they manage, or the disk or the channel
            layer takes nothing; and what ``messages.post`` raises.
    """
    name = storage.save("images", picture.data, picture.extension)
    stored = messages.StoredImage(name, picture.width, picture.height)
    try:
        message, again = messages.post(
            room, identity, body, uid, stored, before_commit=lambda message: _queue(message, room, job)
        )
    except BaseException:
        storage.delete(name)
        raise
    if again:
        storage.delete(name)
    return message, again


def failed(identity_key: str, slug: str, job: str, error: StreamError) -> None:
    """Tell the uploader that nothing becomes of their image."""
    broadcast.to_stream(
        groups.person(identity_key), "jobs", "failed", job=job, room=slug, code=error.code, reason=error.reason
    )


def make_thumbnail(message: Any) -> None:
    """Make the thumbnail of one message: the consumer of the channel ``thumbnail``."""
    with translation.override(message["language"]):
        _run(message["job"], message["room"], message["message"])


def _run(job: str, room_id: int, pk: int) -> None:
    _wait_for_commit(room_id)
    stored = Message.objects.filter(pk=pk, removed=False).exclude(image="").select_related("room").first()
    if stored is None:
        logger.info("job %s: message %s is not there, or has no image any more", job, pk)
        return
    try:
        name = stored.thumbnail.name or _make(stored)
    except images.Undecodable as error:
        logger.info("job %s: the image of message %s cannot be decoded: %s", job, pk, error)
        changes.remove(stored)
        failed(stored.author_key, stored.room.slug, job, StreamError("bad_field", _("The image is broken.")))
    except Exception:
        # The image itself may be fine and stays; that somebody looks into the log is the worker's business.
        reason = StreamError("internal", _("The server failed; it has been logged."))
        failed(stored.author_key, stored.room.slug, job, reason)
        raise
    else:
        if name:
            _done(stored, name, job)


def _queue(message: Message, room: Room, job: str) -> None:
    """Send the job. Before the commit, since a full channel must undo the message: the worker waits for the commit."""
    content = {"job": job, "room": room.pk, "message": message.pk, "language": translation.get_language() or "en"}
    channel = Channel(CHANNEL)
    try:
        channel.send(content, immediately=True)
    except channel.channel_layer.ChannelFull:
        raise StreamError("unavailable", _("Too many images are being worked on. Try again in a minute.")) from None
    except LayerUnavailable:
        # Should the job have been sent all the same, its worker finds no message.
        logger.warning("no job for message %s", message.seq, exc_info=True)
        raise StreamError("unavailable", _("The server cannot work on images now. Try again in a minute.")) from None
    broadcast.to_stream(groups.person(message.author_key), "jobs", "queued", job=job, room=room.slug, seq=message.seq)


def _wait_for_commit(room_id: int) -> None:
    """Return when whoever posted has committed or rolled back: until then they hold the lock of the room's row."""
    with transaction.atomic():
        Room.objects.select_for_update().filter(pk=room_id).first()


def _make(stored: Message) -> str:
    """Make and store the thumbnail and return its name, or nothing where the message was removed meanwhile."""
    with default_storage.open(str(stored.image)) as file:
        data = file.read()
    name = storage.save("thumbnails", images.thumbnail(data), "webp")
    if not changes.set_thumbnail(stored, name):
        storage.delete(name)
        return ""
    return name


def _done(stored: Message, name: str, job: str) -> None:
    broadcast.to_stream(
        groups.person(stored.author_key),
        "jobs",
        "done",
        job=job,
        room=stored.room.slug,
        seq=stored.seq,
        thumbnail=payloads.media_url(name),
    )

"""Data binding for streams: Channels' ``WebsocketBinding`` with what it lets through and tells too early mended.

What comes in sets the fields of ``fields`` (or not of ``exclude``) only, when creating too; whoever may decide sees the
data; what is refused is answered by an error frame on a :class:`channels_lts.streams.Demultiplexer`. What goes out
leaves after the commit, and never without one.
"""

from __future__ import annotations

import json
from typing import Any

from channels import Group
from channels.binding import websockets as upstream
from channels.binding.base import CREATE, DELETE, UPDATE
from django.core.exceptions import ValidationError
from django.core.serializers.base import DeserializationError
from django.db import transaction

from channels_lts import after_commit, streams
from channels_lts.exceptions import StreamError
from channels_lts.payloads import field

_ALL = "__all__"


class WebsocketBinding(upstream.WebsocketBinding):
    """The binding of one model to one stream: Channels' own, which a project's subclass fills in as before.

    To decide by the data too, override :meth:`permits` in place of ``has_permission``.
    """

    # Abstract: without a model.
    model: Any = None

    # --- Out ---

    @classmethod
    def encode(cls, stream: str, payload: dict[str, Any]) -> dict[str, Any]:
        return streams.encode(stream, payload)

    def send_messages(self, instance: Any, group_names: set[str], action: str, **kwargs: Any) -> None:
        """Tell *group_names* of *instance*, as it is now, when the transaction that changed it commits."""
        if not group_names:
            return
        self.signal_kwargs = kwargs
        payload = self.serialize(instance, action)
        if not payload:
            return
        message = self.encode(self.stream, payload)
        for name in group_names:
            after_commit.send(Group(name), message, using=kwargs.get("using"))

    # --- In ---

    def deserialize(self, message: Any) -> tuple[str, Any, Any]:
        """Return action, primary key and data; the action may be given as ``type`` as well.

        Raises:
            StreamError: ``bad_field``: the action is no text, the data no object, or what the action needs is missing.
        """
        body = json.loads(message["text"])
        action = field(body, "action" if "action" in body else "type", str)
        pk = self._primary_key(body) if action in (UPDATE, DELETE) else None
        data = None if action == DELETE else field(body, "data", dict, default={})
        return action, pk, data

    def _primary_key(self, body: dict[str, Any]) -> Any:
        pk = body.get("pk")
        # 64 bits are what databases hold.
        if pk is None or (isinstance(pk, int) and abs(pk) >= 2**63):
            raise StreamError("bad_field", "pk is missing, or too large")
        try:
            return self.model._meta.pk.to_python(pk)
        except ValidationError:
            raise StreamError("bad_field", "pk is no primary key of this model") from None

    def _hydrate(self, pk: Any, data: dict[str, Any]) -> Any:
        try:
            return super()._hydrate(pk, data)
        except (DeserializationError, ValidationError) as error:
            raise StreamError("bad_field", f"a value cannot be used: {error}"[:200]) from error

    def permits(self, user: Any, action: str, pk: Any, data: dict[str, Any] | None) -> bool:
        """Return whether *user* may do *action* with *data*, which is None for delete.

        By default ``has_permission(user, action, pk)`` decides.
        """
        return self.has_permission(user, action, pk)

    def run_action(self, action: str, pk: Any, data: Any) -> None:
        """Do what was asked for, in one transaction.

        Raises:
            StreamError: ``unknown_type``, ``bad_field``, ``not_allowed`` or ``not_found``; nothing was changed.
        """
        if action not in (CREATE, UPDATE, DELETE):
            raise StreamError("unknown_type", f"action must be create, update or delete, not {action[:20]!r}")
        if data is not None:
            self.check_fields(data)
        try:
            # What a permission rests on must not change before the action is done.
            with transaction.atomic():
                if not self.permits(self.user, action, pk, data):
                    raise StreamError("not_allowed", "you may not do this")
                if action == CREATE:
                    self.create(data)
                elif action == UPDATE:
                    self.update(pk, data)
                else:
                    self.delete(pk)
        except self.model.DoesNotExist:
            raise StreamError("not_found", "there is no such object") from None

    def check_fields(self, data: dict[str, Any]) -> None:
        """Raise StreamError ``bad_field`` where *data* has a field that nobody may set."""
        allowed = self.settable()
        refused = sorted(name for name in data if name not in allowed)
        if refused:
            raise StreamError("bad_field", f"this cannot be set: {', '.join(refused)}"[:200])

    @classmethod
    def settable(cls) -> set[str]:
        """Return the fields that may be set: those that go out, without the primary key."""
        fields = {each.name for each in cls.model._meta.get_fields() if each.concrete and not each.primary_key}
        if cls.fields is None:
            return fields - set(cls.exclude or ())
        return fields if _ALL in (cls.fields, *cls.fields) else fields & set(cls.fields)

    def update(self, pk: Any, data: dict[str, Any]) -> None:
        instance = self.model.objects.select_for_update().get(pk=pk)
        hydrated = self._hydrate(pk, data)
        for name in data:
            if name in (hydrated.m2m_data or {}):
                getattr(instance, name).set(hydrated.m2m_data[name])
            else:
                setattr(instance, name, getattr(hydrated.object, name))
        instance.save()

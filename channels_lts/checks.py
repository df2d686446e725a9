"""Wrong settings, found by ``manage.py check`` before they are met in production."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core import mail
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.exceptions import ImproperlyConfigured

from channels_lts import conf
from channels_lts.exceptions import UnsupportedRedis


@register()
def check_app_order(**kwargs: Any) -> list[CheckMessage]:
    """E001: ``channels_lts`` must stand before ``channels``, so that it is there when Channels is imported."""
    apps = list(settings.INSTALLED_APPS)
    ours = [index for index, app in enumerate(apps) if app.startswith("channels_lts")]
    theirs = [index for index, app in enumerate(apps) if app == "channels" or app.startswith("channels.")]
    if not theirs or (ours and ours[0] < theirs[0]):
        return []
    return [
        Error(
            "channels_lts does not stand before channels in INSTALLED_APPS.",
            hint="Move 'channels_lts' above 'channels' (and above 'channels.delay').",
            id="channels_lts.E001",
        )
    ]


@register()
def check_layers(**kwargs: Any) -> list[CheckMessage]:
    """E002: an in-memory layer outside development. E003: a layer that cannot be made. W001: Redis is unreachable.

    E005: a Redis that is too old for our channel layer.

    W001 is a warning, because Redis may be away for a while in which workers wait for it, and commands such as
    ``migrate`` do without.
    """
    from channels import channel_layers

    messages: list[CheckMessage] = []
    for alias in channel_layers.configs:
        try:
            layer = channel_layers[alias]
        except Exception as error:  # whatever a backend's constructor raises
            messages.append(
                Error(
                    f"The channel layer {alias!r} cannot be made: {error}",
                    hint=f"See CHANNEL_LAYERS[{alias!r}] in the settings.",
                    id="channels_lts.E003",
                )
            )
            continue
        if layer.local_only():
            messages.extend(_check_local_layer(alias))
        elif hasattr(layer, "connection") and hasattr(layer, "ring_size"):
            messages.extend(_check_redis(alias, layer))
    return messages


@register()
def check_bindings(**kwargs: Any) -> list[CheckMessage]:
    """W002: a binding of Channels' own class that takes changes: its ``create`` sets fields that are not listed."""
    from channels.binding.base import Binding, BindingMetaclass
    from channels.binding.websockets import WebsocketBinding

    return [
        Warning(
            f"{binding.__module__}.{binding.__qualname__} lets whoever may create set fields that are not in `fields`.",
            hint="Derive it from channels_lts.binding.WebsocketBinding.",
            id="channels_lts.W002",
        )
        for binding in BindingMetaclass.binding_classes
        if issubclass(binding, WebsocketBinding)
        and binding.model is not None
        and binding.has_permission is not Binding.has_permission
        and binding.create is WebsocketBinding.create
    ]


@register()
def check_sessions(**kwargs: Any) -> list[CheckMessage]:
    """E006: ``channels_lts.sessions`` in a place where it cannot serve."""
    ours, http_engine = "channels_lts.sessions", settings.SESSION_ENGINE
    if http_engine == ours:
        return [
            Error(
                f"SESSION_ENGINE is {ours!r}, which keeps the sessions of sockets, and finds none by its key.",
                hint="Set CHANNEL_SESSION_ENGINE to it, and SESSION_ENGINE to one of Django's.",
                id="channels_lts.E006",
            )
        ]
    if getattr(settings, "CHANNEL_SESSION_ENGINE", "") != ours:
        return []
    from channels import DEFAULT_CHANNEL_LAYER, channel_layers

    from channels_lts.session_places import place

    try:
        place(channel_layers[DEFAULT_CHANNEL_LAYER])
    except ImproperlyConfigured as error:
        return [Error(f"{error}.", id="channels_lts.E006")]
    except Exception:  # E003 says why it cannot be made
        return []
    return []


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """E004: ``CHANNELS_LTS`` has a key that is no setting."""
    given = getattr(settings, "CHANNELS_LTS", {})
    return [
        Error(
            f"CHANNELS_LTS has no setting {name!r}.",
            hint=f"There are: {', '.join(sorted(conf.DEFAULTS))}.",
            id="channels_lts.E004",
        )
        for name in sorted(set(given) - set(conf.DEFAULTS))
    ]


def _check_local_layer(alias: str) -> list[CheckMessage]:
    # Test runners switch DEBUG off. That the mails go to an outbox is how they can be told.
    if settings.DEBUG or hasattr(mail, "outbox"):
        return []
    return [
        Error(
            f"The channel layer {alias!r} is in memory, and DEBUG is off.",
            hint="Messages would never leave the process: interface server and workers need a layer such as "
            "asgi_redis.RedisChannelLayer.",
            id="channels_lts.E002",
        )
    ]


def _check_redis(alias: str, layer: Any) -> list[CheckMessage]:
    messages: list[CheckMessage] = []
    for shard in range(layer.ring_size):
        problem = _problem(lambda shard=shard: layer.connection(shard).ping(), conf.get("CHECK_TIMEOUT"))  # type: ignore[misc]
        if problem:
            messages.append(
                Warning(
                    f"Redis is unreachable: shard {shard} of the channel layer {alias!r}: {problem}",
                    hint="Nothing is served until it can be reached. Is it running, and is REDIS_URL right?",
                    id="channels_lts.W001",
                )
            )
        elif hasattr(layer, "check_version"):
            try:
                layer.check_version(shard)
            except UnsupportedRedis as error:
                messages.append(
                    Error(
                        f"The channel layer {alias!r} cannot be used: {error}.",
                        hint="Install a newer Redis, or use asgi_redis.RedisChannelLayer.",
                        id="channels_lts.E005",
                    )
                )
    return messages


def _problem(call: Callable[[], Any], timeout: float) -> str:
    """Return why *call* failed, or an empty string; a call that takes longer than *timeout* seconds is left behind."""
    problems = [f"no answer within {timeout} s"]

    def run() -> None:
        try:
            call()
        except Exception as error:  # the check reports it, whatever it is
            problems[0] = str(error) or type(error).__name__
        else:
            problems[0] = ""

    # A thread, since the layer's own connections may have no time limit.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout)
    return problems[0]

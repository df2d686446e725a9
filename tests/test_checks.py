from __future__ import annotations

import socket

import pytest
from channels import channel_layers
from channels.signals import worker_process_ready
from django.apps import apps
from django.core import mail

from channels_lts import checks
from my_project import checks as project_checks
from tests.layer.servers import OldRedis

ROUTING = "my_project.routing.channel_routing"


@pytest.fixture
def layer(settings, monkeypatch):
    """Set the default channel layer's backend for one test."""

    def configure(backend: str, **config: object) -> None:
        settings.CHANNEL_LAYERS = {"default": {"BACKEND": backend, "ROUTING": ROUTING, "CONFIG": config}}
        monkeypatch.setattr(channel_layers, "backends", {})

    return configure


def ids(messages) -> list[str]:
    return [message.id for message in messages]


@pytest.mark.parametrize(
    ("installed", "expected"),
    [
        (["channels_lts", "channels", "chat"], []),
        (["channels_lts.apps.ChannelsLTSConfig", "channels", "channels.delay"], []),
        (["channels", "channels_lts"], ["channels_lts.E001"]),
        (["channels.delay", "channels_lts", "channels"], ["channels_lts.E001"]),
        (["channels"], ["channels_lts.E001"]),
        (["chat"], []),
    ],
)
def test_channels_lts_must_stand_before_channels(settings, installed, expected):
    settings.INSTALLED_APPS = installed
    found = checks.check_app_order()
    assert ids(found) == expected
    assert all(message.hint for message in found)


def test_in_memory_layer_is_refused_outside_development(settings, layer, monkeypatch):
    layer("asgiref.inmemory.ChannelLayer")
    monkeypatch.delattr(mail, "outbox", raising=False)
    settings.DEBUG = False
    assert ids(checks.check_layers()) == ["channels_lts.E002"]
    settings.DEBUG = True
    assert ids(checks.check_layers()) == []


def test_in_memory_layer_is_fine_under_a_test_runner(settings, layer, monkeypatch):
    layer("asgiref.inmemory.ChannelLayer")
    monkeypatch.setattr(mail, "outbox", [], raising=False)
    settings.DEBUG = False
    assert ids(checks.check_layers()) == []


def test_unreachable_redis_is_named_with_its_shard(layer):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{unused.getsockname()[1]}/0"
        layer("asgi_redis.RedisChannelLayer", hosts=[url, url])
        found = checks.check_layers()
    assert ids(found) == ["channels_lts.W001", "channels_lts.W001"]
    assert "shard 1" in found[1].msg


def test_a_redis_that_is_too_old_is_named_with_both_versions(layer):
    server = OldRedis()
    layer("channels_lts.layer.RedisChannelLayer", hosts=[("127.0.0.1", server.port)])
    (found,) = checks.check_layers()
    assert found.id == "channels_lts.E005"
    assert f"127.0.0.1:{server.port} is version 5.0.14; the channel layer needs 6.2 or later" in found.msg


def test_silent_redis_does_not_hang_the_check(settings, layer):
    settings.CHANNELS_LTS = {"CHECK_TIMEOUT": 0.2}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        layer("asgi_redis.RedisChannelLayer", hosts=[f"redis://127.0.0.1:{silent.getsockname()[1]}/0"])
        (found,) = checks.check_layers()
    assert "no answer within 0.2 s" in found.msg


@pytest.mark.system
def test_reachable_redis_is_fine(layer, redis_server):
    layer("asgi_redis.RedisChannelLayer", hosts=[redis_server.url])
    assert checks.check_layers() == []


def test_layer_that_cannot_be_made_is_an_error(layer):
    layer("no.such.Layer")
    (found,) = checks.check_layers()
    assert found.id == "channels_lts.E003"
    assert "no.such.Layer" in found.msg


def test_app_is_configured_so_that_checks_and_heartbeats_are_there():
    assert type(apps.get_app_config("channels_lts")).__name__ == "ChannelsLTSConfig"
    receivers = [key for key, *_ in worker_process_ready.receivers]
    assert any("channels_lts.heartbeat" in key for key in receivers)


def test_unknown_setting_is_named(settings):
    settings.CHANNELS_LTS = {"ALLOWED_ORIGINS": None, "HEARTBEAT": 3}
    (found,) = checks.check_settings()
    assert found.id == "channels_lts.E004"
    assert "'HEARTBEAT'" in found.msg


@pytest.mark.parametrize(
    ("environment", "debug", "default_key", "expected"),
    [
        ("production", True, False, ["my_project.E001"]),
        ("production", False, True, ["my_project.E002"]),
        ("production", False, False, []),
        ("development", True, True, []),
    ],
)
def test_debug_and_default_secret_must_not_reach_production(settings, environment, debug, default_key, expected):
    settings.ENVIRONMENT = environment
    settings.DEBUG = debug
    settings.SECRET_KEY = settings.INSECURE_SECRET_KEY if default_key else "x" * 50
    assert ids(project_checks.check_production()) == expected


def test_e006_our_sessions_are_for_sockets_alone(settings):
    settings.SESSION_ENGINE = "channels_lts.sessions"
    (message,) = checks.check_sessions()
    assert message.id == "channels_lts.E006"
    assert "CHANNEL_SESSION_ENGINE" in message.hint


def test_e006_our_sessions_need_redis_or_memory(settings, monkeypatch):
    settings.CHANNEL_SESSION_ENGINE = "channels_lts.sessions"
    assert checks.check_sessions() == []

    class SharedMemory:
        """As asgi_ipc's layer."""

    monkeypatch.setitem(channel_layers.backends, "default", SharedMemory())
    (message,) = checks.check_sessions()
    assert message.id == "channels_lts.E006"
    settings.CHANNEL_SESSION_ENGINE = "django.contrib.sessions.backends.db"
    assert checks.check_sessions() == []

"""What asgiref, msgpack and setuptools no longer have, and the label of channels.delay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from channels_lts.compat import delay, ipc_version, message_encoding
from tests.fresh_python import prints, run


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., Any]:
    return lambda script, *options: run(script, tmp_path, *options)


# --- asgiref ---


def test_asgi_1_modules_are_where_asgiref_had_them():
    import asgiref
    import asgiref.base_layer
    import asgiref.inmemory
    from django.utils.module_loading import import_string

    layer = import_string("asgiref.inmemory.ChannelLayer")
    assert asgiref.inmemory.ChannelLayer is layer
    assert issubclass(layer, asgiref.base_layer.BaseChannelLayer)
    assert isinstance(asgiref.inmemory.channel_layer, layer)
    assert "inmemory" in layer.__module__


# --- channels.delay ---


class StrictConfig:
    """A Django that refuses labels with a dot, whatever Django is installed."""

    name = "channels.delay"
    label = "channels.delay"

    def __init__(self, name: str, module: Any) -> None:
        if not self.label.isidentifier():
            raise ImproperlyConfigured(self.label)


class LenientConfig(StrictConfig):
    def __init__(self, name: str, module: Any) -> None:
        pass


def test_label_that_django_refuses_is_replaced():
    config = type("DelayConfig", (StrictConfig,), {})
    delay._mend(SimpleNamespace(DelayConfig=config))  # type: ignore[arg-type]
    assert config.label == "channels_delay"


def test_label_that_django_accepts_is_kept():
    config = type("DelayConfig", (LenientConfig,), {})
    delay._mend(SimpleNamespace(DelayConfig=config))  # type: ignore[arg-type]
    assert config.label == "channels.delay"


# --- msgpack ---


class Msgpack:
    """msgpack 1.x, as far as it matters here."""

    version = (1, 0, 0)

    @staticmethod
    def unpackb(packed: bytes, *, raw: bool = False, strict_map_key: bool = True) -> Any:
        return packed, raw, strict_map_key


@pytest.fixture
def layer_module() -> Any:
    module = SimpleNamespace(msgpack=Msgpack)
    message_encoding._mend(module)  # type: ignore[arg-type]
    return module


def test_encoding_is_taken_and_keys_of_any_kind_are_read(layer_module):
    assert layer_module.msgpack.unpackb(b"x", encoding="utf8") == (b"x", False, False)
    assert layer_module.msgpack.unpackb(b"x", encoding="UTF-8", strict_map_key=True) == (b"x", False, True)


def test_without_encoding_text_stays_bytes_as_it_did(layer_module):
    assert layer_module.msgpack.unpackb(b"x") == (b"x", True, False)


def test_encoding_that_msgpack_does_not_know_is_refused(layer_module):
    with pytest.raises(ValueError, match="latin-1"):
        layer_module.msgpack.unpackb(b"x", encoding="latin-1")


def test_msgpack_itself_stays_as_it_is(layer_module):
    assert layer_module.msgpack.version == (1, 0, 0)
    with pytest.raises(TypeError):
        Msgpack.unpackb(b"x", encoding="utf8")  # type: ignore[call-arg]


def test_msgpack_that_takes_encoding_is_left_alone():
    module = SimpleNamespace(msgpack=SimpleNamespace(unpackb=lambda packed, encoding: packed))
    before = module.msgpack
    message_encoding._mend(module)  # type: ignore[arg-type]
    assert module.msgpack is before


def test_redis_layer_reads_what_it_wrote():
    from asgi_redis import RedisChannelLayer

    layer = RedisChannelLayer(hosts=["redis://localhost:1/0"])
    message = {"text": "£ 中 \U0001f612", "bytes": b"\xc2\xa3\x00", "keys": {1: "one"}, "list": [1, 2.5, None, True]}
    assert layer.deserialize(layer.serialize(message)) == message


# --- asgi_ipc ---


def test_ipc_layer_knows_its_version_without_pkg_resources(python):
    script = """
        import sys
        from channels_lts import compat
        compat.install()
        from channels_lts.compat import ipc_version
        find_spec = ipc_version.find_spec
        ipc_version.find_spec = lambda name: None if name == "pkg_resources" else find_spec(name)
        sys.modules.pop("pkg_resources", None)
        import asgi_ipc
        print(asgi_ipc.__version__, "pkg_resources" in sys.modules)
    """
    assert prints(python(script)) == "1.4.2 False"


def test_version_answer_is_the_installed_one():
    assert ipc_version._require("asgi_ipc")[0].version == "1.4.2"

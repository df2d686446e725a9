"""Names and messages, which any layer checks, and what layers inherit."""

from __future__ import annotations

import pytest

from channels_lts.compat import base_layer
from channels_lts.compat.base_layer import BaseChannelLayer
from channels_lts.compat.inmemory import ChannelLayer


@pytest.fixture
def layer() -> ChannelLayer:
    return ChannelLayer()


# --- Names and messages ---


@pytest.mark.parametrize(
    "name",
    ["", "with space", "中文", "a" * 100, "a\n", "two!marks!", "a?b!c", "!", "?", "٣", "a!é", b"bytes", None, 1, ["a"]],
)
def test_invalid_channel_names_are_type_errors(layer, name):
    for call in (
        lambda: layer.send(name, {}),
        lambda: layer.receive([name]),
        lambda: layer.group_add("group", name),
        lambda: layer.group_discard("group", name),
    ):
        with pytest.raises(TypeError):
            call()


@pytest.mark.parametrize("name", ["", "a!b", "a?b", "中", "a" * 100, "a\n", b"a", None])
def test_invalid_group_names_are_type_errors(layer, name):
    for call in (
        lambda: layer.group_add(name, "channel"),
        lambda: layer.group_discard(name, "channel"),
        lambda: layer.group_channels(name),
        lambda: layer.send_group(name, {}),
    ):
        with pytest.raises(TypeError):
            call()


@pytest.mark.parametrize("name", ["a", "A-b_c.9", "a" * 99, "http.response!abc", "body?xyz", "process!"])
def test_valid_channel_names(layer, name):
    assert layer.valid_channel_name(name) is True


def test_names_of_a_process_are_received_together_only(layer):
    assert layer.valid_channel_name("process!a") is True
    with pytest.raises(TypeError, match="end with its !"):
        layer.valid_channel_name("process!a", receive=True)


def test_lists_of_names(layer):
    assert layer.valid_channel_names(["a", "b!"], receive=True) is True
    for names in ([], ("a",), "a", ["a", "b c"]):
        with pytest.raises(TypeError):
            layer.valid_channel_names(names)


@pytest.mark.parametrize("message", [None, "text", [("a", 1)], 1])
def test_messages_that_are_no_dict_are_type_errors(layer, message):
    with pytest.raises(TypeError, match="must be a dict"):
        layer.send("channel", message)
    with pytest.raises(TypeError, match="must be a dict"):
        layer.send_group("group", message)


def test_reserved_key_is_refused(layer):
    with pytest.raises(TypeError, match="__asgi_channel__"):
        layer.send("channel", {"__asgi_channel__": "other"})


@pytest.mark.parametrize("pattern", [None, b"a?", "a", "a!", "", "?", "a" * 95 + "?"])
def test_invalid_patterns_of_new_channels(layer, pattern):
    with pytest.raises(TypeError):
        layer.new_channel(pattern)


def test_new_channels_differ(layer):
    names = {layer.new_channel("body?") for _ in range(1000)}
    assert len(names) == 1000
    assert all(name.startswith("body?") for name in names)


# --- The base ---


def test_base_leaves_the_work_to_layers():
    layer = BaseChannelLayer()
    for call in (
        lambda: layer.send("a", {}),
        lambda: layer.receive(["a"]),
        lambda: layer.receive_many(["a"]),
        lambda: layer.new_channel("a?"),
        lambda: layer.group_add("a", "b"),
        lambda: layer.group_discard("a", "b"),
        lambda: layer.group_channels("a"),
        lambda: layer.send_group("a", {}),
        layer.flush,
    ):
        with pytest.raises(NotImplementedError):
            call()
    assert (layer.expiry, layer.group_expiry, layer.capacity, layer.extensions) == (60, 86400, 100, [])


def test_names_that_layers_built_on_the_old_base_use():
    layer = BaseChannelLayer(channel_capacity={"a*": 1})
    assert layer.match_type_and_length("a")
    assert not layer.match_type_and_length(b"a")
    assert not layer.match_type_and_length("a" * base_layer.NAME_LIMIT)
    assert layer.channel_name_regex.match("a!b")
    assert layer.group_name_regex.match("a")
    assert "Channel name" in layer.invalid_name_error.format("Channel")
    assert [layer.non_local_name(name) for name in ("a!b", "a!", "a?b", "a")] == ["a!", "a!", "a?b", "a"]
    assert (layer.get_capacity("abc"), layer.get_capacity("b")) == (1, 100)
    assert layer.compile_capacities({}) == []

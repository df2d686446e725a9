from __future__ import annotations

import pytest

from channels_lts.exceptions import StreamError
from chat import limits
from chat.text import clean_body, clean_name


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  hello \n", "hello"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("tab\tstays, bell\a, NUL\0 and \x85 go", "tab\tstays, bell, NUL and  go"),
        ("大厅 👩‍👩‍👧 é", "大厅 👩‍👩‍👧 é"),
        ("<b>not escaped here</b>", "<b>not escaped here</b>"),
        ("x" * limits.BODY, "x" * limits.BODY),
        (" " * limits.BODY + "x", "x"),
    ],
)
def test_body_is_made_fit(typed, stored):
    assert clean_body(typed) == stored


@pytest.mark.parametrize("typed", ["", "   ", "\n\t\r\n", "\0\a", "\u200b\u200d", "\u3000\xa0"])
def test_body_with_nothing_to_see_is_refused_unless_an_image_is_there(typed):
    with pytest.raises(StreamError) as caught:
        clean_body(typed)
    assert caught.value.code == "bad_field"
    assert clean_body(typed, required=False) == ""


def test_body_one_character_too_long_is_refused():
    with pytest.raises(StreamError) as caught:
        clean_body("好" * (limits.BODY + 1))
    assert caught.value.code == "too_large"
    assert str(limits.BODY) in caught.value.reason


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  My \n room\t ", "My room"),
        ("e\u0301", "\xe9"),
        ("ann\u202eevil\u2066", "annevil"),
        ("bell\a", "bell"),
        ("\u200b\u200d", ""),
        ("   ", ""),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
    ],
)
def test_name_is_one_visible_line(typed, stored):
    assert clean_name(typed) == stored

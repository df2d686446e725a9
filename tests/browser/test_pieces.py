"""Large pictures travel in pieces, and go on after a lost connection."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.person import Person
from tests.browser.test_pictures import thumbnail_of
from tests.images import png

pytestmark = [pytest.mark.system, pytest.mark.parametrize("stack", ["redis"], indirect=True)]

PIECE = 2**20


def test_a_large_picture_goes_on_where_the_connection_was_lost(ann: Person, room: str) -> None:
    ann.mark()
    pieces: list[tuple[str, str]] = []

    def meddle(route: Any) -> None:
        """Lose the second piece on its way, and the answer to the third."""
        request = route.request
        pieces.append((request.method, request.headers.get("upload-offset", "")))
        if len(pieces) == 3:
            route.abort("connectionreset")
        elif len(pieces) == 5:
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    ann.page.route("**/uploads/**", meddle)
    # Behind the end of a PNG anything may stand.
    ann.choose(("meadow.png", "image/png", png(800, 600) + bytes(3 * PIECE)))
    ann.say("The meadow")
    ann.sees("The meadow")
    assert thumbnail_of(ann)
    ann.expect(".attachment").to_have_count(0)
    offsets = [int(offset) for method, offset in pieces if method == "PATCH"]
    assert offsets == [0, PIECE, PIECE, 2 * PIECE, 2 * PIECE, 3 * PIECE], pieces
    assert [method for method, _ in pieces if method != "PATCH"] == ["POST", "POST"]
    assert ann.was_never_reloaded()

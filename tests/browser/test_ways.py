"""Webhooks and tokens as people make them, and what they type for the server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser.person import Person

# On one channel layer: what is tested is the page.
pytestmark = [pytest.mark.system, pytest.mark.parametrize("stack", ["redis"], indirect=True)]


def test_a_webhook_is_made_used_and_revoked(bo: Person, unique: Callable[[str], str], stack: Any) -> None:
    bo.sign_up(unique("owen"))
    bo.open_new_room(unique("Hooked "))
    bo.page.click("#settings-open")
    bo.page.click("#webhooks summary")
    bo.page.fill("#webhook-name", "Build")
    bo.page.click("#webhooks [data-form] button")
    bo.expect("#webhook-address").to_be_focused()
    address = bo.page.input_value("#webhook-address")
    bo.expect("#webhooks li [data-name]").to_have_text("Build")

    def post() -> int:
        headers = {"Content-Type": "application/json"}
        body = json.dumps({"text": "it is green"}).encode()
        return stack.visitor().request("POST", urlsplit(address).path, body, headers).status

    assert post() == 201
    bo.sees("it is green")
    bo.page.click("#webhooks [data-revoke]")
    bo.expect("#webhooks [role=status]").to_have_text("Build can no longer post.")
    assert bo.page.locator("#webhooks li").count() == 0
    assert post() == 404


def test_a_token_is_shown_once_and_revoked(bo: Person, unique: Callable[[str], str], stack: Any) -> None:
    bo.sign_up(unique("owen"))
    bo.page.goto(f"{stack.url}/accounts/tokens/")
    bo.page.fill("#token-name", "robot")
    bo.page.select_option("#token-days", "30")
    bo.page.get_by_role("button", name="Make a token").click()
    secret = bo.page.text_content("#secret")
    headers = {"Authorization": f"Bearer {secret}"}
    assert stack.visitor().request("GET", "/api/rooms/", headers=headers).status == 200
    bo.page.goto(f"{stack.url}/accounts/tokens/")
    assert bo.page.locator("#secret").count() == 0
    bo.page.get_by_role("button", name="Revoke robot").click()
    bo.expect(bo.page.get_by_text("You have no tokens.")).to_be_visible()
    assert stack.visitor().request("GET", "/api/rooms/", headers=headers).status == 401


def test_a_reminder_is_no_message_until_it_is_due(ann: Person, room: str) -> None:
    ann.say("/remind 2s the tea")
    ann.expect("#announcements").to_contain_text("the tea")
    ann.sees("@" + ann.name + " the tea")
    assert not [text for text in ann.texts() if text.startswith("/remind")]
    ann.say("/dance")
    ann.expect(".message-failed .message-note").to_contain_text("There is no command /dance")

"""docs/api.md: each of its curl commands is run, against a server with the chat's views."""

from __future__ import annotations

import json
import re
import subprocess

from django.contrib.auth import get_user_model
from django.test import LiveServerTestCase

from chat import tokens, webhooks
from chat.models import Message, Room
from tests.chat.base import who
from tests.services import ROOT, TIMEOUT_SCALE

_BLOCKS = re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs" / "api.md").read_text(), re.DOTALL | re.MULTILINE)
# A line that ends with a backslash goes on.
COMMANDS = [command for block in _BLOCKS for command in re.findall(r"^curl(?:.*\\\n)*.*$", block, re.MULTILINE)]


class CurlTests(LiveServerTestCase):
    def setUp(self):
        ann = get_user_model().objects.create_user("ann")
        lobby = Room.objects.get_or_create(slug="lobby", defaults={"name": "Lobby"})[0]
        lobby.memberships.create(user=ann, role="owner")
        self.variables = {
            "TOKEN": tokens.make(ann, "robot")[1],
            "HOOK": webhooks.make(lobby, who(ann), "Build")[1],
            "ROOM": "lobby",
            "URL": self.live_server_url,
        }

    def run_command(self, command: str) -> tuple[int, dict]:
        ran = subprocess.run(
            ["sh", "-c", command.replace("curl ", "curl -sS -w '\\n%{http_code}' ", 1)],
            env={**self.variables, "PATH": "/usr/local/bin:/usr/bin:/bin", "no_proxy": "*"},
            capture_output=True, text=True, timeout=30 * TIMEOUT_SCALE, check=True,
        )  # fmt: skip
        body, _newline, status = ran.stdout.rpartition("\n")
        return int(status), json.loads(body)

    def test_every_command_is_served(self):
        assert len(COMMANDS) >= 9
        statuses = []
        for command in COMMANDS:
            status, answer = self.run_command(command)
            assert "error" not in answer, (command, answer)
            statuses.append(status)
        assert set(statuses) == {200, 201, 202}
        assert Message.objects.filter(uid="build-17", author_name="ann").count() == 1
        assert Message.objects.filter(author_name="Build").count() == 2

    def test_the_repeat_is_answered_as_the_document_says(self):
        (command,) = [command for command in COMMANDS if "build-17" in command]
        first, again = self.run_command(command), self.run_command(command)
        assert (first[0], again[0]) == (201, 200)
        assert first[1] == again[1]
        status, answer = self.run_command(command.replace("green", "red"))
        assert (status, answer["error"]["code"]) == (409, "conflict")

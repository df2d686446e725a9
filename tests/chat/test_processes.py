"""Several processes on one database: on a SQLite file, as `make up` runs them, and on PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

POST = """
import django; django.setup()
from chat import messages
from chat.identity import Identity
from chat.models import Room
room = Room.objects.get(slug="lobby")
me = Identity("g{name}", "{name}", guest=True)
# What all of them say, each under the same names.
us = Identity("gsame", "same", guest=True)
for number in range(25):
    messages.post(room, me, str(number), f"id-{{number}}")
    messages.post(room, us, str(number), f"id-{{number}}")
"""

NUMBERS = """
import django; django.setup()
from chat.models import Message, Room
print(*Message.objects.order_by("seq").values_list("seq", flat=True), Room.objects.get(slug="lobby").last_seq)
"""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.system)])
def run(request, tmp_path):
    """A function that starts Python code with Django on a new database."""
    url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").database(f"processes-{uuid.uuid4().hex}")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "my_project.settings",
        "DATABASE_URL": url,
        "CHANNEL_LAYER": "memory",
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
    }

    def start(*command: str) -> subprocess.Popen[Any]:
        return subprocess.Popen(
            [sys.executable, *command], env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
        )

    assert start("manage.py", "migrate", "-v0").wait() == 0
    return start


def test_numbers_have_no_gap_and_messages_no_double_when_many_processes_post_at_once(run):
    posters = [run("-c", POST.format(name=name)) for name in "abcd"]
    assert [poster.wait() for poster in posters] == [0] * 4
    *numbers, last = map(int, run("-c", NUMBERS).communicate()[0].split())
    assert numbers == list(range(1, 126))
    assert last == 125

"""Who may no longer be here is closed out within a second, on every interface server of the supervised stack."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from uuid import uuid4

import pytest

from tests.services import TIMEOUT_SCALE
from tests.test_stack import close_code

pytestmark = pytest.mark.system

PASSWORD = "correct horse battery"
# Enough for the kernel to give some to each of two interface servers.
SOCKETS = 8

# What ends somebody's rights, whichever process does it.
CHANGES = {
    "password": "user.set_password('another'); user.save()",
    "active": "user.is_active = False; user.save(update_fields=['is_active'])",
    "deleted": "user.delete()",
    "banned": "sessions.close_user(user)",
}
SCRIPT = """
import time
from django.contrib.auth import get_user_model
from channels_lts import sessions
user = get_user_model().objects.get(username={name!r})
{change}
print("at", time.time())
"""


@pytest.fixture
def closing(stack):
    with ExitStack() as running:
        yield running


@pytest.fixture
def opened(stack, closing):
    """A function that opens sockets for a visitor: half of the page's, half of one room."""

    def open_sockets(visitor, count=SOCKETS):
        sockets = []
        for number in range(count):
            socket = visitor.connect("/ws/" if number % 2 else "/ws/chat/lobby/")
            closing.callback(socket.raw.close)
            if number % 2:
                socket.receive_stream("system", "welcome")
            sockets.append(socket)
        return sockets

    return open_sockets


def sign_up(stack, name):
    visitor = stack.visitor()
    visitor.get("/accounts/signup/")
    assert visitor.post("/accounts/signup/", username=name, password1=PASSWORD, password2=PASSWORD).status == 302
    return visitor


class Watch(threading.Thread):
    """Reads *sockets* until all are closed."""

    def __init__(self, sockets):
        super().__init__()
        self.sockets, self.codes, self.ended = sockets, set(), 0.0
        self.start()

    def run(self):
        self.codes = {close_code(socket) for socket in self.sockets}
        self.ended = time.time()

    def seconds_after(self, began):
        self.join(30 * TIMEOUT_SCALE)
        assert self.codes == {4003}
        return self.ended - began


def still_there(socket):
    socket.send_stream("system", type="ping")
    return socket.receive_stream("system", "pong")


def test_logout_ends_the_sockets_of_one_browser(stack, opened):
    name = f"u{uuid4().hex[:12]}"
    here = sign_up(stack, name)
    elsewhere = stack.visitor().sign_in(name, PASSWORD)
    watch, others = Watch(opened(here)), opened(elsewhere, 2)
    began = time.time()
    assert here.post("/accounts/logout/").status == 302
    assert watch.seconds_after(began) < 1 * TIMEOUT_SCALE
    assert still_there(others[1])


def test_a_changed_account_ends_all_its_sockets(stack, opened):
    bystander = opened(stack.visitor().be_guest("gil"), 2)[1]
    watches, script = [], ""
    for change in CHANGES.values():
        name = f"u{uuid4().hex[:12]}"
        watches.append(Watch(opened(sign_up(stack, name), 4)))
        script += SCRIPT.format(name=name, change=change)
    said = stack.manage("shell", "-c", script)
    changed = [float(line.split()[1]) for line in said.splitlines() if line.startswith("at ")]
    for name, watch, at in zip(CHANGES, watches, changed, strict=True):
        assert watch.seconds_after(at) < 1 * TIMEOUT_SCALE, name
    assert still_there(bystander)

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.services import TIMEOUT_SCALE


@pytest.mark.system
def test_channels_live_server_runs_the_chat_on_a_real_redis(redis_server, postgres, root, tmp_path):
    """ChannelLiveServerTestCase forks servers that share a database: its cases run apart, on one that is no file."""
    environment = {
        **os.environ,
        "CHANNEL_LAYER": "redis",
        "REDIS_URL": redis_server.url,
        "DATABASE_URL": postgres.database("live"),
        "CHAT_GUESTS": "on",
    }
    # Without conftest.py: what it does about SIGTERM, the forked servers would inherit, and then never end.
    command = [sys.executable, "-m", "pytest", "-q", "--noconftest", "tests/chat/live.py"]
    output = tmp_path / "output.log"
    # A file and a session of its own: forked servers that hang can be ended, and no pipe of theirs waited for.
    with output.open("wb") as said:
        runner = subprocess.Popen(
            command, cwd=root, env=environment, stdout=said, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        code = runner.wait(timeout=120 * TIMEOUT_SCALE)
    except subprocess.TimeoutExpired:
        os.killpg(runner.pid, signal.SIGKILL)
        code = runner.wait()
    assert code == 0, output.read_text(errors="replace")[-5000:]

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.services import TIMEOUT_SCALE


@pytest.mark.system
def test_channels_live_server_runs_the_chat_on_a_real_redis(redis_server, postgres, root):
    """ChannelLiveServerTestCase forks servers that share a database: its cases run apart, on one that is no file."""
    environment = {
        **os.environ,
        "CHANNEL_LAYER": "stock",
        "REDIS_URL": redis_server.url,
        "DATABASE_URL": postgres.database("live"),
        "CHAT_GUESTS": "on",
    }
    # Without conftest.py: what it does about SIGTERM, the forked servers would inherit, and then never end.
    command = [sys.executable, "-m", "pytest", "-q", "--noconftest", "tests/chat/live.py"]
    result = subprocess.run(
        command, check=False, cwd=root, env=environment, capture_output=True, text=True, timeout=120 * TIMEOUT_SCALE
    )
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-2000:]

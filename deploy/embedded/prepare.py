"""What must be there before the processes start: message catalogs, static files, an up-to-date database.

Each is done only when something changed since it was done last; ``var/prepared.json`` remembers.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from embedded.child import run
from embedded.environment import Paths
from embedded.install import digest
from embedded.report import Failure, conclusion, indent, step


def prepare(paths: Paths, environment: dict[str, str]) -> None:
    """Compile catalogs, collect static files and migrate, as far as each is needed.

    Raises:
        Failure: one of them does not work; the message holds the end of what it said.
    """
    compile_catalogs(paths.checkout, paths.python)
    memory = paths.var / "prepared.json"
    done = json.loads(memory.read_text()) if memory.exists() else {}
    static = _static_state(paths, environment)
    if done.get("static") != static or not _static_root(paths, environment).exists():
        with step("collecting static files"):
            _manage(paths, environment, "collectstatic", "--noinput", "--verbosity=0")
    if _database_state(paths, environment) is None or done.get("database") != _database_state(paths, environment):
        with step(f"migrating the database ({_database_name(environment)})"):
            _manage(paths, environment, "migrate", "--noinput", "--verbosity=0")
    memory.write_text(json.dumps({"static": static, "database": _database_state(paths, environment)}))


def compile_catalogs(checkout: Path, python: Path) -> None:
    """Compile the message catalogs that are newer than what they were compiled to."""
    locale = checkout / "chat" / "locale"
    stale = [po for po in sorted(locale.glob("*/LC_MESSAGES/*.po")) if _older(po.with_suffix(".mo"), po)]
    if not stale:
        return
    with step("compiling message catalogs"):
        for domain in sorted({po.stem for po in stale}):
            _run([python, "-m", "babel.messages.frontend", "compile", "-d", locale, "-D", domain], checkout, {})


def _older(product: Path, source: Path) -> bool:
    return not product.exists() or product.stat().st_mtime < source.stat().st_mtime


def _manage(paths: Paths, environment: dict[str, str], *arguments: str) -> None:
    _run([paths.python, "manage.py", *arguments], paths.checkout, environment)


def _run(command: list[str | Path], directory: Path, environment: dict[str, str]) -> None:
    ran = run(command, environment, directory)
    if ran.code:
        words = " ".join(map(str, command[1:]))
        raise Failure(f"`{words}` ends with code {ran.code}:\n{indent(conclusion(ran.lines, 15))}")


def _static_root(paths: Paths, environment: dict[str, str]) -> Path:
    return Path(environment.get("STATIC_ROOT") or paths.var / "static") / "staticfiles.json"


def _static_state(paths: Paths, environment: dict[str, str]) -> str:
    """Return what tells whether `collectstatic` would find other files, or put them elsewhere or under other names."""
    sources = [*_in_apps(paths, "static/**/*"), paths.checkout / "my_project" / "storage.py"]
    return _state(paths, sources, str(_static_root(paths, environment)))


def _database_state(paths: Paths, environment: dict[str, str]) -> str | None:
    """Return what tells whether `migrate` would find work: migrations here, and those the database says it has had.

    None for a database that cannot be asked without Django, or is not there yet.
    """
    if environment.get("DATABASE_URL"):
        return None
    database = paths.var / "db.sqlite3"
    if not database.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
            applied = connection.execute("SELECT app, name FROM django_migrations ORDER BY app, name").fetchall()
    except sqlite3.DatabaseError:
        return None
    return _state(paths, _in_apps(paths, "migrations/*.py"), repr(applied))


def _database_name(environment: dict[str, str]) -> str:
    url = environment.get("DATABASE_URL", "")
    # Never the password.
    return url.rpartition("@")[2] or "SQLite in var/"


def _in_apps(paths: Paths, pattern: str) -> list[Path]:
    """Return the files that match *pattern* in the packages of the checkout; var/ has a static/ too, but is none."""
    packages = [init.parent for init in paths.checkout.glob("*/__init__.py")]
    return [path for package in packages for path in package.glob(pattern)]


def _state(paths: Paths, sources: Iterable[Path], *more: str) -> str:
    state = hashlib.sha256(digest(paths.checkout / "requirements-lts.txt").encode())
    for path in sorted(sources):
        if path.is_file():
            found = path.stat()
            state.update(f"{path}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    for text in more:
        state.update(text.encode())
    return state.hexdigest()

"""Whatever the chat says, it says in Chinese too."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.template.base import DebugLexer, TokenType
from django.utils.translation.template import plural_re

CHAT = Path(__file__).resolve().parent.parent / "chat"
CATALOGS = CHAT / "locale" / "zh_Hans" / "LC_MESSAGES"
FUNCTIONS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
PLACE = re.compile(r"%\(\w+\)[sd]")

_STRING = r'"((?:[^"\\]|\\.)*)"'
_JS_CALL = re.compile(rf"\bn?gettext\(\s*{_STRING}")
_JS_ANY_CALL = re.compile(r"\bn?gettext\(")
_TRANS = re.compile(r"^trans(?:late)?\s+" + _STRING)
_ENTRY = re.compile(r'^(msgid|msgid_plural|msgstr(?:\[\d+\])?) (".*"(?:\n".*")*)$', re.MULTILINE)


def catalog(domain: str) -> dict[str, list[str]]:
    """Return the translations by message; the header is the empty one."""
    entries: dict[str, list[str]] = {}
    current: list[str] = []
    for keyword, quoted in _ENTRY.findall((CATALOGS / f"{domain}.po").read_text("utf-8")):
        text = "".join(ast.literal_eval(line) for line in quoted.splitlines())
        if keyword == "msgid":
            current = entries.setdefault(text, [])
        elif keyword.startswith("msgstr"):
            current.append(text)
    return entries


def in_python() -> Iterator[str]:
    for path in CHAT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
                yield ast.literal_eval(node.args[0])


def in_templates() -> Iterator[str]:
    for path in CHAT.rglob("templates/**/*.html"):
        tokens = iter(DebugLexer(path.read_text("utf-8")).tokenize())
        for token in tokens:
            if token.token_type != TokenType.BLOCK:
                continue
            if found := _TRANS.match(token.contents):
                yield found[1]
            elif token.contents.startswith("blocktrans"):
                yield _block(tokens)


def _block(tokens: Iterator) -> str:
    """Return the message of a blocktrans: up to its plural or its end."""
    text = ""
    for token in tokens:
        if token.token_type == TokenType.BLOCK:
            assert plural_re.match(token.contents) or token.contents == "endblocktrans", token.contents
            return text
        text += f"%({token.contents})s" if token.token_type == TokenType.VAR else token.contents.replace("%", "%%")
    raise AssertionError("a blocktrans without an end")


def in_scripts() -> Iterator[str]:
    for path in CHAT.rglob("static/**/*.js"):
        text = path.read_text("utf-8")
        found = _JS_CALL.findall(text)
        # A message that is not a plain string in double quotes would be missed, by makemessages as well.
        assert len(found) == len(_JS_ANY_CALL.findall(text)), path
        yield from (ast.literal_eval(f'"{message}"') for message in found)


@pytest.mark.parametrize(
    ("domain", "sources"),
    [("django", (in_python, in_templates)), ("djangojs", (in_scripts,))],
    ids=["django", "djangojs"],
)
def test_catalog_holds_what_is_said_and_nothing_else(domain: str, sources: tuple) -> None:
    said = {message for source in sources for message in source()}
    assert len(said) > 40
    assert said == set(catalog(domain)) - {""}


@pytest.mark.parametrize("domain", ["django", "djangojs"])
def test_everything_is_translated(domain: str) -> None:
    assert "fuzzy" not in (CATALOGS / f"{domain}.po").read_text("utf-8")
    for message, translations in catalog(domain).items():
        assert len(translations) == 1, message
        assert translations[0].strip(), message
        if message:
            assert sorted(PLACE.findall(translations[0])) == sorted(PLACE.findall(message)), message

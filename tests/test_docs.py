"""The documents against the code: what they name must exist, and what exists must stand in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from channels_lts import close_codes, conf, streams
from channels_lts.interface import options

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
# What an operator or a program makes, and so no clone has.
MADE = re.compile(r"^(var|static|media|\.venv)(/|$)")


def read(*parts: str) -> str:
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


def code_spans(page: Path) -> list[str]:
    return re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8"))


@pytest.fixture(params=PAGES, ids=lambda page: page.name)
def page(request) -> Path:
    return request.param


def test_every_link_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


def test_every_file_that_is_named_exists(page):
    top = {entry.name for entry in ROOT.iterdir()} - {"var"}
    missing = []
    for span in code_spans(page):
        path = span.split("::")[0].rstrip("/")
        if path.split("/")[0] in top and "/" in path and not re.search(r"[<>*{…]", path) and not MADE.match(path):
            missing += [path] if not (ROOT / path).exists() else []
    assert not missing


def test_every_test_that_is_named_exists(page):
    for span in code_spans(page):
        if match := re.fullmatch(r"(tests/[\w/]+\.py)::(\w+)", span):
            assert re.search(rf"^\s*(def|class) {match[2]}\b", read(match[1]), re.MULTILINE), span


def test_every_make_target_that_is_named_exists(page):
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"`make ([a-z-]+)", text)) | set(re.findall(r"^make ([a-z-]+)", text, re.MULTILINE))
    assert named <= targets


def test_every_management_command_that_is_named_exists(page):
    named = set(re.findall(r"manage\.py ([a-z]\w+)", page.read_text(encoding="utf-8")))
    assert named <= set(get_commands())


def test_every_make_target_is_described():
    documents = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    targets = set(re.findall(r"^([a-z-]+):.*##", read("Makefile"), re.MULTILINE)) - {"clean", "help"}
    assert not [target for target in targets if f"make {target}" not in documents]


def test_every_environment_variable_stands_in_the_settings_page():
    variables = set(re.findall(r'env(?:_\w+)?\(\s*"([A-Z_]+)"', read("my_project", "settings.py")))
    assert len(variables) > 10
    rows = set(re.findall(r"^\| `([A-Z_]+)`(?:, `[A-Z_]+`)* \|", read("docs", "settings.md"), re.MULTILINE))
    assert variables - rows == set()


def test_every_variable_of_the_supervisor_files_stands_in_the_example_environment():
    used: set[str] = set()
    for file in (ROOT / "deploy" / "supervisor").glob("*.conf"):
        used |= set(re.findall(r"%\(ENV_([A-Z_]+)\)s", file.read_text(encoding="utf-8")))
    assert len(used) > 5
    example = set(re.findall(r"^([A-Z_]+)=", read("deploy", "channels.env.example"), re.MULTILINE))
    assert used <= example


def test_every_variable_of_the_supervisor_files_stands_in_the_settings_page():
    sources = "".join(file.read_text() for file in (ROOT / "deploy" / "supervisor").rglob("*.conf"))
    section = read("docs", "settings.md").partition("## What the supervisor files read")[2].partition("\n## ")[0]
    rows = "".join(line.split("|")[1] for line in section.splitlines() if line.startswith("| `"))
    assert set(re.findall(r"%\(ENV_([A-Z_]+)\)s", sources)) == set(re.findall(r"`([A-Z_]+)`", rows))


def test_example_environment_names_only_what_something_reads():
    read_by_django = set(re.findall(r'env(?:_\w+)?\(\s*"([A-Z_]+)"', read("my_project", "settings.py")))
    read_by_supervisor = set(
        re.findall(
            r"%\(ENV_([A-Z_]+)\)s", "".join(f.read_text() for f in (ROOT / "deploy" / "supervisor").rglob("*.conf"))
        )
    )
    example = set(re.findall(r"^([A-Z_]+)=", read("deploy", "channels.env.example"), re.MULTILINE))
    assert example <= read_by_django | read_by_supervisor | {"DJANGO_SETTINGS_MODULE"}


def test_every_setting_of_the_library_stands_in_the_settings_page():
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \|", read("docs", "settings.md"), re.MULTILINE)
    written = {name: default.strip().strip("`") for name, default in rows}
    for name, default in conf.DEFAULTS.items():
        assert written[name] == str(default), name


def test_every_check_stands_in_the_settings_page():
    source = read("channels_lts", "checks.py") + read("my_project", "checks.py")
    identifiers = set(re.findall(r'id="([\w.]+)"', source))
    assert identifiers
    assert identifiers == set(re.findall(r"^\| `([\w.]+\.[EW]\d+)`", read("docs", "settings.md"), re.MULTILINE))


def test_every_close_code_and_error_code_stands_in_the_streams_page():
    text = read("docs", "streams.md")
    for code in close_codes.ALL:
        assert f"| {code.code} | {code.reason} | {'yes' if code.reconnect else 'no'} |" in text
    rows = set(re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE))
    assert set(streams.CODES) <= rows


def test_every_flag_and_every_counter_of_the_interface_server_stands_on_its_page():
    text = read("docs", "interface.md")
    flags = {flag for option in options.OPTIONS.values() for flag in option.flags}
    assert flags == set(re.findall(r"`(-\w|--[a-z-]+)`", text.split("| flag |")[1].split("\n\n")[0])) - {
        "--proxy-headers"
    }
    written = set(re.findall(r"`([a-z_]+)`", text.split("| counter |")[1])) - {"websocket.disconnect"}
    sources = "".join(path.read_text() for path in (ROOT / "channels_lts" / "interface").glob("*.py"))
    counted = set(re.findall(r'count\("([a-z_]+)"', sources)) | {"request_full", "request_unavailable", "too_big"}
    counted |= {
        f"{channel}_{why}" for channel in ("connect", "receive", "disconnect") for why in ("full", "unavailable")
    }
    assert written == counted


def test_every_feature_and_every_defect_has_its_row():
    features = re.findall(r"^\| F(\d+) \|", read("docs", "features.md"), re.MULTILINE)
    assert [int(number) for number in features] == list(range(1, 43))
    defects = re.findall(r"^\| D(\d+) \|", read("docs", "defects.md"), re.MULTILINE)
    assert [int(number) for number in defects] == list(range(1, 33))

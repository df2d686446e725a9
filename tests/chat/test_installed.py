"""What makes the page one that can be installed, and the modules that are named to the browser at once."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import storage
from django.core.management import call_command
from django.test import Client, override_settings

from chat import assets

pytestmark = pytest.mark.django_db


@pytest.fixture
def collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Static files under hashed names, as a deployment has them."""
    with override_settings(STATIC_ROOT=str(tmp_path)):
        hashed = storage.ManifestStaticFilesStorage()
        hashed.support_js_module_import_aggregation = True
        for module in (storage, assets):
            monkeypatch.setattr(module, "staticfiles_storage", hashed)
        monkeypatch.setattr("django.contrib.staticfiles.management.commands.collectstatic.staticfiles_storage", hashed)
        call_command("collectstatic", "--noinput", "--verbosity=0")
        assets._modules.cache_clear()
        yield hashed
        assets._modules.cache_clear()


def test_every_module_behind_the_page_is_named_once() -> None:
    found = assets.modules("chat/js/main.js")
    assert found[0] == "/static/chat/js/main.js"
    assert {"/static/chat/js/log.js", "/static/chat/js/dom.js", "/static/chat/streams.js"} <= set(found)
    assert len(found) == len(set(found))
    # What is imported only when it is needed is not.
    assert "/static/chat/js/emoji-data.js" not in found


def test_modules_are_named_as_the_files_that_import_them_do(collected: Any) -> None:
    found = assets.modules("chat/js/main.js")
    assert re.fullmatch(r"/static/chat/js/main\.[0-9a-f]{12}\.js", found[0])
    for url in found:
        assert collected.exists(url.removeprefix("/static/")), url
    imported = re.findall(r'from "\./(log[^"]*)"', Path(collected.path(found[0].removeprefix("/static/"))).read_text())
    assert f"/static/chat/js/{imported[0]}" in found


def worker() -> tuple[dict[str, Any], Any]:
    answer = Client().get("/sw.js")
    settings = re.search(r"= (\{.*\});", answer.content.decode())
    assert settings
    return json.loads(settings.group(1)), answer


def test_the_worker_is_served_from_the_root_and_asked_for_anew_each_time() -> None:
    settings, answer = worker()
    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Cache-Control"] == "no-cache"
    # Without hashed names, as in development, a file may change under its name: none is kept.
    assert settings["files"] == []
    assert settings["offline"] == {"en": "/offline/en/", "zh-hans": "/offline/zh-hans/"}


def test_the_worker_changes_with_the_files_that_it_keeps(collected: Any) -> None:
    before, _ = worker()
    assert all(re.search(r"\.[0-9a-f]{12}\.", url) for url in before["files"])
    assert any("/js/main." in url for url in before["files"])
    assert worker()[0] == before
    collected.hashed_files["chat/js/main.js"] = "chat/js/main.0123456789ab.js"
    after, _ = worker()
    assert after["version"] != before["version"]


@pytest.mark.parametrize(("language", "words"), [("en", "There is no connection"), ("zh-hans", 'lang="zh-hans"')])
def test_the_offline_page_is_the_same_for_everybody(language: str, words: str) -> None:
    answer = Client().get(f"/offline/{language}/", HTTP_ACCEPT_LANGUAGE="de")
    assert words in answer.content.decode()
    assert "csrf" not in answer.content.decode()
    assert not answer.cookies
    assert Client().get("/offline/tlh/").status_code == 404


def test_the_manifest_is_in_the_language_of_the_page() -> None:
    answer = Client().get("/manifest.webmanifest", HTTP_ACCEPT_LANGUAGE="zh-hans")
    manifest = json.loads(answer.content)
    assert manifest["lang"] == "zh-hans"
    assert manifest["scope"] == "/"
    assert {icon["purpose"] for icon in manifest["icons"]} == {"any", "maskable"}

"""Make the page's icons from favicon.svg: ``python docs/icons.py``, with what tests/requirements.txt installs.

Phones and older browsers take no SVG. The files are small and change with the logo alone, so they are kept with it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

STATIC = Path(__file__).resolve().parent.parent / "chat/static/chat"
# Name, size, and how much of the width the picture takes: what a phone cuts to a circle or the like needs a margin.
ICONS = (("192", 192, 1.0), ("512", 512, 1.0), ("maskable", 512, 0.72))


def main() -> None:
    svg = (STATIC / "favicon.svg").read_text(encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, size, share in ICONS:
            page = browser.new_page(viewport={"width": size, "height": size})
            back = "#123a35" if share < 1 else "transparent"
            page.set_content(
                f"<style>body{{margin:0;height:100vh;display:grid;place-items:center;background:{back}}}"
                f"svg{{width:{share:.0%};height:{share:.0%}}}</style>{svg}"
            )
            page.screenshot(path=STATIC / "icons" / f"{name}.png", omit_background=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    main()

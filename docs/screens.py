"""Draws every kind of message as both chats would show it, light and dark: `make screens`; needs Chromium."""
# ruff: noqa: INP001 - a script beside the pages it writes, not a package

from __future__ import annotations

import asyncio
import base64
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from writing.paper import sheet
from writing.scenes import groups, played

HERE = Path(__file__).parent
_SCENARIO = HERE.parent / "scenarios" / "twitter-2022-11-04.yaml"
_CHROMIUM = "/usr/bin/chromium"
_QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def main() -> None:
    """Write one picture for each group, platform and theme."""
    scenes = asyncio.run(played(_SCENARIO))
    to = HERE / "images" / "screens"
    to.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=_CHROMIUM, args=_QUIET)
        page = browser.new_page(viewport={"width": 1190, "height": 600})
        for name, title, group in groups(scenes):
            for platform in ("slack", "discord"):
                for theme in ("light", "dark"):
                    page.set_content(sheet(title, group, platform, dark=theme == "dark"))
                    path = to / f"{platform}-{name}-{theme}.webp"
                    path.write_bytes(_shot(page))
                    sys.stderr.write(f"{path.name} written\n")
        browser.close()


def _shot(page: Page) -> bytes:
    """The whole page as WebP, a fifth of the size of a PNG; only the browser's own protocol offers it."""
    page.evaluate("document.fonts.ready")
    size = page.evaluate("({width: 1190, height: document.documentElement.scrollHeight, x: 0, y: 0, scale: 1})")
    asked = {"format": "webp", "quality": 82, "captureBeyondViewport": True, "clip": size}
    return base64.b64decode(page.context.new_cdp_session(page).send("Page.captureScreenshot", asked)["data"])


if __name__ == "__main__":
    main()

"""Three hundred hostile things on the page of a real Chromium: no script runs, nothing is fetched elsewhere, nothing spills."""

from __future__ import annotations

from doubles.browser import chromium_path
from doubles.hostile import CORPUS
from doubles.house import INCIDENT, MORNING, entry, sample_head
from doubles.served import serving
from msgspec.structs import replace
from playwright.async_api import async_playwright

from bot.core.model import Fact, Kind, Said, Source

_ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def _heads():
    """Six heads, fifty hostile things in each."""
    for n in range(6):
        words = CORPUS[n * 50 : n * 50 + 50]
        yield replace(
            sample_head(),
            sentence=tuple(Said(one) for one in words[:20]),
            facts=tuple(Fact(label="Owner", value=(Said(one),)) for one in words[20:40]),
            sources=tuple(Source(name="page", word="calm", tone="calm", note=one[:300]) for one in words[40:]),
        )


async def test_three_hundred_hostile_things_neither_run_nor_call_nor_spill_at_phone_width(prove):
    program = chromium_path()
    wrong: list[str] = []
    async with serving() as site, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=_ARGS)
        page = await (await browser.new_context(base_url=site.url, viewport={"width": 390, "height": 800})).new_page()
        page.on("dialog", lambda dialog: wrong.append(f"dialog {dialog.message}"))
        page.on("request", lambda asked: wrong.append(asked.url) if not asked.url.startswith(site.url) else None)
        lines = [entry(n, MORNING, Kind.ACTED, "minor", Said("ann"), ": ", Said(w)) for n, w in enumerate(CORPUS, 1)]
        site.board.lines[INCIDENT] = lines
        for head in _heads():
            site.board.heads[INCIDENT] = head
            for path in (f"/incident/{INCIDENT}", "/"):
                await page.goto(path)
                seen = await page.evaluate(_LOOK)
                wrong += [f"{path}: ran"] if seen["hit"] else []
                wrong += [f"{path}: {seen['width']} px wide"] if seen["width"] > 390 else []
                wrong += [
                    f"{path}: {link}" for link in seen["links"] if not link.startswith((site.url, "https://status."))
                ]
        await browser.close()
    prove("R44", len(CORPUS) * 2, wrong, "hostile words in a real browser at 390 px: in the head, and in the thread")


_LOOK = """() => ({
  hit: window.hit === 1, width: document.documentElement.scrollWidth,
  links: [...document.querySelectorAll("[href], [src]")].map((e) => e.href || e.src).filter((u) => typeof u === "string" && u),
})"""

"""The pages in a real Chromium: alive without a reload, whole without a script, usable by keyboard and on a phone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from doubles.browser import chromium_path
from doubles.house import INCIDENT, MORNING, entry
from doubles.served import Served, serving
from msgspec.structs import replace
from playwright.async_api import Browser, Page, async_playwright, expect

from bot.core.model import Kind, Said, When
from bot.web.site import ROUTES

pytestmark = pytest.mark.asyncio(loop_scope="module")

_ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_PAGES = ("/", f"/incident/{INCIDENT}", "/report/twitter", f"/incident/{INCIDENT}/resolve", "/sign-in", "/nope")
# WCAG 2 contrast of each text against what is painted behind it, worst first.
_CONTRAST = """() => {
  const part = (v) => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const shine = (c) => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number); return .2126*part(r) + .7152*part(g) + .0722*part(b); };
  const behind = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\\)$/.test(c)) return c; } };
  const found = [];
  for (const e of document.querySelectorAll("main *, header *, footer *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.nodeValue.trim());
    if (!own || e.closest("svg, noscript") || !e.offsetParent) continue;
    const [a, b] = [shine(getComputedStyle(e).color), shine(behind(e))].sort((x, y) => y - x);
    found.push([(a + .05) / (b + .05), e.outerHTML.slice(0, 80)]);
  }
  return found.sort((x, y) => x[0] - y[0]);
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    program = chromium_path()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=_ARGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def served() -> AsyncIterator[Served]:
    async with serving() as site:
        yield site


@pytest_asyncio.fixture(loop_scope="module")
async def page(chromium: Browser, served: Served) -> AsyncIterator[Page]:
    context = await chromium.new_context(base_url=served.url, timezone_id="Asia/Tokyo", locale="en-GB")
    page = await context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    yield page
    await context.close()
    assert troubles == [], "the browser complained"


async def test_a_thread_grows_while_it_is_read_and_focus_stays(served: Served, page: Page) -> None:
    await page.goto("/")
    await expect(page.locator("#link")).to_have_text("Live")
    await page.get_by_role("button", name="Acknowledge").focus()
    chart = await page.eval_on_selector("article img", "(image) => (window.chart = image, image.currentSrc)")
    served.board.lines[INCIDENT].append(
        entry(5, MORNING, Kind.ACTED, "critical", "Acknowledged by ", Said(words="ann"))
    )
    await _moved(served, "twitter")
    await expect(page.locator(".thread li")).to_have_count(5)
    await expect(page.locator("#news")).to_have_text("Twitter: Acknowledged by ann")
    await expect(page.get_by_role("button", name="Acknowledge")).to_be_focused()
    assert await page.evaluate("window.chart === document.querySelector('article img')"), "the chart did not blink"
    assert chart.startswith(served.url)


async def test_incidents_come_and_go_and_the_worst_stays_first(served: Served, page: Page) -> None:
    await page.goto("/")
    await expect(page.locator("#link")).to_have_text("Live")
    head, lines = served.board.heads[INCIDENT], served.board.lines[INCIDENT]
    served.board.heads["INC-43"] = replace(head, incident="INC-43", service="github", title="GitHub: more than usual")
    served.board.lines["INC-43"] = lines[:1]
    served.board.levels["github"] = ("major", "suspected", "INC-43")
    await _moved(served, "github")
    await expect(page.locator("#open article h2")).to_have_text([head.title, "GitHub: more than usual"])
    await expect(page.locator("#services .name")).to_have_text(["Twitter", "GitHub", "Discord", "npm", "Slack"])
    served.board.levels["twitter"] = ("", None, None)
    await _moved(served, "twitter")
    await expect(page.locator("#open article h2")).to_have_text(["GitHub: more than usual"])
    await expect(page).to_have_title("Trouble at GitHub and Discord - Tocsin")
    await expect(page.locator("#services .name").first).to_have_text("GitHub")


async def test_a_page_open_over_a_restart_loads_itself_anew(served: Served, page: Page) -> None:
    await page.goto("/")
    await page.evaluate("document.body.dataset.after = 'another-1'")
    served.board.names["github"] = "GitHub, renamed"
    await page.evaluate("listen(document.body.dataset.after)")
    await expect(page.locator("#row-github .name")).to_have_text("GitHub, renamed")


async def test_an_open_note_is_not_disturbed_by_what_happens(served: Served, page: Page) -> None:
    await page.goto(f"/incident/{INCIDENT}")
    await expect(page.locator("#link")).to_have_text("Live")
    await page.get_by_label("Note for the thread").fill("the vendor kn")
    served.board.heads[INCIDENT] = replace(served.board.heads[INCIDENT], title="Twitter: calmer")
    await _moved(served, "twitter")
    await expect(page.get_by_role("heading", name="Twitter: calmer")).to_be_visible()
    await expect(page.get_by_label("Note for the thread")).to_have_value("the vendor kn")


async def test_times_are_the_readers_own_with_their_zone(page: Page) -> None:
    await page.goto("/")
    moment = page.locator(".thread time").first
    await expect(moment).to_have_text("12:10 GMT+9")
    await expect(moment).to_have_attribute("title", "2022-11-04 03:10 UTC")


async def test_how_long_ago_is_told_by_the_servers_clock_whatever_the_readers_says(served: Served, page: Page) -> None:
    began = (When(at=MORNING - timedelta(minutes=11), style="ago"),)
    served.board.heads[INCIDENT] = replace(served.board.heads[INCIDENT], sentence=began)
    await page.clock.set_fixed_time(datetime(2031, 5, 6, tzinfo=UTC))
    await page.goto("/")
    await expect(page.locator(".sentence time")).to_have_text("11 minutes ago")


async def test_everything_works_without_a_script(served: Served, chromium: Browser) -> None:
    context = await chromium.new_context(base_url=served.url, java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/")
    await expect(page.locator(".thread time").first).to_have_text("03:10 UTC")
    await page.get_by_role("link", name="Report a problem with Twitter").click()
    await page.get_by_role("button", name="Log-in").click()
    await expect(page.get_by_text("31 others")).to_be_visible()
    await page.goto("/")
    await page.get_by_role("button", name="Acknowledge").click()
    await expect(page).to_have_url(f"{served.url}/incident/{INCIDENT}")
    await page.get_by_label("Note for the thread").fill("looking")
    await page.get_by_role("button", name="Add note").click()
    await page.get_by_role("link", name="Resolve").click()
    await page.get_by_role("button", name="Resolve").click()
    assert [asked.verb for asked in served.desk.asked] == ["report", "ack", "note", "resolve"]
    await context.close()


async def test_the_keyboard_reaches_everything(page: Page, served: Served) -> None:
    await page.goto("/")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()
    for name in ("Twitter: far more problem reports than usual", "Acknowledge", "I see it too", "Why?", "Resolve"):
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent.trim()") == name
        assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Why? Twitter")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
async def test_every_page_fits_and_can_be_read(served: Served, chromium: Browser, width: int, scheme: str) -> None:
    context = await chromium.new_context(
        base_url=served.url,
        viewport={"width": width, "height": 740},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = await context.new_page()
    for path in _PAGES:
        await page.goto(path)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        (worst, where), *_ = await page.evaluate(_CONTRAST)
        assert worst >= 4.5, (path, where, worst)
        assert await page.locator("h1").count() == 1, path
        assert await page.evaluate("document.images.length === [...document.images].filter((i) => i.alt).length")
    await context.close()


async def test_a_lost_connection_is_said(served: Served, page: Page) -> None:
    await page.goto("/")
    await expect(page.locator("#link")).to_have_text("Live")
    await page.clock.set_fixed_time(datetime(2022, 11, 4, 7, 30, tzinfo=UTC))
    [live] = [route.handler.__self__ for route in served.app[ROUTES] if route.path == "/events"]
    live.hush()
    await expect(page.locator("#link")).to_have_text("Not connected since 16:30 GMT+9")


async def _moved(served: Served, service: str) -> None:
    await served.clock.settle()
    served.board.move(service)
    await served.clock.advance(1)

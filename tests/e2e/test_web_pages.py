"""The pages as text: strangers' words made inert, forms that work without a script, and few bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from doubles.house import INCIDENT, MORNING, POLICY, entry
from doubles.served import AWAY, Served, serving, token
from msgspec.structs import replace

from bot.core.model import Bold, Button, Kind, Said, When
from bot.web.texts import html, inert, moment
from bot.web.views import counted, row, summary, window, worst_first

HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}", "</textarea><b>", "javascript:alert(1)",
    "[bank](https://evil.example)", "<https://evil.example|bank>", "<!channel>", "@everyone", "\u202egnp.exe",
    "a\x00b\x1b[31m", "\u200b\u2066hidden", "&lt;b&gt;", "'; DROP TABLE", "<svg/onload=alert(1)>",
)  # fmt: skip


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    async with serving() as site:
        yield site


def test_a_text_keeps_our_words_and_quotes_strangers() -> None:
    drawn = html(("It is ", Bold(words="worse"), " & ", Said(words="<b>so</b>"), " since ", When(at=MORNING)))
    assert drawn == (
        "It is <strong>worse</strong> &amp; <q>&lt;b&gt;so&lt;/b&gt;</q> since "
        '<time datetime="2022-11-04T07:20:00Z" data-style="time">07:20 UTC</time>'
    )


def test_every_time_says_its_zone() -> None:
    assert ">4 Nov 2022, 07:20 UTC<" in moment(MORNING, "date")
    assert ">4 Nov 2022, 07:20 UTC<" in moment(MORNING, "ago")


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("plain ünï 🔔", "plain ünï 🔔"),
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("\u202eevil\u2066", "evil"),
        ("Z" + "\u0301" * 2_000, "Z" + "\u0301" * 3 + "…"),
        ("x" * 601, "x" * 600 + "…"),
        ("two\nlines", "two\nlines"),
        ("\ud800", ""),
    ],
)
def test_strangers_words_lose_their_tricks(words: str, left: str) -> None:
    assert inert(words) == left


@pytest.mark.parametrize(
    ("now", "words"),
    [
        ({"count": 312, "within": 900, "usual": 6.2}, "312 in 15 min, usually 6"),
        ({"count": 12400, "within": "1h", "usual": None}, "12,400 in 1 h, no usual known yet"),
        ({"count": 0, "within": timedelta(minutes=15), "usual": 0.1}, "0 in 15 min, usually none"),
        ({}, ""),
    ],
)
def test_counts_are_words_with_units(now: dict[str, object], words: str) -> None:
    assert counted(now) == words


def test_a_window_is_read_however_it_is_told() -> None:
    assert window(900) == window("15m") == window(timedelta(minutes=15))
    assert window(None) is None


def test_the_worst_stands_first_and_calm_ones_by_name() -> None:
    levels = {"calm b": "", "Calm a": "", "small": "minor", "large": "major", "larger": "major"}
    times = {"larger": 9.0}
    rows = [
        row(
            {"id": name, "name": name, "level": level},
            {"now": {"count": 1, "usual": 1.0, "times": times.get(name)}},
            POLICY,
        )
        for name, level in levels.items()
    ]
    assert [one.name for one in worst_first(rows)] == ["larger", "large", "small", "Calm a", "calm b"]
    assert summary(rows) == "Trouble at larger, large and small"
    assert summary([one for one in rows if one.tone == "calm"]) == "Everything is as usual"
    assert summary([]) == "No services are watched yet"


@pytest.mark.parametrize(
    ("told", "now", "state", "sentence"),
    [
        ({}, {"count": 3, "usual": 4.0}, "As usual", "X is as usual"),
        ({}, {"count": 0, "usual": None}, "No trouble seen", "No trouble seen"),
        ({}, {}, "No trouble seen", "No trouble seen"),
        ({"confidence": "silent"}, {"count": 0, "usual": 4.0}, "No reports at all", "No trouble seen"),
    ],
)
def test_nothing_is_called_usual_where_no_usual_is_known(told, now, state, sentence) -> None:
    found = row({"id": "x", "name": "X", "level": "", **told}, {"now": now}, POLICY)
    assert (found.state, summary([found])) == (state, sentence)


async def test_our_own_blindness_is_told_as_ours(served: Served) -> None:
    async with served.client.get("/") as answer:
        page = await answer.text()
    assert "5 in 15 min, usually 6; no reading from page" in page
    assert "Minor, watching" in page
    assert "Critical, confirmed" in page


async def test_hostile_words_stay_words_on_every_page(served: Served) -> None:
    lines = [entry(n, MORNING, Kind.ACTED, "minor", Said(words=words)) for n, words in enumerate(HOSTILE, start=1)]
    served.board.lines[INCIDENT] = lines
    served.board.names["twitter"] = HOSTILE[1]
    served.board.heads[INCIDENT] = replace(served.board.heads[INCIDENT], title=HOSTILE[0], alt=HOSTILE[1])
    for path in ("/", f"/incident/{INCIDENT}", "/report/twitter", f"/incident/{INCIDENT}/resolve"):
        async with served.client.get(path) as answer:
            seen = _Seen(await answer.text())
        assert seen.scripts == [None], path
        assert not seen.handlers, path
        assert all(link.startswith(("/", "#")) for link in seen.links), path
        assert not {"\x00", "\x1b", "\u202e", "\u2066"} & set(seen.page), path


async def test_a_page_holds_no_inline_style_or_script(served: Served) -> None:
    for path in ("/", f"/incident/{INCIDENT}", "/report/twitter", "/sign-in", "/nope"):
        async with served.client.get(path) as answer:
            seen = _Seen(await answer.text())
        assert not seen.styled, path
        assert seen.scripts == [None], path


async def test_a_report_takes_two_taps_and_is_one_visitors_voice(served: Served) -> None:
    async with served.browser() as browser:
        async with browser.get("/report/x", headers={"User-Agent": "Mozilla/5.0 (iPhone; CPU)"}) as answer:
            seen = _Seen(await answer.text())
        assert seen.chosen == ["ios"]
        assert seen.buttons["symptom"] == ["login", "website", "app", "connection", "other"]
        form = {
            "seal": seen.hidden["seal"],
            "symptom": "login",
            "platform": "web",
            "region": "JP",
            "text": "a\0b" + "c" * 400,
        }
        for _ in range(2):
            async with browser.post("/report/twitter", data=form) as answer:
                assert "31 others" in await answer.text()
    first, second = served.desk.asked
    assert (first.verb, first.target, first.symptom, first.region, first.platform) == (
        "report",
        "twitter",
        "login",
        "JP",
        "web",
    )
    assert first.text == "ab" + "c" * 278
    assert first.who == second.who
    assert len(first.who.id) == 22


async def test_two_visitors_are_two_voices(served: Served) -> None:
    for _ in range(2):
        async with served.browser() as browser:
            async with browser.get("/report/twitter") as answer:
                seal = _Seen(await answer.text()).hidden["seal"]
            await browser.post("/report/twitter", data={"seal": seal, "symptom": "app"})
    assert len({asked.who.id for asked in served.desk.asked}) == 2


async def test_what_cannot_be_counted_is_said(served: Served) -> None:
    served.desk.refusal = "You said so a minute ago; that is counted already."
    async with served.browser() as browser:
        async with browser.get("/report/twitter") as answer:
            seal = _Seen(await answer.text()).hidden["seal"]
        async with browser.post("/report/twitter", data={"seal": seal}) as answer:
            assert answer.status == 400
            assert "You said so a minute ago" in await answer.text()


async def test_a_misspelt_service_is_suggested(served: Served) -> None:
    async with served.client.get("/report/twiter") as answer:
        assert (answer.status, "Did you mean twitter?" in await answer.text()) == (404, True)


async def test_a_button_acts_and_leads_back_to_the_thread(served: Served) -> None:
    async with served.browser() as browser:
        async with browser.get("/") as answer:
            seen = _Seen(await answer.text())
        assert f"/incident/{INCIDENT}/ack" in seen.actions
        form = {"seal": seen.hidden["seal"]}
        async with browser.post(f"/incident/{INCIDENT}/ack", data=form, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, f"/incident/{INCIDENT}")
        async with browser.post(f"/incident/{INCIDENT}/report", data=form) as answer:
            assert "31 others" in await answer.text()
        async with browser.get(f"/incident/{INCIDENT}/why") as answer:
            assert "why: done" in await answer.text()
        served.desk.refusal = "It is over already."
        async with browser.post(f"/incident/{INCIDENT}/resolve", data=form) as answer:
            assert (answer.status, "It is over already." in await answer.text()) == (409, True)
    assert [asked.verb for asked in served.desk.asked] == ["ack", "report", "why", "resolve"]


async def test_who_may_not_act_sees_no_form_to_act(served: Served) -> None:
    async with served.client.get(f"/incident/{INCIDENT}", headers=AWAY) as answer:
        page = await answer.text()
    assert "<textarea" not in page
    assert '<body class="acting"' not in page


async def test_a_guarded_house_thanks_without_telling() -> None:
    async with serving((token("reader", "read"),)) as served, served.browser() as browser:
        async with browser.get("/report/twitter") as answer:
            seal = _Seen(await answer.text()).hidden["seal"]
        async with browser.post("/report/twitter", data={"seal": seal}) as answer:
            page = await answer.text()
        assert "Counted." in page
        assert "31 others" not in page


async def test_a_house_of_forty_services_loads_under_200_kb(served: Served) -> None:
    for n in range(40):
        name = f"service-{n}"
        served.board.names[name] = f"Service {n}"
        served.board.now[name] = served.board.now["github"]
    weight = 0
    for path in ("/", "/static/style.css", "/static/live.js", "/static/icon.svg", "/chart/twitter.svg"):
        async with served.client.get(path) as answer:
            weight += len(await answer.read())
    assert weight < 200_000, weight


async def test_files_are_kept_until_they_change(served: Served) -> None:
    async with served.client.get("/") as answer:
        page = await answer.text()
    url = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    async with served.client.get(url) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
        mark = answer.headers["ETag"]
    async with served.client.get("/static/style.css", headers={"If-None-Match": mark}) as answer:
        assert (answer.status, answer.headers["Cache-Control"]) == (304, "no-cache")


class _Seen(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.page = page
        self.scripts: list[str | None] = []
        self.handlers: list[str] = []
        self.links: list[str] = []
        self.actions: list[str] = []
        self.chosen: list[str] = []
        self.hidden: dict[str, str] = {}
        self.buttons: dict[str, list[str]] = {}
        self.styled = False
        self._script = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self.handlers += [name for name in has if name.startswith("on")]
        self.styled |= "style" in has or tag == "style"
        self.links += [has[name] for name in ("href", "src", "action", "formaction") if name in has]
        self.actions += [has["formaction"]] if "formaction" in has else []
        self.chosen += [has["value"]] if "selected" in has else []
        if has.get("type") == "hidden":
            self.hidden[has["name"]] = has["value"]
        if tag == "button" and "name" in has:
            self.buttons.setdefault(has["name"], []).append(has["value"])
        if tag == "script":
            self.scripts.append(None if has.get("src", "").startswith("/static/") else "foreign")
            self._script = True

    def handle_endtag(self, tag: str) -> None:
        self._script = self._script and tag != "script"

    def handle_data(self, data: str) -> None:
        if self._script and data.strip():
            self.scripts.append(data)


async def test_the_draft_of_a_post_mortem_is_a_file_with_its_chart_linked(served: Served) -> None:
    async with served.client.get(f"/incident/{INCIDENT}/postmortem.md") as answer:
        assert answer.content_type == "text/markdown"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{INCIDENT}.md"'
        assert f"(https://status.example.org/chart/incident/{INCIDENT}.svg)" in await answer.text()
    async with served.client.get(f"/incident/{INCIDENT}/postmortem.md?chart=beside") as answer:
        assert f"({INCIDENT}.svg)" in await answer.text()
    async with served.client.get("/incident/nothing-20221104-0303/postmortem.md") as answer:
        assert answer.status == 404


async def test_a_closed_incident_asks_whether_it_was_real(served: Served) -> None:
    asked = (Button(verb="why", label="Why?"), Button(verb="real", label="It was real"))
    served.board.heads[INCIDENT] = replace(served.board.heads[INCIDENT], state="closed", buttons=asked)
    async with served.client.get(f"/incident/{INCIDENT}") as answer:
        page = await answer.text()
    assert f'formaction="/incident/{INCIDENT}/real">It was real</button>' in page
    assert f"/incident/{INCIDENT}/ack" not in page

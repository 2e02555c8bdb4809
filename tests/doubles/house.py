"""A small house in memory behind the doors of the web: a board, a desk and an intake that remember what they were asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Any

from doubles.clock import ManualClock

from bot.core.model import (
    Answer,
    Bold,
    Button,
    Entry,
    Fact,
    Head,
    Kind,
    Picture,
    Policy,
    Request,
    Said,
    Source,
    Span,
    When,
)
from bot.core.phrases import plain
from bot.ports import Letter, Missing, Receipt, Retry

MORNING = datetime(2022, 11, 4, 7, 20, tzinfo=UTC)
ONSET, OPENED, WORSE = (MORNING.replace(hour=h, minute=m) for h, m in ((3, 5), (3, 10), (7, 5)))
POLICY = Policy(
    name="Anything",
    levels=("minor", "major", "critical"),
    open_at="minor",
    confirm_for=timedelta(minutes=2),
    quiet_for=timedelta(minutes=15),
    reopen_for=timedelta(hours=1),
)
INCIDENT = "INC-42"
_BUTTONS = (
    Button(verb="ack", label="Acknowledge", style="primary"),
    Button(verb="report", label="I see it too"),
    Button(verb="why", label="Why?"),
    Button(verb="resolve", label="Resolve", style="danger"),
)
_SYMPTOMS = {"login": "log-in", "website": "website", "app": "app", "connection": "server connection", "other": "other"}


def stamp(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else None


def day(service: str, name: str, *, surge: bool = False) -> Picture:
    """24 h in steps of 15 minutes, with the morning of 4 November on top if asked."""
    usual = tuple(4 + 3 * (hour % 24 > 7) for hour in range(24) for _ in range(4))
    counts = [float(u + (i * 7 % 5) - 2) for i, u in enumerate(usual)]
    if surge:
        for i, more in enumerate((12, 15, 14, 18, 20, 17, 22, 25, 19, 24, 30, 28, 60, 180, 290, 312), start=80):
            counts[i] += more
    low, high = tuple(u * 0.4 for u in usual), tuple(u * 2.2 for u in usual)
    span = (Span(onset=ONSET, opened=OPENED, tone="critical"),) if surge else ()
    start = MORNING - timedelta(hours=24)
    return Picture(
        service=service,
        name=name,
        start=start,
        step=timedelta(minutes=15),
        counts=tuple(counts),
        usual=usual,
        low=low,
        high=high,
        spans=span,
        rule=200 if surge else None,
        rule_name="critical" if surge else "",
    )


def sample_head() -> Head:
    return Head(
        incident=INCIDENT,
        service="twitter",
        rev=7,
        tone="critical",
        state="open",
        level="critical",
        push="Critical - Twitter: far more problem reports than usual (312 in 15 min, usually 6)",
        title="Twitter: far more problem reports than usual",
        sentence=(
            "People report log-in 40 %, website 31 %, mostly on desktop web in Japan and the United Kingdom; the app looks normal. ",
            Bold(words="Two kinds of evidence agree."),
        ),
        facts=(
            Fact(label="Began", value=(When(at=ONSET), ", opened ", When(at=OPENED))),
            Fact(label="Reports", value=("312 in 15 min, usually 6 (52 times as many)",)),
            Fact(label="Peak", value=("340 at ", When(at=MORNING - timedelta(minutes=10)))),
            Fact(label="Symptoms", value=("log-in 40 %, website 31 %, ", Said(words="Something went wrong"), " 12 %")),
            Fact(label="Acknowledged", value=("by nobody yet",)),
        ),
        sources=(
            Source(name="people", word="far more than usual", tone="critical", since=ONSET),
            Source(name="front", word="partial outage", tone="major", since=WORSE, note="HTTP 503"),
            Source(name="page", word="operational", tone="calm", note="the vendor has posted nothing"),
        ),
        foot=("Updated ", When(at=MORNING, style="date")),
        buttons=_BUTTONS,
        alt="Reports per 15 minutes: flat until three, a hill until seven, then far above the usual.",
    )


def entry(seq: int, at: datetime, kind: Kind, level: str, *text: Any) -> Entry:
    return Entry(incident=INCIDENT, seq=seq, at=at, kind=kind, level=level, text=text)


def sample_lines() -> list[Entry]:
    return [
        entry(1, OPENED, Kind.OPENED, "minor", Bold(words="Opened: minor"), ". 14 reports in 15 min, usually 4. It began about ", When(at=ONSET), ". The vendor's page says that all is well."),
        entry(2, WORSE, Kind.RAISED, "critical", Bold(words="Worse: critical"), ". 210 reports in 15 min, usually 6 (35 times as many)."),
        entry(3, WORSE + timedelta(minutes=4), Kind.SCOPE, "critical", "Mostly on desktop web in Japan and the United Kingdom; the app looks normal."),
        entry(4, WORSE + timedelta(minutes=9), Kind.ACTED, "critical", Said(words="ann"), " wrote: ", Said(words="<b>looking</b> at it, see https://evil.example [bank](https://evil.example) <!channel>")),
    ]  # fmt: skip


class FakeBoard:
    """What it knows is in plain fields; `move` lets a page know that something changed."""

    def __init__(self) -> None:
        self.clock = ManualClock(MORNING)
        self.names = {"twitter": "Twitter", "github": "GitHub", "discord": "Discord", "slack": "Slack", "npm": "npm"}
        self.levels = {"twitter": ("critical", "confirmed", INCIDENT), "discord": ("minor", None, None)}
        self.now: dict[str, dict[str, Any]] = {
            name: {"count": 5, "within": 900, "usual": 6.0, "times": 0.8, "score": 0.0} for name in self.names
        }
        self.now["twitter"] = {"count": 312, "within": 900, "usual": 6.0, "times": 52.0, "score": 80.0}
        self.now["discord"] = {"count": 24, "within": 900, "usual": 7.0, "times": 3.4, "score": 9.0}
        self.now["npm"] = {"count": 1, "within": 900, "usual": None, "times": None, "score": 0.0}
        self.blind = {"slack"}
        self.heads = {INCIDENT: sample_head()}
        self.lines = {INCIDENT: sample_lines()}
        self.closed: list[dict[str, Any]] = [_over()]
        self.broken = ""
        self._listeners: set[asyncio.Queue[str]] = set()

    def move(self, service: str) -> None:
        for queue in self._listeners:
            queue.put_nowait(service)

    def status(self) -> dict[str, Any]:
        rows = []
        for id_, name in self.names.items():
            level, confidence, incident = self.levels.get(id_, ("", None, None))
            rows.append({"id": id_, "name": name, "level": level, "confidence": confidence, "incident": incident})
        return {"at": stamp(self.clock.now()), "services": rows}

    def service(self, service: str) -> dict[str, Any] | None:
        if service not in self.names:
            return None
        [row] = [row for row in self.status()["services"] if row["id"] == service]
        watch = {"name": "page", "kind": "statuspage", "ok": service not in self.blind, "level": None, "note": ""}
        return {**row, "now": self.now[service], "watches": [{**watch, "error": "", "checked_at": None}]}

    async def incidents(self, *, state: str = "", service: str = "", limit: int = 100) -> list[dict[str, Any]]:
        if self.broken:
            raise Retry(self.broken)
        alive = [self._told(incident) for incident in self.heads] if state != "closed" else []
        over = self.closed if state != "open" else []
        return [one for one in [*alive, *over] if service in ("", one["service"])][:limit]

    async def incident(self, incident: str) -> dict[str, Any] | None:
        if incident in self.heads:
            return self._told(incident)
        return next((one for one in self.closed if one["id"] == incident), None)

    async def head(self, incident: str) -> Head | None:
        return self.heads.get(incident)

    async def timeline(self, incident: str) -> Sequence[Entry]:
        return self.lines.get(incident, [])

    async def draft(self, incident: str, chart: str) -> str | None:
        return f"# Post-mortem: {incident}\n\n![Reports]({chart})\n" if incident in self.lines else None

    async def picture_of(self, incident: str) -> Picture | None:
        return self.picture("twitter") if incident == INCIDENT else None

    def picture(self, service: str) -> Picture | None:
        if service == "npm":
            return None
        return day(service, self.names[service], surge=service == "twitter")

    def resolve(self, words: str) -> str | None:
        known = {name.casefold(): id_ for id_, name in self.names.items()} | {
            "x": "twitter",
            **{id_: id_ for id_ in self.names},
        }
        return known.get(words.casefold())

    def nearest(self, words: str) -> str:
        return next(iter(get_close_matches(words, list(self.names), 1)), "")

    async def changes(self) -> AsyncIterator[str]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)

    def _told(self, incident: str) -> dict[str, Any]:
        head = self.heads[incident]
        entries = [
            {"at": stamp(line.at), "kind": line.kind.value, "level": line.level, "text": plain(line.text)}
            for line in self.lines[incident]
        ]
        times = {"started_at": stamp(ONSET), "opened_at": stamp(OPENED), "eased_at": None, "closed_at": None}
        return {
            "id": incident,
            "service": head.service,
            "state": head.state,
            "level": head.level,
            "confidence": "confirmed",
            **times,
            "peak": {"at": stamp(MORNING), "count": 340, "times": 57.0},
            "scope": {},
            "entries": entries,
            "threads": [{"channel": "wall", "ref": "1", "heard": len(entries)}],
        }


def _over() -> dict[str, Any]:
    began, ended = MORNING - timedelta(days=3), MORNING - timedelta(days=3) + timedelta(minutes=52)
    return {
        "id": "INC-41",
        "service": "github",
        "state": "closed",
        "level": "major",
        "confidence": "suspected",
        "started_at": stamp(began),
        "opened_at": stamp(began),
        "eased_at": stamp(ended),
        "closed_at": stamp(ended),
        "peak": None,
        "scope": {},
        "entries": [{"at": stamp(began), "kind": "opened", "level": "major", "text": "Opened; major, \\ and more."}],
        "threads": [],
    }


class FakeDesk:
    """Says yes to everything except what `refusal` names, and keeps every request."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.refusal = ""

    async def answer(self, request: Request) -> Answer:
        self.asked.append(request)
        if self.refusal:
            return Answer(lines=((self.refusal,),), ok=False)
        if request.verb == "report":
            return Answer(lines=(("Counted. ", Bold(words="31 others"), " in the last 15 min, usually 2."),))
        return Answer(lines=((f"{request.verb}: done, ", Said(words=request.text or "nothing said"), "."),))

    def suggest(self, what: str, typed: str) -> Sequence[tuple[str, str]]:
        lists = {
            "symptom": list(_SYMPTOMS.items()),
            "platform": [("web", "web"), ("ios", "iOS app"), ("android", "Android app")],
            "region": [("DE", "Germany"), ("JP", "Japan"), ("GB", "United Kingdom")],
        }
        return lists.get(what, [])


class FakeIntake:
    """Reads bodies as the real one does, and keeps what it took."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.busy: Retry | None = None

    async def admit(self, reports: Sequence[Any], door: str) -> Receipt:
        return Receipt(accepted=len(reports))

    async def take(self, body: bytes, shape: str, door: str) -> Receipt:
        if self.busy:
            raise self.busy
        rejected = []
        records = _records(body, shape)
        for index, record in enumerate(records):
            if isinstance(record, dict) and record.get("service") == "twitter":
                self.taken.append({**record, "door": door})
            else:
                rejected.append((index, "no service 'twiter'; did you mean 'twitter'?"))
        return Receipt(accepted=len(records) - len(rejected), rejected=tuple(rejected))

    async def take_each(self, bodies: Sequence[bytes], door: str) -> Sequence[Receipt | ValueError]:
        results: list[Receipt | ValueError] = []
        for body in bodies:
            try:
                results.append(await self.take(body, "one", door))
            except ValueError as exc:
                results.append(exc)
        return results

    async def count(self, body: bytes, shape: str) -> Receipt:
        return await self.take(body, shape, "counts")


class FakeForgetting:
    """A house that holds nothing of anybody."""

    async def export(self, identity: str) -> list[Any]:
        return []

    async def forget(self, identity: str) -> int:
        return 0

    async def undo(self, identity: str, service: str) -> int:
        return 0

    async def withdraw(self, identity: str) -> int:
        return 0


class FakeHearing:
    """A house without hooks."""

    async def take(self, service: str, watch: str, letter: Letter) -> bool:
        raise Missing(f"there is no hook {watch!r} of a service {service!r}")


def _records(body: bytes, shape: str) -> list[Any]:
    try:
        text = body.decode()
        if shape == "lines":
            return [json.loads(line) for line in text.split("\n") if line.strip()]
        found = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise ValueError(f"the body is not JSON: {exc}") from exc
    return found if shape == "many" else [found]

"""Feeds as the configuration would make them, errands to send them on, and an `Http` that answers by script."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.config.plugins import SOURCES
from bot.ports import Errand, Feed, Gathered, Reply

CAPTURES = Path(__file__).parent.parent / "captures"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NEEDED: dict[str, dict[str, Any]] = {
    "prometheus": {"url": "https://p.example.com", "query": "up"},
    "loki": {"url": "https://l.example.com", "query": 'rate({a="b"}[1m])'},
    "elasticsearch": {"url": "https://e.example.com", "index": "tickets"},
    "downdetector": {"client_id": "me", "client_secret": "hush", "slugs": ["teams"]},
    "hackernews": {"words": ["github down"]},
    "reddit": {"client_id": "me", "client_secret": "hush", "user": "somebody", "words": ["discord down"]},
    "mastodon": {"url": "https://m.example.com", "tags": ["githubdown"]},
    "slack_channel": {"token": "hush", "channel": "C0123ABCD", "words": ["discord"]},
    "discord_channel": {"token": "hush", "channel": "112233445566778899", "words": ["discord"]},
    "x": {"token": "hush", "words": ["github down"], "price": 0.005, "budget": 1.0},
}


def feed(kind: str, **fields: Any) -> Any:
    """A feed, with the least that its kind needs."""
    return SOURCES[kind].model_validate({"kind": kind, **NEEDED.get(kind, {}), **fields})


def captured(kind: str, name: str) -> bytes:
    return (CAPTURES / kind / name).read_bytes()


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request as it was made."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def query(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(urlsplit(self.url).query).items()}


Answer = Reply | Exception | Callable[[Call], Reply]


@dataclass
class Scripted:
    """`ports.Http` that answers one request after the other; the last answer repeats."""

    answers: Sequence[Answer]
    calls: list[Call] = field(default_factory=list)

    async def get(self, url: str, **options: Any) -> Reply:
        call = Call(
            method=options.get("method", "GET"),
            url=url,
            headers=dict(options.get("headers") or {}),
            body=options.get("body", b""),
        )
        self.calls.append(call)
        answer = self.answers[min(len(self.calls), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Reply) else answer(call)

    def messages(self, url: str, **options: Any) -> AsyncGenerator[bytes, None]:
        raise NotImplementedError


def reply(body: bytes = b"", status: int = 200, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, url="https://example.com", headers=named, body=body, elapsed=0.1)


async def sent(
    feed: Feed,
    *answers: Answer,
    since: datetime = NOON - timedelta(minutes=4),
    now: datetime = NOON,
    memory: bytes = b"",
    words: Sequence[str] = (),
    kept: list[bytes] | None = None,
) -> tuple[Gathered, list[Call]]:
    """Send a feed out once; what it found, and what it asked for."""
    http = Scripted(answers)

    async def keep(memory: bytes) -> None:
        if kept is not None:
            kept.append(memory)

    errand = Errand(since=since, now=now, keep=keep, memory=memory, words=words)
    return await feed.gather(http, errand), http.calls


def numbers(gathered: Gathered) -> dict[tuple[int, str], float]:
    """Counts by minutes before noon and by whatever kind is not empty."""
    return {
        (round((c.since - NOON) / timedelta(minutes=1)), c.region or c.platform or c.symptom): c.count
        for c in gathered.counts
    }

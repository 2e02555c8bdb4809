"""Any page that should answer, looked at from here."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from bot.core.model import Health, Signal
from bot.fields import Duration, Secret
from bot.ports import Http, Reply, Unreachable
from bot.sources.looks import Looked
from bot.sources.wire import Interval, WebAddress, wait_asked

_OURS = frozenset({"blocked", "too_large"})
_BETWEEN_US = frozenset({407, 429, 511})
_STATUSES = re.compile(r"([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?")


def statuses(value: object) -> tuple[tuple[int, int], ...]:
    """Read `200`, `200-399` or a list of such; answers (first, last) pairs.

    Raises:
        ValueError: with what was read and what would be right.
    """
    if isinstance(value, tuple):
        return value
    given = value if isinstance(value, list) else [value]
    found = [_STATUSES.fullmatch(str(one)) for one in given]
    pairs = tuple((int(m[1]), int(m[2] or m[1])) for m in found if m)
    if not pairs or len(pairs) < len(given) or any(first > last for first, last in pairs):
        raise ValueError(f"{value!r} is not a status code; write 200, 200-399 or a list like [200, 301-308]")
    return pairs


Statuses = Annotated[
    tuple[tuple[int, int], ...],
    BeforeValidator(statuses),
    WithJsonSchema({"type": ["integer", "string", "array"], "examples": [200, "200-399", [200, "301-308"]]}),
]


class Probe(Looked):
    """A page that should answer: reachable, with the right status, soon enough, saying what it should say.

    No answer or a wrong status is a major outage, wrong words a partial one; slow, or a certificate about to end, is
    degraded. It takes `fail_after` looks in a row to believe a failure and `clear_after` to believe the recovery. With
    `vantages`, other places look at it too, and `quorum` of them must agree.
    """

    kind: Literal["probe"]
    """The word that says what this watch is."""
    url: WebAddress
    """The address to ask."""
    every: Interval = timedelta(seconds=30)
    """How often to look."""
    method: Literal["GET", "HEAD", "OPTIONS"] = "GET"
    """How to ask; HEAD spares the body."""
    headers: dict[str, Secret] = Field(default_factory=dict)
    """Headers to send, such as Authorization; they are never printed, and never follow a redirect to another site."""
    expect_status: Statuses = Field(default=((200, 399),), json_schema_extra={"default": "200-399"})
    """The status codes that are fine: `200`, `200-399`, or a list of such."""
    contains: str = ""
    """Words that must be in the answer."""
    absent: str = ""
    """Words that must not be in the answer."""
    timeout: Annotated[Duration, Field(ge=timedelta(milliseconds=100), le=timedelta(minutes=2))] = timedelta(seconds=10)
    """How long a whole answer may take before it counts as none."""
    slower_than: Duration | None = None
    """An answer that takes longer is degraded."""
    certificate_days: float | None = Field(default=None, gt=0)
    """A certificate that ends within so many days is degraded."""
    allow_private: bool = False
    """Let the address lead into a private network."""

    async def ask(self, http: Http, now: datetime) -> Signal:
        """Look once, past every cache. What keeps us from looking at all is a signal without health."""
        try:
            reply = await http.get(
                self.url,
                headers={name: value.reveal() for name, value in self.headers.items()},
                allow_private=self.allow_private,
                timeout=self.timeout.total_seconds(),
                conditional=False,
                method=self.method,
            )
        except Unreachable as exc:
            health = None if exc.kind in _OURS else Health.MAJOR_OUTAGE
            return Signal(at=now, health=health, note=str(exc), url=self.url, error=exc.kind)
        return judge(self, reply, now)


PLUGIN = Probe


def judge(probe: Probe, reply: Reply, now: datetime) -> Signal:
    """What an answer says of the service behind it: the worst of its faults."""
    expected = any(first <= reply.status <= last for first, last in probe.expect_status)
    if not expected and (reply.status in _BETWEEN_US or "cf-mitigated" in reply.headers):
        return _turned_away(probe, reply, now)
    if not expected:
        health, note = Health.MAJOR_OUTAGE, f"answered {reply.status}"
    else:
        health, note = max(_wrong_words(probe, reply), _tired(probe, reply))
    return Signal(at=now, health=health, note=note, url=probe.url)


def _turned_away(probe: Probe, reply: Reply, now: datetime) -> Signal:
    """A proxy, a rate limit or a robot check stands between us and the page: that tells nothing about the page."""
    error = "blocked" if "cf-mitigated" in reply.headers else f"http_{reply.status}"
    note = f"answered {reply.status}: we are kept from looking"
    return Signal(at=now, note=note, url=probe.url, error=error, wait=wait_asked(reply, now))


def _wrong_words(probe: Probe, reply: Reply) -> tuple[Health, str]:
    text = reply.text() if probe.contains or probe.absent else ""
    if probe.contains and probe.contains not in text:
        return Health.PARTIAL_OUTAGE, f"answered without the words '{probe.contains}'"
    if probe.absent and probe.absent in text:
        return Health.PARTIAL_OUTAGE, f"answered with the words '{probe.absent}'"
    return Health.OPERATIONAL, f"answered {reply.status} in {_duration(reply.elapsed)}"


def _tired(probe: Probe, reply: Reply) -> tuple[Health, str]:
    if probe.slower_than is not None and reply.elapsed > probe.slower_than.total_seconds():
        allowed = _duration(probe.slower_than.total_seconds())
        return Health.DEGRADED, f"took {_duration(reply.elapsed)} to answer, more than {allowed}"
    days = reply.certificate_days
    if days is not None and probe.certificate_days is not None and days < probe.certificate_days:
        return Health.DEGRADED, f"the certificate ends in {max(days, 0):.0f} days"
    return Health.OPERATIONAL, ""


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"

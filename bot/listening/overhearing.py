"""Overhear: wires that never stop talking, one connection for all the services that are looked for on it.

Posts that complain of a service become reports, known by their ids, so that what comes twice counts once. While a wire
works, each bucket that it has been through is marked as listened to; where it was broken and nothing could be caught up
with, there is a gap, and not a silence.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
import structlog

from bot.core.mentions import Mentions
from bot.core.model import Signal
from bot.core.posts import MOST_NAMED, report
from bot.core.reports import RawCount, RawReport
from bot.detectors.graded import jitter
from bot.ports import Clock, Http, Overheard, Receipt, Retry, Store, Unreachable, Wire

log = structlog.get_logger(__name__)

_FLUSH = 1.0  # seconds that a complaint may wait for others
_KEEP = 10.0  # seconds between notes of how far we are
_LONGEST_PAUSE = 60.0
_CATCH_UP = timedelta(hours=3)  # what is older would take too long to go through again
_AHEAD = timedelta(minutes=5)
_HOLE = timedelta(minutes=2)  # nothing for so long, and then something: what lies between was not heard
_WORDLESS = "there are no words to look for; give some here, or under the service"

Admit = Callable[[Sequence[RawReport], str], Awaitable[Receipt]]
AdmitCounts = Callable[[Sequence[RawCount]], Awaitable[Receipt]]


@dataclass(frozen=True, kw_only=True)
class Ear:
    """A service that is listened for: the watch, and the words to look for."""

    service: str
    name: str
    wire: Wire
    words: tuple[str, ...]

    @property
    def kind(self) -> str:
        """The word that says what the watch is."""
        return str(getattr(self.wire, "kind", "wire"))


class _Kept(msgspec.Struct, frozen=True):
    """Where to go on, and up to when buckets are marked as listened to."""

    cursor: str = ""
    covered: datetime | None = None


@dataclass
class _Line:
    """One connection at work. `pending` are complaints on their way in; `broken` is None until anything was heard."""

    name: str
    ears: Sequence[Ear]
    mentions: Mentions
    kept: _Kept
    latest: datetime | None = None
    pending: list[RawReport] = field(default_factory=list)
    flushed: float = 0.0
    noted: float = 0.0
    failures: int = 0
    broken: bool | None = None


class Overhearing:
    """Listens on wires; `hear` is told how each watch fares, `tick` is the width of a bucket."""

    def __init__(
        self,
        *,
        http: Http,
        clock: Clock,
        store: Store,
        admit: Admit,
        admit_counts: AdmitCounts,
        hear: Callable[[str, str, Signal], Awaitable[None]],
        tick: timedelta,
    ) -> None:
        self._http = http
        self._clock = clock
        self._store = store
        self._admit = admit
        self._admit_counts = admit_counts
        self._hear = hear
        self._tick = tick.total_seconds()

    async def listen(self, name: str, ears: Sequence[Ear]) -> None:
        """Listen on one wire for these services, for ever; broken, it is taken up again after a growing pause."""
        body = await self._store.get(f"wire {name}")
        kept = msgspec.msgpack.decode(body, type=_Kept) if body else _Kept()
        words = Mentions({ear.service: ear.words for ear in ears})
        line = _Line(name=name, ears=ears, mentions=words, kept=kept)
        while True:
            try:
                await self._follow(line)
            except Unreachable as why:
                await self._break(line, why.kind, str(why))
            except Retry as why:
                await self._break(line, "not_kept", str(why))
            pause = timedelta(seconds=min(2.0 ** min(line.failures - 1, 10), _LONGEST_PAUSE))
            await self._clock.sleep(jitter(pause, name, line.failures))

    async def _follow(self, line: _Line) -> None:
        """Take in what comes until the wire breaks; what was caught before the break is not lost with it."""
        wire = line.ears[0].wire
        if line.kept.covered and line.kept.covered < self._clock.now() - _CATCH_UP:
            line.kept, line.latest = _Kept(), None
        try:
            async with aclosing(wire.listen(self._http, line.kept.cursor)) as said:
                async for heard in said:
                    await self._take(line, heard)
        except Unreachable:
            await self._flush(line)
            raise
        raise Unreachable("connect", "the wire ended by itself")

    async def _take(self, line: _Line, heard: Overheard) -> None:
        if heard.at > self._clock.now() + _AHEAD:
            return  # a clock gone wrong, and no reason to skip what lies between
        if line.broken is not False:
            await self._well(line)
        for post in heard.posts:
            named = line.mentions.find(post.text)
            if 0 < len(named) <= MOST_NAMED:
                made = (report(post, ear.service, ear.kind) for ear in line.ears if ear.service in named)
                line.pending += filter(None, made)
        now = self._clock.monotonic()
        before = line.latest or line.kept.covered
        if before and heard.at - before > _HOLE:
            line.kept = _Kept(line.kept.cursor)
        covered = self._covered(line, heard.at)
        if line.latest is None or heard.at >= line.latest:
            line.latest, line.kept = heard.at, _Kept(heard.cursor, line.kept.covered)
        if covered != line.kept.covered or now - line.flushed >= _FLUSH:
            await self._flush(line, covered)
        if now - line.noted >= _KEEP:
            await self._note(line)

    def _covered(self, line: _Line, at: datetime) -> datetime:
        """The end of the bucket that a wire has got to; time on a wire may go back a little, this does not."""
        end = datetime.fromtimestamp((at.timestamp() // self._tick + 1) * self._tick, UTC)
        return max(end, line.kept.covered or end)

    async def _flush(self, line: _Line, covered: datetime | None = None) -> None:
        """Make complaints durable first, then say which buckets were listened to; nothing is let go of before."""
        if line.pending:
            await self._admit(line.pending, line.ears[0].kind)
            line.pending = []
        line.flushed = self._clock.monotonic()
        since = line.kept.covered
        if covered is None or covered == since:
            return
        if since is not None and since < covered:
            await self._admit_counts([_silence(ear, since, covered) for ear in line.ears])
        line.kept = _Kept(line.kept.cursor, covered)

    async def _note(self, line: _Line) -> None:
        """Keep where we are, once all before is durable."""
        await self._flush(line)
        await self._store.put(f"wire {line.name}", msgspec.msgpack.encode(line.kept))
        line.noted = self._clock.monotonic()
        await self._tell(line, "", "listening")

    async def _well(self, line: _Line) -> None:
        if line.broken:
            log.info("source gives readings again", watch=line.name)
        line.broken, line.failures = False, 0
        await self._tell(line, "", "listening")

    async def _break(self, line: _Line, error: str, why: str) -> None:
        line.failures += 1
        if not line.broken:
            log.warning("source gives no reading", watch=line.name, error=error, note=why)
        line.broken = True
        await self._tell(line, error, why)

    async def _tell(self, line: _Line, error: str, note: str) -> None:
        for ear in line.ears:
            why = (error, note) if ear.words else ("wrong_shape", _WORDLESS)
            await self._hear(ear.service, ear.name, Signal(at=self._clock.now(), error=why[0], note=why[1]))


def _silence(ear: Ear, since: datetime, until: datetime) -> RawCount:
    """Nothing beside the reports: what says that somebody listened."""
    return RawCount(service=ear.service, since=since, until=until, count=0.0, source=ear.name)

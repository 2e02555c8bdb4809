"""Who may come in: a raw report becomes one that can be kept, or a sentence that says why not."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count, repeat
from typing import Any, TypeVar

import msgspec

from bot.core.reading import Raw, Read
from bot.core.reports import Cell, Kept, Kind, RawCount, RawReport, Sheet, When, Window

Word = Callable[[str], str]
Spoke = Callable[[str, bytes, float], bool]
Taken = TypeVar("Taken", Kept, Window)
_Words = tuple[str, str | None, str | None, str | None]

_MEMO = 20_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LONGEST = timedelta(days=1)


class Vocabulary(msgspec.Struct, frozen=True, kw_only=True):
    """How the words of senders become our codes.

    `service` answers None for a service that nobody configured, and `nearest` the one that is spelt most alike, or "".
    The other three answer "" for words they do not know.
    """

    service: Callable[[str], str | None]
    nearest: Word
    symptom: Word
    region: Word
    platform: Word


class Admission:
    """Checks records against the vocabulary and the present, and hides who reported.

    `key` is the secret of the reporter hashes. Records older than `oldest` are refused, unless it is None (a replay).
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        key: bytes,
        *,
        oldest: timedelta | None = timedelta(hours=24),
        newest: timedelta = timedelta(minutes=5),
    ) -> None:
        self._services = _Memo(lambda words: _service(vocabulary, words))
        self._symptoms = _Memo(lambda words: vocabulary.symptom(words) or "other")
        self._regions = _Memo(lambda words: _known("region", words, vocabulary.region(words)))
        self._platforms = _Memo(lambda words: _known("platform", words, vocabulary.platform(words)))
        self._hashes = _Hashes(key)
        self._former: _Hashes | None = None
        self._spoke: Spoke = lambda _service, _who, _at: False
        self._oldest = float("inf") if oldest is None else oldest.total_seconds()
        self._newest = newest.total_seconds()

    def rekey(self, key: bytes, former: bytes, spoke: Spoke) -> None:
        """Hide reporters with another key from now on.

        While there is a former one, `spoke` says of a hash made with that whether the person was counted less than a
        window from a moment: whoever was keeps that hash, and is one voice still.
        """
        self._hashes, self._former, self._spoke = _Hashes(key), _Hashes(former) if former else None, spoke

    def relearn(self) -> None:
        """The vocabulary has changed: nothing that words meant is taken for granted."""
        for memo in (self._services, self._symptoms, self._regions, self._platforms):
            memo.clear()

    def reports(self, read: Read[RawReport], now: float, door: str) -> Sheet:
        """The reports as they can be kept; those that cannot be taken join what was rejected, with words."""
        try:
            return self._sheet(read.records, now, door)
        except ValueError:
            return Sheet.of(_sieve(read, lambda raw: self.report(raw, now, door)))

    def report(self, raw: RawReport, now: float, door: str) -> Kept:
        """The report as it can be kept.

        Raises:
            ValueError: it cannot be taken; the words are for the sender.
        """
        (kept,) = self._sheet((raw,), now, door)
        return kept

    def _sheet(self, raws: Sequence[RawReport], now: float, door: str) -> Sheet:
        """All of them, or the first ValueError. Column by column, each in one loop: a batch is the hottest thing here."""
        numbers: defaultdict[_Words, int] = defaultdict(count().__next__)
        which = [numbers[raw.service, raw.region, raw.platform, raw.symptom] for raw in raws]
        kinds = [self._kind(*words) for words in numbers]
        moments = self._moments(raws, now)
        reporters = _hashed(self._hashes, raws, which, kinds)
        if self._former is not None:
            before = _hashed(self._former, raws, which, kinds)
            ats = moments if len(moments) > 1 else repeat(moments[0])
            rows = zip(reporters, before, which, ats, strict=False)
            reporters = [old if self._spoke(kinds[kind].service, old, at) else new for new, old, kind, at in rows]
        return Sheet(
            door,
            kinds,
            which,
            moments,
            reporters,
            [raw.id or "" for raw in raws],
            {place: _CONTROL.sub("", raw.text) for place, raw in enumerate(raws) if raw.text},
        )

    def _kind(self, service: str, region: str | None, platform: str | None, symptom: str | None) -> Kind:
        return Kind(
            self._services[service],
            Cell(
                self._regions[region] if region else "",
                self._platforms[platform] if platform else "",
                self._symptoms[symptom] if symptom else "",
            ),
        )

    def _moments(self, raws: Sequence[RawReport], now: float) -> list[float]:
        ats = [raw.at for raw in raws]
        if ats.count(None) == len(ats):
            return [now]
        return [now if at is None else self._moment("at", at, now) for at in ats]

    def windows(self, read: Read[RawCount], now: float) -> list[Window]:
        """The ready-made counts as they can be kept; those that cannot be taken join what was rejected."""
        spans = _Spans(lambda since, until: self._span(since, until, now))
        try:
            return [self._window(raw, spans[raw.since, raw.until]) for raw in read.records]
        except ValueError:
            return _sieve(read, lambda raw: self._window(raw, spans[raw.since, raw.until]))

    def _window(self, raw: RawCount, span: tuple[float, float]) -> Window:
        return Window(
            self._services[raw.service],
            *span,
            raw.count,
            raw.count if raw.reporters is None else raw.reporters,
            raw.source or "",
            self._regions[raw.region] if raw.region else "",
            self._platforms[raw.platform] if raw.platform else "",
            self._symptoms[raw.symptom] if raw.symptom else "",
        )

    def _span(self, since: When, until: When, now: float) -> tuple[float, float]:
        began, ended = self._moment("from", since, now), self._moment("to", until, now)
        if not 0 < ended - began <= _LONGEST.total_seconds():
            raise ValueError("to: must be after from, and by a day at most")
        return began, ended

    def reporter(self, service: str, identity: str) -> bytes:
        """The keyed hash (16 bytes) that stands for a person at a service, the same at every door.

        The service goes in, so that nobody can follow a person from one service to another.
        """
        return _hash(self._hashes, service, identity)

    def marks(self, service: str, identity: str) -> tuple[bytes, ...]:
        """Every hash that may stand for a person at a service: of the present key, then of the former while it lives."""
        rings = (self._hashes,) if self._former is None else (self._hashes, self._former)
        return tuple(_hash(ring, service, identity) for ring in rings)

    def _moment(self, field: str, at: When, now: float) -> float:
        """Unix seconds, if that is near enough to the present."""
        if not isinstance(at, datetime):
            seconds = at
        elif at.tzinfo is None:
            raise ValueError(f"{field}: {at.isoformat()} has no time zone; add Z or an offset such as +02:00")
        else:
            seconds = at.timestamp()
        if not now - self._oldest <= seconds <= now + self._newest:
            raise ValueError(f"{field}: {self._misplaced(seconds, now)}")
        return float(seconds)

    def _misplaced(self, seconds: float, now: float) -> str:
        if seconds > now * 500:
            return "too large for Unix seconds; are they milliseconds?"
        if seconds > now:
            return f"{_read(seconds)} is in the future; check the sender's clock (here it is {_read(now)})"
        hours = self._oldest / 3600
        return f"{_read(seconds)} is too long ago; reports are taken for {hours:g} h"


def _sieve(read: Read[Raw], take: Callable[[Raw], Taken]) -> list[Taken]:
    """Take records one by one; what is wrong with one joins what was rejected."""
    taken: list[Taken] = []
    for place, raw in zip(read.places, read.records, strict=True):
        try:
            taken.append(take(raw))
        except ValueError as exc:
            read.rejected.append((place, str(exc)))
    return taken


class _Memo(dict[str, str]):
    """Remembers what words mean; starts again when strangers have sent too many different ones."""

    def __init__(self, read: Word) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, words: str) -> str:
        meaning = self._read(words)
        if len(self) >= _MEMO:
            self.clear()
        self[words] = meaning
        return meaning


class _Spans(dict[tuple[When, When], tuple[float, float]]):
    """From when to when, in Unix seconds: most counts of a batch are for the same time."""

    def __init__(self, read: Callable[[When, When], tuple[float, float]]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, written: tuple[When, When]) -> tuple[float, float]:
        self[written] = span = self._read(*written)
        return span


class _Hashes(dict[str, Any]):
    """A hash per service that took in the key and the service already; only configured services come here."""

    def __init__(self, key: bytes) -> None:
        super().__init__()
        self._key = key

    def __missing__(self, service: str) -> Any:
        begun = hashlib.blake2s(service.encode() + b"\0", key=self._key[:32], digest_size=16)
        self[service] = begun
        return begun


def _hash(hashes: _Hashes, service: str, identity: str) -> bytes:
    digest = hashes[service].copy()
    digest.update(identity.encode("utf-8", "surrogatepass"))
    hashed: bytes = digest.digest()
    return hashed


def _hashed(hashes: _Hashes, raws: Sequence[RawReport], which: Sequence[int], kinds: Sequence[Kind]) -> list[bytes]:
    """What `reporter` says of each, without a call for each; nothing for those who give no name."""
    begun = [hashes[kind.service].copy for kind in kinds]
    hashed: list[bytes] = []
    for place, raw in zip(which, raws, strict=True):
        if raw.reporter:
            digest = begun[place]()
            digest.update(raw.reporter.encode("utf-8", "surrogatepass"))
            hashed.append(digest.digest())
        else:
            hashed.append(b"")
    return hashed


def _service(vocabulary: Vocabulary, words: str) -> str:
    service = vocabulary.service(words)
    if service is not None:
        return service
    nearest = vocabulary.nearest(words)
    raise ValueError(f"unknown service {words!r}" + (f", did you mean {nearest!r}?" if nearest else ""))


def _known(field: str, words: str, code: str) -> str:
    if not code:
        raise ValueError(f"unknown {field} {words!r}; leave it out, or see {_EXAMPLES[field]}")
    return code


_EXAMPLES = {
    "region": "ISO 3166 codes such as DE, US-CA or an English country name",
    "platform": "codes such as ios, android, web or desktop_windows",
}


def _read(seconds: float) -> str:
    """A moment for people; the number itself where no calendar reaches."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return str(seconds)

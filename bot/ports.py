"""The doors of the house: what each room may ask of another, and the two kinds of failure.

Third-party exceptions stop at the adapter behind a door and become `Retry` (later) or `Refused` (a person must act).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol, runtime_checkable

from bot.core.alerts import Alert
from bot.core.model import (
    Answer,
    Case,
    Entry,
    Evidence,
    Form,
    Head,
    Incident,
    Line,
    Picture,
    Report,
    Request,
    Signal,
    Thread,
)
from bot.core.posts import Post
from bot.core.quiet import Quiet


class Retry(Exception):
    """It did not work now and may work later; `after` is how long the other side asked us to wait.

    `unsure` True: the request left and no definite answer came, so it may have been done.
    """

    def __init__(self, why: str, *, after: timedelta | None = None, unsure: bool = False) -> None:
        super().__init__(why)
        self.after = after
        self.unsure = unsure


class Refused(Exception):
    """It will never work this way: a person must act, and the message says how."""


class Gone(Refused):
    """The message or thread we pointed at exists no more; a fresh one may be posted."""


class Conflict(Exception):
    """Somebody saved a newer version first: load, decide and save again."""


class Missing(Exception):
    """There is nothing of that name here."""


class Forbidden(Exception):
    """Whoever knocks has not proved to be who we expect; the words say what is missing, and never what is right."""


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """The present, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump, for durations and deadlines."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An HTTP answer, whole and within its limits. `headers` has lower-case names; `elapsed` is in seconds."""

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes
    elapsed: float
    certificate_days: float | None = None

    def text(self) -> str:
        """The body as text; broken bytes are replaced."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A machine that answered: at which address, after how many seconds, and how long its certificate is good."""

    address: str
    elapsed: float
    certificate_days: float | None = None


class Http(Protocol):
    """The web, made safe: no private address unless allowed, bounded bytes and time, few redirects, conditional."""

    async def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        allow_private: bool = False,
        limit: int = 8_000_000,
        timeout: float = 20.0,
        conditional: bool = True,
        method: str = "GET",
        redirects: int = 3,
        body: bytes = b"",
    ) -> Reply:
        """Fetch once. With `conditional`, a 304 is answered from the last body, so callers see a 200.

        A `body` goes along with methods that have one, and follows no redirect to another site.

        Raises:
            Unreachable: no usable answer; `kind` is `dns timeout tls connect blocked too_large`.
        """
        ...

    def messages(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        allow_private: bool = False,
        limit: int = 1_000_000,
        silence: float = 60.0,
    ) -> AsyncGenerator[bytes, None]:
        """Every message of a WebSocket, one after the other; it never ends well.

        Raises:
            Unreachable: it cannot be reached, broke off, was closed, or nothing came for `silence` seconds.
        """
        ...

    async def addresses(self, host: str, *, timeout: float) -> Sequence[str]:
        """Every address of a name.

        Raises:
            Unreachable: there is none; `kind` is `dns` or `timeout`.
        """
        ...

    async def reach(
        self, host: str, port: int, *, tls: bool = False, allow_private: bool = False, timeout: float = 10.0
    ) -> Reached:
        """Open a connection, with `tls` a proved one, and close it again.

        Raises:
            Unreachable: it cannot be opened; `kind` is `dns timeout tls connect blocked`.
        """
        ...

    async def echo(self, host: str, *, allow_private: bool = False, timeout: float = 2.0) -> Reached:
        """Ping once.

        Raises:
            Unreachable: no echo; `kind` is `dns timeout connect blocked`, the last also where pinging is not allowed.
        """
        ...


class Unreachable(Exception):
    """No usable HTTP answer came; `kind` is the word a `Signal.error` uses."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind = kind


class Watch(Protocol):
    """What sources and hooks have in common: the kind of evidence they give."""

    evidence: ClassVar[Evidence]


@runtime_checkable
class Source(Protocol):
    """Something that can be asked about a service. A pydantic model: its fields are its YAML, its docstring its manual."""

    evidence: ClassVar[Evidence]
    every: timedelta

    async def ask(self, http: Http, now: datetime) -> Signal:
        """Ask once: no loop, no sleep, no retry, no log. Trouble with the source is a Signal without health."""
        ...


@dataclass(frozen=True, kw_only=True)
class Count:
    """So many reports from `since` up to `until`; the rows of one window add up.

    `people` is the number of distinct reporters among them where that is known; the other three are vocabulary codes.
    """

    since: datetime
    until: datetime
    count: float
    people: float | None = None
    region: str = ""
    platform: str = ""
    symptom: str = ""


@dataclass(frozen=True, kw_only=True)
class Errand:
    """What a feed is sent for: whatever was counted or said from `since` up to `now`.

    `words` are what to look for where the feed's own configuration names none. `memory` is what the last errand left,
    also in an earlier life; `keep` makes a new one durable at once, for what must not be forgotten even if no answer
    comes, such as money spent.
    """

    since: datetime
    now: datetime
    keep: Callable[[bytes], Awaitable[None]]
    words: Sequence[str] = ()
    memory: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What a feed brings back: ready-made counts of whole past windows, what people said, or why there is neither.

    `until`: all before then is complete, windows without a count included; None when nothing was complete yet. `error`
    is a word as in `Signal`, and empty when all went well; `wait` is how long the other side wants to be left alone.
    `memory` is kept once all of it is durable.
    """

    counts: tuple[Count, ...] = ()
    posts: tuple[Post, ...] = ()
    until: datetime | None = None
    memory: bytes = b""
    error: str = ""
    note: str = ""
    wait: timedelta | None = None


@runtime_checkable
class Feed(Protocol):
    """Something that knows how many people complain, and is asked for it again and again. A pydantic model, as a source is.

    `again` is how far back its numbers may still change: the errand's `since` reaches back so far each time.
    """

    evidence: ClassVar[Evidence]
    every: timedelta
    again: ClassVar[timedelta]

    async def gather(self, http: Http, errand: Errand) -> Gathered:
        """Go once: no loop, no sleep, no log. Trouble with the source is an `error`, never a zero."""
        ...


@dataclass(frozen=True, kw_only=True)
class Overheard:
    """What came over a wire: posts, if any, how far in time it is, and the `cursor` to go on from after a break."""

    at: datetime
    cursor: str
    posts: tuple[Post, ...] = ()


@runtime_checkable
class Wire(Protocol):
    """Something that talks without end. All watches with the same `line` share one connection, and each has its `words`."""

    evidence: ClassVar[Evidence]
    words: Sequence[str]

    @property
    def line(self) -> str:
        """What tells connections apart: the address."""
        ...

    def listen(self, http: Http, cursor: str) -> AsyncGenerator[Overheard, None]:
        """Listen from a cursor on, or from now when it is empty. What came before a break may come again.

        Raises:
            Unreachable: the connection broke; it always does some day.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A delivery to a hook, as it came: the body is the very bytes that a signature is over, `at` is our own time.

    `headers` have lower-case names. Headers and parameters that were sent twice are left out: which one counts would be
    a matter of opinion.
    """

    at: datetime
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a delivery means: news of alerts, or (`ask`) only that the other watches of the service should look now."""

    alerts: tuple[Alert, ...] = ()
    ask: bool = False


@runtime_checkable
class Hook(Protocol):
    """Something that tells us by itself, at `POST /hooks/{service}/{watch}`. A pydantic model, as a source is.

    One that tells of alerts says in `forget_after` for how long an alert is believed when nothing more is heard of it.
    """

    evidence: ClassVar[Evidence]

    async def hear(self, letter: Letter, http: Http) -> Heard:
        """Check who sends, then read what it means; nothing is kept here.

        Raises:
            Forbidden: the sender has not proved who it is.
            ValueError: the body cannot be read; the words say what would be right.
            Retry: what the proof needs could not be fetched now.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Place:
    """A channel as a chat knows it: `mention` maps a level to the platform's own mention text, `quiet` are its quiet hours."""

    name: str
    chat: str
    address: str
    mention: Mapping[str, str] = field(default_factory=dict)
    quiet: tuple[Quiet, ...] = ()


class Chat(Protocol):
    """A platform where threads live. Four verbs out, one door in.

    `key` is the idempotency key of a post: the same key never makes a second message. `since` is set when an earlier
    try under this key may have succeeded: then look first. Raises `Retry`, `Refused` or `Gone`, nothing else.
    """

    async def open(self, place: Place, key: str, head: Head, png: bytes | None, since: datetime | None) -> str:
        """Post the head and make its thread; answers the ref that the other verbs take."""
        ...

    async def edit(self, place: Place, ref: str, head: Head, png: bytes | None) -> None:
        """Make the head show the present; `png` None leaves the picture as it is."""
        ...

    async def reply(self, place: Place, ref: str, key: str, line: Line, since: datetime | None) -> None:
        """Say one line in the thread."""
        ...

    async def close(self, place: Place, ref: str, head: Head, png: bytes | None) -> None:
        """Show the last head, and put the thread to rest. May be repeated."""
        ...

    async def run(self, desk: Desk, places: Sequence[Place]) -> None:
        """Stay connected and hand people's requests to the desk, until cancelled."""
        ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...


@runtime_checkable
class Listener(Protocol):
    """A chat that hears people over a line that it keeps open.

    `deaf_since` is when that was lost, in seconds of a clock that never jumps; None while it holds, or none is needed.
    """

    @property
    def deaf_since(self) -> float | None:
        """When the line was lost."""
        ...


@dataclass(frozen=True, kw_only=True)
class Word:
    """What a platform hears back at once when it calls us: a status, and a JSON object or nothing."""

    status: int = 200
    body: Mapping[str, Any] | None = None


@runtime_checkable
class Called(Protocol):
    """A chat whose platform can call us, at `POST /chats/{name}`, in place of a line that we keep open to it."""

    async def called(self, letter: Letter) -> Word:
        """Prove who calls, answer within a second, and do the work afterwards.

        Raises:
            Missing: this chat keeps a line of its own and is not called.
            Forbidden: the caller has not proved to be the platform, or says something a second time.
            ValueError: the body cannot be read.
            Retry: nobody listens here yet.
        """
        ...


class Desk(Protocol):
    """Where people's commands, buttons and forms are answered."""

    async def answer(self, request: Request) -> Answer:
        """Do what was asked, or say what to do instead. Never raises for what a person typed."""
        ...

    def form(self, request: Request) -> Form | None:
        """The form to show before this request is answered, or None when it says enough; never waits."""
        ...

    def suggest(self, what: str, typed: str) -> Sequence[tuple[str, str]]:
        """Up to 25 (value, label) completions.

        `what` is one of `service incident symptom region platform level span channel`.
        """
        ...


class Store(Protocol):
    """Where state is kept. Every write is durable when it returns."""

    async def load(self, service: str) -> Case:
        """The case with its version; a fresh one for a service never seen."""
        ...

    async def cases(self, prefix: str) -> Sequence[Case]:
        """The cases of every service whose name begins so."""
        ...

    async def save(self, case: Case, entries: Sequence[Entry], channels: Sequence[str]) -> Case:
        """One atomic write: the case under compare-and-set, its entries, and a thread for each channel that has none.

        Raises:
            Conflict: somebody saved a newer version first.
        """
        ...

    async def behind(self, channel: str) -> Sequence[tuple[Thread, Incident]]:
        """Threads of a channel that have something yet to hear, show or close; dead ones left out."""
        ...

    async def mark(self, thread: Thread) -> None:
        """Remember how far a thread is."""
        ...

    async def dead(self, channel: str = "") -> Sequence[tuple[Thread, Incident]]:
        """The dead letters: threads that a person must do something for, of one channel or of all, newest first."""
        ...

    async def revive(self, channel: str = "", since: datetime | None = None) -> int:
        """Let dead threads be tried again; answers how many. `since` leaves past incidents that opened before alone."""
        ...

    async def incident(self, incident: str) -> Incident | None:
        """One incident, alive or past."""
        ...

    async def incidents(self, *, service: str = "", limit: int = 100) -> Sequence[Incident]:
        """Incidents that opened, newest first."""
        ...

    async def entries(self, incident: str, after: int = 0) -> Sequence[Entry]:
        """The timeline of an incident, in order."""
        ...

    async def threads(self, incident: str) -> Sequence[Thread]:
        """The copies of an incident."""
        ...

    async def put(self, key: str, value: bytes) -> None:
        """Keep a small named blob (detector memory, schema hashes)."""
        ...

    async def get(self, key: str) -> bytes | None:
        """The blob, if it was kept."""
        ...

    async def aclose(self) -> None:
        """Finish pending writes and let go."""
        ...


class Counted(Protocol):
    """A ready-made count from outside, for one window; a resend of the same window replaces it."""

    service: str


class Stream(Protocol):
    """Where admitted reports flow: an ordered, durable log of frames."""

    async def append(self, frame: bytes) -> int:
        """Make one frame durable; answers its sequence number. An empty frame waits for all before it."""
        ...

    def read(self, after: int) -> AsyncIterator[tuple[int, bytes]]:
        """Every frame after a sequence number, in order."""
        ...

    async def rewrite(self, seq: int, frame: bytes) -> None:
        """Put another frame in the place of one."""
        ...

    async def trim(self, before: int) -> None:
        """Forget frames below a sequence number."""
        ...

    async def aclose(self) -> None:
        """Finish pending writes and let go."""
        ...


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What became of a batch of reports. `rejected` holds (index, error) pairs."""

    accepted: int = 0
    repeated: int = 0
    rejected: tuple[tuple[int, str], ...] = ()


class Intake(Protocol):
    """Reports in: admit, deduplicate, count, make durable."""

    async def admit(self, reports: Sequence[Mapping[str, Any] | Report], door: str, *, weight: float = 1.0) -> Receipt:
        """Take a batch one by one; returns only once the accepted ones are durable.

        `weight` is what these voices weigh when an alarm is to be believed, 0..1.

        Raises:
            Retry: the disk cannot take it now; nothing of the batch counts.
        """
        ...

    async def take(self, body: bytes, shape: str, door: str) -> Receipt:
        """The same for a body as it came; `shape` is `one` (an object), `many` (an array) or `lines` (NDJSON).

        Raises:
            ValueError: the body as a whole cannot be read; the words say where and what would be right.
            Retry: the disk cannot take it now; nothing of the batch counts.
        """
        ...

    async def take_each(self, bodies: Sequence[bytes], door: str) -> Sequence[Receipt | ValueError]:
        """The same for many bodies of one object each, at the price of one; an error stands in the place of its body.

        Raises:
            Retry: as above; nothing of all these counts.
        """
        ...

    async def export(self, identity: str) -> Sequence[Any]:
        """What is still held of a person, by the name that a door knows them under."""
        ...

    async def forget(self, identity: str) -> int:
        """Take a person out of what is still held; answers how many reports were theirs."""
        ...

    async def undo(self, identity: str, service: str) -> int:
        """Take back a person's report of a service while it counts, as if it had not been said; answers how many it were.

        Raises:
            Retry: the disk cannot take it now; ask again.
        """
        ...

    async def withdraw(self, identity: str) -> int:
        """The same for everything of a person that is still counted.

        Raises:
            Retry: the disk cannot take it now; ask again.
        """
        ...

    async def count(self, body: bytes, shape: str) -> Receipt:
        """Ready-made counts, in the same three shapes; a resend of the same window replaces it.

        Raises:
            ValueError: as above.
            Retry: as above.
        """
        ...


class Ledger(Protocol):
    """What hooks remember: the alerts of each watch as a blob, and the names of messages that were taken in."""

    async def recall(self) -> Mapping[str, bytes]:
        """The blob of every watch that has one."""
        ...

    async def known(self, watch: str, ids: Sequence[str]) -> frozenset[str]:
        """Those of the messages that were taken in before."""
        ...

    async def keep(self, watch: str, memory: bytes, ids: Sequence[str], now: datetime) -> None:
        """One atomic write: the watch's blob, and the names of the messages that made it so.

        Raises:
            Retry: the disk cannot take it now; nothing is kept.
        """
        ...

    async def forget(self, before: datetime) -> None:
        """Let go of names of messages that were taken in before then."""
        ...


class Hearing(Protocol):
    """Where deliveries to hooks are taken in."""

    async def take(self, service: str, watch: str, letter: Letter) -> bool:
        """Take one in; False when all of it was known already. Returns only once it is durable.

        Raises:
            Missing: there is no such hook.
            Forbidden: the sender has not proved who it is.
            ValueError: the body cannot be read; the words say what would be right.
            Retry: not now; nothing of it counts.
        """
        ...


class Vantages(Protocol):
    """Where other places say what they see of our probes."""

    def take(self, body: bytes, speaker: str) -> Receipt:
        """Take looks in; `speaker` is the only place that may be spoken for, or empty for any.

        Raises:
            ValueError: the body as a whole cannot be read; the words say what would be right.
            Forbidden: it speaks for another place.
        """
        ...


class Board(Protocol):
    """What the house knows now, for pages and commands: never waits for the disk unless it says so."""

    def status(self) -> dict[str, Any]:
        """The body of `GET /api/v1/status`."""
        ...

    def service(self, service: str) -> dict[str, Any] | None:
        """The body of `GET /api/v1/services/{id}`."""
        ...

    async def incidents(self, *, state: str = "", service: str = "", limit: int = 100) -> list[dict[str, Any]]:
        """Incidents in the shape of `replay --json`, newest first (reads the store)."""
        ...

    async def incident(self, incident: str) -> dict[str, Any] | None:
        """One incident in that shape, with `state`, `verdict` and `threads` (reads the store)."""
        ...

    async def head(self, incident: str) -> Head | None:
        """The head message of an incident as chats show it (reads the store)."""
        ...

    async def timeline(self, incident: str) -> Sequence[Entry]:
        """The lines of an incident as its threads tell them, in order (reads the store)."""
        ...

    async def draft(self, incident: str, chart: str) -> str | None:
        """The draft of its post-mortem in Markdown, with `chart` as the address of its picture (reads the store)."""
        ...

    def picture(self, service: str) -> Picture | None:
        """The last 24 h of a service against its usual."""
        ...

    async def picture_of(self, incident: str) -> Picture | None:
        """The day around an incident, however long ago it was (reads the store)."""
        ...

    def resolve(self, words: str) -> str | None:
        """The id of the service a person means: id, name or alias."""
        ...

    def nearest(self, words: str) -> str:
        """The id of the service that is spelt most alike, or the empty string."""
        ...

    def changes(self) -> AsyncIterator[str]:
        """Ids of services as they change, from now on; for live pages."""
        ...

"""The nouns of the house, all frozen: compared by content, changed with `msgspec.structs.replace`.

Times are aware datetimes in UTC; durations are timedeltas. Levels are the names of the config's ladder, mildest
first; the empty string means calm. `Text` is what people read: plain words of ours, moments that each chat shows in
the reader's own zone, and words of strangers that each chat must make inert.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

import msgspec

from bot.core.planned import Window


class When(msgspec.Struct, frozen=True, tag="when"):
    """A moment inside a text; `style` is `time`, `date` (date and time) or `ago`."""

    at: datetime
    style: str = "time"


class Said(msgspec.Struct, frozen=True, tag="said"):
    """Words from outside: a vendor, a reporter, a person. Never trusted, always made inert."""

    words: str


class Bold(msgspec.Struct, frozen=True, tag="bold"):
    """Words of ours that carry the weight of the line."""

    words: str


Part = str | When | Said | Bold
Text = tuple[Part, ...]


class Health(IntEnum):
    """What a page or a probe says of a service (reference: the usual five of vendors' status pages)."""

    OPERATIONAL = 0
    MAINTENANCE = 1
    DEGRADED = 2
    PARTIAL_OUTAGE = 3
    MAJOR_OUTAGE = 4

    @property
    def word(self) -> str:
        """The name as the API prints it: `major_outage`."""
        return self.name.lower()


class State(StrEnum):
    """Where an incident is in its life."""

    PENDING = "pending"
    OPEN = "open"
    EASING = "easing"
    CLOSED = "closed"


class Kind(StrEnum):
    """Why a line stands in the timeline."""

    OPENED = "opened"
    RAISED = "raised"
    LOWERED = "lowered"
    SCOPE = "scope"
    VENDOR = "vendor"
    REMINDER = "reminder"
    EASED = "eased"
    RELAPSED = "relapsed"
    REOPENED = "reopened"
    CLOSED = "closed"
    ACTED = "acted"


class Confidence(StrEnum):
    """One kind of evidence is suspected; two kinds, the vendor, or a person make it confirmed."""

    SUSPECTED = "suspected"
    CONFIRMED = "confirmed"


class Evidence(StrEnum):
    """The independent kinds of evidence. Two watches of one kind are still one kind."""

    PEOPLE = "people"
    PROBE = "probe"
    VENDOR = "vendor"
    ALERT = "alert"


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One problem report, admitted: the reporter is already a keyed hash (16 bytes, hex), the fields are vocabulary codes."""

    at: datetime
    service: str
    reporter: str = ""
    id: str = ""
    region: str = ""
    platform: str = ""
    symptom: str = ""
    text: str = ""
    door: str = "api"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One incident or maintenance on a vendor's own page."""

    key: str
    title: str
    phase: str
    impact: Health
    started_at: datetime
    updated_at: datetime
    resolved_at: datetime | None = None
    url: str = ""
    words: str = ""
    maintenance: bool = False
    stale: bool = False

    @property
    def open(self) -> bool:
        """True while the vendor has not called it over."""
        return self.phase not in ("resolved", "postmortem", "completed", "scheduled") and not self.stale


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """What a source said when asked. `health` None is *no reading*: then `error` says why, and nothing is concluded.

    A feed that counts has neither while it works, for what it knows is in the numbers. `error` is one of `dns timeout tls connect http_<code> blocked unparseable wrong_shape too_large no_quorum`. A probe that got
    no answer has both: its health, and the `error` that tells our own blindness from their outage. `quiet` True: the
    health is worth showing and opens nothing (a vendor's chronic yellow). `wait` is how long the other side asked us
    to stay away. `since` is when the trouble began, from a sender that knows better than our first hearing of it.
    """

    at: datetime
    health: Health | None = None
    note: str = ""
    url: str = ""
    error: str = ""
    notices: tuple[Notice, ...] = ()
    quiet: bool = False
    wait: timedelta | None = None
    since: datetime | None = None

    @property
    def broken(self) -> bool:
        """True when the source itself failed, so that it tells nothing."""
        return self.health is None and bool(self.error)


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One value of a dimension: its share of the reports now and usually, both 0..1."""

    code: str
    share: float
    usual: float = 0.0


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Where, on what, and what people see. Empty `regions` or `platforms` means: not limited that we can tell.

    `spared` names platforms or regions that report no more than usual though enough people use them.
    """

    regions: tuple[Share, ...] = ()
    platforms: tuple[Share, ...] = ()
    symptoms: tuple[Share, ...] = ()
    spared: tuple[str, ...] = ()

    @property
    def limits(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The region and platform codes only, to compare two scopes for a material change."""
        return tuple(sorted(s.code for s in self.regions)), tuple(sorted(s.code for s in self.platforms))


class Numbers(msgspec.Struct, frozen=True, kw_only=True):
    """A count against what is usual. `usual` None: too little history to know. `of` names the part that was counted, if one."""

    count: int
    within: timedelta
    usual: float | None = None
    times: float | None = None
    score: float = 0.0
    of: str = ""


class Peak(msgspec.Struct, frozen=True, kw_only=True):
    """The highest window seen in an incident."""

    at: datetime
    count: int
    times: float | None = None


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A signal judged: the level it speaks for, and the facts that made it so."""

    at: datetime
    kind: Evidence
    source: str
    level: str = ""
    since: datetime | None = None
    note: str = ""
    url: str = ""
    health: Health | None = None
    numbers: Numbers | None = None
    scope: Scope | None = None
    notices: tuple[Notice, ...] = ()
    rule: str = ""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One incident among those that a gathering of several tells of; `ended` None while it lives.

    `heard` is the last line of its timeline that the gathering knows.
    """

    incident: str
    service: str
    name: str
    level: str
    began: datetime
    ended: datetime | None = None
    heard: int = 0


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One trouble of one service, from the first suspicion to the close.

    `since` is when the present state was entered; `started_at` the estimated true start; `seq` counts the timeline
    entries; `rev` grows with every change a head message would show. `quelled` is the level at which a person closed
    it: only something worse, or calm first, lets it speak again. Muted by somebody without `muted_until` is muted until
    it recovers. `fine` holds one mark for each person who said that it works for them; `verdict` is `real` or
    `false-alarm`, once a person said so. `called` are the levels at which it has called people, `aloud` is the number of
    its latest line for the whole channel. A gathering has `members`: the incidents that it tells of together; one that is
    `part_of` a gathering leaves it to that to call people.
    """

    id: str
    service: str
    name: str
    state: State
    since: datetime
    level: str
    peak_level: str
    confidence: Confidence = Confidence.SUSPECTED
    started_at: datetime
    opened_at: datetime | None = None
    eased_at: datetime | None = None
    closed_at: datetime | None = None
    closed_why: str = ""
    seq: int = 0
    rev: int = 0
    readings: tuple[Reading, ...] = ()
    numbers: Numbers | None = None
    peak: Peak | None = None
    scope: Scope | None = None
    told_scope: Scope | None = None
    worst_scope: Scope | None = None
    first_kind: Evidence | None = None
    vendor_at: datetime | None = None
    lowering_since: datetime | None = None
    scope_since: datetime | None = None
    notices: tuple[Notice, ...] = ()
    acked_by: str = ""
    acked_at: datetime | None = None
    owner: str = ""
    muted_until: datetime | None = None
    muted_by: str = ""
    fine: tuple[str, ...] = ()
    verdict: str = ""
    verdict_by: str = ""
    declared_by: str = ""
    quelled: str = ""
    causes: tuple[str, ...] = ()
    reminded_at: datetime | None = None
    reopened: int = 0
    called: tuple[str, ...] = ()
    aloud: int = 0
    part_of: str = ""
    members: tuple[Member, ...] = ()

    @property
    def alive(self) -> bool:
        """True from opening to closing; a pending suspicion is not yet an incident."""
        return self.state in (State.OPEN, State.EASING)

    @property
    def spoken(self) -> frozenset[Evidence]:
        """The kinds of evidence that speak for it, or spoke first; a person who declared it counts as people."""
        declared = {Evidence.PEOPLE} if self.declared_by else set()
        first = {self.first_kind} if self.first_kind else set()
        return frozenset({r.kind for r in self.readings if r.level} | first | declared)

    @property
    def muted(self) -> bool:
        """True while its lines call nobody."""
        return bool(self.muted_by) or self.muted_until is not None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an incident's timeline, numbered from 1. The timeline is the outbox.

    `loud` lines are for the whole channel, and those that `calls` is set on are for people who may sleep.
    """

    incident: str
    seq: int
    at: datetime
    kind: Kind
    level: str
    text: Text
    who: str = ""
    loud: bool = False
    calls: bool = False


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One service and its latest incident; loaded with its version, saved with it, or refused."""

    service: str
    version: int = 0
    incident: Incident | None = None


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """The present evidence of every source of a service, calm ones included; also how time passes.

    `planned`: a maintenance window is on, in which nothing opens. `causes` names services it depends on that have an
    open incident of their own. `away_since`: nobody was looking since then, until just now. `deaf`: the feed of reports
    is silent, so that few reports are no sign of calm.
    """

    at: datetime
    readings: tuple[Reading, ...] = ()
    planned: bool = False
    causes: tuple[str, ...] = ()
    away_since: datetime | None = None
    deaf: bool = False


class Acted(msgspec.Struct, frozen=True, kw_only=True):
    """A person did something. `where` names the chat or page; `until` ends a mute; `level` belongs to a declaration.

    `verb` is one of `ack unack take note mute unmute declare merge resolve reopen false-alarm real`, or the quiet ones
    `works` and `fails`, whose `who` is a mark that tells people apart without naming them. The house itself does
    `unwatch`, and `join` to the gathering that `text` names. A mute without `until` lasts
    until it recovers. `incident` is the one that the person saw, if that is known: no other is touched.
    """

    at: datetime
    verb: str
    who: str
    where: str = ""
    text: str = ""
    level: str = ""
    until: datetime | None = None
    incident: str = ""


Event = Judged | Acted


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How the life of an incident is paced for one service. `levels` are the names, mildest first."""

    name: str
    levels: tuple[str, ...]
    open_at: str
    confirm_for: timedelta
    quiet_for: timedelta
    reopen_for: timedelta
    remind_every: timedelta = timedelta(0)

    def rank(self, level: str) -> int:
        """0 for calm or an unknown name, then 1 for the mildest level."""
        return self.levels.index(level) + 1 if level in self.levels else 0


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A channel that hears of a service, once an incident has reached `level` (empty: every incident).

    With `evidence` it hears only of incidents that one of these kinds spoke for.
    """

    channel: str
    level: str = ""
    evidence: frozenset[Evidence] = frozenset()


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A service as the house knows it: what people call it, how its incidents are paced, who hears of them."""

    id: str
    policy: Policy
    aliases: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    depends_on: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()

    @property
    def name(self) -> str:
        """The name people read."""
        return self.policy.name

    def channels(self, incident: Incident) -> tuple[str, ...]:
        """The channels that hear of an incident, by the worst level it has reached and by what speaks for it."""
        worst = self.policy.rank(incident.peak_level)
        heard = (r for r in self.routes if not r.evidence or r.evidence & incident.spoken)
        return tuple(r.channel for r in heard if self.policy.rank(r.level) <= worst)


class Thread(msgspec.Struct, frozen=True, kw_only=True):
    """A copy of an incident in one channel, and how far it has caught up.

    `heard` is the last timeline entry told, `shown` the head revision shown. `trying` names the step that was begun
    and whose outcome is not known yet, since `tried_at`; it survives a crash, so that the retry knows to look first.
    `dead` says why a person must act before this copy can go on.
    """

    incident: str
    channel: str
    ref: str = ""
    heard: int = 0
    shown: int = 0
    closed: bool = False
    trying: str = ""
    tried_at: datetime | None = None
    dead: str = ""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """A labelled value of the head message."""

    label: str
    value: Text


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What one source says, for the table that shows disagreement. `tone` as in `Head`."""

    name: str
    word: str
    tone: str
    since: datetime | None = None
    note: str = ""


class Button(msgspec.Struct, frozen=True, kw_only=True):
    """A verb a person can press; `verb` is also the command's name, and `about` what it is about, if no incident."""

    verb: str
    label: str
    style: str = ""
    about: str = ""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The one message that always shows the present, free of any platform.

    `tone` is one of `calm minor major critical over` (colour; never the only sign). `push` is the plain line of a
    notification: state and level in its first words. `link` leads to the incident's page, or is empty.
    """

    incident: str
    service: str
    rev: int
    tone: str
    state: str
    level: str
    push: str
    title: str
    sentence: Text
    facts: tuple[Fact, ...] = ()
    sources: tuple[Source, ...] = ()
    foot: Text = ()
    buttons: tuple[Button, ...] = ()
    alt: str = ""
    link: str = ""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A reply in a thread. `loud` lines are shown to the whole channel; `calls` asks for the people of its `level`.

    `mention` is whom it calls, in the platform's own notation, put in by whoever knows the channel.
    """

    seq: int
    text: Text
    tone: str
    level: str
    loud: bool = False
    calls: bool = False
    mention: str = ""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever asks. `chat` is the connection's name (`slack`, `page`, ...); `id` is unique within it.

    Where the chat tells: `made_at` is when the account was made, `joined_at` since when it is a member, `place` the server.
    """

    chat: str
    id: str
    name: str
    made_at: datetime | None = None
    joined_at: datetime | None = None
    place: str = ""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A command, a button or a form, whichever door it came through.

    `target` is a service or an incident in the person's own words; `incident` is the id known from the thread or the
    button, if any. `channel` is the configured channel's name when it came from one. `span` is a duration in words, as
    `level` is the name of a level. `right` is the most that this person may do: see `bot.core.rights`.
    """

    verb: str
    who: Person
    target: str = ""
    text: str = ""
    incident: str = ""
    channel: str = ""
    symptom: str = ""
    region: str = ""
    platform: str = ""
    level: str = ""
    span: str = ""
    right: str = "admin"


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One question of a form: words when it has no options, else one of the (value, label) pairs.

    `name` is the part of the `Request` that it fills; `value` is what stands there at first.
    """

    name: str
    label: str
    options: tuple[tuple[str, str], ...] = ()
    value: str = ""
    needed: bool = False


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """What a chat asks before a request can be answered. `about` says what will happen; sending it is the consent."""

    verb: str
    title: str
    submit: str
    fields: tuple[Field, ...]
    about: tuple[Text, ...] = ()
    incident: str = ""
    target: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the person who asked gets back, privately. `ok` False: nothing was changed, and `lines` say what to do.

    `png` is a chart, and `alt` says what it shows. `aloud`: everybody sees it where it was asked.
    """

    lines: tuple[Text, ...]
    ok: bool = True
    aloud: bool = False
    head: Head | None = None
    buttons: tuple[Button, ...] = ()
    png: bytes = b""
    alt: str = ""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A day of one service for a chart: per bucket the count, and the usual band; None where not known.

    `start` is the first bucket's time, `step` its width; all tuples have equal length.
    """

    service: str
    name: str
    start: datetime
    step: timedelta
    counts: tuple[float | None, ...]
    usual: tuple[float | None, ...] = ()
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    rule: float | None = None
    rule_name: str = ""
    spans: tuple[Span, ...] = ()


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """An incident on a chart: onset and opening are marked apart. `end` None: still alive."""

    onset: datetime
    opened: datetime
    end: datetime | None = None
    tone: str = "minor"

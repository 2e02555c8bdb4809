"""What a thread has yet to hear: `plan` names the next single step, and the same step again after a crash.

A thread is a cursor on the timeline. A step that was begun is remembered by its name (`trying`), so a retry repeats
exactly that step under exactly that key, and only then moves on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from bot.core.heading import tone
from bot.core.model import Entry, Incident, Kind, Line, Part, Policy, State, Text, Thread, When

_FLOOD = 6
_REPLY = re.compile(r"reply:(\d+)-(\d+)")


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do to a thread: `do` is `open`, `reply`, `edit` or `close`; replies say entries first..last.

    To `rest` a copy is to need it no more, without a word.
    """

    do: str
    first: int = 0
    last: int = 0

    @property
    def name(self) -> str:
        """What is remembered while it is being tried."""
        return f"reply:{self.first}-{self.last}" if self.do == "reply" else self.do


def plan(thread: Thread, incident: Incident) -> Step | None:
    """The next step that brings a thread nearer to the truth, or None when it is there."""
    if thread.dead:
        return None
    if not thread.ref:
        return _absorbed(incident) if incident.part_of and not thread.trying else Step(do="open")
    begun = _REPLY.fullmatch(thread.trying)
    if begun and int(begun[1]) == thread.heard + 1:
        return Step(do="reply", first=int(begun[1]), last=int(begun[2]))
    if thread.heard < incident.seq:
        last = incident.seq if _late(thread, incident) else thread.heard + 1
        return Step(do="reply", first=thread.heard + 1, last=last)
    if incident.state is State.CLOSED and not thread.closed:
        return Step(do="close")
    return Step(do="edit") if thread.shown < incident.rev else None


def _absorbed(incident: Incident) -> Step | None:
    """What a group tells of needs no thread of its own any more where it has none yet; in the end it is laid to rest."""
    return Step(do="rest") if incident.state is State.CLOSED else None


def lane(step: Step) -> str:
    """Which of a channel's two lanes a step takes: `news` are posts, `looks` are changes of what was posted."""
    return "news" if step.do in ("open", "reply") else "looks"


def urgency(step: Step, incident: Incident, policy: Policy) -> tuple[int, int]:
    """What goes first when many wait: what tells of several, openings of what lasts by severity, its news, what is over."""
    if step.do == "open" and incident.members:
        return -1, incident.seq
    order = {"open": 0, "reply": 1, "close": 4, "edit": 5, "rest": 6}
    past = 2 if incident.state is State.CLOSED and lane(step) == "news" else 0
    return order[step.do] + past, -policy.rank(incident.level)


def key(step: Step, thread: Thread) -> str:
    """The idempotency key of a post: the same step of the same copy never makes a second message."""
    return f"{thread.incident}/{thread.channel}/{step.name}"


def line(entries: Sequence[Entry], incident: Incident, policy: Policy) -> Line:
    """One reply for one entry, or for a run of them that a late channel catches up with.

    What is over by the time it is told pages nobody, but for the close itself where the opening was told.
    """
    last = entries[-1]
    text = last.text if len(entries) == 1 else _summed(entries)
    over = incident.state is State.CLOSED and last.seq == incident.seq
    known = over and entries[0].seq > 1
    return Line(
        seq=last.seq,
        text=text,
        tone="over" if over or last.kind is Kind.EASED else tone(last.level, policy),
        level=last.level,
        loud=any(entry.loud for entry in entries) if incident.alive else last.loud and known,
        calls=incident.alive and any(entry.calls for entry in entries),
    )


def told(thread: Thread, step: Step, incident: Incident, ref: str = "") -> Thread:
    """The thread after a step succeeded; an opening is followed by an edit, which brings the picture."""
    done = msgspec.structs.replace(thread, trying="", tried_at=None)
    if step.do == "reply":
        return msgspec.structs.replace(done, heard=step.last)
    if step.do == "rest":
        return msgspec.structs.replace(done, heard=incident.seq, shown=incident.rev, closed=True)
    shown = 0 if step.do == "open" else incident.rev
    return msgspec.structs.replace(done, ref=ref or thread.ref, shown=shown, closed=step.do == "close")


def _late(thread: Thread, incident: Incident) -> bool:
    """True where one line should say all that was missed: too much of it, or all of it from before there was a thread."""
    return thread.heard == 0 or incident.seq - thread.heard > _FLOOD


def _summed(entries: Sequence[Entry]) -> Text:
    """Lines missed, in order, as one text."""
    parts: list[Part] = []
    for number, entry in enumerate(entries):
        parts += ["\n"] if number else []
        parts += [When(entry.at), " ", *entry.text]
    return tuple(parts)

"""Judges what channels were told against what was stored; and scripts lives of incidents to be told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from doubles.chat import RememberingChat
from doubles.clock import ManualClock
from msgspec.structs import replace

from bot.core.model import Case, Confidence, Entry, Incident, Kind, Policy, State
from bot.core.phrases import plain
from bot.ports import Place
from bot.relay import Relay
from bot.stores.sqlite import SqliteStore

T0 = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = Policy(
    name="Anything",
    levels=("minor", "major", "critical"),
    open_at="minor",
    confirm_for=timedelta(0),
    quiet_for=timedelta(minutes=5),
    reopen_for=timedelta(hours=1),
)


async def no_picture(_):
    return None


def relay(store, clock, chat, channel="ops", services=("s0",), ward=None) -> Relay:
    return Relay(
        Place(name=channel, chat="any", address=channel, mention=dict.fromkeys(POLICY.levels, "<!here>")),
        chat,
        store,
        clock,
        policies=dict.fromkeys(services, POLICY),
        draw=no_picture,
        link=lambda _: "",
        troubled=lambda _: (),
        ward=ward,
    )


class Script:
    """Writes lives of incidents into a store, each line with words of its own, so that an oracle can tell them apart."""

    def __init__(self, store: SqliteStore, channels=("ops",)) -> None:
        self.store = store
        self.channels = channels
        self.lines = 0

    async def open(self, service: str, level: str = "minor", minute: float = 0) -> Incident:
        at = T0 + timedelta(minutes=minute)
        name = f"{service}-{int(minute * 60)}"
        incident = Incident(
            id=name,
            service=service,
            name=service,
            state=State.OPEN,
            since=at,
            level=level,
            peak_level=level,
            confidence=Confidence.SUSPECTED,
            started_at=at,
            opened_at=at,
        )
        return await self._tell(service, incident, Kind.OPENED, at, loud=True)

    async def raised(self, service: str, level: str, minute: float) -> Incident:
        """Worse, and for everybody."""
        moved = replace(await self._incident(service), level=level, peak_level=level)
        return await self._tell(service, moved, Kind.RAISED, T0 + timedelta(minutes=minute), loud=True)

    async def reopen(self, service: str, level: str, minute: float) -> Incident:
        at = T0 + timedelta(minutes=minute)
        again = replace(await self._incident(service), state=State.OPEN, since=at, level=level, closed_at=None)
        return await self._tell(service, again, Kind.REOPENED, at, loud=True)

    async def change(self, service: str, level: str, minute: float) -> Incident:
        incident = await self._incident(service)
        moved = replace(incident, level=level, peak_level=max(level, incident.peak_level, key=POLICY.rank))
        return await self._tell(service, moved, Kind.RAISED, T0 + timedelta(minutes=minute))

    async def number(self, service: str) -> Incident:
        """Something that only the head shows."""
        case = await self.store.load(service)
        incident = replace(case.incident, rev=case.incident.rev + 1)
        await self.store.save(replace(case, incident=incident), (), self.channels)
        return incident

    async def close(self, service: str, minute: float) -> Incident:
        at = T0 + timedelta(minutes=minute)
        incident = await self._incident(service)
        over = replace(incident, state=State.CLOSED, since=at, eased_at=at, closed_at=at, closed_why="recovered")
        return await self._tell(service, over, Kind.CLOSED, at, loud=True)

    async def _incident(self, service: str) -> Incident:
        incident = (await self.store.load(service)).incident
        assert incident is not None
        return incident

    async def _tell(
        self, service: str, incident: Incident, kind: Kind, at: datetime, *, loud: bool = False
    ) -> Incident:
        self.lines += 1
        seq = incident.seq + 1
        after = replace(incident, seq=seq, rev=incident.rev + 1, aloud=seq if loud else incident.aloud)
        entry = Entry(
            incident=after.id,
            seq=after.seq,
            at=at,
            kind=kind,
            level=after.level,
            text=(f"<line {self.lines}>",),
            loud=loud,
            calls=loud and kind is not Kind.CLOSED,
        )
        case: Case = await self.store.load(service)
        await self.store.save(replace(case, incident=after), (entry,), self.channels)
        return after


async def verdict(
    store: SqliteStore, chat: RememberingChat, channel: str = "ops", *, settled: bool = True
) -> list[str]:
    """What is wrong: lost, doubled, out of order, ghosts, heads that do not show the present; by promise."""
    wrong, stored = [], {i.id: i for i in await store.incidents(limit=100_000)}
    refs: dict[str, list[str]] = {}
    for ref, heads in chat.heads.items():
        refs.setdefault(heads[0].incident, []).append(ref)
    wrong += [f"R3 ghost: {name} was posted and never stored" for name in refs.keys() - stored.keys()]
    for name, incident in stored.items():
        wrong += await _one(store, chat, incident, refs.get(name, []), channel, settled=settled)
    return wrong


async def _one(store, chat, incident, refs, channel, *, settled) -> list[str]:
    mine = [t for t in await store.threads(incident.id) if t.channel == channel]
    if not mine or mine[0].dead:
        return []
    if len(refs) != 1:
        return [f"R{2 if refs else 1}: {incident.id} has {len(refs)} threads"] if settled or len(refs) > 1 else []
    said, at = "\n".join(chat.lines[refs[0]]), 0
    wrong = []
    for entry in await store.entries(incident.id):
        words = plain(entry.text)
        found = said.find(words, at)
        if said.count(words) > 1:
            wrong.append(f"R2: {words} of {incident.id} was said {said.count(words)} times")
        elif found < 0 and settled:
            kind = "R4 out of order" if words in said else "R1 lost"
            wrong.append(f"{kind}: {words} of {incident.id}")
        at = max(found, at)
    if settled and chat.heads[refs[0]][-1].rev != incident.rev:
        wrong.append(f"R4: the head of {incident.id} shows revision {chat.heads[refs[0]][-1].rev} of {incident.rev}")
    if settled and incident.state is State.CLOSED and refs[0] not in chat.closed:
        wrong.append(f"R5: {incident.id} was not closed")
    return wrong


async def settle(relay: Relay, clock: ManualClock, rounds: int = 2000) -> float:
    """Let a relay catch up; answers the seconds it took."""
    began = clock.monotonic()
    for _ in range(rounds):
        pause = await relay.round()
        if not await relay._store.behind(relay.place.name):
            return clock.monotonic() - began
        await clock.advance(pause + 0.01)
    return float("inf")

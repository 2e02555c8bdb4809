"""One probe seen from several places: how many of them must see a failure before it is one.

A place that has not been heard of for too long is no voice: it neither fails nor works. What the silent ones may see
decides whether anything is known at all, so that a quorum that cannot meet is a gap and not good news.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from bot.core.model import Health, Signal

HERE = "here"
"""What this very program is called among the places."""

_WORST = Health.MAJOR_OUTAGE
_NAMED = 4


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What one place saw when it last looked, by our clock. `health` None: it was kept from looking."""

    at: datetime
    health: Health | None
    note: str = ""
    url: str = ""


def fresh_for(every: timedelta) -> timedelta:
    """How long a look counts: three of its intervals, and what it may take on its way."""
    return 3 * every + timedelta(seconds=15)


def fresh(looks: Mapping[str, Look], now: datetime, every: timedelta) -> dict[str, Look]:
    """The looks that are voices now."""
    return {
        place: look for place, look in looks.items() if look.health is not None and now - look.at <= fresh_for(every)
    }


def together(voices: Mapping[str, Look], places: Collection[str], quorum: int, now: datetime) -> Signal:
    """What all places come to; `places` are all that should look, this one included, and `voices` those that do.

    The health is the worst that at least `quorum` of them agree on. While the silent ones could still make or break the
    quorum, there is no reading.
    """
    url = next((look.url for look in voices.values() if look.url), "")
    healths = [health for look in voices.values() if (health := look.health) is not None]
    silent = len(places) - len(healths)
    surely, maybe = _agreed(healths, quorum), _agreed([*healths, *[_WORST] * silent], quorum)
    if surely > Health.MAINTENANCE or maybe <= Health.MAINTENANCE:
        return Signal(at=now, health=surely, note=_note(voices, places, quorum), url=url)
    note = f"{len(healths)} of {len(places)} places look, {quorum} must agree; nothing from {_listed(_rest(places, voices))}"
    return Signal(at=now, error="no_quorum", note=note, url=url)


def _agreed(healths: Sequence[Health], quorum: int) -> Health:
    """The worst health that so many say is at least as bad."""
    worst = sorted(healths, reverse=True)
    return worst[quorum - 1] if len(worst) >= quorum else Health.OPERATIONAL


def _note(voices: Mapping[str, Look], places: Collection[str], quorum: int) -> str:
    failing = {
        place: voices[place]
        for place in places
        if place in voices and (voices[place].health or Health.OPERATIONAL) > Health.MAINTENANCE
    }
    silent = _rest(places, voices)
    unheard = f"; nothing from {_listed(silent)}" if silent else ""
    if not failing:
        return f"{_saying(voices)}, from {len(voices)} of {len(places)} places{unheard}"
    few = f"; it takes {quorum}" if len(failing) < quorum else ""
    worst = max(look.health or Health.OPERATIONAL for look in failing.values())
    how = "fails" if worst > Health.DEGRADED else "is not well"
    return f"{how} from {len(failing)} of {len(places)} places: {_listed(failing)} ({_saying(failing)}){few}{unheard}"


def _saying(looks: Mapping[str, Look]) -> str:
    """The words of the place that sees the worst; our own before others."""
    chosen = max(looks.items(), key=lambda each: (each[1].health or Health.OPERATIONAL, each[0] == HERE))
    return chosen[1].note


def _rest(places: Collection[str], voices: Mapping[str, Look]) -> list[str]:
    return [place for place in places if place not in voices]


def _listed(places: Collection[str]) -> str:
    named = list(places)
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return f"{', '.join(named[:_NAMED])}{more}"

"""The JSON shapes of the contract: what `replay --json` and the API print of an incident."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.core.model import Between, Entry, Incident, Numbers, Peak, Scope, Share, Thread
from bot.core.phrases import plain


def incident_json(incident: Incident, entries: Sequence[Entry]) -> dict[str, Any]:
    """One incident; `level` and `scope` are the present ones while it lives, and those of its worst once it is over."""
    return {
        "id": incident.id,
        "service": incident.service,
        "level": incident.level if incident.alive else incident.peak_level,
        "confidence": incident.confidence.value,
        "started_at": moment(incident.started_at),
        "opened_at": moment(incident.opened_at),
        "eased_at": moment(incident.eased_at),
        "closed_at": moment(incident.closed_at),
        "peak": _peak(incident.peak),
        "scope": scope_json(incident.scope if incident.alive else incident.worst_scope),
        "entries": [entry_json(entry) for entry in entries],
    }


def entry_json(entry: Entry) -> dict[str, Any]:
    """One line of a timeline; its text is plain, times in UTC."""
    return {
        "at": moment(entry.at),
        "kind": entry.kind.value,
        "level": entry.level,
        "text": plain(entry.text).strip(),
    }


def between_json(between: Between | None) -> dict[str, Any] | None:
    """How surely an incident began when it did."""
    return {"early": moment(between.early), "late": moment(between.late)} if between else None


def thread_json(thread: Thread) -> dict[str, Any]:
    """How far one channel has caught up; `trouble` says why it cannot."""
    return {"channel": thread.channel, "ref": thread.ref, "heard": thread.heard, "trouble": thread.dead or None}


def scope_json(scope: Scope | None) -> dict[str, Any]:
    """Where, on what, what people see; empty lists mean not limited."""
    scope = scope or Scope()
    return {
        "regions": [_share(s) for s in scope.regions],
        "platforms": [_share(s) for s in scope.platforms],
        "symptoms": [_share(s) for s in scope.symptoms],
        "spared": list(scope.spared),
    }


def numbers_json(numbers: Numbers | None) -> dict[str, Any] | None:
    """A count against its usual; `within` in seconds, `score` in nats."""
    if numbers is None:
        return None
    return {
        "count": numbers.count,
        "within": int(numbers.within.total_seconds()),
        "usual": _rounded(numbers.usual),
        "times": _rounded(numbers.times),
        "score": _rounded(numbers.score),
    }


def moment(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, whole seconds."""
    return f"{at.isoformat()[:19]}Z" if at else None  # `strftime` takes ten times as long


def _peak(peak: Peak | None) -> dict[str, Any] | None:
    return {"at": moment(peak.at), "count": peak.count, "times": _rounded(peak.times)} if peak else None


def _share(share: Share) -> dict[str, Any]:
    return {"code": share.code, "share": round(share.share, 3), "usual": round(share.usual, 3)}


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 2)

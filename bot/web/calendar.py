"""Incidents as a calendar (RFC 5545), written by hand because it is thirty lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from bot.web.texts import inert, when

_ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n", "\t": " ", "\r": ""})


def calendar(incidents: Sequence[Mapping[str, Any]], names: Mapping[str, str], link: str, now: datetime) -> str:
    """A VCALENDAR with one event per incident; one that is not over ends now."""
    host = urlsplit(link).hostname or "tocsin"
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tocsin//Incidents//EN", "X-WR-CALNAME:Incidents"]
    for told in incidents:
        lines += _event(told, names.get(told["service"], told["service"]), link, host, now)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _event(told: Mapping[str, Any], name: str, link: str, host: str, now: datetime) -> list[str]:
    began = when(told["started_at"]) or now
    ended = when(told.get("eased_at")) or when(told.get("closed_at")) or now
    words = "\n".join(inert(entry["text"]) for entry in told["entries"])
    return [
        "BEGIN:VEVENT",
        f"UID:{told['id']}@{host}",
        f"DTSTAMP:{_stamp(now)}",
        f"DTSTART:{_stamp(began)}",
        f"DTEND:{_stamp(max(began, ended))}",
        f"SUMMARY:{name.translate(_ESCAPED)}: {(told.get('level') or 'incident').translate(_ESCAPED)}",
        f"DESCRIPTION:{words.translate(_ESCAPED)}",
        f"URL:{link}/incident/{told['id']}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _folded(line: str) -> Iterator[str]:
    """Lines of at most 75 bytes; what follows begins with a blank (RFC 5545, 3.1). No letter is cut in two."""
    rest, blank = line.encode(), b""
    while len(blank + rest) > 75:
        cut = 75 - len(blank)
        while rest[cut] & 0xC0 == 0x80:
            cut -= 1
        yield (blank + rest[:cut]).decode()
        rest, blank = rest[cut:], b" "
    yield (blank + rest).decode()

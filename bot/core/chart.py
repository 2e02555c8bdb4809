"""Numbers to pictures: one line over the soft band of the usual, as SVG that stands alone.

Colour means state and nothing else. Letters grow with the width, so that a thumbnail can still be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from bot.core.axis import clock, every, moments, nice, number
from bot.core.ink import LETTER, THEMES, document, escape, text
from bot.core.model import Picture, Span


class _Frame(Struct, frozen=True, kw_only=True):
    """The plot area inside the picture, and what its edges mean."""

    left: float
    top: float
    right: float
    bottom: float
    start: datetime
    end: datetime
    most: float
    font: float
    ink: dict[str, str]

    def x(self, at: datetime) -> float:
        """Where a moment stands; what lies outside stands at the edge."""
        share = (at - self.start) / (self.end - self.start)
        return round(self.left + min(max(share, 0.0), 1.0) * (self.right - self.left), 1)

    def y(self, count: float) -> float:
        """How high a count stands."""
        return round(self.bottom - min(count / self.most, 1.0) * (self.bottom - self.top), 1)


_FLAT = 10.0  # times the highest count beyond which a level is left out


def svg(picture: Picture, *, width: int = 1200, height: int = 480, theme: str = "light") -> str:
    """A whole chart with its name, axes and marks; letters grow with the width, so a thumbnail can still be read."""
    ink = THEMES[theme]
    body = _panel(picture, 0, width, height, ink)
    title = f"{picture.name}: {_caption(picture)}"
    return document((width, height), body, title=title, words=describe(picture), paper=ink["paper"])


def plot(pictures: Sequence[Picture], *, width: int = 1200, height: int = 320, theme: str = "light") -> str:
    """Charts of several services, one under the other; `height` is of each."""
    ink = THEMES[theme]
    body = "".join(_panel(picture, index * height, width, height, ink) for index, picture in enumerate(pictures))
    names = ", ".join(picture.name for picture in pictures) or "no service"
    words = " ".join(f"{picture.name}: {describe(picture)}" for picture in pictures)
    size = (width, max(len(pictures), 1) * height)
    return document(size, body, title=f"Reports of {names}", words=words, paper=ink["paper"])


def spark(picture: Picture, *, width: int = 240, height: int = 32) -> str:
    """A small line for a row of a page: no words, the page's own colour, the incident tinted."""
    ink = {**THEMES["light"], "ink": "currentColor", "band": "currentColor", "minor": "#c77f12", "major": "#d93f3f"}
    frame = _frame(replace(picture, rule=None), (1.0, 2.0, width - 1.0, height - 2.0), 0, ink)
    body = "".join(_tint(frame, span, 0.18) for span in picture.spans) + _band(frame, picture, opacity=0.16)
    body += _line(frame, picture, 1.5)
    return document((width, height), body, title=picture.name, words=describe(picture))


def describe(picture: Picture) -> str:
    """What a person who cannot see the chart should hear."""
    known = [(count, index) for index, count in enumerate(picture.counts) if count is not None]
    if not known:
        return "No counts are known."
    most, index = max(known, key=lambda pair: (pair[0], -pair[1]))
    at = picture.start + index * picture.step
    usual = picture.usual[index] if picture.usual else None
    words = f"Most: {number(most)} reports {_per(picture.step)} at {clock(at)} UTC"
    words += "." if usual is None else f", usually {number(usual)}."
    return " ".join([words, *(_told(span) for span in picture.spans)])


def _told(span: Span) -> str:
    over = f", over {clock(span.end)}" if span.end else ", not over yet"
    return f"An incident began {clock(span.onset)}, was opened {clock(span.opened)}{over} (UTC)."


def _panel(picture: Picture, top: float, width: int, height: int, ink: dict[str, str]) -> str:
    font = min(max(12.0, width / 46), height / 9)  # letters leave at least a third of the height to the line
    gutter = font * (1.3 + LETTER * len(number(_scale(picture))))
    edges = (gutter, top + font * 4.3, width - font * 1.1, top + height - font * 2.1)
    frame = _frame(picture, edges, font, ink)
    return "".join(
        [
            _headline(frame, picture, top, font),
            _grid(frame),
            *(_tint(frame, span, 0.13) for span in picture.spans),
            _band(frame, picture),
            _rule(frame, picture),
            _line(frame, picture, max(1.75, font / 9)),
            _marks(frame, picture.spans),
            _peak(frame, picture),
        ]
    )


def _frame(picture: Picture, edges: tuple[float, float, float, float], font: float, ink: dict[str, str]) -> _Frame:
    left, top, right, bottom = edges
    end = picture.start + max(len(picture.counts), 1) * picture.step
    return _Frame(
        left=left, top=top, right=right, bottom=bottom, start=picture.start, end=end, most=_scale(picture), font=font, ink=ink
    )  # fmt: skip


def _scale(picture: Picture) -> float:
    """The value at the top: everything drawn fits below it, and its ticks are round."""
    return nice(max(_highest(picture), _ruled(picture) * 1.1))  # a rule has its name above it


def _highest(picture: Picture) -> float:
    known = [value for row in (picture.counts, picture.usual, picture.high) for value in row if value is not None]
    return max([*known, 4.0])


def _ruled(picture: Picture) -> float:
    """The level's count; 0 where there is none, or where it would press all that happened flat onto the ground."""
    rule = picture.rule or 0.0
    return rule if rule <= _FLAT * _highest(picture) else 0.0


def _headline(frame: _Frame, picture: Picture, top: float, font: float) -> str:
    """Name, unit and zone, and what the band means; the unit goes below where the picture is narrow."""
    left, first, second = font * 0.7, top + font * 1.45, top + font * 2.75
    name = text(left, first, picture.name, frame.ink["ink"], font * 1.1, weight=500)
    unit = text(left, second, _caption(picture), frame.ink["quiet"], font * 0.86)
    if not any(value is not None for value in (*picture.usual, *picture.high)):
        return name + unit
    swatch = f'<rect class="band" x="{frame.right - font * (0.86 * 5 * LETTER + 1.5):g}" y="{second - font * 0.68:g}" width="{font * 1.1:g}" height="{font * 0.7:g}" fill="{frame.ink["band"]}"/>'
    return name + unit + swatch + text(frame.right, second, "usual", frame.ink["quiet"], font * 0.86, anchor="end")


def _caption(picture: Picture) -> str:
    return f"reports {_per(picture.step)}, UTC"


def _per(step: timedelta) -> str:
    minutes, seconds = divmod(int(step.total_seconds()), 60)
    if seconds:
        return f"per {int(step.total_seconds())} s"
    if minutes in (1, 60):
        return "per minute" if minutes == 1 else "per hour"
    return f"per {minutes} min" if minutes % 60 else f"per {minutes // 60} h"


def _grid(frame: _Frame) -> str:
    """Few lines across with their values, few moments below."""
    quiet, size = frame.ink["quiet"], frame.font * 0.86
    body = []
    for value in (0.0, frame.most / 2, frame.most):
        y = frame.y(value)
        body.append(f'<path class="grid" d="M{frame.left:g} {y:g}H{frame.right:g}" stroke="{frame.ink["grid"]}"/>')
        body.append(text(frame.left - size * 0.5, y + size * 0.35, number(value), quiet, size, anchor="end"))
    room = max(2, int((frame.right - frame.left) / (size * 5.2)))
    for at in moments(frame.start, frame.end, every(frame.end - frame.start, room)):
        words, x = clock(at, whole=frame.end - frame.start > timedelta(days=2)), frame.x(at)
        reach = len(words) * size * LETTER / 2
        anchor = "start" if x - reach < 0 else "end" if x + reach > frame.right + frame.font else "middle"
        body.append(text(x, frame.bottom + size * 1.5, words, quiet, size, anchor=anchor))
    return "".join(body)


def _tint(frame: _Frame, span: Span, opacity: float) -> str:
    left, right = frame.x(span.onset), frame.x(span.end or frame.end)
    if span.onset >= frame.end or (span.end and span.end <= frame.start):
        return ""
    colour = frame.ink.get(span.tone, frame.ink["calm"])
    return (
        f'<rect class="span {escape(span.tone)}" x="{left:g}" y="{frame.top:g}" width="{max(right - left, 1):g}" '
        f'height="{frame.bottom - frame.top:g}" fill="{colour}" fill-opacity="{opacity}"/>'
    )


def _band(frame: _Frame, picture: Picture, opacity: float = 1.0) -> str:
    """Between low and high where both are known, in as many pieces as there are gaps."""
    pieces = []
    for points in _runs(frame, picture, picture.high):
        first, last = points[0][0], points[-1][0]
        lower = [(x, picture.low[index] if picture.low else 0.0) for x, _, index in reversed(points)]
        outline = [(x, y) for x, y, _ in points] + [(x, frame.y(value or 0.0)) for x, value in lower]
        if first < last:
            path = "M" + "L".join(f"{x:g} {y:g}" for x, y in outline) + "Z"
            pieces.append(f'<path class="band" d="{path}" fill="{frame.ink["band"]}" fill-opacity="{opacity:g}"/>')
    return "".join(pieces)


def _line(frame: _Frame, picture: Picture, thick: float) -> str:
    """The counts; a bucket between two gaps is a dot, and a gap is a gap."""
    ink, pieces = frame.ink["ink"], []
    for points in _runs(frame, picture, picture.counts):
        if len(points) == 1:
            pieces.append(f'<circle cx="{points[0][0]:g}" cy="{points[0][1]:g}" r="{thick * 1.3:g}" fill="{ink}"/>')
            continue
        path = "M" + "L".join(f"{x:g} {y:g}" for x, y, _ in points)
        pieces.append(
            f'<path d="{path}" fill="none" stroke="{ink}" stroke-width="{thick:g}" stroke-linejoin="round" stroke-linecap="round"/>'
        )
    return f'<g class="line">{"".join(pieces)}</g>'


def _runs(frame: _Frame, picture: Picture, values: Sequence[float | None]) -> list[list[tuple[float, float, int]]]:
    """Unbroken stretches of (x, y, index); more buckets than pixels keep the least and the most of each pixel."""
    fold = max(1, int(len(values) / max(frame.right - frame.left, 1)))
    runs: list[list[tuple[float, float, int]]] = [[]]
    for first in range(0, len(values), fold):
        known = [(value, at) for at, value in enumerate(values[first : first + fold], first) if value is not None]
        if not known:
            runs.append([])
            continue
        for value, at in sorted({min(known), max(known)}, key=lambda pair: pair[1]):
            runs[-1].append((frame.x(picture.start + (at + 0.5) * picture.step), frame.y(value), at))
    return [run for run in runs if run]


def _rule(frame: _Frame, picture: Picture) -> str:
    """The level that was crossed: a thin line with its name."""
    rule = _ruled(picture)
    if not rule:
        return ""
    y, size = frame.y(rule), frame.font * 0.86
    words = f"{picture.rule_name} {number(rule)}".strip()
    return (
        f'<path class="rule" d="M{frame.left:g} {y:g}H{frame.right:g}" stroke="{frame.ink["quiet"]}" '
        f'stroke-width="{max(1.0, frame.font / 18):g}" stroke-dasharray="{frame.font / 9:g} {frame.font / 5:g}"/>'
        + text(frame.left + size * 0.4, y - size * 0.35, words, frame.ink["quiet"], size)
    )


def _marks(frame: _Frame, spans: Sequence[Span]) -> str:
    """Dashed where it began, solid where it was opened, green where it was over; only the last one has words."""
    body = []
    for span in spans:
        colour = frame.ink.get(span.tone, frame.ink["calm"])
        body.append(_upright(frame, span.onset, colour, f' stroke-dasharray="{frame.font / 4:g} {frame.font / 4:g}"'))
        body.append(_upright(frame, span.opened, colour))
        body.append(_upright(frame, span.end, frame.ink["over"]))
    return "".join(body) + (_words(frame, spans[-1]) if spans else "")


def _upright(frame: _Frame, at: datetime | None, colour: str, more: str = "") -> str:
    if at is None or not frame.start <= at <= frame.end:
        return ""
    x, thick = frame.x(at), max(1.0, frame.font / 13)
    path = f"M{x:g} {frame.top:g}V{frame.bottom:g}"
    return f'<path d="{path}" stroke="{colour}" stroke-width="{thick:g}"{more}/>'


def _words(frame: _Frame, span: Span) -> str:
    """Labels above the marks, kept inside the picture and apart from each other."""
    colour, size = frame.ink.get(span.tone, frame.ink["calm"]), frame.font * 0.86
    labels = [("began", span.onset, colour), ("opened", span.opened, colour), ("over", span.end, frame.ink["over"])]
    seen = [
        (f"{word} {clock(at)}", frame.x(at), shade)
        for word, at, shade in labels
        if at and frame.start <= at <= frame.end
    ]
    places = _spread([(x, len(words) * size * LETTER) for words, x, _ in seen], frame.font * 0.4, frame.right, size)
    y = frame.top - size * 0.4
    return "".join(text(x, y, words, shade, size) for x, (words, _, shade) in zip(places, seen, strict=True))


def _spread(wanted: Sequence[tuple[float, float]], least: float, most: float, space: float) -> list[float]:
    """Left edges for labels of (middle, width): near what they name, in order, none over another or over the edge."""
    edges: list[float] = []
    for middle, width in wanted:
        least = max(least, middle - width / 2)
        edges.append(least)
        least += width + space
    for index in range(len(edges) - 1, -1, -1):
        edges[index] = min(edges[index], most - wanted[index][1])
        most = edges[index] - space
    return [round(edge, 1) for edge in edges]


def _peak(frame: _Frame, picture: Picture) -> str:
    """The highest count of the last incident, written beside its top."""
    if not picture.spans:
        return ""
    span = picture.spans[-1]
    first, last = ((at - picture.start) / picture.step for at in (span.onset, span.end or frame.end))
    inside = [(value, -at) for at, value in enumerate(picture.counts) if value is not None and first - 1 < at <= last]
    if not inside:
        return ""
    value, back = max(inside)
    x, y = frame.x(picture.start + (0.5 - back) * picture.step), frame.y(value)
    words, ink = number(value), frame.ink["ink"]
    side, anchor = (-0.5, "end") if x - frame.left > frame.font * (1 + LETTER * len(words)) else (0.5, "start")
    dot = f'<circle cx="{x:g}" cy="{y:g}" r="{frame.font / 5:g}" fill="{ink}"/>'
    return dot + text(
        x + side * frame.font,
        max(y, frame.top + frame.font * 0.5) + frame.font * 0.35,
        words,
        ink,
        frame.font,
        anchor=anchor,
        weight=500,
    )

"""Charts: what is drawn, what is said, and that no text breaks out."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.core.axis import clock, every, moments, nice, number
from bot.core.chart import plot, spark, svg
from bot.core.ink import THEMES
from bot.core.model import Picture, Span

NOON = datetime(2022, 11, 3, 12, tzinfo=UTC)
STEP = timedelta(minutes=15)
SVG = "{http://www.w3.org/2000/svg}"


def picture(counts: list[float | None], **more: object) -> Picture:
    return replace(Picture(service="twitter", name="Twitter", start=NOON, step=STEP, counts=tuple(counts)), **more)


def at(bucket: float) -> datetime:
    return NOON + bucket * STEP


def words(drawing: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(drawing).iter(f"{SVG}text")]


def paths(drawing: str, name: str) -> list[str]:
    return [
        element.get("d", "") for element in ET.fromstring(drawing).iter(f"{SVG}path") if element.get("class") == name
    ]


def lines(drawing: str) -> list[ET.Element]:
    return [element for group in ET.fromstring(drawing).iter(f"{SVG}g") for element in group]


def test_a_chart_says_its_service_its_unit_and_its_zone() -> None:
    assert words(svg(picture([1, 2, 3])))[:2] == ["Twitter", "reports per 15 min, UTC"]


@pytest.mark.parametrize(
    ("step", "unit"),
    [
        (60, "per minute"),
        (300, "per 5 min"),
        (3600, "per hour"),
        (7200, "per 2 h"),
        (5400, "per 90 min"),
        (10, "per 10 s"),
    ],
)
def test_the_unit_follows_the_width_of_a_bucket(step: int, unit: str) -> None:
    assert f"reports {unit}, UTC" in words(svg(picture([1, 2], step=timedelta(seconds=step))))


def test_a_gap_in_the_counts_is_a_gap_in_the_line() -> None:
    first, second = lines(svg(picture([1, 2, None, 4, 5])))
    assert first.tag == second.tag == f"{SVG}path"


def test_a_count_between_two_gaps_is_a_dot() -> None:
    assert [element.tag for element in lines(svg(picture([None, 3, None])))] == [f"{SVG}circle"]


def test_a_day_of_zeros_is_a_line_and_not_an_error() -> None:
    [line] = lines(svg(picture([0] * 96)))
    heights = {point.split(" ")[1] for point in line.attrib["d"][1:].split("L")}
    assert len(heights) == 1


@pytest.mark.parametrize("counts", [[], [None], [None] * 96])
def test_a_day_that_nobody_counted_says_so(counts: list[None]) -> None:
    assert ET.fromstring(svg(picture([*counts]))).findtext(f"{SVG}desc") == "No counts are known."


def test_the_band_is_drawn_and_named_only_where_the_usual_is_known() -> None:
    known = picture([5] * 4, usual=(5.0,) * 4, low=(2.0, 2.0, None, None), high=(9.0, 9.0, None, None))
    assert "usual" in words(svg(known))
    assert len(paths(svg(known), "band")) == 1
    assert "usual" not in words(svg(picture([5] * 4)))


def test_the_crossed_level_is_a_line_with_its_name() -> None:
    drawing = svg(picture([5] * 4, rule=50.0, rule_name="major"))
    assert "major 50" in words(drawing)
    assert len(paths(drawing, "rule")) == 1


def test_a_level_far_above_all_that_happened_is_left_out_of_the_picture() -> None:
    drawing = svg(picture([5] * 4, rule=200.0, rule_name="critical"))
    assert not paths(drawing, "rule")
    assert "6" in words(drawing)


def test_onset_opening_and_end_are_marked_apart_and_in_words() -> None:
    span = Span(onset=at(10), opened=at(12), end=at(40), tone="major")
    drawing = svg(picture([5] * 96, spans=(span,)))
    assert words(drawing)[-4:-1] == ["began 14:30", "opened 15:00", "over 22:00"]
    marks = [element for element in ET.fromstring(drawing) if element.get("stroke") == THEMES["light"]["major"]]
    assert [bool(mark.get("stroke-dasharray")) for mark in marks] == [True, False]


def test_the_top_of_the_incident_carries_its_count() -> None:
    counts: list[float | None] = [900, *[5] * 20, 312, *[5] * 20]
    assert "312" in words(svg(picture(counts, spans=(Span(onset=at(15), opened=at(16)),))))


def test_an_incident_outside_the_picture_leaves_no_mark() -> None:
    span = Span(onset=at(-20), opened=at(-19), end=at(-10), tone="major")
    assert THEMES["light"]["major"] not in svg(picture([5] * 96, spans=(span,)))


def test_the_description_says_the_most_the_usual_and_the_incident() -> None:
    span = Span(onset=at(1), opened=at(2), end=at(3))
    drawing = svg(picture([1, 9, 312, 4], usual=(6.0,) * 4, spans=(span,)))
    said = ET.fromstring(drawing).findtext(f"{SVG}desc")
    assert said == (
        "Most: 312 reports per 15 min at 12:30 UTC, usually 6. "
        "An incident began 12:15, was opened 12:30, over 12:45 (UTC)."
    )


def test_a_month_of_minutes_keeps_its_spike_in_a_small_drawing() -> None:
    counts: list[float | None] = [3.0] * 43_200
    counts[12_345] = 400.0
    drawing = svg(picture(counts, step=timedelta(minutes=1)))
    [line] = lines(drawing)
    heights = [float(point.split(" ")[1]) for point in line.attrib["d"][1:].split("L")]
    assert min(heights) < sorted(heights)[1]
    assert len(drawing) < 100_000


def test_a_plot_stacks_one_chart_per_service() -> None:
    drawing = plot([picture([1, 2]), picture([3], name="GitHub")], height=300)
    assert ET.fromstring(drawing).get("height") == "600"
    assert {"Twitter", "GitHub"} <= set(words(drawing))


def test_a_spark_has_no_words_and_takes_the_colour_of_its_row() -> None:
    drawing = spark(picture([1, 2, 3], rule=500.0))
    assert words(drawing) == []
    assert "currentColor" in drawing
    assert "background" not in drawing


@pytest.mark.parametrize("draw", [svg, spark, lambda p: plot([p])])
def test_nothing_in_a_chart_needs_a_style_attribute_or_a_script(draw: object) -> None:
    drawing = draw(picture([1, 2, 3], spans=(Span(onset=at(1), opened=at(2)),)))  # type: ignore[operator]
    assert "style" not in drawing
    assert "<script" not in drawing


@given(st.text(), st.text(), st.text())
def test_no_text_breaks_out_of_the_drawing(name: str, rule: str, tone: str) -> None:
    drawing = svg(
        picture([1, 2], name=name, rule=3.0, rule_name=rule, spans=(Span(onset=at(0), opened=at(1), tone=tone),))
    )
    tags = {element.tag.removeprefix(SVG) for element in ET.fromstring(drawing.encode()).iter()}
    assert tags <= {"svg", "title", "desc", "rect", "text", "path", "g", "circle"}


@example([0.0, 96.0], 1311, 120)
@given(st.lists(st.none() | st.floats(0, 1e9), max_size=200), st.integers(200, 2000), st.integers(120, 800))
def test_the_line_stays_inside_the_picture(counts: list[float | None], width: int, height: int) -> None:
    drawing = ET.fromstring(svg(picture(counts), width=width, height=height))
    for element in drawing.iter(f"{SVG}path"):
        if element.get("fill") == "none":
            points = [point.split(" ") for point in element.attrib["d"][1:].split("L")]
            assert all(0 <= float(x) <= width and 0 <= float(y) <= height for x, y in points)


@pytest.mark.parametrize("width", [360, 720, 1200])
@pytest.mark.parametrize(("onset", "opened", "end"), [(0, 0, 1), (1, 2, 3), (93, 94, 95), (40, 41, 42), (0, 50, 95)])
def test_labels_of_marks_never_lie_over_each_other(width: int, onset: int, opened: int, end: int) -> None:
    span = Span(onset=at(onset), opened=at(opened), end=at(end))
    drawing = ET.fromstring(svg(picture([5] * 96, spans=(span,)), width=width, height=300))
    labels = [e for e in drawing.iter(f"{SVG}text") if (e.text or "").split(" ")[0] in ("began", "opened", "over")]
    places = [(float(e.attrib["x"]), len(e.text or "") * float(e.attrib["font-size"]) * 0.54) for e in labels]
    assert len(places) == 3
    assert all(x >= 0 and x + length <= width for x, length in places)
    assert all(x + length <= after for (x, length), (after, _) in pairwise(places))


@pytest.mark.parametrize("theme", THEMES)
def test_every_colour_of_words_can_be_read_on_its_paper(theme: str) -> None:
    ink = THEMES[theme]
    for name in ("ink", "quiet", "calm", "minor", "major", "critical", "over"):
        assert contrast(ink[name], ink["paper"]) >= 4.5, name


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (6, "6"), (0.4, "0.4"), (12.4, "12"), (1250, "1,250"), (12_000, "12k"), (1_500_000, "1.5M")],
)
def test_numbers_are_written_as_people_write_them(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(("time", "text"), [((4, 0, 0), "4 Nov"), ((4, 7, 5), "07:05")])
def test_midnight_is_written_as_the_day(time: tuple[int, int, int], text: str) -> None:
    assert clock(datetime(2022, 11, *time, tzinfo=UTC)) == text


@given(st.floats(1e-3, 1e12))
def test_the_top_of_an_axis_is_round_and_not_far_above(value: float) -> None:
    assert value <= nice(value) <= 2 * value


@given(st.integers(1, 400 * 1440), st.integers(2, 20))
def test_an_axis_has_few_moments_all_inside(minutes: int, room: int) -> None:
    start = datetime(2022, 11, 3, 9, 31, tzinfo=UTC)
    end = start + timedelta(minutes=minutes)
    found = moments(start, end, every(end - start, room))
    assert len(found) <= room + 1
    assert all(start <= moment <= end for moment in found)

"""Which channels hear of an incident: by level, by service, by what speaks for it."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.model import Evidence, Incident, Policy, Reading, Route, Service, State

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICY = Policy(
    name="X",
    levels=("minor", "major"),
    open_at="minor",
    confirm_for=timedelta(0),
    quiet_for=timedelta(0),
    reopen_for=timedelta(0),
)
ROUTES = (
    Route(channel="wall"),
    Route(channel="ops", level="major"),
    Route(channel="vendors", evidence=frozenset({Evidence.VENDOR})),
    Route(channel="crowd", level="major", evidence=frozenset({Evidence.PEOPLE, Evidence.ALERT})),
)


def incident(level="minor", kinds=(), **more):
    readings = tuple(Reading(at=NOON, kind=kind, source=kind, level=level) for kind in kinds)
    calm = (Reading(at=NOON, kind=Evidence.PROBE, source="front"),)
    return Incident(
        id="x-1", service="x", name="X", state=State.OPEN, since=NOON, level=level, peak_level=level, started_at=NOON,
        readings=readings + calm, **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("told", "channels"),
    [
        (incident(kinds=[Evidence.PEOPLE]), "wall"),
        (incident("major", [Evidence.PROBE]), "wall ops"),
        (incident(kinds=[Evidence.VENDOR]), "wall vendors"),
        (incident("major", [Evidence.PEOPLE]), "wall ops crowd"),
        (incident("major", [Evidence.PEOPLE, Evidence.VENDOR]), "wall ops vendors crowd"),
        (incident("major", declared_by="Anna"), "wall ops crowd"),
        (incident(first_kind=Evidence.VENDOR), "wall vendors"),
    ],
)
def test_a_route_is_taken_by_level_and_by_what_speaks(told, channels):
    service = Service(id="x", policy=POLICY, routes=ROUTES)
    assert " ".join(service.channels(told)) == channels

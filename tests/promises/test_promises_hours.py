"""R21: quiet hours and planned work begin and end as the clock on the wall says, on every night that clocks are changed."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.core.planned import Window, covered
from bot.core.quiet import Quiet, ends

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
YEARS = range(2024, 2029)
ZONES = (
    "America/New_York",
    "America/Santiago",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Dublin",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Pacific/Auckland",
)
HOURS = (("22:00", "07:00"), ("02:30", "06:00"), ("01:00", "02:30"), ("02:15", "02:45"), ("00:00", "00:00"))
CRONS = ("30 2 * * *", "0 22 * * *", "15 1 * * sun", "0 0 * * *")


def transitions(zone):
    """Every moment of these years at which the clocks of a zone are changed, to the minute, by looking at each hour."""
    there, found = ZoneInfo(zone), []
    at, end = datetime(YEARS[0], 1, 1, tzinfo=UTC), datetime(YEARS[-1] + 1, 1, 1, tzinfo=UTC)
    before = at.astimezone(there).utcoffset()
    while at < end:
        at += timedelta(hours=1)
        now = at.astimezone(there).utcoffset()
        found += [at] if now != before else []
        before = now
    return found


def shown(zone, since, until):
    """Each minute with the latest time that the clock on the wall has shown so far: put back, it shows nothing new."""
    there, at = ZoneInfo(zone), since - DAY
    latest = at.astimezone(there).replace(tzinfo=None)
    while at < until:
        latest = max(latest, at.astimezone(there).replace(tzinfo=None))
        if at >= since:
            yield at, latest
        at += MINUTE


def within(latest, start, end):
    """What somebody would say who looks at that clock alone."""
    begun = [datetime.combine(latest.date() + n * DAY, start) for n in (-1, 0)]
    return any(b <= latest < datetime.combine(b.date() + (DAY if end <= start else 0 * DAY), end) for b in begun)


@pytest.mark.parametrize("zone", ZONES)
def test_quiet_hours_are_what_the_clock_on_the_wall_says(prove, zone):
    wrong, nights = [], transitions(zone)
    assert len(nights) >= 2 * len(YEARS), nights
    for night in nights:
        clock = list(shown(zone, night - timedelta(hours=3), night + timedelta(hours=3)))
        for start, end in (map(time.fromisoformat, hours) for hours in HOURS):
            for at, latest in clock[::5]:
                quiet = ends([Quiet(start=start, end=end, zone=zone)], at) is not None
                wrong += [f"{zone} {at} {start}-{end}: {quiet}"] if quiet != within(latest, start, end) else []
    prove("R21", len(nights) * len(HOURS), wrong, "changes of the clocks in eight zones, met in quiet hours")


@pytest.mark.parametrize("zone", ZONES)
def test_quiet_hours_begin_and_end_once_a_night_even_at_half_past_two(prove, zone):
    wrong, nights = [], transitions(zone)
    for start, end in (map(time.fromisoformat, hours) for hours in HOURS[:4]):
        hours = [Quiet(start=start, end=end, zone=zone)]
        for night in nights:
            at, changes = night - timedelta(hours=12), 0
            while at < night + timedelta(hours=12):
                changes += (ends(hours, at) is None) != (ends(hours, at - 5 * MINUTE) is None)
                at += 5 * MINUTE
            wrong += [f"{zone} {night} {start}-{end}: {changes} changes"] if changes > 3 else []
    prove("R21", len(nights) * 4, wrong, "nights of a change, in which quiet began once and ended once")


@pytest.mark.parametrize("zone", ZONES)
def test_planned_work_begins_once_on_a_night_that_clocks_are_changed(prove, zone):
    wrong, nights = [], transitions(zone)
    for night in nights:
        clock = list(shown(zone, night - 2 * DAY, night + DAY))
        for cron in CRONS:
            window = Window(cron=cron, lasts=timedelta(minutes=20), zone=zone)
            begun = _first_shown(clock, cron)
            for n in range(-12 * 4, 12 * 4):
                at = night + n * timedelta(minutes=15)
                on = any(b <= at < b + window.lasts for b in begun)
                wrong += [f"{zone} {cron} {at}"] if covered([window], at) is not on else []
    prove("R21", len(nights) * len(CRONS), wrong, "changes of the clocks in eight zones, met by planned work")


def _first_shown(clock, cron):
    """When the clock first showed the schedule's time of each day, or one past it; only of Sundays where it says so."""
    minute, hour, *_, weekday = cron.split()
    at, known = time(int(hour), int(minute)), {clock[0][1].date(), clock[0][1].date() - DAY}
    found = []
    for moment, latest in clock:
        for day in {latest.date() - DAY, latest.date()} - known:
            if latest >= datetime.combine(day, at):
                known.add(day)
                found += [moment] if weekday == "*" or day.weekday() == 6 else []
    return found

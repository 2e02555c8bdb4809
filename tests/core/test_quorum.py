"""One probe seen from several places: tables of what they come to, and the laws of a quorum."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model import Health
from bot.detectors.quorum import HERE, Look, fresh, fresh_for, together

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLACES = (HERE, "fra", "nyc")
WORDS = {"ok": Health.OPERATIONAL, "slow": Health.DEGRADED, "down": Health.MAJOR_OUTAGE}
NOTES = {"ok": "answered 200 in 42 ms", "slow": "took 3.0 s to answer", "down": "answered 503"}


def voices(said: str) -> dict[str, Look]:
    """`ok down -`: what each place says in turn; a dash is silent."""
    spoken = zip(PLACES, said.split(), strict=True)
    return {p: Look(at=NOW, health=WORDS[w], note=NOTES[w], url="https://x.test") for p, w in spoken if w in WORDS}


@pytest.mark.parametrize(
    ("said", "level", "note"),
    [
        ("ok ok ok", "operational", "answered 200 in 42 ms, from 3 of 3 places"),
        ("ok ok -", "operational", "answered 200 in 42 ms, from 2 of 3 places; nothing from nyc"),
        ("down ok ok", "operational", "fails from 1 of 3 places: here (answered 503); it takes 2"),
        ("ok down down", "major_outage", "fails from 2 of 3 places: fra, nyc (answered 503)"),
        ("- down down", "major_outage", "fails from 2 of 3 places: fra, nyc (answered 503); nothing from here"),
        ("down down down", "major_outage", "fails from 3 of 3 places: here, fra, nyc (answered 503)"),
        ("ok slow down", "degraded", "fails from 2 of 3 places: fra, nyc (answered 503)"),
        ("ok slow slow", "degraded", "is not well from 2 of 3 places: fra, nyc (took 3.0 s to answer)"),
        ("ok - -", "", "1 of 3 places look, 2 must agree; nothing from fra, nyc"),
        ("down - -", "", "1 of 3 places look, 2 must agree; nothing from fra, nyc"),
        ("down ok -", "", "2 of 3 places look, 2 must agree; nothing from nyc"),
        ("- - -", "", "0 of 3 places look, 2 must agree; nothing from here, fra, nyc"),
    ],
)
def test_two_of_three_places_must_agree(said: str, level: str, note: str) -> None:
    signal = together(voices(said), PLACES, 2, NOW)
    assert (signal.health.word if signal.health is not None else "", signal.note) == (level, note)
    assert (signal.error == "no_quorum") == (signal.health is None)


def test_a_quorum_of_one_believes_whoever_fails() -> None:
    assert together(voices("ok ok down"), PLACES, 1, NOW).health is Health.MAJOR_OUTAGE
    assert together(voices("ok ok -"), PLACES, 1, NOW).health is None


def test_an_old_look_is_no_voice_and_neither_is_one_that_was_kept_from_looking() -> None:
    every = timedelta(seconds=30)
    old = Look(at=NOW - fresh_for(every) - timedelta(seconds=1), health=Health.OPERATIONAL)
    kept = Look(at=NOW, health=None)
    good = Look(at=NOW - fresh_for(every), health=Health.OPERATIONAL)
    assert fresh({"a": old, "b": kept, "c": good}, NOW, every) == {"c": good}


healths = st.sampled_from([Health.OPERATIONAL, Health.DEGRADED, Health.PARTIAL_OUTAGE, Health.MAJOR_OUTAGE])
said = st.lists(st.none() | healths, min_size=1, max_size=6)


def heard(looks: list[Health | None], quorum: int) -> Health | None:
    places = [f"p{n}" for n in range(len(looks))]
    spoken = {p: Look(at=NOW, health=h) for p, h in zip(places, looks, strict=True) if h is not None}
    return together(spoken, places, quorum, NOW).health


@given(said, st.integers(1, 6))
def test_bad_is_said_only_when_a_quorum_agrees_and_well_only_when_none_could(
    looks: list[Health | None], quorum: int
) -> None:
    quorum = min(quorum, len(looks))
    found = heard(looks, quorum)
    bad = sum(look is not None and look > Health.MAINTENANCE for look in looks)
    if found is None:
        assert bad < quorum <= bad + looks.count(None)
    elif found > Health.MAINTENANCE:
        assert sum(look is not None and look >= found for look in looks) >= quorum
    else:
        assert bad + looks.count(None) < quorum


@given(said.filter(lambda looks: looks.count(None) <= 3), st.integers(1, 6))
def test_whatever_the_silent_places_would_say_does_not_contradict_what_is_said(
    looks: list[Health | None], quorum: int
) -> None:
    quorum = min(quorum, len(looks))
    found = heard(looks, quorum)
    for rest in product((Health.OPERATIONAL, Health.MAJOR_OUTAGE), repeat=looks.count(None)):
        filled = iter(rest)
        whole = heard([next(filled) if look is None else look for look in looks], quorum)
        assert whole is not None
        if found is not None:
            assert (whole > Health.MAINTENANCE) == (found > Health.MAINTENANCE)

"""The memory of alerts, by laws: whatever is told in whatever order, what fires is what was told last."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.core.alerts import Alert, Alerts, forget, learn, together
from bot.core.model import Health, Signal
from bot.detectors.graded import Watched, hear

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, DAY = timedelta(minutes=1), timedelta(hours=24)
HEALTHS = st.sampled_from(list(Health))
KEYS = st.sampled_from("abc")


def alert(key: str = "a", health: Health = Health.DEGRADED, minute: int | None = None, title: str = "") -> Alert:
    return Alert(key=key, health=health, title=title, at=None if minute is None else T0 + minute * MINUTE)


NEWS = st.lists(st.builds(alert, KEYS, HEALTHS, st.none() | st.integers(-30, 0)), max_size=12)


@given(NEWS)
def test_what_is_told_twice_is_told_once(news: list[Alert]) -> None:
    once = learn(Alerts(), news, T0)
    dated = [one for one in news if one.at]
    again = learn(learn(Alerts(), dated, T0), dated, T0)
    assert together(again, T0) == together(learn(Alerts(), dated, T0), T0)
    assert together(once, T0).health == max((a.health for a in once.firing), default=Health.OPERATIONAL)


@given(st.permutations(range(8)), st.lists(HEALTHS, min_size=8, max_size=8))
def test_the_order_of_arrival_does_not_matter_where_the_sender_dates_its_news(
    order: list[int], healths: list[Health]
) -> None:
    news = [alert("a", healths[n], n - 8) for n in order]
    assert together(learn(Alerts(), news, T0), T0).health is healths[7]


@given(NEWS)
def test_the_watch_is_as_bad_as_the_worst_alert_that_fires(news: list[Alert]) -> None:
    memory = Alerts()
    last: dict[str, Alert] = {}
    for one in news:
        memory = learn(memory, [one], T0)
        before = last.get(one.key)
        if not (before and before.at and one.at and one.at < before.at):
            last[one.key] = one
    assert together(memory, T0).health == max((a.health for a in last.values()), default=Health.OPERATIONAL)


def test_nothing_told_is_fine() -> None:
    signal = together(Alerts(), T0)
    assert (signal.health, signal.note) == (Health.OPERATIONAL, "no alert is firing")


def test_late_news_about_what_is_over_does_not_bring_it_back() -> None:
    memory = learn(Alerts(), [alert(health=Health.OPERATIONAL, minute=-1)], T0)
    assert not learn(memory, [alert(minute=-5)], T0).firing
    assert learn(memory, [alert(minute=0)], T0 + MINUTE).firing


def test_a_date_in_the_future_does_not_deafen_us_to_what_comes() -> None:
    memory = learn(Alerts(), [alert(minute=500)], T0)
    assert not learn(memory, [alert(health=Health.OPERATIONAL, minute=1)], T0 + MINUTE).firing


def test_the_trouble_began_when_its_first_alert_did() -> None:
    first = replace(alert("a"), started=T0 - 20 * MINUTE)
    memory = learn(Alerts(), [first, alert("b", Health.MAJOR_OUTAGE, title="It burns")], T0)
    signal = together(memory, T0 + MINUTE)
    assert (signal.since, signal.note) == (T0 - 20 * MINUTE, "It burns (and 1 more)")
    repeated = learn(memory, [alert("b", Health.MAJOR_OUTAGE)], T0 + 9 * MINUTE)
    assert repeated.held["b"].alert.started == T0


def test_a_beginning_nobody_can_mean_is_kept_within_reason() -> None:
    for started, expected in ((T0 - 9000 * DAY, T0 - 30 * DAY), (T0 + DAY, T0)):
        [held] = learn(Alerts(), [replace(alert(), started=started)], T0).firing
        assert held.started == expected


def test_maintenance_is_no_trouble_and_has_no_beginning() -> None:
    signal = together(learn(Alerts(), [alert(health=Health.MAINTENANCE)], T0), T0)
    assert (signal.health, signal.since) == (Health.MAINTENANCE, None)


def test_what_is_not_heard_of_is_forgotten_and_a_repeat_keeps_it() -> None:
    memory = learn(learn(Alerts(), [alert("a"), alert("b")], T0), [alert("b")], T0 + MINUTE)
    assert forget(memory, T0 + DAY - MINUTE, DAY) is memory
    assert [a.key for a in forget(memory, T0 + DAY, DAY).firing] == ["b"]


def test_ten_thousand_alerts_are_cut_to_a_thousand_and_the_ones_that_fire_stay() -> None:
    over = [alert(f"over {n}", Health.OPERATIONAL) for n in range(9_200)]
    firing = [alert(f"fires {n}") for n in range(800)]
    memory = learn(Alerts(), firing + over, T0)
    assert len(memory.held) == 1_000
    assert len(memory.firing) == 800
    assert len(learn(memory, [alert(f"new {n}") for n in range(2_000)], T0).held) == 1_000


def test_a_watch_is_bad_since_its_sender_says_and_never_since_later_than_now() -> None:
    for since, expected in ((T0 - MINUTE, T0 - MINUTE), (T0 + MINUTE, T0), (None, T0)):
        signal = Signal(at=T0, health=Health.DEGRADED, since=since)
        assert hear(Watched(), signal).since == expected

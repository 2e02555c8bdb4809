"""Rules as sentences, as thresholds, and held against windows."""

from datetime import timedelta
from math import inf, log

import numpy as np
import pytest

from bot.detectors.levels import Ladder, Rule
from bot.detectors.tail import HEALTHY

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (
            Rule(level="minor", reports=10, within=15 * MINUTE, times=2, alarms=1, line="config.yaml:41"),
            (
                "minor: at least 10 reports within 15 min, at least 2 times the usual, "
                "so rare that chance brings it at most once a month (config.yaml:41)"
            ),
        ),
        (Rule(level="major", reports=50, within=2 * 60 * MINUTE), "major: at least 50 reports within 2 h"),
        (Rule(level="big", times=1.5, within=timedelta(days=1)), "big: at least 1.5 times the usual within 1 d"),
        (Rule(level="quick", reports=3, within=timedelta(seconds=90)), "quick: at least 3 reports within 90 s"),
    ],
)
def test_a_rule_reads_as_a_sentence(rule, sentence):
    assert rule.sentence() == sentence


@pytest.mark.parametrize(
    ("alarms", "nats"),
    [(None, -inf), (1, HEALTHY + log(108)), (4, HEALTHY + log(27)), (0, inf), (1e9, HEALTHY)],
)
def test_fewer_alarms_ask_for_more_evidence(alarms, nats):
    assert Rule(level="minor", within=MINUTE, alarms=alarms).nats() == pytest.approx(nats)


def holds(rule, seen, due=1.0, score=0.0, *, known=True, held=False):
    ladder = Ladder([(rule,)], MINUTE)
    windows = np.array([[[float(seen)]], [[due]]])
    return bool(ladder.hold(np.array([[held]]), windows, np.array([score]), np.array([known]), np.array([0]))[0, 0])


PLAIN = Rule(level="minor", reports=10, within=MINUTE)
TIMES = Rule(level="minor", times=5, within=MINUTE)
ALARMS = Rule(level="minor", alarms=1, within=MINUTE)
BOTH = Rule(level="minor", reports=10, times=5, within=MINUTE)
NOTHING = Rule(level="minor", within=MINUTE)


@pytest.mark.parametrize(
    ("rule", "facts", "expected"),
    [
        (PLAIN, {"seen": 10}, True),
        (PLAIN, {"seen": 9}, False),
        (PLAIN, {"seen": 10, "known": False}, True),
        (PLAIN, {"seen": 7, "held": True}, True),
        (PLAIN, {"seen": 6.9, "held": True}, False),
        (TIMES, {"seen": 10, "due": 2.0}, True),
        (TIMES, {"seen": 9, "due": 2.0}, False),
        (TIMES, {"seen": 2, "due": 0.001}, False),
        (TIMES, {"seen": 3, "due": 0.001}, True),
        (TIMES, {"seen": 100, "known": False}, False),
        (ALARMS, {"seen": 5, "score": ALARMS.nats() + 0.1}, True),
        (ALARMS, {"seen": 5, "score": ALARMS.nats() - 0.1}, False),
        (ALARMS, {"seen": 5, "score": 0.75 * ALARMS.nats(), "held": True}, True),
        (ALARMS, {"seen": 0, "score": 99.0}, False),
        (ALARMS, {"seen": 5, "score": 99.0, "known": False}, False),
        (BOTH, {"seen": 10, "due": 2.0}, True),
        (BOTH, {"seen": 10, "due": 3.0}, False),
        (BOTH, {"seen": 10, "due": 3.0, "known": False}, True),
        (NOTHING, {"seen": 1000, "score": 99.0}, False),
        (NOTHING, {"seen": 1000, "known": False}, False),
    ],
)
def test_a_level_holds_when_every_condition_given_holds(rule, facts, expected):
    assert holds(rule, **facts) is expected


def test_a_service_with_fewer_levels_never_reaches_the_missing_ones():
    ladder = Ladder([(PLAIN,), (PLAIN, TIMES), ()], MINUTE)
    windows = np.stack([np.full((2, 3), 1000.0), np.ones((2, 3))])
    held = ladder.hold(np.zeros((2, 3), bool), windows, np.zeros(3), np.ones(3, bool), np.arange(3))
    assert held.tolist() == [[True, True, False], [False, True, False]]

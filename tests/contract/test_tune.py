"""`tocsin tune`: levels for a budget, and what they would have caught and missed."""

import json

import numpy as np
import pytest
import yaml

from bot.commands import tune
from bot.commands.judged import verdicts
from bot.config.read import read
from bot.ports import Refused


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """Ten days of five minutes each: a calm service, one with an outage on the ninth day, one with a small one too."""
    random = np.random.default_rng(4)
    path = tmp_path_factory.mktemp("past") / "counts.csv"
    rows = ["at,service,count"]
    for bucket in range(10 * 288):
        at = 1_767_600_000 + 300 * bucket
        big = 80 * (2500 <= bucket < 2512)
        small = 7 * (2700 <= bucket < 2703)
        rows.append(f"{at},calm,{random.poisson(4.0)}")
        rows.append(f"{at},loud,{random.poisson(2.0) + big + small}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_the_snippet_is_yaml_that_the_configuration_takes(history, capsys, tmp_path):
    assert tune.run([history], alarms=1.0) == 0
    told = capsys.readouterr().out
    snippet = yaml.safe_load(told)
    assert snippet["services"].keys() == {"calm", "loud"}
    assert snippet["services"]["loud"]["levels"]["minor"]["alarms"] == "1/month"
    path = tmp_path / "config.yaml"
    path.write_text(told, encoding="utf-8")
    settings = read(path, {})
    assert [level.name for level in settings.services["loud"].levels] == ["minor", "major", "critical"]


def test_outages_beyond_doubt_are_caught_and_cost_no_budget(history, capsys):
    tune.run([history], alarms=1.0, as_json=True)
    calm, loud = json.loads(capsys.readouterr().out)["services"]
    assert (calm["caught"], calm["doubtful"]) == ([], [])
    large, small = loud["caught"]
    assert large["times"] > 20
    assert large["at"].startswith("2026-01-14T00:2")
    assert 4 < small["times"] < 10


def test_a_tight_budget_asks_for_more_than_a_loose_one(history, capsys):
    least = {}
    for budget in (0.01, 30.0):
        tune.run([history], alarms=budget, as_json=True)
        loud = json.loads(capsys.readouterr().out)["services"][1]
        least[budget] = loud["levels"]["minor"]["reports"]
        assert len(loud["doubtful"]) <= budget / 3
    assert least[0.01] >= least[30.0]


def test_the_names_and_steps_of_the_own_ladder_are_kept(history, capsys, tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(
        "levels: {bad: {reports: 4, within: 15m, times: 3}, worse: {reports: 40, within: 15m, times: 9}}\n"
        "policy: {open_at: bad}\nservices: {loud: {}, calm: {}}\n",
        encoding="utf-8",
    )
    tune.run([history], read(path, {}), as_json=True)
    levels = json.loads(capsys.readouterr().out)["services"][1]["levels"]
    assert {"bad", "worse"} <= levels.keys()
    assert levels["worse"]["reports"] == 10 * levels["bad"]["reports"]
    assert levels["worse"]["times"] == 9


def test_people_are_one_voice_each(tmp_path, capsys):
    path = tmp_path / "reports.csv"
    rows = [f"{1_767_600_000 + second},twitter,{'one' if second % 2 else second}" for second in range(0, 3000, 3)]
    path.write_text("at,service,reporter\n" + "\n".join(rows) + "\n", encoding="utf-8")
    assert tune.run([path]) == 0
    assert "these are guesses" in capsys.readouterr().out


def test_what_cannot_be_read_is_a_finding(tmp_path, capsys):
    assert tune.run([tmp_path / "nowhere.csv"]) == 1
    assert "nowhere.csv" in capsys.readouterr().err


def judged(path, *incidents):
    rows = [{"service": "loud", "started_at": at, "eased_at": at, "verdict": verdict} for at, verdict in incidents]
    path.write_text(json.dumps({"incidents": [*rows, {"service": "calm", "started_at": "2026-01-14T00:20:00Z"}]}))
    return verdicts(str(path))


def test_an_excess_that_people_called_false_counts_against_the_budget(history, capsys, tmp_path):
    said = judged(tmp_path / "said.json", ("2026-01-14T00:25:00Z", "false-alarm"))
    tune.run([history], alarms=5.0, as_json=True, verdicts=said)
    loud = json.loads(capsys.readouterr().out)["services"][1]
    assert max(row["times"] for row in loud["doubtful"]) > 20
    assert all(row["times"] < 10 for row in loud["caught"])


def test_it_says_which_real_incidents_no_level_would_have_told(history, capsys, tmp_path):
    said = judged(tmp_path / "said.json", ("2026-01-14T00:25:00Z", "real"), ("2026-01-10T12:00:00Z", "real"))
    tune.run([history], alarms=1.0, as_json=True, verdicts=said)
    assert json.loads(capsys.readouterr().out)["services"][1]["overlooked"] == ["2026-01-10T12:00:00Z"]
    tune.run([history], alarms=1.0, verdicts=said)
    assert "of 2 incidents that people called real 1 caught, of 0 called false 0 still told" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "why"), [("{}", "missing required field"), ("[", "not the answer"), (None, "No such file")]
)
def test_verdicts_of_another_shape_are_refused_in_words(words, why, tmp_path):
    path = tmp_path / "said.json"
    if words is not None:
        path.write_text(words, encoding="utf-8")
    with pytest.raises(Refused, match=why):
        verdicts(str(path))

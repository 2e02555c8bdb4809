"""Replays and the demo: the whole house, with a clock that history moves."""

from __future__ import annotations

import csv
import io
import json
import math
import socket
import xml.etree.ElementTree as ET
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from bot.commands import demo, replay
from bot.commands.records import Unreadable
from bot.commands.story import read_scenario
from bot.config.read import read as read_settings
from bot.ports import Refused

SHIPPED = Path(__file__).parents[2] / "scenarios" / "twitter-2022-11-04.yaml"
START = datetime(2026, 3, 2, tzinfo=UTC)
SMALL = {
    "title": "A small day",
    "seed": 3,
    "day": START.date(),
    "weeks": 1,
    "services": {"shop": {"name": "Our shop", "rate": 0.1, "page": "operational"}, "bank": {"rate": 0.1}},
    "surges": [
        {"service": "shop", "rate": {"01:00": 0, "01:05": 2, "01:30": 2, "01:40": 20, "02:00": 20, "02:20": 0}},
    ],
}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("story") / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL))
    return path


@pytest.fixture(scope="module")
def decided(story: Path) -> list[dict]:
    """What a replay of the small story prints."""
    with redirect_stdout(io.StringIO()) as out:
        assert replay.run([story], as_json=True) == 0
    return json.loads(out.getvalue())["incidents"]


@pytest.fixture
def counts(tmp_path: Path) -> Path:
    """Four hours of two services; one of them has an hour of trouble, and a gap of ten minutes."""
    path = tmp_path / "counts.csv"
    with path.open("w") as file:
        file.write("at,service,count\n")
        for minute in range(240):
            at = f"{START + timedelta(minutes=minute):%Y-%m-%dT%H:%M:%SZ}"
            file.write(f"{at},shop,{9 if 120 <= minute < 180 else 0}\n")
            file.write("" if 60 <= minute < 70 else f"{at},bank,{minute % 2}\n")
    return path


def incidents(capsys: pytest.CaptureFixture[str]) -> list[dict]:
    return json.loads(capsys.readouterr().out)["incidents"]


def test_counts_become_incidents_in_the_shape_of_the_contract(counts: Path, capsys) -> None:
    assert replay.run([counts], as_json=True) == 0
    [found] = incidents(capsys)
    assert set(found) == {
        *("id", "service", "level", "confidence", "started_at", "opened_at", "eased_at", "closed_at"),
        *("peak", "scope", "entries"),
    }
    assert (found["service"], found["level"], found["peak"]["count"]) == ("shop", "major", 135)
    assert "2026-03-02T02:00:00Z" <= found["opened_at"] <= "2026-03-02T02:06:00Z"
    assert "2026-03-02T03:00:00Z" <= found["eased_at"] < found["closed_at"] <= "2026-03-02T03:40:00Z"
    assert [entry["kind"] for entry in found["entries"]] == ["opened", "raised", "eased", "closed"]


def test_the_same_files_give_the_same_bytes(counts: Path, capsys) -> None:
    outputs = []
    for _ in range(2):
        replay.run([counts], as_json=True)
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]


def test_what_comes_later_changes_nothing_that_was_said_before(counts: Path, tmp_path: Path, capsys) -> None:
    lines = counts.read_text().splitlines(keepends=True)
    cut = tmp_path / "cut.csv"
    cut.write_text("".join(line for line in lines if line.startswith("at") or line < "2026-03-02T02:30"))
    scores, earlier = tmp_path / "scores.csv", tmp_path / "earlier.csv"
    replay.run([counts], scores=scores)
    replay.run([cut], scores=earlier)
    assert scores.read_text().startswith(earlier.read_text())


def test_scores_have_one_row_per_bucket_and_service_and_a_gap_has_no_count(counts: Path, tmp_path: Path) -> None:
    scores = tmp_path / "scores.csv"
    replay.run([counts], scores=scores)
    rows = list(csv.DictReader(io.StringIO(scores.read_text())))
    assert list(rows[0]) == ["at", "service", "count", "usual", "score", "level", "open", "rarity"]
    assert len(rows) == 240 * 2
    bank = [row for row in rows if row["service"] == "bank"]
    assert [index for index, row in enumerate(bank) if row["count"] == ""] == list(range(60, 70))
    assert bank[0]["at"] == "2026-03-02T00:00:00Z"
    opened = [row["at"] for row in rows if row["service"] == "shop" and row["open"] == "1"]
    assert "2026-03-02T02:0" in opened[0]


def test_a_plot_shows_the_services_with_the_troubled_one_first(counts: Path, tmp_path: Path) -> None:
    plot = tmp_path / "plot.svg"
    replay.run([counts], plot=plot)
    words = [e.text for e in ET.parse(plot).getroot().iter("{http://www.w3.org/2000/svg}text")]
    assert words.index("shop") < words.index("bank")
    assert any(word and word.startswith("began 02:0") for word in words)


def test_five_minute_counts_are_judged_every_five_minutes(tmp_path: Path, capsys) -> None:
    path = tmp_path / "coarse.csv"
    rows = [f"{START + timedelta(minutes=5 * n):%Y-%m-%dT%H:%M:%SZ},x,{40 if 24 <= n < 36 else 1}" for n in range(60)]
    path.write_text("\n".join(["at,service,count", *rows]))
    replay.run([path], as_json=True)
    [found] = incidents(capsys)
    assert found["opened_at"] == "2026-03-02T02:10:00Z"


def test_reports_are_counted_as_voices_not_as_rows(tmp_path: Path, capsys) -> None:
    path = tmp_path / "reports.csv"
    rows = [f"{START + timedelta(seconds=n):%Y-%m-%dT%H:%M:%SZ},x,same" for n in range(600)]
    path.write_text("\n".join(["at,service,reporter", *rows]))
    replay.run([path], as_json=True)
    assert incidents(capsys) == []


def test_bad_rows_are_findings_and_lenient_goes_on_without_them(counts: Path, capsys) -> None:
    counts.write_text(counts.read_text() + "someday,shop,1\n")
    assert replay.run([counts], as_json=True) == 1
    told = capsys.readouterr()
    assert "counts.csv:472: at 'someday' is no time" in told.err
    assert told.out == ""
    assert replay.run([counts], as_json=True, lenient=True) == 0
    assert len(incidents(capsys)) == 1


def test_a_service_that_the_config_does_not_know_is_a_finding(counts: Path, tmp_path: Path, capsys) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("services: {shop: {}, banks: {}}\n")
    assert replay.run([counts], read_settings(config, {})) == 1
    assert "unknown service 'bank', did you mean 'banks'?" in capsys.readouterr().err


def test_a_replay_without_incidents_says_so(tmp_path: Path, capsys) -> None:
    path = tmp_path / "calm.csv"
    path.write_text("at,service,count\n2026-03-02T00:00:00Z,x,1\n")
    assert replay.run([path]) == 0
    assert capsys.readouterr().out == "No incidents.\n"


def test_a_scenario_is_replayed_with_the_usual_it_describes(decided: list[dict]) -> None:
    [found] = decided
    assert found["service"] == "shop"
    assert [entry["kind"] for entry in found["entries"]][:2] == ["opened", "raised"]
    assert "usually" in found["entries"][0]["text"]
    assert "vendor's page says nothing" in found["entries"][0]["text"]


def test_the_demo_tells_what_the_replay_decides(story: Path, decided: list[dict], capsys) -> None:
    assert demo.run(story, port=0, speed=math.inf, once=True) == 0
    shown = [line.split() for line in capsys.readouterr().out.splitlines() if line[2:3] == ":" and " Our shop " in line]
    told = [(entry["at"][11:16], entry["kind"]) for entry in decided[0]["entries"]]
    assert [(words[0], words[3]) for words in shown] == told


def test_a_demo_on_a_port_that_is_taken_says_what_to_do(story: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(Refused, match="cannot listen on"):
            demo.run(story, port=taken.getsockname()[1], once=True)


@pytest.mark.parametrize(
    ("text", "says"), [("title: [", "broken.yaml:1: expected"), ("title: x", "missing required field"), ("5", "object")]
)
def test_a_broken_scenario_is_explained(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text)
    with pytest.raises(Unreadable, match=says):
        read_scenario(path)


@pytest.mark.slow
def test_the_fourth_of_november_reads_like_the_truth(capsys) -> None:
    replay.run([SHIPPED], as_json=True)
    [found] = incidents(capsys)
    assert found["service"] == "twitter"
    assert "2022-11-04T02:55:00Z" <= found["started_at"] <= "2022-11-04T03:10:00Z"
    assert found["opened_at"] <= "2022-11-04T03:20:00Z"
    raised = [entry["at"] for entry in found["entries"] if entry["kind"] == "raised" and entry["level"] == "critical"]
    assert ["2022-11-04T07:" in at for at in raised] == [True]
    assert "2022-11-04T09:05:00Z" <= found["eased_at"] <= "2022-11-04T10:00:00Z"
    assert "The vendor's page never mentioned it" in found["entries"][-1]["text"]
    assert {share["code"] for share in found["scope"]["platforms"]} <= {"web"}

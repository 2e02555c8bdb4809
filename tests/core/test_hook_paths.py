"""Paths into JSON, and what a hook's configuration says of itself."""

from pathlib import Path as File
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.config.errors import Misconfigured
from bot.config.read import read
from bot.sources.paths import Path, every, first

DOCUMENT = {
    "incident": {"state": "open", "ended": None, "with space": 1},
    "alerts": [{"name": "a", "tags": ["x", "y"]}, {"name": "b", "tags": ["z"]}, 7],
    "grid": [[1, 2], [3, 4]],
    "ümlaut-key": True,
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("incident.state", ["open"]),
        ("incident.with space", [1]),
        ("incident.ended", [None]),
        ("incident.none.at.all", []),
        ("incident[0]", []),
        ("alerts[1].name", ["b"]),
        ("alerts[*].name", ["a", "b"]),
        ("alerts[*].tags[*]", ["x", "y", "z"]),
        ("alerts[9].name", []),
        ("alerts.name", []),
        ("grid[*][0]", [1, 3]),
        ("grid[1][*]", [3, 4]),
        ("ümlaut-key", [True]),
        ("", [DOCUMENT]),
    ],
)
def test_a_path_leads_to_what_it_says(path: str, found: list[Any]) -> None:
    assert every(DOCUMENT, Path(path)) == found


def test_the_first_thing_that_is_not_null_is_meant() -> None:
    assert first([None, None, 3], Path("")) == [None, None, 3]
    assert first({"a": [None, 0, 3]}, Path("a[*]")) == 0
    assert first({}, Path("a")) is None


@pytest.mark.parametrize(
    "path", [".", "a.", ".a", "a..b", "a[", "a]", "a[-1]", "a[x]", "[0]", "a[**]", "a[0]b", "a" * 201, "$.a[?(@.b)]"]
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        Path(path)


INSIDE = st.sampled_from("ab")
DOCUMENTS = st.recursive(
    st.none() | st.integers() | st.just("x"),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(INSIDE, x),
    max_leaves=12,
)


@settings(max_examples=60)
@given(DOCUMENTS)
def test_a_path_leads_nowhere_rather_than_astray(document: Any) -> None:
    for path in ("a", "a.b", "a[0].b", "b[*]", "a[*].b[*].a", "b[*][*][*]"):
        assert isinstance(every(document, Path(path)), list)


def test_a_wide_document_is_followed_only_so_far() -> None:
    assert len(every({"a": [[0] * 2_000] * 2_000}, Path("a[*][*]"))) == 2_000


MISTAKES = {
    "{kind: alertmanager}": ":4:10: 'secret' is missing",
    "{kind: webhook, secret: [hunter2-hunter2, '']}": "this secret is empty",
    "{kind: webhook, secret: hunter2-hunter2, key: a..b}": "'a..b' is not a path",
    "{kind: opsgenie, secret: 12345}": "this must be a secret in quotes",
    "{kind: sns, topic: alarms}": "this is not a topic",
    "{kind: gatus_hook, secret: hunter2-hunter2, every: 1m}": "unknown key 'every'",
    "{kind: grafana, secret: hunter2-hunter2, forget_after: 5s}": "this must be between 1m and 30d",
    "{kind: pagerduty, secret: hunter2-hunter2, means: awful}": "degraded, partial_outage and major_outage",
}


@pytest.mark.parametrize("watch", MISTAKES)
def test_a_mistake_about_a_hook_is_explained_without_its_secret(watch: str, tmp_path: File) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"services:\n  shop:\n    watch:\n      a: {watch}\n")
    with pytest.raises(Misconfigured) as refused:
        read(config, {})
    told = "\n".join(map(str, refused.value.problems))
    assert MISTAKES[watch] in told
    assert "hunter2" not in told


def test_a_hook_never_prints_its_secrets(tmp_path: File) -> None:
    config = tmp_path / "config.yaml"
    config.write_text('services: {shop: {watch: {a: {kind: webhook, secret: [hunter2, "${SECOND}"]}}}}\n')
    watch = read(config, {"SECOND": "hunter3"}).services["shop"].watches["a"]
    assert "hunter" not in f"{watch!r} {watch} {watch.model_dump()} {watch.model_dump_json()}"

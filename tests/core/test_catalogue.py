"""The shipped catalogue can be looked up, and every page in it can be read; every kind of watch explains itself."""

import json
import re

import pytest

from bot.commands.catalogue import entries, matching, search
from bot.commands.sources import options, sources
from bot.config.layers import catalogue
from bot.config.nodes import Listing, Mapping, Scalar
from bot.config.plugins import SOURCES, words
from bot.core.model import Evidence

NO_KIND = {"pagerduty", "oci", "fastly", "m365", "adobe", "zendesk", "stripe", "paypal", "meta", "bluesky", "netflix"}
NO_KIND |= {"playstation", "xbox", "riot", "nintendo"}
"""Pages that only people can read."""


def plain(node: object) -> object:
    if isinstance(node, Mapping):
        return {key: plain(value) for key, (_, value) in node.pairs.items()}
    if isinstance(node, Listing):
        return [plain(each) for each in node.items]
    assert isinstance(node, Scalar)
    return node.text


@pytest.mark.parametrize("id_", sorted(catalogue().pairs))
def test_every_page_of_the_catalogue_can_be_watched_as_it_stands(id_: str) -> None:
    entry = plain(catalogue().get(id_))
    assert isinstance(entry, dict)
    page = entry.get("page")
    if page is None or "kind" not in page:
        assert page is None or id_ in NO_KIND
        return
    watch = SOURCES[page["kind"]].model_validate(page)
    assert getattr(watch, "evidence", None) is Evidence.VENDOR
    assert str(getattr(watch, "url", "")).startswith("https://")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("github", {"github"}),
        ("GitHub", {"github"}),
        ("icloud", {"apple"}),
        ("google cl", {"gcp"}),
        ("gmail", {"workspace"}),
        ("nothing of the kind", set()),
    ],
)
def test_the_catalogue_is_searched_by_every_name(typed: str, found: set[str]) -> None:
    assert {known.id for known in matching(typed)} == found


def test_without_words_the_whole_catalogue_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert search([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(catalogue().pairs) == len(list(entries()))
    assert "github  " in lines[[line.split()[0] for line in lines].index("github")]


def test_what_is_found_is_printed_as_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert search(["github"], as_json=True) == 0
    [known] = json.loads(capsys.readouterr().out)
    assert (known["id"], known["kind"], known["url"]) == ("github", "statuspage", "https://www.githubstatus.com")


def test_a_name_nobody_knows_gets_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert search(["githb"]) == 1
    assert "did you mean 'github'?" in capsys.readouterr().err
    assert search(["wholly", "unheard", "of"]) == 1
    assert "kind: status" in capsys.readouterr().err


def test_every_kind_is_listed_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert sources() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == sorted(SOURCES)
    assert all(len(line.split()) > 3 for line in lines)


@pytest.mark.parametrize("kind", sorted(SOURCES))
def test_every_kind_explains_each_of_its_options(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert sources(kind) == 0
    out = capsys.readouterr().out
    for option in options(SOURCES[kind]):
        assert option.about, f"{kind}.{option.name} says nothing of itself"
        assert option.takes != "anything"
        assert f"  {option.name}: " in out
    assert re.search(r"default PT\d", out) is None, "durations are written as 5m"


def test_options_are_printed_as_json_with_defaults_as_one_writes_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert sources("probe", as_json=True) == 0
    [probe] = json.loads(capsys.readouterr().out)
    found = {option["name"]: option for option in probe["options"]}
    assert (found["every"]["default"], found["every"]["takes"]) == ("30s", "duration")
    assert found["url"]["required"] is True
    assert found["method"]["takes"] == "GET or HEAD or OPTIONS"


def test_a_kind_that_there_is_not_gets_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert sources("statpage") == 2
    assert "did you mean 'statuspage'?" in capsys.readouterr().err


def test_every_kind_goes_by_one_word() -> None:
    assert {words(model) for model in SOURCES.values()} == {(kind,) for kind in SOURCES}

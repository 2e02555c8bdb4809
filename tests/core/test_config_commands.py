"""The three commands that deal with the configuration: check, schema and init."""

import json
from pathlib import Path

import pytest

from bot.commands.check import check
from bot.commands.init import Wishes, init
from bot.commands.schema import schema, text
from bot.config.layers import catalogue
from bot.config.plugins import SOURCES
from bot.config.read import read

ROOT = Path(__file__).parents[2]
BAD = "tick: 2m\nintervall: 5m\ndata: no\n"
MODERN = {"prefixItems", "$dynamicRef", "unevaluatedProperties", "dependentSchemas", "discriminator", "$anchor"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_check_prints_every_problem_on_a_line_of_its_own(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "config.yaml").write_text(BAD)
    assert check(Path("config.yaml"), environ={}) == 78
    out, err = capsys.readouterr()
    assert [line.partition(";")[0] for line in out.splitlines()] == [
        "config.yaml:2:1: unknown key 'intervall'",
        "config.yaml:3:7: YAML 1.1 reads no as false",
    ]
    assert err == ""


def test_check_as_json_prints_a_list(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "config.yaml").write_text("tick: soon\n")
    assert check(Path("config.yaml"), as_json=True, environ={}) == 78
    [problem] = json.loads(capsys.readouterr().out)
    assert problem == {
        "file": "config.yaml",
        "line": 1,
        "column": 7,
        "message": "'soon' is not a duration; write a number and a unit, like 30s, 5m, 2h or 1d",
    }


def test_check_keeps_stdout_for_problems_and_says_the_rest_on_stderr(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "config.yaml").write_text("services: {shop: {name: xoxb-123456789012}}\n")
    assert check(Path("config.yaml"), environ={}) == 0
    out, err = capsys.readouterr()
    assert out == ""
    warning, summary = err.splitlines()
    assert warning.startswith("config.yaml:1:25: warning: this looks like a Slack token")
    assert summary == "config.yaml is fine: 1 service, 0 watches, 1 channel"


def test_a_fine_file_is_an_empty_list_as_json(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "config.yaml").write_text("")
    assert check(Path("config.yaml"), as_json=True, environ={}) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_the_schema_in_the_repository_is_the_one_that_is_printed(capsys: pytest.CaptureFixture[str]):
    assert schema() == 0
    printed = capsys.readouterr().out
    assert (ROOT / "config.schema.json").read_text() == printed, "run: tocsin schema > config.schema.json"


def test_the_schema_uses_only_words_that_editors_know():
    words = set(_keywords(json.loads(text())))
    assert not words & MODERN
    assert not {part for part in _refs(json.loads(text())) if not part.startswith("#/$defs/")}


def test_every_reference_in_the_schema_leads_somewhere():
    drawn = json.loads(text())
    assert {ref.removeprefix("#/$defs/") for ref in _refs(drawn)} <= drawn["$defs"].keys()


def test_every_key_is_documented_in_the_schema():
    drawn = json.loads(text())
    ours = ["Channel", "Defaults", "Level", "Policy", "Route", "Service", "Token", "Web", "Window"]
    bare = [
        (name, key)
        for name in ours
        for key, part in drawn["$defs"][name]["properties"].items()
        if not part.get("description")
    ]
    assert not bare
    assert all(part.get("description") for key, part in drawn["properties"].items() if "$ref" not in part)


def test_the_schema_knows_the_catalogue_and_every_kind():
    drawn = json.loads(text())
    service = drawn["$defs"]["Service"]["properties"]
    assert service["catalogue"]["anyOf"][0]["enum"] == sorted(catalogue().pairs)
    assert {
        part["properties"]["kind"]["const"] for part in drawn["$defs"].values() if "kind" in part.get("properties", {})
    } >= {
        "page",
        "slack",
        "discord",
        *SOURCES,
    }


@pytest.mark.parametrize(
    "wishes",
    [
        Wishes(),
        Wishes(services=[], listen="0.0.0.0:80"),
        Wishes(services=["github", "1password", "our-shop"], slack=True),
        Wishes(services=["twitter"], slack=True, discord=True, listen="[::1]:9000"),
    ],
)
def test_what_init_writes_passes_the_check(folder: Path, wishes: Wishes):
    path = folder / "etc" / "config.yaml"
    assert init(path, wishes, yes=True) == 0
    example = path.with_name(".env.example")
    rows = example.read_text().splitlines() if example.exists() else []
    names = [row.removesuffix("=") for row in rows if row.endswith("=")]
    settings = read(path, dict.fromkeys(names, "1"))
    assert [warning for warning in settings.warnings if "has no roles" not in warning.message] == []
    assert list(settings.services) == list(
        wishes.services if wishes.services is not None else ["github", "openai", "cloudflare"]
    )
    assert bool(settings.web.tokens) == (wishes.listen == "0.0.0.0:80")


def test_init_asks_what_was_not_said_and_enter_means_the_usual(folder: Path):
    answers = {"services": "GitHub, x, Our-Shop", "Slack": "yes", "Discord": "", "listen": ""}
    asked = []

    def ask(question: str, usual: str) -> str:
        asked.append(question)
        return next(answer for word, answer in answers.items() if word in question) or usual

    assert init(folder / "config.yaml", Wishes(), ask=ask) == 0
    settings = read(folder / "config.yaml", dict.fromkeys(["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_CHANNEL"], "1"))
    assert len(asked) == 4
    assert list(settings.services) == ["github", "twitter", "Our-Shop"]
    assert list(settings.channels) == ["wall", "ops"]


@pytest.mark.parametrize("taken", ["config.yaml", ".env.example"])
def test_init_never_overwrites(folder: Path, taken: str, capsys: pytest.CaptureFixture[str]):
    (folder / taken).write_text("mine")
    assert init(Path("config.yaml"), Wishes(slack=True), yes=True) == 2
    assert [file.name for file in folder.iterdir()] == [taken]
    assert (folder / taken).read_text() == "mine"
    assert f"{taken} is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (Wishes(services=["gihub"]), "did you mean 'github'?"),
        (Wishes(services=["my shop"]), "'my shop' cannot be a name"),
        (Wishes(listen="8080"), "this is not a host and a port"),
    ],
)
def test_init_writes_nothing_that_the_check_would_refuse(
    folder: Path, wishes: Wishes, words: str, capsys: pytest.CaptureFixture[str]
):
    assert init(Path("config.yaml"), wishes, yes=True) == 2
    assert words in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_init_says_when_it_cannot_write(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "file").write_text("")
    assert init(Path("file/config.yaml"), Wishes(), yes=True) == 2
    assert "cannot be written" in capsys.readouterr().err


def _keywords(node: object):
    if isinstance(node, dict):
        yield from node
        for value in node.values():
            yield from _keywords(value)
    elif isinstance(node, list):
        for value in node:
            yield from _keywords(value)


def _refs(node: object):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _refs(value)
    elif isinstance(node, list):
        for value in node:
            yield from _refs(value)

"""The papers are true: reference pages are current and whole, examples run, links lead somewhere."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import typer
import yaml
from pydantic import BaseModel

import bot.sources
from bot.__main__ import app
from bot.commands.check import check
from bot.config.models import File
from bot.config.plugins import CHATS, SOURCES, kinds, models_at
from bot.core.speech import VERBS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GENERATED = ("configuration.md", "sources.md", "commands.md", "http.md", "metrics.md")
PAPERS = [*ROOT.glob("*.md"), *DOCS.glob("*.md")]
ROUTE = re.compile(r'method="(\w+)",\s+path="([^"{]+)')
MEASURE = re.compile(r'(?:gauge|Counter|Gauge|Histogram)\(\s*"(tocsin_\w+)"')
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def said(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(paper: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(paper.read_text(encoding="utf-8")) if kind == language]


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    """What the pages would say if they were written now; in a process of its own, as `make docs` does it."""
    show = "import generate, json, sys; json.dump(generate.pages(), sys.stdout)"
    run = subprocess.run([sys.executable, "-c", show], cwd=DOCS, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return dict(json.loads(run.stdout))


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_page_is_current(written: dict[str, str], name: str):
    assert written[name] == said(name), f"docs/{name} is stale; run: make docs"


def test_no_generated_page_is_left_out(written: dict[str, str]):
    assert set(written) == set(GENERATED)


def models(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[type[BaseModel]]:
    """Every model of the configuration, below and with the given one."""
    yield model
    for name, field in model.model_fields.items():
        for way in ((), ("x",), (0,), *(("x", kind) for kind in (*CHATS, *SOURCES))):
            for inner in models_at(model, [field.alias or name, *way]):
                yield from models(inner, (*path, name))


def test_every_key_of_the_configuration_is_documented():
    found = dict.fromkeys(models(File))
    assert len(found) > len(SOURCES) + len(CHATS) + 8
    pages = said("configuration.md") + said("sources.md")
    missing = [
        f"{model.__name__}.{field.alias or name}"
        for model in found
        for name, field in model.model_fields.items()
        if f"\n| `{field.alias or name}` |" not in pages
    ]
    assert missing == []


def test_every_key_says_what_it_means():
    keys = said("configuration.md").partition("## The catalogue")[0] + said("sources.md")
    rows = re.findall(r"^\| (`\w+`) \|.*\| ([^|]*) \|$", keys, re.MULTILINE)
    assert [key for key, meaning in rows if len(meaning) < 8] == []


@pytest.mark.parametrize("kind", SOURCES)
def test_every_kind_of_watch_has_a_section(kind: str):
    assert re.search(rf"^### .*\b{kind}\b", said("sources.md"), re.MULTILINE)


def test_every_example_of_a_watch_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    examples = blocks(DOCS / "sources.md", "yaml")
    assert len(examples) == len(set(SOURCES.values()))
    for variable in re.findall(r"\$\{(\w+)\}", "".join(examples)):
        monkeypatch.setenv(variable, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    watches = "".join(f"      {line}\n" for example in examples for line in example.splitlines())
    file = tmp_path / "config.yaml"
    file.write_text(f"services:\n  shop:\n    watch:\n{watches}", encoding="utf-8")
    assert check(file, as_json=False) == 0


@pytest.mark.parametrize("kind", CHATS)
def test_every_kind_of_chat_has_a_section(kind: str):
    assert f"\n### Chat: {kind}\n" in said("configuration.md")


def test_every_command_and_every_verb_is_documented():
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    page = said("commands.md")
    assert [name for name in commands if f"\n### tocsin {name}\n" not in page] == []
    assert [verb for verb in VERBS if f"\n| `{verb}` |" not in page] == []


def test_every_route_in_the_source_is_documented():
    page = said("http.md")
    routes = [found for file in (ROOT / "bot/web").glob("*.py") for found in ROUTE.findall(file.read_text())]
    assert len(routes) > 10
    assert [f"{method} {path}" for method, path in routes if f"`{method} {path}" not in page] == []


def test_every_measure_in_the_source_is_documented():
    measures = {name for file in (ROOT / "bot").rglob("*.py") for name in MEASURE.findall(file.read_text())}
    assert len(measures) > 4
    assert [name for name in measures if f"| `{name}" not in said("metrics.md")] == []


def test_every_alert_names_a_measure_that_exists():
    text = (ROOT / "deploy/prometheus-alerts.yaml").read_text()
    asked = set(re.findall(r"\btocsin_[a-z_]+", text))
    assert asked
    assert [name for name in asked if f"| `{name.removesuffix('_bucket')}`" not in said("metrics.md")] == []


LOGGED = re.compile(r"\b_?log\.(?:warning|error|exception)\(\s*\"([^\"]+)\"")


def test_every_complaint_in_the_log_is_explained():
    page = said("operations.md")
    events = [event for file in (ROOT / "bot").rglob("*.py") for event in LOGGED.findall(file.read_text())]
    assert len(events) > 20
    assert [event for event in events if f"`{event}`" not in page] == []


def test_no_line_of_the_log_is_explained_that_is_never_written():
    table = said("operations.md").partition("## Log lines")[2].partition("\n## ")[0]
    explained = [
        event for row in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE) for event in row[1:-1].split("`, `")
    ]
    code = "".join(file.read_text() for file in (ROOT / "bot").rglob("*.py"))
    assert len(explained) > 20
    assert [event for event in explained if f'"{event}"' not in code and event != "event"] == []


def anchors(paper: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", paper.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_every_link_leads_somewhere(paper: Path):
    broken = []
    for link in LINK.findall(paper.read_text(encoding="utf-8")):
        address, _, anchor = link.partition("#")
        if address.startswith(("https://", "http://")):
            continue
        target = (paper.parent / address) if address else paper
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_of_the_folder_can_be_reached_from_the_readme():
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        paper = waiting.pop()
        if paper in reached or paper.suffix != ".md":
            continue
        reached.add(paper)
        links = [link.partition("#")[0] for link in LINK.findall(paper.read_text(encoding="utf-8"))]
        waiting += [(paper.parent / link).resolve() for link in links if link and "://" not in link]
    assert set(PAPERS) - reached == set()


def snippets() -> list[tuple[str, str]]:
    papers = ("README.md", "docs/operations.md")
    return [(f"{name}:{n}", text) for name in papers for n, text in enumerate(blocks(ROOT / name, "yaml"), 1)]


@pytest.mark.parametrize("text", [text for _, text in snippets()], ids=[name for name, _ in snippets()])
def test_every_snippet_of_configuration_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str):
    for variable in re.findall(r"\$\{(\w+)\}", text):
        monkeypatch.setenv(variable, "123456789012345678")
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    assert check(file, as_json=False) == 0


def test_the_readme_teaches_a_whole_configuration():
    [(_, first), *_] = snippets()
    assert {"chats", "channels", "levels", "policy", "services"} <= set(re.findall(r"^(\w+):", first, re.MULTILINE))


@pytest.mark.parametrize("target", ["install", "run", "test", "demo", "check", "fmt", "docs"])
def test_the_make_targets_that_the_papers_name_exist(target: str):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_every_file_that_a_paper_names_exists(paper: Path):
    named = re.findall(r"`((?:bot|tests|docs|deploy|bench|scenarios)/[\w./-]*)`", paper.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists() and "actuator" not in name] == []


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_every_command_that_a_paper_names_exists(paper: Path):
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    named = re.findall(r"(?:`|bin/|^)tocsin ([a-z][a-z-]+)", paper.read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name in named if name not in commands] == []


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The tests of the worked example, with its source standing in the room of sources."""
    source, test = blocks(ROOT / "CONTRIBUTING.md", "python")
    (tmp_path / "actuator.py").write_text(source, encoding="utf-8")
    monkeypatch.setattr(bot.sources, "__path__", [*bot.sources.__path__, str(tmp_path)])
    module = ModuleType("test_source_actuator")
    exec(compile(test, "CONTRIBUTING.md", "exec"), module.__dict__)
    yield module
    sys.modules.pop("bot.sources.actuator", None)


async def test_the_worked_example_of_a_source_passes_its_own_test(example: ModuleType):
    test = example.test_a_health_page_is_read
    [table] = [mark for mark in test.pytestmark if mark.name == "parametrize"]
    for answer, health, error in table.args[1]:
        await test(answer, health, error)


def test_the_worked_example_registers_itself(example: ModuleType):
    assert kinds(bot.sources)["actuator"] is example.Actuator


def test_the_worked_example_is_configured_as_it_says(example: ModuleType):
    [text] = blocks(ROOT / "CONTRIBUTING.md", "yaml")
    watch = yaml.safe_load(text)["services"]["shop"]["watch"]["health"]
    assert example.Actuator.model_validate(watch).kind == "actuator"


@pytest.mark.parametrize("verb", [("check", "-"), ("format", "--check", "-")])
def test_the_worked_example_is_written_as_the_house_writes(verb: tuple[str, ...]):
    source, test = blocks(ROOT / "CONTRIBUTING.md", "python")
    order = ["--ignore=I001"] if "check" in verb else []  # a file that does not exist yet is sorted as a stranger's
    for name, text in (("bot/sources/actuator.py", source), ("tests/contract/test_source_actuator.py", test)):
        ruff = [sys.executable, "-m", "ruff", *verb, "--no-cache", *order, "--stdin-filename", name]
        run = subprocess.run(ruff, input=text, cwd=ROOT, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr

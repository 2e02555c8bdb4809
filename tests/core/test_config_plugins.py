"""A plugin is one file, and the catalogue is true to itself."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Literal

import pytest
from pydantic import TypeAdapter, ValidationError

from bot.config.errors import nearest
from bot.config.layers import CATALOGUE, catalogue
from bot.config.nodes import Listing, Mapping, Scalar, below
from bot.config.plugins import CHATS, SOURCES, kinds, models_at, one_of
from bot.config.scalars import SPOILED, Dated, plain, trap
from bot.fields import Model

PLUGIN = '''
from typing import Literal
from bot.fields import Model

class Weather(Model):
    """Rain."""
    kind: Literal["{kind}"]
    town: str

PLUGIN = Weather
'''


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A package with two plugins and a module that is none."""
    package = tmp_path / "weathers"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "rain.py").write_text(PLUGIN.format(kind="rain"))
    (package / "snow.py").write_text(PLUGIN.format(kind="snow"))
    (package / "clouds.py").write_text("SHAPES = ()\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield import_module("weathers")
    for name in [name for name in sys.modules if name.startswith("weathers")]:
        del sys.modules[name]


def test_every_module_that_offers_a_plugin_is_a_kind(room):
    assert list(kinds(room)) == ["rain", "snow"]


def test_kinds_are_told_apart_by_their_word(room):
    weather = TypeAdapter(one_of(kinds(room)))
    assert weather.validate_python({"kind": "snow", "town": "Oslo"}).kind == "snow"
    with pytest.raises(ValidationError, match="'rain', 'snow'"):
        weather.validate_python({"kind": "hail", "town": "Oslo"})


def test_a_plugin_whose_kind_is_no_literal_is_a_fault_of_ours(room):
    Path(room.__path__[0], "fog.py").write_text(PLUGIN.format(kind="fog").replace('Literal["fog"]', "str"))
    with pytest.raises(TypeError, match=r"Weather\.kind must be a Literal"):
        kinds(room)


def test_the_models_at_a_place_are_found_through_unions_and_containers():
    class Inner(Model):
        kind: Literal["a", "b"]

    class Outer(Model):
        many: dict[str, list[Inner] | None] = {}  # noqa: RUF012

    assert models_at(Outer, ("many", "x", 0)) == [Inner]
    assert models_at(Outer, ("many", "x", 0, "b")) == [Inner]
    assert models_at(Outer, ("other",)) == []


def test_the_built_in_kinds_are_there():
    assert CHATS.keys() >= {"page", "slack", "discord"}
    assert SOURCES.keys() >= {"statuspage", "probe"}


@pytest.mark.parametrize("id_", sorted(catalogue().pairs))
def test_an_entry_of_the_catalogue_is_complete(id_: str):
    entry = catalogue().get(id_)
    assert isinstance(below(entry, "name"), Scalar)
    assert isinstance(words := below(entry, "words"), Listing)
    assert words.items
    page = below(entry, "page")
    assert page is None or (isinstance(page, Mapping) and page.get("url") is not None)
    assert page is None or below(page, "url").text.startswith("https://")


def test_no_word_of_the_catalogue_means_two_services():
    taken = {id_: id_ for id_ in catalogue().pairs}
    for id_, (_, entry) in catalogue().pairs.items():
        aliases = below(entry, "aliases")
        for alias in aliases.items if aliases else ():
            assert taken.setdefault(alias.text.casefold(), id_) == id_


def test_every_entry_of_the_catalogue_can_be_used(tmp_path: Path):
    from bot.config.read import read

    path = tmp_path / "config.yaml"
    path.write_text("services:\n" + "".join(f'  "{id_}": {{catalogue: "{id_}"}}\n' for id_ in catalogue().pairs))
    settings = read(path, {})
    assert len(settings.services) >= 90
    assert sum(bool(service.watches) for service in settings.services.values()) >= 45
    assert CATALOGUE.stat().st_size < 40_000


@pytest.mark.parametrize(
    "text", ["1.2.3", "127.0.0.1:8080", "1password", "5m", "-", "v1", "00:aa", "yesno", "nothing", "e5", "12e", "a:b"]
)
def test_ordinary_words_are_text(text: str):
    assert trap(text) == ""
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-5", -5),
        ("10", 10),
        ("2.5", 2.5),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_plain_numbers_truths_and_nothing_are_what_they_look_like(text: str, value: object):
    assert trap(text) == ""
    assert plain(text) == value
    assert type(plain(text)) is type(value)


def test_among_very_many_names_only_likely_ones_are_compared():
    names = [f"service-{n}" for n in range(5_000)]
    assert nearest("service-12x", names).startswith("service-12")
    assert nearest("unlike", names) == ""


ODD = [
    SPOILED,
    Dated("2026-01-01"),
    None,
    True,
    7,
    -1.5,
    "",
    "\x00",
    "http://[",
    "9" * 5_000,
    [],
    [None],
    {},
    {"a": {}},
]


@pytest.mark.parametrize("plugin", sorted({*CHATS.values(), *SOURCES.values()}, key=lambda p: p.__name__))
@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:20])
def test_no_plugin_is_thrown_by_an_odd_value(plugin: type[Model], value: object):
    for field in plugin.model_fields:
        with pytest.raises(ValidationError):
            plugin.model_validate({"kind": "", field: value, "no such key": 1})

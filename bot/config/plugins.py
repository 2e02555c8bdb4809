"""What is built in: every module in a room that offers a `PLUGIN` is a kind that the configuration may name."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Field

import bot.chats
import bot.sources
from bot.fields import Model


def kinds(room: ModuleType) -> Mapping[str, type[Model]]:
    """The plugins of a package, by the word that each has as its `kind`."""
    found: dict[str, type[Model]] = {}
    for module in sorted(pkgutil.iter_modules(room.__path__), key=lambda m: m.name):
        if _offers(module):
            plugin = import_module(f"{room.__name__}.{module.name}").PLUGIN
            found |= dict.fromkeys(words(plugin), plugin)
    return found


def _offers(module: pkgutil.ModuleInfo) -> bool:
    """True for a module with a line `PLUGIN = ...`; the others are parts, some of them heavy, and are not loaded here."""
    spec = module.module_finder.find_spec(module.name, None)
    return bool(spec and spec.origin and "\nPLUGIN = " in Path(spec.origin).read_text("utf-8"))


def words(plugin: type[BaseModel]) -> tuple[str, ...]:
    """The words that a plugin goes by."""
    annotation = plugin.model_fields["kind"].annotation
    if get_origin(annotation) is not Literal:
        raise TypeError(f"{plugin.__name__}.kind must be a Literal: it is the word that the configuration uses")
    return get_args(annotation)


def one_of(found: Mapping[str, type[Model]]) -> Any:
    """The type of a field that holds one of these, told apart by `kind`."""
    types = tuple(dict.fromkeys(found.values())) or (Model,)
    return Annotated[Union[types], Field(discriminator="kind")] if len(types) > 1 else types[0]  # noqa: UP007 - the members are only known now


def models_at(model: type[BaseModel], loc: Sequence[int | str]) -> list[type[BaseModel]]:
    """The models that may stand at a location (pydantic's `loc`) below a model."""
    found: list[Any] = [model]
    for part in loc:
        found = [inner for outer in found for inner in _inside(outer, part)]
    return [kind for each in found for kind in _members(each) if _is_model(kind)]


def _inside(annotation: Any, part: int | str) -> Iterator[Any]:
    members = _members(annotation)
    chosen = [m for m in members if _is_model(m) and "kind" in m.model_fields and part in words(m)]
    for member in members if not chosen else ():
        if _is_model(member):
            yield from (f.annotation for name, f in member.model_fields.items() if (f.alias or name) == part)
        elif get_origin(member) in (dict, Mapping):
            yield get_args(member)[1]
        elif get_origin(member) in (list, tuple, Sequence):
            yield get_args(member)[0]
    yield from chosen


def _members(annotation: Any) -> list[Any]:
    """The choices of a union, without what annotates them."""
    if get_origin(annotation) is Annotated:
        return _members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [member for each in get_args(annotation) for member in _members(each)]
    return [annotation]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


CHATS = kinds(bot.chats)
"""The kinds of chat, by name."""
SOURCES = kinds(bot.sources)
"""The kinds of watch, by name."""

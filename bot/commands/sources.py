"""Say which kinds of watch there are, and what each takes; all of it is read from the kinds themselves."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

from bot.config.plugins import SOURCES
from bot.config.schema import short
from bot.fields import document


@dataclass(frozen=True, kw_only=True)
class Option:
    """A key of a watch. `takes` is its form in words; `default` is as one would write it, empty when it must be given."""

    name: str
    takes: str
    default: str
    required: bool
    about: str


def sources(kind: str = "", *, as_json: bool = False) -> int:
    """Print every kind in a line, or one kind with its options; 2 when there is no such kind."""
    if kind and kind not in SOURCES:
        near = get_close_matches(kind, SOURCES, 1)
        meant = f", did you mean '{near[0]}'?" if near else "; `tocsin sources` lists them"
        sys.stderr.write(f"There is no kind of watch '{kind}'{meant}\n")
        return 2
    chosen = {kind: SOURCES[kind]} if kind else SOURCES
    if as_json:
        sys.stdout.write(json.dumps([_printed(name) for name in sorted(chosen)], indent=2, ensure_ascii=False) + "\n")
    elif kind:
        sys.stdout.writelines(_page(kind))
    else:
        widest = max(map(len, SOURCES))
        sys.stdout.writelines(f"{name:<{widest}}  {_first_line(SOURCES[name])}\n" for name in sorted(SOURCES))
    return 0


def options(model: type[BaseModel]) -> Iterator[Option]:
    """The keys of a kind, those that must be given first, `kind` itself left out."""
    document()
    schema = model.model_json_schema()
    required = schema.get("required", [])
    for name, field in sorted(schema["properties"].items(), key=lambda each: each[0] not in required):
        if name != "kind":
            given = "" if name in required else _default(model, name, field)
            about = " ".join(field.get("description", "").split())
            takes = _takes(field, schema.get("$defs", {}))
            yield Option(name=name, takes=takes, default=given, required=name in required, about=about)


def _printed(kind: str) -> dict[str, Any]:
    model = SOURCES[kind]
    return {"kind": kind, "about": model.__doc__ or "", "options": [asdict(option) for option in options(model)]}


def _page(kind: str) -> Iterator[str]:
    about = "\n".join(line.removeprefix("    ") for line in (SOURCES[kind].__doc__ or "").rstrip().splitlines())
    yield f"{kind}\n\n{about}\n\n"
    for option in options(SOURCES[kind]):
        state = "must be given" if option.required else f"default {option.default}"
        yield f"  {option.name}: {option.takes} ({state})\n      {option.about}\n"


def _first_line(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().partition("\n")[0]


def _default(model: type[BaseModel], name: str, field: Mapping[str, Any]) -> str:
    """The default as one would write it in the file."""
    value = model.model_fields[name].get_default(call_default_factory=True)
    if isinstance(value, timedelta):
        return short(value)
    value = field.get("default", value)
    return json.dumps(value, ensure_ascii=False, default=str) if not isinstance(value, str) else value or '""'


def _takes(field: Mapping[str, Any], shared: Mapping[str, Any]) -> str:
    """What a key takes, in words; choices are listed."""
    if reference := field.get("$ref"):
        return _takes(shared.get(reference.rpartition("/")[2], {}), shared)
    if choices := field.get("enum"):
        return " or ".join(map(str, choices))
    if several := field.get("anyOf"):
        return " or ".join(dict.fromkeys(_takes(each, shared) for each in several))
    if field.get("type") == "array":
        return f"list of {_takes(field.get('items', {}), shared)}"
    kinds = field.get("type", "anything")
    plain = " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
    return str(field.get("format") or _duration(field) or field.get("const") or plain)


def _duration(field: Mapping[str, Any]) -> str:
    return "duration" if "30s" in field.get("examples", ()) else ""

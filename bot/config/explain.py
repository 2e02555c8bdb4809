"""Where a model says no: the place in the file, and words for the person who wrote it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from collections.abc import Mapping as Facts
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot.config.errors import Findings, Place, instead, listed
from bot.config.nodes import Listing, Mapping, Node, Scalar, below
from bot.config.plugins import models_at, words
from bot.config.scalars import Dated, plain
from bot.core.phrases import lasted

M = TypeVar("M", bound=BaseModel)
Loc = tuple[int | str, ...]


def validate(model: type[M], tree: Node, data: Any, findings: Findings) -> M | None:
    """The data as a model, or None when it does not fit; why not goes into the findings.

    A number that comes from a variable or a file arrives as text. Only the model knows that a number is meant, so
    its complaint is taken as the request to read it as one.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        refused = error
    put_in = [_read_as_number(e["loc"], tree, data) for e in refused.errors() if e["type"] in _NEEDS]
    if any(put_in):
        return validate(model, tree, data, findings)
    for trouble in refused.errors(include_url=False):
        if problem := _explained(model, tree, trouble, findings.spoiled):
            findings.wrong(*problem)
    return None


def _read_as_number(loc: Loc, tree: Node, data: Any) -> bool:
    """Put a number in where a variable or a file gave its digits; False when there is none to put in."""
    node, path = _find(tree, loc)
    if not isinstance(node, Scalar) or not node.put_in:
        return False
    for part in path[:-1]:
        data = data[part]
    value = data[path[-1]]
    read = plain(value.strip()) if isinstance(value, str) else value
    if not isinstance(value, str) or not isinstance(read, int | float):
        return False
    data[path[-1]] = read
    return True


def _find(tree: Node, loc: Sequence[int | str]) -> tuple[Node, Loc]:
    """The node at a location, and the location without the parts that only name a choice of models."""
    node, path = tree, list[int | str]()
    for part in loc:
        if isinstance(node, Mapping) and isinstance(part, str) and part in node.pairs:
            node = node.pairs[part][1]
        elif isinstance(node, Listing) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
        else:
            continue
        path.append(part)
    return node, tuple(path)


@dataclass(frozen=True)
class _Complaint:
    """What a model said, and the node that it said it of. `path` leads to the node; `loc` also names choices."""

    model: type[BaseModel]
    node: Node
    path: Loc
    loc: Loc
    kind: str
    value: Any
    context: Facts[str, Any]
    message: str

    @property
    def subject(self) -> str:
        """What to call it: its key, or an item of its list."""
        names = [part for part in self.path if isinstance(part, str)]
        name = f"'{names[-1]}'" if names else "this file"
        return f"an item of {name}" if self.path and isinstance(self.path[-1], int) else name


def _explained(
    model: type[BaseModel], tree: Node, error: ErrorDetails, spoiled: Collection[Place]
) -> tuple[Place, str] | None:
    """The place and the words for one complaint; None where the scalar itself was complained about already."""
    node, path = _find(tree, error["loc"])
    said = _Complaint(
        model, node, path, error["loc"], error["type"], error["input"], error.get("ctx", {}), error["msg"]
    )
    place = _place(tree, said)
    if place in spoiled or said.kind == "is_instance_of":  # a secret may also be one already; text is what people write
        return None
    return place, _hidden(_SAY.get(said.kind, _otherwise)(said), said)


def _place(tree: Node, said: _Complaint) -> Place:
    if said.kind == "extra_forbidden" or said.loc[-1] == "[key]":
        return _key_place(tree, said.path)
    if said.kind == "union_tag_invalid" and isinstance(kind := below(said.node, "kind"), Scalar):
        return kind.place
    return said.node.place


def _key_place(tree: Node, path: Loc) -> Place:
    parent, _ = _find(tree, path[:-1])
    key = path[-1] if path else ""
    return parent.pairs[key][0].place if isinstance(parent, Mapping) and isinstance(key, str) else parent.place


def _hidden(message: str, said: _Complaint) -> str:
    """The message without what a variable or a file said: that may be a secret."""
    node, value = said.node, said.value
    if isinstance(node, Scalar) and node.put_in and isinstance(value, str) and value:
        return message.replace(value, node.shown)
    return message


def _unknown_key(said: _Complaint) -> str:
    key = str(said.loc[-1])
    if said.loc == ("cluster",):
        return "cluster is not built yet; leave it out, and Tocsin runs on this one machine"
    fields = [field for model in models_at(said.model, said.loc[:-1]) for field in model.model_fields.items()]
    return f"unknown key '{key}'{instead(key, dict.fromkeys(field.alias or name for name, field in fields))}"


def _missing(said: _Complaint) -> str:
    return f"'{said.loc[-1]}' is missing"


def _no_kind(said: _Complaint) -> str:
    kinds = [word for model in models_at(said.model, said.loc) for word in words(model)]
    return f"'kind' is missing; give it {listed(kinds, 'or')}"


def _unknown_kind(said: _Complaint) -> str:
    kind, node = str(said.context["tag"]), below(said.node, "kind")
    shown = node.shown if isinstance(node, Scalar) and node.put_in else kind
    return f"unknown kind '{shown}'{instead(kind, _quoted(said.context['expected_tags']))}"


def _choice(said: _Complaint) -> str:
    choices = _quoted(said.context["expected"])
    if not isinstance(said.value, str):
        return _mismatch(said, "text")
    what = "unknown kind" if said.path[-1:] == ("kind",) else f"{said.subject} cannot be"
    return f"{what} '{said.value}'{instead(said.value, choices)}"


def _quoted(text: str) -> list[str]:
    """The choices in a sentence such as `'a', 'b' or 'c'`."""
    return re.findall(r"'([^']*)'", text)


def _mismatch(said: _Complaint, needed: str) -> str:
    if said.value is None:
        return f"{said.subject} has no value; give it one, or leave the line out"
    return f"{said.subject} must be {needed}, and this is {_what(said.value)}{_way_out(said, needed)}"


def _what(value: object) -> str:
    if isinstance(value, float):
        return "a number with a fraction"
    kinds = ((bool, "true or false"), (int, "a number"), (Dated, "a date"), (dict, "a mapping"), (list, "a list"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "text")


def _way_out(said: _Complaint, needed: str) -> str:
    if not isinstance(said.node, Scalar):
        return ""
    if needed in (_TEXT, _LIST):
        return "; put it in quotes" if needed == _TEXT else "; put it in brackets"
    quoted = not said.node.plain and not said.node.file and not isinstance(plain(said.node.text), str)
    return "; leave the quotes out" if quoted else ""


def _limit(said: _Complaint) -> str:
    key, how = _LIMITS[said.kind]
    return f"{said.subject} must be {how} {_bound(said.context[key])}"


def _bound(limit: object) -> str:
    """A number, or a duration, which pydantic gives as its repr."""
    if not isinstance(limit, str):
        return f"{limit:g}"
    span = timedelta(**{unit: int(number) for unit, number in _PARTS.findall(limit)})
    return lasted(span) if span >= timedelta(seconds=1) else f"{span.total_seconds():g} s"


def _empty(said: _Complaint) -> str:
    return f"{said.subject} is empty"


def _long(said: _Complaint) -> str:
    return f"{said.subject} is longer than {said.context['max_length']}"


def _said_by_us(said: _Complaint) -> str:
    message = str(said.context["error"])
    if said.value is None:
        return _mismatch(said, _TEXT)
    if type(said.value) in (str, int, float):
        return message
    return message.replace(repr(said.value), f"'{said.subject}'".replace("''", "'"))


def _otherwise(said: _Complaint) -> str:
    return f"{said.subject} is not right: {said.message[:1].lower()}{said.message[1:]}"


_TEXT, _LIST = "text", "a list"
_NEEDS = {
    "string_type": _TEXT,
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a mapping of keys and values",
    "model_type": "a mapping of keys and values",
    "model_attributes_type": "a mapping of keys and values",
    "list_type": _LIST,
    "tuple_type": _LIST,
}
_PARTS = re.compile(r"(days|seconds|microseconds)=(\d+)")
_LIMITS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}
# What pydantic calls its complaints (https://docs.pydantic.dev/latest/errors/validation_errors/), and our words.
_SAY: Facts[str, Callable[[_Complaint], str]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing,
    "union_tag_not_found": _no_kind,
    "union_tag_invalid": _unknown_kind,
    "literal_error": _choice,
    "value_error": _said_by_us,
    "string_too_short": _empty,
    "too_short": _empty,
    "string_too_long": _long,
    "too_long": _long,
    **dict.fromkeys(_LIMITS, _limit),
    **{kind: partial(_mismatch, needed=needed) for kind, needed in _NEEDS.items()},
}

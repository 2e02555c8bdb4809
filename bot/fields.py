"""The field types a plugin's model is made of: strict models, durations, secrets."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from itertools import pairwise
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 32
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


class Model(BaseModel):
    """A strict, frozen piece of configuration: unknown keys are errors, field docstrings are the documentation."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)


def document() -> None:
    """Give every field of every model its docstring as description.

    Only manuals and schemas need them, and reading the source of all models takes most of a second: pydantic's own
    `use_attribute_docstrings` would do so at every start.
    """
    models = list(_models(Model))
    for model in models:
        for name, field in model.model_fields.items():
            field.description = field.description or _docstring(model, name)
    for model in (*models, *models):  # twice, for a model holds the schemas of others as they were when it was built
        model.model_rebuild(force=True)


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for child in model.__subclasses__():
        yield child
        yield from _models(child)


def _docstring(model: type[BaseModel], name: str) -> str | None:
    """The docstring of a field, from the class that defines it."""
    return next((docs[name] for made in model.__mro__ if name in (docs := _docstrings(made))), None)


@cache
def _docstrings(made: type) -> dict[str, str]:
    """Field name to the string that stands right after it in the source of a class."""
    if not issubclass(made, BaseModel) or made in (BaseModel, Model):
        return {}
    try:
        source = inspect.getsource(made)
    except (OSError, TypeError):  # a class without a file of its own has no docstrings to find
        return {}
    [body] = ast.parse(textwrap.dedent(source)).body
    lines = body.body if isinstance(body, ast.ClassDef) else []
    return {
        field.target.id: inspect.cleandoc(after.value.value)
        for field, after in pairwise(lines)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    }


def duration(value: object) -> timedelta:
    """Read `30s`, `5m`, `2h`, `1d` or a sum such as `1h30m`.

    Raises:
        ValueError: with what was read and what would be right.
    """
    if isinstance(value, timedelta):
        return value
    text = value if isinstance(value, str) and len(value) <= _LONGEST else ""  # the pattern is slow on endless digits
    parts = _DURATION.findall(text)
    if not parts or "".join(n + u for n, u in parts) != text:
        raise ValueError(f"{value!r} is not a duration; write a number and a unit, like 30s, 5m, 2h or 1d")
    try:
        return timedelta(seconds=sum(float(n) * _UNITS[u] for n, u in parts))
    except OverflowError as error:
        raise ValueError(f"{value!r} is longer than anything that can be counted; write something shorter") from error


Duration = Annotated[
    timedelta,
    BeforeValidator(duration),
    WithJsonSchema({"type": "string", "pattern": r"^(\d+(\.\d+)?[smhd])+$", "examples": ["30s", "5m", "2h", "1d"]}),
]


class Secret:
    """A string that never prints itself; ask for it with `reveal()`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself, for the one call that needs it."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __str__(self) -> str:
        return "***"

    __repr__ = __str__

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from_text = core_schema.no_info_after_validator_function(cls, core_schema.str_schema())
        return core_schema.json_or_python_schema(
            json_schema=from_text,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), from_text]),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda _: "***"),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "format": "password"}

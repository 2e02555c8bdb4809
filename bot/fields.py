"""The field types a plugin's model is made of: strict models, durations, secrets."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 32
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


class Model(BaseModel):
    """A strict, frozen piece of configuration: unknown keys are errors, field docstrings are the documentation."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True, arbitrary_types_allowed=True
    )


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

"""The JSON Schema of `config.yaml`, for editors that complete and underline as one types."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from bot.config.fields import Listen
from bot.config.layers import catalogue
from bot.config.models import File
from bot.fields import Model, document

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_VARIABLE = {
    "type": "string",
    "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}",
    "description": "A variable of the environment: ${NAME}, or ${NAME:-default}.",
}
_LEFT_TO_CATALOGUE = {
    "type": "object",
    "not": {"required": ["kind"]},
    "description": "Keys for the watch that the catalogue or the defaults know under this name.",
}


def schema() -> dict[str, Any]:
    """The schema, in the words that JSON Schema draft-07 and 2020-12 share.

    Where a number, a choice or a pattern is wanted, a variable may stand as well.
    """
    document()
    drawn = _eased(File.model_json_schema(schema_generator=_Drawn))
    parts = {name: _eased(part) for name, part in drawn.pop("$defs").items()}
    asked = parts["Service"]["properties"]
    _widened(asked["watch"]["patternProperties"])
    asked["catalogue"]["anyOf"][0] = {"enum": sorted(catalogue().pairs)}
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "The configuration of Tocsin"}
    return head | drawn | {"$defs": parts | {"variable": _VARIABLE}}


def _widened(watches: dict[str, Any]) -> None:
    for name, watch in watches.items():
        watches[name] = {"anyOf": [watch, _LEFT_TO_CATALOGUE]}


class _Drawn(GenerateJsonSchema):
    """Writes defaults the way the file would."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, timedelta):
            return short(dft)
        if isinstance(dft, Model):
            return {}
        return f"{dft.host}:{dft.port}" if isinstance(dft, Listen) else super().encode_default(dft)


def short(value: timedelta) -> str:
    """A duration as the configuration writes it: `1h30m`, `0s`."""
    left, text = int(value.total_seconds()), ""
    for unit, seconds in _UNITS:
        count, left = divmod(left, seconds)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def _eased(node: dict[str, Any]) -> dict[str, Any]:
    """A schema without what editors have no use for, and with what the loader takes besides."""
    eased = {key: _inner(key, value) for key, value in node.items() if key not in ("title", "discriminator")}
    if eased.get("default", ...) in (None, [], {}) or isinstance(eased.get("default"), dict):
        del eased["default"]
    if "patternProperties" in eased:
        eased["additionalProperties"] = False
    return _or_variable(_or_nothing(_without_null(eased)))


def _inner(key: str, value: Any) -> Any:
    if key in ("properties", "patternProperties"):
        return {name: _eased(part) for name, part in value.items()}
    if key in ("anyOf", "oneOf"):
        return [_eased(choice) for choice in value]
    return _eased(value) if isinstance(value, dict) and key in ("items", "additionalProperties") else value


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    choices: list[dict[str, Any]] = [choice for choice in node.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        return choices[0] | {key: value for key, value in node.items() if key != "anyOf"}
    return node | {"anyOf": choices} if choices else node


def _or_nothing(node: dict[str, Any]) -> dict[str, Any]:
    """A list or mapping may be left empty, as when everything in it is commented out."""
    held = node.get("type")
    own_keys = held == "array" or (held == "object" and "properties" not in node)
    return node | {"type": [held, "null"]} if own_keys else node


def _or_variable(node: dict[str, Any]) -> dict[str, Any]:
    if node.get("type") not in ("integer", "number", "boolean") and not {"pattern", "enum", "format"} & node.keys():
        return node
    said = {key: node[key] for key in ("description", "default", "examples") if key in node}
    rule = {key: value for key, value in node.items() if key not in said}
    return said | {"anyOf": [rule, {"$ref": "#/$defs/variable"}]}

"""The description of the API (OpenAPI 3.1), made from the same table that serves it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from bot.web.routes import Route

_TEXT, _FLAG, _WHOLE = {"type": "string"}, {"type": "boolean"}, {"type": "integer"}
_NUMBER = {"type": ["number", "null"]}
_STAMP = {"type": ["string", "null"], "format": "date-time"}
_ANY: dict[str, Any] = {"type": "object"}
_BARE = ("open", "proof")
_HEALTHS = ("operational", "maintenance", "degraded", "partial_outage", "major_outage")


def _object(required: str = "", /, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required.split()}


def _many(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


_AT = {"description": "RFC 3339, or Unix seconds", "oneOf": [_TEXT, {"type": "number"}]}
_FOR: dict[str, Any] = {"for": {"type": "string", "examples": ["30m", "2h"]}}
_FROM: dict[str, Any] = {"from": _AT}
_PLACE: dict[str, Any] = {"region": _TEXT, "platform": _TEXT, "symptom": _TEXT}
_REJECTED = _many(_object("index error", index=_WHOLE, error=_TEXT))
_INCIDENT = _object(
    "id service level started_at entries",
    id=_TEXT,
    service=_TEXT,
    state=_TEXT,
    started_between={"oneOf": [_object("early late", early=_STAMP, late=_STAMP), {"type": "null"}]},
    verdict={"type": ["string", "null"], "enum": ["real", "false-alarm", None]},
    level=_TEXT,
    confidence=_TEXT,
    started_at=_STAMP,
    opened_at=_STAMP,
    eased_at=_STAMP,
    closed_at=_STAMP,
    peak={"oneOf": [_object(at=_STAMP, count=_WHOLE, times=_NUMBER), {"type": "null"}]},
    scope=_ANY,
    entries=_many(_object(at=_STAMP, kind=_TEXT, level=_TEXT, text=_TEXT)),
    threads=_many(_object(channel=_TEXT, ref=_TEXT, heard=_WHOLE)),
)
SCHEMAS: dict[str, dict[str, Any]] = {
    "Error": _object("error", error=_TEXT),
    "Report": _object("service", service=_TEXT, at=_AT, id=_TEXT, reporter=_TEXT, text=_TEXT, **_PLACE),
    "Count": _object("service from to count", **_FROM, to=_AT, service=_TEXT, count=_WHOLE, source=_TEXT, **_PLACE),
    "Looks": _object(
        "vantage sent_at looks",
        vantage=_TEXT,
        sent_at=_AT,
        looks=_many(
            _object(
                "service watch at health",
                service=_TEXT,
                watch=_TEXT,
                at=_AT,
                health={"enum": [*_HEALTHS, None]},
                note=_TEXT,
                error=_TEXT,
            )
        ),
    ),
    "Receipt": _object("accepted repeated rejected", accepted=_WHOLE, repeated=_WHOLE, rejected=_REJECTED, error=_TEXT),
    "Taken": _object("taken", taken=_FLAG),
    "Act": _object(text=_TEXT, who=_TEXT, **_FOR),
    "Answer": _object("ok lines", ok=_FLAG, lines=_many(_TEXT)),
    "Ready": _object("ready conditions", ready=_FLAG, conditions={"type": "object", "additionalProperties": _TEXT}),
    "Letters": _object(
        "letters",
        letters=_many(_object("incident channel why", incident=_TEXT, service=_TEXT, channel=_TEXT, why=_TEXT)),
    ),
    "Reporter": _object("reporter", reporter=_TEXT),
    "Export": _object("reports", reports=_many({"type": "object"})),
    "Forgotten": _object("forgotten", forgotten={"type": "integer"}),
    "Channel": _object(channel=_TEXT),
    "Retried": _object("retried", retried={"type": "integer"}),
    "Status": _object(
        "at services",
        at=_STAMP,
        services=_many(
            _object(
                "id name level",
                id=_TEXT,
                name=_TEXT,
                level=_TEXT,
                confidence={"type": ["string", "null"]},
                incident={"type": ["string", "null"]},
            )
        ),
    ),
    "Service": _object(
        "id name level now watches",
        id=_TEXT,
        name=_TEXT,
        level=_TEXT,
        incident={"type": ["string", "null"]},
        now=_object(count=_WHOLE, within={}, usual=_NUMBER, times=_NUMBER, score=_NUMBER),
        watches=_many(
            _object(
                name=_TEXT,
                kind=_TEXT,
                ok=_FLAG,
                level={"type": ["string", "null"]},
                note=_TEXT,
                error=_TEXT,
                checked_at=_STAMP,
                heard_at=_STAMP,
            )
        ),
    ),
    "Incident": _INCIDENT,
    "Incidents": _object("incidents", incidents=_many({"$ref": "#/components/schemas/Incident"})),
}


def describe(routes: Iterable[Route], server: str) -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    bearer = {"type": "http", "scheme": "bearer", "description": "A token of web.tokens in config.yaml."}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tocsin",
            "version": "1",
            "description": "Reports in, incidents out. Times are RFC 3339 in UTC.",
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {"schemas": SCHEMAS, "securitySchemes": {"token": bearer}},
    }


def _operation(route: Route) -> dict[str, Any]:
    names = re.findall(r"\{(\w+)\}", route.path)
    inside = [{"name": name, "in": "path", "required": True, "schema": _TEXT} for name in names]
    asked = [{"name": name, "in": "query", "description": says, "schema": _TEXT} for name, says in route.query]
    schema = {"schema": _reference(route.result)} if route.result else {}
    error = {"application/json": {"schema": _reference("Error")}} if route.face == "json" else {"text/html": {}}
    operation: dict[str, Any] = {
        "summary": route.says,
        "parameters": inside + asked,
        "responses": {
            str(route.status): {"description": "Done.", "content": {route.gives: schema}},
            "default": {"description": "What is wrong, and what to do.", "content": error},
        },
        "security": [] if route.needs in _BARE else [{"token": []}],
    }
    if route.needs not in _BARE:
        operation["description"] = f"Needs the scope `{route.needs}`."
    if route.takes:
        operation["requestBody"] = {"content": {kind: _body(route, kind) for kind in route.takes}}
    return operation


def _body(route: Route, kind: str) -> dict[str, Any]:
    if not route.body:
        return {}
    one = _reference(route.body)
    return {
        "schema": {"oneOf": [one, _many(one)]} if route.body in ("Report", "Count") and "ndjson" not in kind else one
    }


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}

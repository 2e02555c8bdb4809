"""`http.md` and `metrics.md`: what a running house says of its routes and measures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from writing.tables import WORDS, Schema, either, referred, slug, table

_METHODS = ("get", "post", "put", "delete")


def http(document: Schema) -> Iterator[str]:
    """`http.md`: every route, then the shapes of what goes in and out."""
    yield (
        "# HTTP\n\nThe same table that serves the routes prints this page and `/openapi.json`.\n\n"
        "- **Who may.** A route needs a scope: `read`, `report` or `admin` (which opens the other two), by `Authorization: Bearer\n"
        "  TOKEN` with a token of `web.tokens`. Reading is open until a token with the scope `read` exists. With no token at all,\n"
        "  writing is open to this machine only.\n"
        "- **Times** go out as RFC 3339 in UTC, and come in as RFC 3339 or Unix seconds.\n"
        '- **Errors** are `{"error": "..."}` with words that say what to do, or a page where a person is asking. 429 and 503 carry\n'
        "  `Retry-After`.\n"
        "- **Bodies** may be gzipped (`Content-Encoding: gzip`); packed and unpacked alike they hold 5 MB at most for\n"
        "  reports and counts, and 64 kB elsewhere.\n"
    )
    yield table(("Route", "Needs", "What it is"), list(_routes(document)))
    yield "\n## Bodies in\n"
    yield from _bodies(document)
    yield "\n## Shapes\n"
    for name, shape in document["components"]["schemas"].items():
        yield f"\n### {name}\n{_fields(shape)}"


def _operations(document: Schema) -> Iterator[tuple[str, str, Schema]]:
    for path, operations in document["paths"].items():
        yield from ((method.upper(), path, operations[method]) for method in _METHODS if method in operations)


def _routes(document: Schema) -> Iterator[tuple[str, str, str]]:
    for method, path, operation in _operations(document):
        scope = re.search(r"scope `(\w+)`", operation.get("description", ""))
        [(status, answer)] = [(s, r) for s, r in operation["responses"].items() if s != "default"]
        [(content, body)] = answer["content"].items()
        shape = _shape(body.get("schema", {}))
        query = "; ".join(f"`{p['name']}`: {p['description']}" for p in operation["parameters"] if p["in"] == "query")
        gives = f" {status}, {shape or f'`{content}`'}." if content != "text/html" or status != "200" else ""
        yield (
            f"`{method} {path}`",
            f"`{scope[1]}`" if scope else "-",
            operation["summary"] + gives + (f" Query: {query}." if query else ""),
        )


def _bodies(document: Schema) -> Iterator[str]:
    rows = []
    for method, path, operation in _operations(document):
        for content, body in operation.get("requestBody", {}).get("content", {}).items():
            rows.append((f"`{method} {path}`", f"`{content}`", _shape(body.get("schema", {})) or "a form"))
    yield table(("Route", "Content-Type", "Body"), rows)


def _fields(shape: Schema) -> str:
    required = shape.get("required", ())
    rows = [
        (f"`{name}`", _shape(node), "yes" if name in required else "-") for name, node in shape["properties"].items()
    ]
    return table(("Field", "Type", "Required"), rows)


def _shape(node: Schema) -> str:
    if name := referred(node):
        return f"[{name}](#{slug(name)})"
    if choices := node.get("oneOf"):
        some = [choice for choice in choices if choice.get("type") != "null"]
        return either(map(_shape, some)) + (" or null" if len(some) < len(choices) else "")
    if node.get("type") == "array":
        return f"list of {_shape(node['items'])}"
    if node.get("properties"):
        return "{" + ", ".join(f"`{name}`" for name in node["properties"]) + "}"
    held = node.get("type", [])
    kinds = [held] if isinstance(held, str) else held
    return (
        "time" if node.get("format") == "date-time" else either(WORDS[kind] for kind in kinds if kind != "null")
    ) + (" or null" if "null" in kinds else "")


def measures(families: Sequence[Any]) -> Iterator[str]:
    """`metrics.md`: every measure."""
    yield (
        "# Metrics\n\n`GET /metrics`, in Prometheus' text format or OpenMetrics, as the scraper asks. Needs the scope `read` once a token has\n"
        "it. `deploy/prometheus-alerts.yaml` holds alerts made of these.\n"
    )
    rows = [
        (
            f"`{family.name}{'_total' if family.type == 'counter' else ''}`",
            family.type,
            ", ".join(_labels(family)) or "-",
            family.documentation,
        )
        for family in sorted(families, key=lambda f: str(f.name))
    ]
    yield table(("Metric", "Kind", "Labels", "Meaning"), rows)


def _labels(family: Any) -> list[str]:
    return list(dict.fromkeys(f"`{name}`" for sample in family.samples for name in sample.labels if name != "le"))

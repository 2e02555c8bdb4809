"""Answers in the shape of Prometheus' HTTP API, which many others speak too.

https://prometheus.io/docs/prometheus/latest/querying/api/: values are texts, and may be `NaN` or `+Inf`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from bot.core.reports import Cell
from bot.sources.counting import Row, Span, cell, number
from bot.sources.pages import Unread
from bot.sources.wire import decoded, mapping, plain, rows, word

Empty = Literal["zero", "unknown"]

_SERIES, _POINTS = 1_000, 11_000


def matrix(body: bytes, span: Span, empty: Empty) -> list[Row]:
    """The points of a range, each about the bucket that ends there; `empty` says what a bucket without a point means.

    Raises:
        Unread: this is no answer with a range.
        ValueError: it is not even JSON.
    """
    found = [
        (at - span.width, number(value), cell(mapping(series.get("metric"))))
        for series in _result(body, "matrix")
        for at, value in _points(series)
    ]
    if empty == "unknown":
        return found
    known = {span.start(at) for at, _, _ in found}
    return found + [(start, 0.0, Cell()) for start in span.starts if start not in known]


def instant(body: bytes) -> list[tuple[Mapping[str, Any], float]]:
    """The labels and the value of every series, NaN included; a scalar has no labels.

    Raises:
        Unread: this is no answer with values.
        ValueError: it is not even JSON.
    """
    data = _data(body)
    if data.get("resultType") == "scalar":
        return [({}, _value(data.get("result")))]
    return [(mapping(series.get("metric")), _value(series.get("value"))) for series in _result(body, "vector")]


def _result(body: bytes, kind: str) -> list[Mapping[str, Any]]:
    data = _data(body)
    result = data.get("result")
    if data.get("resultType") != kind or not isinstance(result, list):
        raise Unread("wrong_shape", f"the answer holds no {kind}; does the query give one?")
    found = rows(result, _SERIES)
    if len(found) < len(result):
        raise Unread("wrong_shape", f"the answer holds more than {_SERIES} series, or what is none; sum them up")
    return found


def _data(body: bytes) -> Mapping[str, Any]:
    answer = mapping(decoded(body))
    if answer.get("status") == "error":
        raise Unread("wrong_shape", f"the query was refused: {plain(answer.get('error'), 200)}")
    data = answer.get("data")
    if answer.get("status") != "success" or not isinstance(data, dict) or not word(data.get("resultType")):
        raise Unread("wrong_shape", "this is no answer of Prometheus' HTTP API")
    return data


def _points(series: Mapping[str, Any]) -> Iterator[tuple[float, object]]:
    """Times in Unix seconds and values; a series without any is a histogram, which is no count."""
    points = series.get("values")
    if not isinstance(points, list):
        raise Unread("wrong_shape", "a series has no values; histograms cannot be counted")
    for point in points[:_POINTS]:
        if not isinstance(point, list) or len(point) != 2:
            raise Unread("wrong_shape", "a point of a series is no pair of a time and a value")
        yield number(point[0]), point[1]


def _value(pair: object) -> float:
    return number(pair[1]) if isinstance(pair, list) and len(pair) == 2 else float("nan")

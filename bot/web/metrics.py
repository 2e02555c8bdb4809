"""What the house counts about itself, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot.ports import Receipt

_SECONDS = (0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0)


class _Series(Collector):
    """Reads all series of a measure when Prometheus asks."""

    def __init__(
        self,
        name: str,
        help_text: str,
        labels: Sequence[str],
        read: Callable[[], Iterable[tuple[Sequence[str], float]]],
    ) -> None:
        self._name, self._help, self._labels, self._read = name, help_text, labels, read

    def collect(self) -> Iterable[Metric]:
        """The family as it is now."""
        family = GaugeMetricFamily(self._name, self._help, labels=self._labels)
        for values, number in self._read():
            family.add_metric(values, number)
        return [family]


class Metrics:
    """The measures of one running house in a registry of its own; rooms add theirs with `gauge`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._gauges: dict[str, Gauge] = {}
        self._reports = Counter(
            "tocsin_reports",
            "Problem reports that came in over HTTP, by what became of them.",
            ["result"],
            registry=self.registry,
        )
        self._requests = Counter(
            "tocsin_http_requests", "HTTP requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "tocsin_http_request_seconds",
            "Seconds from request to answer.",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._accepted, self._repeated, self._rejected = (
            self._reports.labels(result) for result in ("accepted", "repeated", "rejected")
        )
        self._answers: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def gauge(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """Add a measure that is read whenever Prometheus asks; the same name again is read anew from then on."""
        if name not in self._gauges:
            self._gauges[name] = Gauge(name, help_text, registry=self.registry)
        self._gauges[name].set_function(read)

    def gauges(
        self,
        name: str,
        help_text: str,
        labels: Sequence[str],
        read: Callable[[], Iterable[tuple[Sequence[str], float]]],
    ) -> None:
        """The same for a measure with labels, whose series come and go with what there is."""
        self.registry.register(_Series(name, help_text, labels, read))

    def received(self, receipts: Sequence[Receipt]) -> None:
        """Count reports."""
        self._accepted.inc(sum(receipt.accepted for receipt in receipts))
        self._repeated.inc(sum(receipt.repeated for receipt in receipts))
        self._rejected.inc(sum(len(receipt.rejected) for receipt in receipts))

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer; `route` is the pattern, never the path, so that strangers cannot make new series."""
        key = (method, route, status)
        if key not in self._answers:  # looking labels up costs more than counting
            self._answers[key] = self._requests.labels(method, route, str(status)), self._seconds.labels(route)
        counter, histogram = self._answers[key]
        counter.inc()
        histogram.observe(seconds)

    def page(self, accept: str) -> tuple[bytes, str]:
        """Everything, in the format the scraper prefers, with its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

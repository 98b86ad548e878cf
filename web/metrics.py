"""What Prometheus reads. One registry for each app, so that two apps in one process do not share numbers."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from workers.ledger import LedgerSummary

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)


class Metrics:
    """Labels take values from fixed sets only (path templates, configured models), never from what a caller sends."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "tandem_http_requests_total",
            "Requests answered, by path template, method and status",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._runs = Histogram(
            "tandem_run_seconds",
            "Seconds from a run's start to its last event, by how it ended",
            ("status",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._tokens = Counter(
            "tandem_tokens_total",
            "Tokens that models read (prompt) and wrote (completion)",
            ("model", "kind"),
            registry=self._registry,
        )
        self._first_token = Histogram(
            "tandem_time_to_first_token_seconds",
            "Seconds from a run's start to the first piece of its visible answer",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._in_flight = Gauge("tandem_runs_in_flight", "Runs started and not yet ended", registry=self._registry)

    def request(self, route: str, method: str, status: int) -> None:
        self._requests.labels(route, method, str(status)).inc()

    def run_started(self) -> None:
        self._in_flight.inc()

    def first_token(self, seconds: float) -> None:
        self._first_token.observe(seconds)

    def run_ended(self, status: str, seconds: float, ledger: LedgerSummary | None) -> None:
        """``status`` "lost" and no ledger: the run's last event was not seen."""
        self._in_flight.dec()
        self._runs.labels(status).observe(seconds)
        for model, usage in (ledger.tokens if ledger else {}).items():
            self._tokens.labels(model, "prompt").inc(usage.prompt)
            self._tokens.labels(model, "completion").inc(usage.completion)

    def exposition(self) -> bytes:
        return generate_latest(self._registry)

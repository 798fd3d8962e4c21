"""Counters for Prometheus; cheap numbers are read when asked for, not kept up to date."""

from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.core.ports import Usage
from server.domain import TurnReason
from server.store.log import MessageLog

_WAITS_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The registry of this process; counts the spirit's turns as its `TurnObserver`."""

    def __init__(self, message_log: MessageLog) -> None:
        """Take the parts that are read."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.registry.register(_LogCollector(message_log))
        self._turns = Counter("seance_spirit_turns", "Turns by how they ended.", ["reason"], registry=self.registry)
        self._tokens = Counter("seance_spirit_tokens", "Tokens by direction.", ["direction"], registry=self.registry)
        self._waits = Histogram(
            "seance_spirit_first_delta_seconds",
            "From the start of a turn to its first letter in the room.",
            buckets=_WAITS_SECONDS,
            registry=self.registry,
        )

    def turn_ended(self, reason: TurnReason, usage: Usage | None, first_delta_seconds: float | None) -> None:
        """Count one turn."""
        self._turns.labels(reason).inc()
        if usage is not None:
            self._tokens.labels("prompt").inc(usage.prompt_tokens)
            self._tokens.labels("completion").inc(usage.completion_tokens)
        if first_delta_seconds is not None:
            self._waits.observe(first_delta_seconds)


class _LogCollector(Collector):
    def __init__(self, message_log: MessageLog) -> None:
        self._log = message_log

    def collect(self) -> Iterable[Metric]:
        yield CounterMetricFamily("seance_messages_committed", "Messages committed.", value=self._log.rows_committed)
        yield CounterMetricFamily("seance_commits", "Group commits.", value=self._log.batches_committed)
        yield GaugeMetricFamily(
            "seance_messages_waiting", "Messages waiting for a commit.", value=self._log.waiting_rows
        )

"""The figures of the monitoring in the text format of Prometheus.

Everything is read from the database at each scrape: a registry of the library's own counters would
hold what one of several server processes happened to see.
"""

from datetime import datetime

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST
PREFIX = "bank_connect_"
LINE = ("connection_id", "connection")


def exposition(figures):
    """What ``bank.monitor`` counted, as the bytes that Prometheus reads."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(figures))
    return generate_latest(registry)


class _Collector:
    def __init__(self, figures):
        self.status = figures["status"]
        self.lines = figures["connections"]

    def collect(self):
        yield GaugeMetricFamily(
            f"{PREFIX}degraded", "1 where anything calls for a person.",
            value=self.status == "degraded",
        )
        yield self._gauge("active", "1 where the connection is in use.",
                          lambda line: line["state"] == "active")
        yield self._gauge("stopped", "1 where somebody stopped all payments of the company.",
                          lambda line: line["stopped"])
        yield self._gauge("resting", "1 where the line rests after failures.",
                          lambda line: line["resting_until"] is not None)
        yield self._gauge("failures_in_a_row", "Calls that failed one after another.",
                          lambda line: line["failures_in_a_row"])
        yield self._gauge("last_success_timestamp_seconds", "When a call last worked.",
                          lambda line: _seconds(line["last_success"]))
        yield self._gauge("certificate_expiry_timestamp_seconds", "When our certificate ends.",
                          lambda line: _seconds(line["certificate_expires"]))
        yield self._split("messages", "Messages by state.", "state",
                          lambda line: line["messages"])
        yield self._split("oldest_message_seconds", "Age of the oldest message that waits.",
                          "state", lambda line: line["oldest_seconds"])
        yield self._split("calls", "Calls within the last hour or day.", "within",
                          lambda line: _each(line["calls"], "all"))
        yield self._split("failed_calls", "Failed calls within the last hour or day.", "within",
                          lambda line: _each(line["calls"], "failed"))
        yield self._split("discrepancies", "Where bank and ledger disagree, unexplained.", "kind",
                          lambda line: line["discrepancies"])
        yield self._split("alert", "1 for each kind of trouble there is.", "code",
                          lambda line: dict.fromkeys(line["alerts"], 1))

    def _gauge(self, name, text, value_of):
        family = GaugeMetricFamily(PREFIX + name, text, labels=LINE)
        for line in self.lines:
            value = value_of(line)
            if value is not None:
                family.add_metric([str(line["id"]), line["name"]], value)
        return family

    def _split(self, name, text, label, values_of):
        family = GaugeMetricFamily(PREFIX + name, text, labels=(*LINE, label))
        for line in self.lines:
            for key, value in values_of(line).items():
                family.add_metric([str(line["id"]), line["name"], key], value)
        return family


def _each(spans, which):
    return {span: calls[which] for span, calls in spans.items()}


def _seconds(moment):
    return moment and datetime.fromisoformat(moment).timestamp()

"""The figures of the monitoring, for programs: counts, ages and dates, never an amount."""

from datetime import timezone

from odoo import api, models

from .bank_monitor import WAITING


class BankMonitor(models.Model):
    _inherit = "bank.monitor"

    @api.model
    def _figures(self, companies):
        """How the connections of these companies are doing.

        :return: dict ready for JSON. Ages are in seconds, moments in ISO 8601 (UTC); ``status`` is
            ``"ok"`` or ``"degraded"``, the latter as soon as anything calls for a person
        """
        lines = self.search([("company_id", "in", companies.ids)])
        counts = {}
        for connection, state, count in self.env["bank.message"]._read_group(
            [("connection_id", "in", lines.ids)], ["connection_id", "state"], ["__count"]
        ):
            counts.setdefault(connection.id, {})[state] = count
        disagree = {}
        for connection, kind, count in self.env["bank.discrepancy"]._read_group(
            [("connection_id", "in", lines.ids), ("state", "=", "open")],
            ["connection_id", "kind"], ["__count"],
        ):
            disagree.setdefault(connection.id, {})[kind] = count
        alerts = {}
        for finding in self.env["bank.watch"]._findings():
            alerts.setdefault(finding.connection_id, []).append(finding.code)
        figures = [
            line._line_figures(counts.get(line.id, {}), sorted(alerts.get(line.id, [])))
            | {"discrepancies": disagree.get(line.id, {})}
            for line in lines
        ]
        degraded = any(line["alerts"] or line["stopped"] for line in figures)
        return {"status": "degraded" if degraded else "ok", "connections": figures}

    def _line_figures(self, counts, alerts):
        return {
            "id": self.id,
            "name": self.connection_id.name,
            "state": self.state,
            "stopped": self.light == "stopped",
            "alerts": alerts,
            "last_success": _moment(self.last_success),
            "failures_in_a_row": self.failure_count,
            "resting_until": _moment(self.paused_until),
            "certificate_expires": _moment(self.certificate_expires),
            "messages": counts,
            "oldest_seconds": {
                state: round(self[f"{state}_hours"] * 3600)
                for state in WAITING if self[f"{state}_count"]
            },
            "calls": {
                span: {"all": self[f"calls_{span}"], "failed": self[f"failed_{span}"]}
                for span in ("hour", "day")
            },
        }

    @api.model
    def _is_degraded(self):
        """Whether any connection of the database calls for a person."""
        return bool(self.env["bank.watch"]._findings()) or bool(
            self.env["bank.connection"].search_count(
                [
                    ("state", "=", "active"),
                    "|", ("bank_stopped", "=", True), ("company_id.bank_stopped", "=", True),
                ],
                limit=1,
            )
        )


def _moment(value):
    return (value and value.replace(tzinfo=timezone.utc).isoformat()) or None

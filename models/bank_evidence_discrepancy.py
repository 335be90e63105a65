from odoo import models
from odoo.tools import SQL

from .evidence_plain import plain, slices, stored


class BankEvidenceContent(models.AbstractModel):
    """The part of a pack about verification: what was found, how it was explained and by whom."""

    _inherit = "bank.evidence.content"

    def _parts(self):
        return [*super()._parts(), self._write_discrepancies]

    def _write_discrepancies(self, pack, scope, batches):
        found = self._discrepancies(scope, batches)
        pack.add_table(
            "verification/discrepancies",
            [*stored(found), "sentence", "history"],
            (self._discrepancy(each) for part in slices(found, 200) for each in part),
        )
        runs = self.env["bank.verification"]
        known = self.env["bank.debit.known"].with_context(active_test=False).search(
            [("company_id", "in", (False, scope.company_id.id))], order="id"
        )
        pack.add_table("verification/known_debits", stored(known), [plain(each) for each in known])
        if not scope.batch_id:
            runs = runs.search(
                [
                    ("company_id", "=", scope.company_id.id),
                    ("started_on", ">=", scope.date_from),
                    ("started_on", "<", scope._day_after()),
                ],
                order="id",
            )
        pack.add_table(
            "verification/runs", stored(runs), (plain(run) for part in slices(runs) for run in part)
        )

    def _discrepancies(self, scope, batches):
        """Those of the batches and their bookings, or all that a period saw."""
        discrepancies = self.env["bank.discrepancy"]
        if scope.batch_id:
            return discrepancies.search(
                [
                    "|", "|",
                    ("batch_id", "in", batches.ids),
                    ("payment_id.bank_batch_id", "in", batches.ids),
                    ("line_id.bank_payment_ids.bank_batch_id", "in", batches.ids),
                ],
                order="id",
            )
        return discrepancies.search(
            [
                ("company_id", "=", scope.company_id.id),
                ("found_on", "<", scope._day_after()),
                "|", "|",
                ("found_on", ">=", scope.date_from),
                ("resolved_on", ">=", scope.date_from),
                ("state", "=", "open"),
            ],
            order="id",
        )

    def _discrepancy(self, discrepancy):
        notes = discrepancy.message_ids.sorted("id")
        return {
            **plain(discrepancy),
            "sentence": discrepancy.sentence or None,
            "history": [
                {
                    "date": f"{note.date:%Y-%m-%dT%H:%M:%S}Z",
                    "author": note.author_id.name or None,
                    "text": note.preview or None,
                }
                for note in notes
            ],
        }

    def _audit_condition(self, scope, batches):
        condition = super()._audit_condition(scope, batches)
        if not scope.batch_id:
            return condition
        ids = self._discrepancies(scope, batches).ids
        return SQL(
            "(%s OR (res_model = 'bank.discrepancy' AND res_id = ANY(%s)))", condition, ids
        )

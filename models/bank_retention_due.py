from odoo import api, models
from odoo.tools import SQL

# A batch is over when the bank has said its last word, or never heard of it.
OVER = ("settled", "refused", "rejected", "cancelled")
BATCH_IS_OVER = SQL("batch.state IN %s", OVER)
# What may still be asked about stays, however old it is.
NOTHING_OPEN = SQL(
    """
    NOT EXISTS (
        SELECT 1 FROM bank_message open
         WHERE open.batch_id = batch.id
           AND open.state IN ('queued', 'sending', 'uncertain', 'stored', 'quarantined')
    )
    AND NOT EXISTS (
        SELECT 1 FROM account_payment payment
          JOIN bank_statement_line_payment booked ON booked.payment_id = payment.id
          JOIN account_bank_statement_line line ON line.id = booked.line_id
         WHERE payment.bank_batch_id = batch.id AND NOT COALESCE(line.is_reconciled, false)
    )
    AND NOT EXISTS (
        SELECT 1 FROM account_payment payment
          JOIN bank_payment_instalment instalment ON instalment.payment_id = payment.id
         WHERE payment.bank_batch_id = batch.id AND instalment.live
           AND NOT COALESCE(payment.bank_booked, false)
    )
    """
)
NEVER_LEFT = SQL(
    """
    NOT EXISTS (
        SELECT 1 FROM bank_message sent
         WHERE sent.batch_id = batch.id AND sent.direction = 'out'
           AND sent.purpose = 'payment' AND COALESCE(sent.attempts, 0) > 0
    )
    """
)


class BankRetentionDue(models.AbstractModel):
    """Which documents may be erased, and how each kind of them is."""

    _name = "bank.retention.due"
    _description = "What May Be Erased"

    @api.model
    def _due(self, kind, companies, cutoff, limit=None, only=None):
        """Documents of a kind that are over, of these companies, older than ``cutoff``.

        :param cutoff: the first day that is kept; None: of whatever age
        :param only: look at these records alone
        :return: records, as superuser
        """
        model, table, query, age = self._queries()[kind]
        condition = SQL("TRUE") if cutoff is None else SQL("%s < %s", age, cutoff)
        if only is not None:
            condition = SQL("%s AND %s.id = ANY(%s)", condition, SQL.identifier(table), only.ids)
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "%s AND company.id = ANY(%s) AND %s ORDER BY 1 %s",
                query, companies.ids, condition, SQL("LIMIT %s", limit) if limit else SQL(),
            )
        )
        # sudo: what may go is decided by its age, not by who looks.
        return self.env[model].sudo().browse([row[0] for row in rows])

    @api.model
    def _queries(self):
        """kind → (model, table, query up to its WHERE, the column that tells the age)"""
        message = SQL(
            """
            SELECT message.id
              FROM bank_message message
              JOIN bank_connection connection ON connection.id = message.connection_id
              JOIN res_company company ON company.id = connection.company_id
         LEFT JOIN bank_payment_batch batch ON batch.id = message.batch_id
             WHERE message.erased_date IS NULL
               AND (batch.id IS NULL OR (%s AND %s))
            """,
            BATCH_IS_OVER, NOTHING_OPEN,
        )
        batch = SQL(
            """
            SELECT batch.id
              FROM bank_payment_batch batch
              JOIN res_company company ON company.id = batch.company_id
             WHERE batch.sealed_content IS NOT NULL AND %s AND %s
            """,
            BATCH_IS_OVER, NOTHING_OPEN,
        )
        made = SQL("message.create_date")
        return {
            "incoming": ("bank.message", "message", SQL(
                """
                %s AND message.direction = 'in' AND message.state = 'processed'
                AND NOT EXISTS (
                    SELECT 1 FROM account_bank_statement_line line
                     WHERE line.bank_message_id = message.id
                       AND NOT COALESCE(line.is_reconciled, false)
                )
                """, message,
            ), made),
            "outgoing": ("bank.message", "message", SQL(
                """
                %s AND message.direction = 'out'
                AND message.state IN ('delivered', 'refused', 'withdrawn')
                """, message,
            ), made),
            "seal": (
                "bank.payment.batch", "batch", SQL("%s AND NOT (%s)", batch, NEVER_LEFT),
                SQL("GREATEST(batch.execution_date, batch.create_date::date)"),
            ),
            "unsent": (
                "bank.payment.batch", "batch", SQL("%s AND %s", batch, NEVER_LEFT),
                SQL("batch.create_date"),
            ),
            # Accounts that companies share follow the first company.
            "account": ("bank.account.change", "change", SQL(
                """
                SELECT change.id
                  FROM bank_account_change change
                  JOIN res_company company
                    ON company.id = COALESCE(change.company_id, (SELECT min(id) FROM res_company))
                 WHERE change.erased_date IS NULL AND change.state IN ('confirmed', 'refused')
                """
            ), SQL("change.decided_on")),
            "alert": ("bank.alert", "alert", SQL(
                """
                SELECT alert.id
                  FROM bank_alert alert
                  JOIN bank_connection connection ON connection.id = alert.connection_id
                  JOIN res_company company ON company.id = connection.company_id
                 WHERE alert.closed_on IS NOT NULL
                """
            ), SQL("alert.closed_on")),
            "pack": ("bank.evidence.pack", "pack", SQL(
                """
                SELECT pack.id
                  FROM bank_evidence_pack pack
                  JOIN res_company company ON company.id = pack.company_id
                 WHERE pack.erased_date IS NULL AND pack.state = 'ready'
                """
            ), SQL("pack.ready_date")),
        }

    @api.model
    def _erase(self, kind, records):
        """Erase these documents, keeping what proves them."""
        if kind in ("incoming", "outgoing"):
            records._erase_bytes()
        elif kind in ("seal", "unsent"):
            records._erase_sealed()
        elif kind == "account":
            records._erase_values()
        elif kind == "pack":
            records._erase()
        else:
            records.unlink()

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

PURPOSES = [
    ("send", "Sending"),
    ("ask", "Asking about a message"),
    ("fetch", "Fetching documents"),
    ("test", "Connection test"),
]
SLICE = 5000  # lines whose bodies are removed by one transaction


class BankExchange(models.Model):
    """One request to a bank and what came of it, as operators need it and no secret could be in it.

    Lines are written by :class:`.exchange_log.ExchangeLog` alone, apart from the work they belong
    to, and removed when their time is over.
    """

    _name = "bank.exchange"
    _description = "Exchange with a Bank"
    _order = "id desc"
    _rec_name = "correlation_id"
    _log_access = False

    connection_id = fields.Many2one("bank.connection", required=True, ondelete="cascade")
    company_id = fields.Many2one(related="connection_id.company_id")
    message_id = fields.Many2one(
        "bank.message", index="btree_not_null", ondelete="set null", readonly=True
    )
    purpose = fields.Selection(PURPOSES, readonly=True)
    date = fields.Datetime(required=True, readonly=True)
    duration = fields.Integer(string="Duration (ms)", readonly=True, aggregator="avg")
    method = fields.Char(readonly=True)
    host = fields.Char(readonly=True)
    path = fields.Char(readonly=True, help="Account numbers and secrets in it are masked.")
    status = fields.Integer(string="HTTP status", readonly=True, aggregator=None)
    outcome = fields.Selection(
        [("answered", "Answered"), ("error", "Answered with an error"), ("failed", "No answer")],
        readonly=True,
    )
    error = fields.Char(string="Fault", readonly=True)
    correlation_id = fields.Char(
        string="Number of the request", readonly=True, index="btree_not_null",
        help="X-Request-ID or RequestId: tell it to the bank when you ask about this exchange.",
    )
    request_size = fields.Integer(string="Sent (bytes)", readonly=True)
    response_size = fields.Integer(string="Received (bytes)", readonly=True)
    peer_fingerprint = fields.Char(string="Bank's certificate", readonly=True, help="SHA-256")
    tls_version = fields.Char(string="TLS", readonly=True)
    request_headers = fields.Text(readonly=True)
    response_headers = fields.Text(readonly=True)
    request_body = fields.Text(readonly=True)
    response_body = fields.Text(readonly=True)

    _connection_date_idx = models.Index("(connection_id, date)")
    _date_idx = models.Index("(date)")
    _bodies_idx = models.Index(
        "(date) WHERE request_body IS NOT NULL OR response_body IS NOT NULL"
    )

    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        raise AccessError(self.env._("The log is written by the server alone."))

    def write(self, vals):  # pylint: disable=method-required-super
        raise AccessError(self.env._("The log is written by the server alone."))

    @api.autovacuum
    def _forget_old_exchanges(self):
        return self.env["bank.retention"]._forget("exchange", self)

    @api.autovacuum
    def _forget_old_bodies(self):
        """Bodies go before their lines do: each connection says after how many days."""
        rows = self.env.execute_query(
            SQL(
                """
                UPDATE bank_exchange exchange
                   SET request_body = NULL, response_body = NULL
                 WHERE id IN (
                       SELECT old.id
                         FROM bank_exchange old
                         JOIN bank_connection connection ON connection.id = old.connection_id
                        WHERE (old.request_body IS NOT NULL OR old.response_body IS NOT NULL)
                          AND old.date < (now() AT TIME ZONE 'UTC')
                                       - COALESCE(connection.log_body_days, 0) * INTERVAL '1 day'
                        LIMIT %s)
             RETURNING 1
                """,
                SLICE,
            )
        )
        self.invalidate_model(["request_body", "response_body"])
        return len(rows), int(len(rows) == SLICE)

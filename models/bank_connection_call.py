from odoo import api, fields, models


class BankConnectionCall(models.Model):
    """One call to a bank, and whether the line held: what error rates are counted from.

    Rows are only added, so that any number of workers can note their calls without waiting for
    each other.
    """

    _name = "bank.connection.call"
    _description = "Call to a Bank"
    _order = "id desc"
    _log_access = False

    connection_id = fields.Many2one("bank.connection", required=True, ondelete="cascade")
    date = fields.Datetime(required=True)
    failed = fields.Boolean()
    code = fields.Char(help="What kind of fault it was.")

    _connection_date_idx = models.Index("(connection_id, date)")

    @api.autovacuum
    def _forget_old_calls(self):
        return self.env["bank.retention"]._forget("call", self)

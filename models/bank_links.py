"""The way between the records of one payment: bill, payment, batch, message, booking.

Only for the screens: what the buttons on top of the forms count and open.
"""

from odoo import api, fields, models


class BankPaymentBatch(models.Model):
    _inherit = "bank.payment.batch"

    bill_count = fields.Integer(string="Bills", compute="_compute_link_counts")
    booking_count = fields.Integer(string="Bank bookings", compute="_compute_link_counts")
    message_count = fields.Integer(string="Documents exchanged", compute="_compute_link_counts")
    failed_count = fields.Integer(
        compute="_compute_failed_count", help="Payments that the bank rejected or that came back."
    )
    approver_names = fields.Char(compute="_compute_approver_names")

    @api.depends("payment_ids", "message_ids_bank")
    def _compute_link_counts(self):
        for batch in self:
            # sudo: a number is no secret; what lies behind it is opened under the user's rights.
            payments = batch.sudo().payment_ids
            batch.bill_count = len(payments.bank_instalment_ids.move_id)
            batch.message_count = len(batch.sudo().message_ids_bank)
            batch.booking_count = self.env["account.bank.statement.line"].search_count(
                batch._booking_domain()
            )

    @api.depends("payment_ids.bank_status", "payment_ids.bank_returned")
    def _compute_failed_count(self):
        for batch in self:
            batch.failed_count = len(batch.payment_ids.filtered("bank_failed"))

    @api.depends("activity_ids.user_id", "state")
    def _compute_approver_names(self):
        kind = self.env.ref("account_bank_connect.activity_approve")
        for batch in self:
            # sudo: whoever waits may know for whom; other people's activities are not shown.
            asked = batch.sudo().activity_ids.filtered(
                lambda activity: activity.activity_type_id == kind
            )
            names = asked.user_id.sorted("name").mapped("name")
            batch.approver_names = ", ".join(names) if batch.state == "to_approve" else False

    def _booking_domain(self):
        return [("bank_payment_ids", "in", self.sudo().payment_ids.ids)]

    def action_view_bills(self):
        # sudo: only to find the bills; they are shown under the user's own rights.
        bills = self.sudo().payment_ids.bank_instalment_ids.move_id
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Bills"),
            "res_model": "account.move",
            "view_mode": "list,form",
            "views": [
                (self.env.ref("account.view_in_invoice_bill_tree").id, "list"),
                (False, "form"),
            ],
            "domain": [("id", "in", bills.ids)],
            "context": {"create": False},
        }

    def action_view_bookings(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_bank_connect.action_statement_line"
        )
        return action | {"domain": self._booking_domain()}

    def action_view_messages(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_bank_connect.action_message"
        )
        return action | {"domain": [("batch_id", "in", self.ids)]}


class AccountPayment(models.Model):
    _inherit = "account.payment"

    bank_failed = fields.Boolean(
        string="Did not go through",
        compute="_compute_bank_failed",
        help="The bank rejected the payment, or it came back.",
    )

    @api.depends("bank_status", "bank_returned")
    def _compute_bank_failed(self):
        for payment in self:
            payment.bank_failed = payment.bank_returned or payment.bank_status in ("RJCT", "CANC")

    bank_frozen = fields.Boolean(string="On its way to the bank", compute="_compute_bank_frozen")

    @api.depends("bank_batch_id.state", "bank_status", "bank_returned", "bank_booked")
    def _compute_bank_frozen(self):
        for payment in self:
            payment.bank_frozen = bool(payment.bank_batch_id) and payment._bank_is_live()

    def action_view_bank_batch(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "bank.payment.batch",
            "view_mode": "form",
            "res_id": self.bank_batch_id.id,
        }


class AccountMove(models.Model):
    _inherit = "account.move"

    bank_batch_id = fields.Many2one(related="bank_payment_id.bank_batch_id", string="Bank batch")
    bank_failed = fields.Boolean(related="bank_payment_id.bank_failed")

    def action_view_bank_batch(self):
        return self.bank_payment_id.action_view_bank_batch()


class BankMessage(models.Model):
    _inherit = "bank.message"

    booking_count = fields.Integer(string="Bank bookings", compute="_compute_booking_count")

    def _compute_booking_count(self):
        counts = dict(
            self.env["account.bank.statement.line"]._read_group(
                [("bank_message_id", "in", self.ids)], ["bank_message_id"], ["__count"]
            )
        )
        for message in self:
            message.booking_count = counts.get(message, 0)

    def action_view_bookings(self):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "account_bank_connect.action_statement_line"
        )
        return action | {"domain": [("bank_message_id", "in", self.ids)]}

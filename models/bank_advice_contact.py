"""Who is told of a payment, in what words, and who does not want to be told."""

from odoo import api, fields, models
from odoo.tools import SQL

from .audit_mask import ROLES


class ResCompany(models.Model):
    _inherit = "res.company"

    bank_advice = fields.Boolean(string="Send remittance advice", default=True)
    bank_advice_template_id = fields.Many2one(
        "mail.template", string="Remittance advice", domain=[("model", "=", "account.payment")]
    )
    # Nobody is told of what was paid before there was a remittance advice.
    bank_advice_since = fields.Datetime(default=fields.Datetime.now, readonly=True)


class ResPartner(models.Model):
    _inherit = "res.partner"

    bank_advice = fields.Selection(
        [("send", "Send"), ("none", "Do not send")],
        string="Remittance advice",
        company_dependent=True,
        help="A mail when the bank has executed a payment. Empty: as the company has it. It goes "
        "to the contact for invoices, else to the payee's own address.",
    )

    @api.model
    def _commercial_fields(self):
        return [*super()._commercial_fields(), "bank_advice"]


class AccountPayment(models.Model):
    _inherit = "account.payment"

    bank_advice_ids = fields.One2many(
        "bank.remittance.advice",
        "payment_id",
        string="Remittance advice",
        readonly=True,
        groups=ROLES,
    )
    bank_advice_partner_id = fields.Many2one(
        "res.partner",
        string="Contact for remittance advice",
        compute="_compute_bank_advice_partner",
    )
    bank_executed_on = fields.Date(
        string="Executed on", compute="_compute_bank_executed_on",
        help="The value date of the bank's booking; before there is one, the day on which the bank "
        "said that it has paid.",
    )

    @api.depends("partner_id")
    def _compute_bank_advice_partner(self):
        firms = self.partner_id.commercial_partner_id
        contacts = self.env["res.partner"].search(
            [
                ("commercial_partner_id", "in", firms.ids),
                ("email_normalized", "!=", False),
                ("type", "in", ("contact", "invoice")),
            ],
            order="id",
        ).grouped("commercial_partner_id")
        for payment in self:
            partner = payment.partner_id
            firm = partner.commercial_partner_id
            known = contacts.get(firm, firm.browse())
            chosen = (
                (partner & known.filtered(lambda contact: contact.type == "invoice"))
                or known.filtered(lambda contact: contact.type == "invoice")[:1]
                or partner & known
                or firm & known
            )
            payment.bank_advice_partner_id = chosen

    def _compute_bank_executed_on(self):
        self.env.flush_all()
        dates = dict(
            self.env.execute_query(
                SQL(
                    """
                    SELECT booked.payment_id,
                           min(COALESCE(line.bank_value_date, line.bank_booking_date))
                      FROM bank_statement_line_payment booked
                      JOIN account_bank_statement_line line ON line.id = booked.line_id
                     WHERE booked.payment_id = ANY(%s) AND line.amount < 0
                  GROUP BY booked.payment_id
                    """,
                    self.ids,
                )
            )
        ) if self.ids else {}
        for payment in self:
            said = payment.bank_status_date
            payment.bank_executed_on = dates.get(payment.id) or (said and said.date())

    # -- for the mail's template ------------------------------------------------------------------

    def _bank_advice_lines(self):
        """What a payment pays, bill by bill; deducted credit notes are negative.

        :return: list of dict: ``reference``, ``date``, ``gross``, ``discount``, ``paid``
        """
        self.ensure_one()
        return [
            {
                "reference": instalment.move_id.ref or instalment.move_id.name,
                "date": instalment.move_id.invoice_date or instalment.move_id.date,
                "gross": instalment.amount + instalment.discount,
                "discount": instalment.discount,
                "paid": instalment.amount,
            }
            for instalment in self.bank_instalment_ids
        ]

    def _bank_advice_account(self):
        """The ends of the payee's account number: enough for its owner to know it by."""
        number = self.partner_bank_id.sanitized_acc_number or ""
        return f"{number[:4]}…{number[-4:]}" if len(number) > 10 else "…"

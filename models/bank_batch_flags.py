"""Find what deserves an approver's look, for whole batches at once, when they are sealed."""

import json
from decimal import Decimal, InvalidOperation

from odoo import api, fields, models
from odoo.tools import SQL

from .audit_mask import ROLES
from .bank_flag_checks import ACCOUNT_EDITED, CHECKS, insert_found
from .bank_payment_flag import SEVERITIES
from .name_likeness import likeness

# System parameters "account_bank_connect.flag_...", and what holds where none is set. 0 switches
# a check off. docs/approver.md explains each.
SETTINGS = {
    "account_days": 30,  # an account is new for so many days
    "duplicate_days": 25,  # equal payments so near each other; a month apart is a rent
    "unusual_score": Decimal("3.5"),  # see bank_flag_checks.AMOUNT_UNUSUAL
    "holder_likeness": 80,  # in percent; a name less like the vendor's is shown
    "below_percent": 5,  # so near below a rule's limit
    "split_days": 7,  # payments to one payee so near each other are added up
    "night_from": 22,  # hours of the company's day
    "night_to": 6,
}


class BankPaymentBatch(models.Model):
    _inherit = "bank.payment.batch"

    flag_ids = fields.One2many(
        "bank.payment.flag", "batch_id", string="Worth a look", readonly=True, groups=ROLES
    )
    flagged_count = fields.Integer(string="To look at", compute="_compute_flag_summary")
    flag_level = fields.Selection(
        SEVERITIES,
        compute="_compute_flag_summary",
    )
    flag_summary = fields.Char(compute="_compute_flag_summary")

    @api.depends("flag_ids")
    @api.depends_context("lang")
    def _compute_flag_summary(self):
        flags = self.env["bank.payment.flag"]
        labels = dict(flags._fields["code"]._description_selection(self.env))
        # sudo: whoever may read the batch may know that there is something to look at.
        groups = flags.sudo()._read_group(
            [("batch_id", "in", self.ids)],
            ["batch_id", "severity", "code"],
            ["__count"],
            order="severity",
        )
        payments = dict(
            flags.sudo()._read_group(
                [("batch_id", "in", self.ids), ("severity", "!=", "note")],
                ["batch_id"],
                ["payment_id:count_distinct"],
            )
        )
        for batch in self:
            own = [group[1:] for group in groups if group[0].id == batch.id]
            batch.flagged_count = payments.get(batch.sudo(), 0)
            batch.flag_level = own[0][0] if own else False
            batch.flag_summary = (
                ", ".join(
                    f"{labels[code]} × {count}" if count > 1 else labels[code]
                    for _severity, code, count in own
                )
                or False
            )

    def _flagged_count(self):
        return self.flagged_count

    @api.model
    def _guarded_fields(self):
        return super()._guarded_fields() | {"flag_ids"}

    # -- finding ----------------------------------------------------------------------------

    def _seal_now(self):
        result = super()._seal_now()
        self._find_flags()
        return result

    def _find_flags(self):
        """Note anew what deserves a look in these batches."""
        if not self:
            return
        self.env.flush_all()
        self.env.cr.execute(
            SQL("DELETE FROM bank_payment_flag WHERE batch_id IN %s", tuple(self.ids))
        )
        settings = self._flag_settings()
        checks = dict(CHECKS)
        if "bank.account.change" in self.env:
            checks["account_edited"] = ACCOUNT_EDITED
        self.env.cr.execute(insert_found(checks, tuple(self.ids), self.env.uid, settings))
        self._note_flags(
            self._holders_unlike(settings)
            + self._flags_of_limits(settings)
            + self._odd_hours(settings)
        )
        self.env["bank.payment.flag"].invalidate_model()
        self.invalidate_recordset(["flag_ids", "flagged_count", "flag_level", "flag_summary"])
        self.payment_ids.invalidate_recordset(["bank_flag_ids"])

    @api.model
    def _flag_settings(self):
        """The system parameters of the checks, by name; what is no number counts as unset."""
        # sudo: limits of the checks are the administrator's to set; here they are only read.
        parameters = self.env["ir.config_parameter"].sudo()
        settings = {}
        for name, default in SETTINGS.items():
            try:
                text = parameters.get_param(f"account_bank_connect.flag_{name}") or str(default)
                value = Decimal(text)
            except InvalidOperation:
                value = Decimal(default)
            settings[name] = max(value, Decimal(0)) if value.is_finite() else Decimal(default)
        return settings

    def _holders_unlike(self, settings):
        """Payments whose account is held by somebody with another name than the vendor's."""
        self.env.cr.execute(
            SQL(
                """
                SELECT payment.id, payment.bank_batch_id, payee.name, account.acc_holder_name
                  FROM account_payment payment
                  JOIN res_partner partner ON partner.id = payment.partner_id
                  JOIN res_partner payee ON payee.id = partner.commercial_partner_id
                  JOIN res_partner_bank account ON account.id = payment.partner_bank_id
                 WHERE payment.bank_batch_id IN %s
                   AND account.acc_holder_name <> ''
                   AND account.acc_holder_name <> payee.name
                """,
                tuple(self.ids),
            )
        )
        rows, known = self.env.cr.fetchall(), {}
        for _payment, _batch, vendor, holder in rows:
            if (vendor, holder) not in known:
                known[vendor, holder] = likeness(vendor or "", holder)
        return [
            (batch, payment, "holder_unlike", "medium", {"vendor": vendor, "holder": holder})
            for payment, batch, vendor, holder in rows
            if 100 * known[vendor, holder] < settings["holder_likeness"]
        ]

    def _note_flags(self, found):
        """Insert flags that were found outside the database.

        :param found: tuples of batch id, payment id or None, code, severity, details
        """
        if not found:
            return
        names = ("batch_id", "payment_id", "code", "severity", "details")
        self.env.cr.execute(
            SQL(
                """
                INSERT INTO bank_payment_flag
                       (batch_id, payment_id, company_id, code, severity, details,
                        create_uid, write_uid, create_date, write_date)
                SELECT found.batch_id, found.payment_id, batch.company_id, found.code,
                       found.severity, found.details, %(user)s, %(user)s,
                       NOW() AT TIME ZONE 'UTC', NOW() AT TIME ZONE 'UTC'
                  FROM jsonb_to_recordset(%(rows)s::jsonb) found(
                           batch_id int, payment_id int, code text, severity text, details jsonb
                       )
                  JOIN bank_payment_batch batch ON batch.id = found.batch_id
                """,
                user=self.env.uid,
                rows=json.dumps([dict(zip(names, row, strict=True)) for row in found]),
            )
        )


class AccountPayment(models.Model):
    _inherit = "account.payment"

    bank_flag_ids = fields.One2many(
        "bank.payment.flag", "payment_id", string="Worth a look", readonly=True, copy=False,
        groups=ROLES,
    )
    bank_flag_text = fields.Text(
        string="Why it is worth a look", compute="_compute_bank_flag_text", compute_sudo=False,
        groups=ROLES,
    )

    @api.depends("bank_flag_ids.text")
    @api.depends_context("lang")
    def _compute_bank_flag_text(self):
        for payment in self:
            payment.bank_flag_text = "\n".join(payment.bank_flag_ids.mapped("text")) or False

from datetime import date, datetime

from odoo import api, fields, models
from odoo.tools import format_amount, format_date, format_datetime

SEVERITIES = [("high", "Check first"), ("medium", "Look"), ("note", "Info")]


class BankPaymentFlag(models.Model):
    """Something about a payment that deserves the approver's look. It decides nothing.

    Found when the batch is sealed, and kept as it was found: an auditor sees what the approver saw.
    """

    _name = "bank.payment.flag"
    _description = "Payment worth a look"
    _inherit = ["bank.engine.only"]
    _order = "severity, id"  # high, medium, note

    batch_id = fields.Many2one(
        "bank.payment.batch", required=True, readonly=True, index=True, ondelete="cascade"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    payment_id = fields.Many2one(
        "account.payment",
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
        help="Empty where the flag is about the whole batch.",
    )
    partner_id = fields.Many2one(related="payment_id.partner_id", string="Payee")
    currency_id = fields.Many2one(related="payment_id.currency_id")
    amount = fields.Monetary(related="payment_id.amount")
    code = fields.Selection(
        [
            ("first_payment", "First payment"),
            ("account_changed", "Other account"),
            ("account_edited", "Account edited"),
            ("account_new", "New account"),
            ("account_shared", "Shared account"),
            ("holder_unlike", "Holder's name"),
            ("duplicate_amount", "Paid lately"),
            ("duplicate_reference", "Same bill number"),
            ("rejected_by_hand", "Rejection by hand"),
            ("same_amount", "Same amount"),
            ("amount_unusual", "Unusual amount"),
            ("split", "Split"),
            ("below_limit", "Just below a limit"),
            ("odd_hour", "Odd hour"),
        ],
        string="What",
        required=True,
        readonly=True,
    )
    severity = fields.Selection(
        SEVERITIES,
        required=True,
        readonly=True,
    )
    color = fields.Integer(compute="_compute_color")
    details = fields.Json(readonly=True, help="The values of the sentence.")
    text = fields.Text(string="Why", compute="_compute_text")

    @api.depends("code")
    @api.depends_context("lang")
    def _compute_display_name(self):
        labels = dict(self._fields["code"]._description_selection(self.env))
        for flag in self:
            flag.display_name = labels.get(flag.code)

    @api.depends("severity")
    def _compute_color(self):
        # Of Odoo's palette: red, orange, light blue.
        colors = {"high": 1, "medium": 2, "note": 4}
        for flag in self:
            flag.color = colors.get(flag.severity, 0)

    @api.depends("code", "details")
    @api.depends_context("lang")
    def _compute_text(self):
        for flag in self:
            flag.text = getattr(flag, f"_say_{flag.code}")(flag.details or {})

    # -- sentences --------------------------------------------------------------------------

    def _say_first_payment(self, _details):
        return self.env._("Nothing was ever paid to this payee before.")

    def _say_account_changed(self, details):
        values = {
            "date": self._day(details["date"]),
            "old": details["old"],
            "new": details["new"],
        }
        if details["known"]:
            return self.env._(
                "The last payment, on %(date)s, went to the account ending in %(old)s. "
                "The one ending in %(new)s was paid to before.", **values,
            )  # fmt: skip
        return self.env._(
            "The last payment, on %(date)s, went to the account ending in %(old)s; this one goes "
            "to a new one ending in %(new)s.", **values,
        )  # fmt: skip

    def _say_account_edited(self, details):
        return self.env._(
            "The account's record was changed on %(date)s by %(user)s, after the last payment.",
            date=self._day(details["date"]),
            user=details.get("user") or self.env._("somebody"),
        )

    def _say_account_new(self, details):
        return self.env._("The account was entered on %s only.", self._day(details["date"]))

    def _say_account_shared(self, details):
        names = details.get("names") or []
        if not names:
            return self.env._("The same account belongs to another payee as well.")
        if details["count"] > len(names):
            return self.env._(
                "The same account belongs to other payees as well, among them %s.",
                ", ".join(names),
            )
        return self.env._("The same account also belongs to %s.", ", ".join(names))

    def _say_holder_unlike(self, details):
        return self.env._(
            "The account's holder is %(holder)s, the vendor is %(vendor)s.",
            holder=details["holder"],
            vendor=details["vendor"],
        )

    def _say_duplicate_amount(self, details):
        day = self._day(details["date"])
        if details.get("batch"):
            return self.env._(
                "The same amount to the same payee is in %(batch)s, for %(date)s.",
                batch=details["batch"],
                date=day,
            )
        return self.env._("The same amount went to the same payee on %s.", day)

    def _say_duplicate_reference(self, details):
        return self.env._(
            "The vendor's number %(reference)s is on another bill as well, which is paid or about "
            "to be: %(bill)s.",
            reference=details["reference"],
            bill=details["bill"],
        )

    def _say_rejected_by_hand(self, details):
        return self.env._(
            "The bill was sent in %(batch)s already. That the bank did not pay it is known from a "
            "document that %(user)s brought in on %(date)s, not from the bank itself.",
            batch=details["batch"],
            user=details["user"],
            date=self._day(details["date"]),
        )

    def _say_same_amount(self, details):
        return self.env._("This batch pays this payee the same amount %s times.", details["count"])

    def _say_amount_unusual(self, details):
        return self.env._(
            "Far above this payee's usual amount of %(usual)s (the median of %(count)s payments).",
            usual=self._money(details["median"]),
            count=details["count"],
        )

    def _say_split(self, details):
        return self.env._(
            "%(count)s payments to this payee within %(days)s days are %(total)s together, which "
            "reaches the limit of %(limit)s that none of them reaches alone.",
            count=details["count"],
            days=details["days"],
            total=self._money(details["total"]),
            limit=self._money(details["limit"]),
        )

    def _say_below_limit(self, details):
        values = {
            "total": self._money(details["total"]),
            "limit": self._money(details["limit"]),
            "rule": details["rule"],
        }
        if self.payment_id:
            return self.env._(
                "This payment is %(total)s, just below %(limit)s, where the rule “%(rule)s” "
                "begins.", **values,
            )  # fmt: skip
        return self.env._(
            "The batch is %(total)s, just below %(limit)s, where the rule “%(rule)s” begins.",
            **values,
        )

    def _say_odd_hour(self, details):
        moment = format_datetime(
            self.env,
            datetime.fromisoformat(details["at"]),
            tz=details["zone"],
            dt_format="EEEE HH:mm",
        )
        values = {"moment": moment, "zone": details["zone"]}
        if details["weekend"]:
            return self.env._("Prepared at the weekend: %(moment)s (%(zone)s).", **values)
        return self.env._("Prepared at night: %(moment)s (%(zone)s).", **values)

    def _day(self, text):
        return format_date(self.env, date.fromisoformat(text))

    def _money(self, text):
        """An amount in the company's currency, as the reader writes it."""
        # A float, for the eye only: Odoo's formatter rounds it to the currency's decimals.
        return format_amount(self.env, float(text), self.company_id.sudo().currency_id)

    # -- guard ------------------------------------------------------------------------------

    def _engine_sentence(self):
        return self.env._("Flags are set when a batch is sent to approval.")

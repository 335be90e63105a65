"""Whose bank account it is that bookings come from: remembered where a person said so.

This is no bank account that could be paid to. A payee's account is entered, confirmed and trusted
in Odoo's own place, with its own control (see ``bank_account_change.py``): what is remembered here
names a partner on a booking, and nothing else.
"""

from odoo import api, fields, models

from .audit_mask import SEES_ACCOUNTS
from .bank_reconcile_rule_match import plain_number


class BankReconcilePartner(models.Model):
    _name = "bank.reconcile.partner"
    _description = "Partner Remembered for Bookings"
    _order = "partner_id, id"
    _rec_name = "partner_id"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, index=True, readonly=True,
        default=lambda self: self.env.company,
    )
    partner_id = fields.Many2one(
        "res.partner", required=True, check_company=True, ondelete="cascade", index=True
    )
    account_number = fields.Char(string="Other side's account", readonly=True, groups=SEES_ACCOUNTS)
    account_ends = fields.Char(string="Account", compute="_compute_account_ends")
    name_key = fields.Char(string="Name on the booking", readonly=True)
    create_uid = fields.Many2one("res.users", string="Said by", readonly=True)

    _key_uniq = models.UniqueIndex(
        "(company_id, COALESCE(account_number, ''), COALESCE(name_key, ''))",
        "A partner is remembered for this account and name already.",
    )

    @api.depends("account_number")
    def _compute_account_ends(self):
        for known, hidden in zip(self, self.sudo(), strict=True):  # sudo: only the ends are shown
            known.account_ends = ends(hidden.account_number)

    @api.model
    def _remember(self, line, partner):
        """Bookings like this one are this partner's, from now on.

        :return: whether there is anything to know them again by
        """
        number, name = _key(line)
        if not number and not name:
            return False
        # sudo: whole account numbers are hidden from some who may say whose booking it is.
        known = self.sudo().search(
            [
                ("company_id", "=", line.company_id.id),
                ("account_number", "=", number),
                ("name_key", "=", name),
            ]
        )
        if known:
            known.partner_id = partner
        else:
            self.sudo().create(
                {
                    "company_id": line.company_id.id,
                    "account_number": number,
                    "name_key": name,
                    "partner_id": partner.id,
                }
            )
        return True

    @api.model
    def _recall(self, lines):
        """Set the partner that people named for bookings of the same account and name."""
        # Odoo makes a booking anew for another partner: what is booked in part stays as it is.
        lines = lines.filtered(
            lambda line: not line.partner_id and not line._seek_for_lines()[2]
        )
        keys = {line: _key(line) for line in lines}
        # sudo: as above; what is found is written on lines that the caller may write.
        known = self.sudo().search(
            [
                ("company_id", "in", lines.company_id.ids),
                "|",
                ("account_number", "in", [number for number, _name in keys.values() if number]),
                ("name_key", "in", [name for _number, name in keys.values() if name]),
            ]
        )
        partners = {
            (one.company_id, one.account_number or False, one.name_key or False): one.partner_id
            for one in known
            if one.partner_id.active
        }
        named = {}
        for line, (number, name) in keys.items():
            partner = partners.get((line.company_id, number, name))
            if partner:
                named[partner] = named.get(partner, lines.browse()) + line
        for partner, some in named.items():
            some.partner_id = partner
        return lines.browse().union(*named.values())


def _key(line):
    """What a booking is known again by: its other side's account and name, both or one."""
    number = plain_number(line.account_number) or False
    name = " ".join((line.partner_name or "").casefold().split()) or False
    return number, name


def ends(number):
    """An account number, so that it can be told apart but not used."""
    number = plain_number(number)
    if not number:
        return False
    return f"{number[:4]}…{number[-4:]}" if len(number) > 10 else f"…{number[-2:]}"

"""What makes a bank account the payee's: the data that a second person confirms.

The values are compared in SQL, in one form only, so that a change is noticed by whichever way it
came: through the ORM, from a bank's or a partner's own record, or by SQL.
"""

from odoo import models
from odoo.tools import SQL

# One row for each account: the alias ``account``, and ``identity`` as JSON.
_IDENTITY = SQL(
    """
    SELECT account.id,
           account.bank_trust,
           account.bank_confirmed,
           jsonb_build_object(
               'acc_number', NULLIF(account.sanitized_acc_number, ''),
               'partner_id', account.partner_id,
               'commercial_partner_id', partner.commercial_partner_id,
               'acc_holder_name', NULLIF(account.acc_holder_name, ''),
               'bank_id', account.bank_id,
               'bic', NULLIF(upper(replace(bank.bic, ' ', '')), ''),
               'clearing_number', NULLIF(account.clearing_number, ''),
               'currency_id', account.currency_id
           ) AS identity
      FROM res_partner_bank account
      JOIN res_partner partner ON partner.id = account.partner_id
 LEFT JOIN res_bank bank ON bank.id = account.bank_id
    """
)
# What of it an account's own fields hold.
WATCHED = {
    "acc_number",
    "sanitized_acc_number",
    "partner_id",
    "acc_holder_name",
    "bank_id",
    "clearing_number",
    "currency_id",
    "active",
}


class ResPartnerBank(models.Model):
    _inherit = "res.partner.bank"

    def _auto_init(self):
        """Accounts that were trusted before this module came stay usable, and are marked so.

        Done once, when the column appears: one statement, however many accounts there are.
        """
        self.env.cr.execute(
            "SELECT 1 FROM information_schema.columns "
            "WHERE table_name = 'res_partner_bank' AND column_name = 'bank_trust' "
            "AND table_schema = current_schema"
        )
        known = self.env.cr.fetchone()
        result = super()._auto_init()
        if not known:
            self._bank_take_over()
        return result

    def _bank_take_over(self):
        self.env.cr.execute(
            SQL(
                """
                UPDATE res_partner_bank
                   SET bank_trust = 'before', bank_confirmed = now.identity
                  FROM (%s) AS now
                 WHERE now.id = res_partner_bank.id AND res_partner_bank.allow_out_payment
                """,
                _IDENTITY,
            )
        )

    def _bank_keep_identity(self):
        """Keep the accounts' present data as what is confirmed."""
        self._bank_flush_identity()
        self.env.cr.execute(
            SQL(
                """
                UPDATE res_partner_bank
                   SET bank_confirmed = now.identity
                  FROM (%s WHERE account.id = ANY(%s)) AS now
                 WHERE now.id = res_partner_bank.id
                """,
                _IDENTITY,
                self.ids,
            )
        )
        self.invalidate_recordset(["bank_confirmed"])

    def _bank_unconfirmed(self):
        """Those of which nobody has confirmed the data that they hold now."""
        self._bank_flush_identity()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT id
                  FROM (%s WHERE account.id = ANY(%s)) AS now
                 WHERE bank_trust IS NULL
                    OR bank_trust NOT IN ('confirmed', 'before')
                    OR bank_confirmed IS DISTINCT FROM identity
                """,
                _IDENTITY,
                self.ids,
            )
        )
        return self.browse([row[0] for row in rows])

    def _bank_flush_identity(self):
        self.flush_model()
        self.env["res.bank"].flush_model(["bic"])
        self.env["res.partner"].flush_model(["commercial_partner_id"])

    def _bank_snapshot(self):
        """Account → its data in words, to say later what changed.

        :return: ``{id: {field: (value, text)}}``
        """
        # sudo: the partner may belong to a company that the user can't see; only compared here.
        snapshot = {}
        for account in self.sudo():
            partner, bank = account.partner_id, account.bank_id
            head = partner.commercial_partner_id
            bic = (bank.bic or "").replace(" ", "").upper()
            snapshot[account.id] = {
                "acc_number": (account.sanitized_acc_number or "", account.acc_number or ""),
                "partner_id": (partner.id, partner.name or ""),
                "commercial_partner_id": (head.id, head.name or ""),
                "acc_holder_name": (account.acc_holder_name or "",) * 2,
                "bank_id": (bank.id, bank.name or ""),
                "bic": (bic, bic),
                "clearing_number": (account.clearing_number or "",) * 2,
                "currency_id": (account.currency_id.id, account.currency_id.name or ""),
                "active": (account.active, self._bank_active_text(account.active)),
            }
        return snapshot

    def _bank_active_text(self, active):
        return self.env._("in use") if active else self.env._("archived")

    def _bank_differences(self, before):
        """What changed since a snapshot.

        :return: ``{id: {field: {"old": text, "new": text}}}``, only of accounts that changed
        """
        found = {}
        for id_, after in self._bank_snapshot().items():
            changes = {
                name: {"old": old[1], "new": after[name][1]}
                for name, old in before[id_].items()
                if old[0] != after[name][0]
            }
            # An account that is laid aside needs no second look, before it is taken up again.
            if not after["active"][0]:
                changes.pop("active", None)
            if "partner_id" in changes:
                changes.pop("commercial_partner_id", None)
            if changes:
                found[id_] = changes
        return found

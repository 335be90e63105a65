from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .engine import ENGINE

# The backstop below every route: whatever code reconciles, imports or writes SQL, the database
# refuses a second payment of an instalment that is on its way.
GUARD = """
CREATE OR REPLACE FUNCTION bank_connect_guard_reconcile() RETURNS trigger AS $$
DECLARE
    holder record;
BEGIN
    SELECT batch.name AS batch, item.move_name AS bill
      INTO holder
      FROM bank_payment_instalment instalment
      JOIN account_move_line item ON item.id = instalment.move_line_id
      JOIN account_move_line other ON other.id = CASE
               WHEN instalment.move_line_id = NEW.debit_move_id THEN NEW.credit_move_id
               ELSE NEW.debit_move_id
           END
      JOIN account_move entry ON entry.id = other.move_id
      JOIN account_payment payment ON payment.id = instalment.payment_id
 LEFT JOIN bank_payment_batch batch ON batch.id = payment.bank_batch_id
     WHERE instalment.live
       AND instalment.move_line_id IN (NEW.debit_move_id, NEW.credit_move_id)
       -- Its own payment may pay it, and a credit note that the same payment deducts.
       AND entry.origin_payment_id IS DISTINCT FROM instalment.payment_id
       AND NOT EXISTS (
               SELECT 1 FROM bank_payment_instalment sibling
                WHERE sibling.payment_id = instalment.payment_id
                  AND sibling.move_line_id = other.id
           )
       -- What a change of rates leaves over moves no money.
       AND NOT EXISTS (
               SELECT 1 FROM res_company company
                WHERE company.currency_exchange_journal_id = entry.journal_id
           )
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% is on its way to the bank in % and can''t be paid twice',
                        holder.bill, holder.batch
              USING ERRCODE = 'exclusion_violation';
    END IF;
    RETURN NEW;
END;
$$ LANGUAGE plpgsql;

DROP TRIGGER IF EXISTS bank_connect_guard_reconcile ON account_partial_reconcile;
CREATE TRIGGER bank_connect_guard_reconcile
    BEFORE INSERT OR UPDATE OF debit_move_id, credit_move_id ON account_partial_reconcile
    FOR EACH ROW EXECUTE FUNCTION bank_connect_guard_reconcile();
"""


class BankPaymentInstalment(models.Model):
    """One open instalment of a bill, and the payment that pays it.

    While ``live``, no other payment can take the same instalment: the database itself refuses a
    second live row, and a reconciliation with anything else. It is released when the bank's
    answer allows it, never before.
    """

    _name = "bank.payment.instalment"
    _description = "Instalment paid through the bank"
    _inherit = ["bank.engine.mixin"]
    _order = "payment_id, id"
    _check_company_auto = True

    payment_id = fields.Many2one(
        "account.payment", required=True, ondelete="cascade", index=True, check_company=True
    )
    move_line_id = fields.Many2one(
        "account.move.line",
        string="Instalment",
        required=True,
        ondelete="restrict",
        index=True,
        check_company=True,
    )
    move_id = fields.Many2one(related="move_line_id.move_id", store=True, index=True, string="Bill")
    company_id = fields.Many2one(related="payment_id.company_id", store=True)
    currency_id = fields.Many2one(related="payment_id.currency_id", store=True)
    amount = fields.Monetary(
        required=True, help="What is paid of the instalment; negative for a netted credit note."
    )
    discount = fields.Monetary(help="Early-payment discount taken on top of the amount.")
    live = fields.Boolean(default=True, readonly=True)

    _one_live_payment = models.UniqueIndex(
        "(move_line_id) WHERE live", "This instalment is already on its way to the bank."
    )

    def init(self):
        self.env.cr.execute(GUARD)

    @api.depends("move_id.name", "amount")
    def _compute_display_name(self):
        for instalment in self:
            instalment.display_name = self.env._(
                "%(bill)s: %(amount)s",
                bill=instalment.move_id.name,
                amount=instalment.currency_id.format(instalment.amount),
            )

    @api.model_create_multi
    def create(self, vals_list):
        instalments = super().create(vals_list)
        instalments.move_line_id._bank_touch()
        return instalments

    def _release(self):
        """Let the instalments be paid again."""
        live = self.filtered("live")
        live.write({"live": False})
        live.move_line_id._bank_touch()


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _bank_touch(self):
        """Make two transactions that would pay the same item collide.

        Each writes the item's row. Whichever commits second is told by PostgreSQL that its view
        of the row is old; Odoo then repeats it, and it sees the other's payment.
        """
        if self:
            self.env.execute_query(
                SQL(
                    "UPDATE account_move_line SET write_date = write_date WHERE id IN %s "
                    "RETURNING id",
                    tuple(sorted(self.ids)),
                )
            )

    def _bank_holders(self):
        """Who is paying these items right now: item → payment."""
        # sudo: everyone who would pay again must be told, whatever they may see of the batch.
        live = (
            self.env["bank.payment.instalment"]
            .sudo()
            .search([("move_line_id", "in", self.ids), ("live", "=", True)])
        )
        return {instalment.move_line_id: instalment.payment_id for instalment in live}

    def _bank_check_free(self, payment=None):
        """Refuse to pay items that are on their way in another payment.

        :raises UserError: says who is already paying what, and where
        """
        for item, holder in self._bank_holders().items():
            if holder != payment:
                raise UserError(
                    self.env._(
                        "%(bill)s is already being paid: %(batch)s, prepared by %(user)s, is on "
                        "its way to the bank. Wait for the bank's answer, or let the batch be "
                        "withdrawn.",
                        bill=item.move_name or item.move_id.display_name,
                        batch=holder.bank_batch_id.name or holder.display_name,
                        user=(holder.bank_batch_id.preparer_id or holder.create_uid).name,
                    )
                )


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        # The database refuses as well; here it is said in words, with names.
        items = self.env["account.move.line"].browse(
            {vals[side] for vals in vals_list for side in ("debit_move_id", "credit_move_id")}
        )
        holders = items._bank_holders()
        if holders:
            for vals in vals_list:
                pair = items.browse((vals["debit_move_id"], vals["credit_move_id"]))
                self._bank_check_pair(pair, holders)
        return super().create(vals_list)

    def _bank_check_pair(self, pair, holders):
        for item in pair:
            holder = holders.get(item)
            other = pair - item
            if holder and not (
                other.move_id.origin_payment_id == holder
                or other in holder.sudo().bank_instalment_ids.move_line_id
                or other.journal_id == other.company_id.currency_exchange_journal_id
            ):
                item._bank_check_free()

    def _get_to_update_payments(self, from_state):
        # Odoo guesses by the amount which payment without an entry was meant. One that is at the
        # bank is known exactly, and is marked by the bank's booking alone.
        payments = super()._get_to_update_payments(from_state)
        if from_state == "in_process":
            payments = payments.filtered(lambda payment: not payment.bank_batch_id)
        return payments

    def unlink(self):
        self._bank_check_not_live()
        return super().unlink()

    def _bank_check_not_live(self):
        """What a live payment pays stays paid by it, until the bank's answer says otherwise."""
        from_engine = self.env.context.get("bank_engine") is ENGINE
        items = self.debit_move_id | self.credit_move_id
        if from_engine or not items:
            return
        # sudo: as above, only to refuse in time.
        payments = items.sudo().move_id.origin_payment_id.filtered("bank_batch_id")
        if payments:
            payments._bank_check_not_live()

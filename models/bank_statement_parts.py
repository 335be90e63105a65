"""What the parts of a booking become as journal items: amounts, currencies, taxes, discounts.

A part says what some of a statement line's amount is for. Its ``amount`` is in the line's currency
(the foreign one where the line has one), with the line's sign: of a debit of 100 for a bill of 98
and a fee, the parts are -98.00 and -2.00.
"""

from dataclasses import dataclass, field

from odoo import models
from odoo.exceptions import UserError

from .bank_statement_candidates import SENT


@dataclass
class Part:
    """One part, ready to be booked.

    :ivar share: of the line's amount, in its currency and with its sign
    :ivar items: values of journal items; the first is reconciled with the targets
    :ivar targets: open journal items that it clears
    :ivar payment: the payment that it executes or brings back, if any
    :ivar back: it brings the payment back
    :ivar made: the first journal item, once it is there
    """

    share: float
    items: list
    targets: models.Model
    payment: models.Model = field(default=None)
    back: bool = False
    made: models.Model = field(default=None)

    @property
    def settles(self):
        """Whether it executes a payment that was sent to the bank."""
        return bool(self.payment and self.payment.bank_batch_id and not self.back)


class AccountBankStatementLine(models.Model):
    _inherit = "account.bank.statement.line"

    def _bank_part_rows(self, suspense, parts, returned=()):
        """Work out one line's parts.

        :param suspense: the line's open journal item, of which the parts are taken
        :param parts: as :meth:`_bank_reconcile` takes them
        :param returned: payments that the line brings back, besides
        :return: list of :class:`Part`; together they never take more than is open
        """
        self.ensure_one()
        currency = suspense.currency_id
        left = -suspense.amount_currency
        rows = [self._bank_part(suspense, part) for part in self._bank_shares(suspense, parts)]
        rows += [self._bank_return_part(suspense, payment) for payment in returned]
        total = sum(row.share for row in rows)
        if currency.compare_amounts(abs(total), abs(left)) > 0 or (
            not currency.is_zero(total) and (total > 0) != (left > 0)
        ):
            raise UserError(
                self.env._(
                    "The parts make %(total)s, but only %(left)s of the booking is open.",
                    total=currency.format(total), left=currency.format(left),
                )
            )
        return rows

    # -- shares -----------------------------------------------------------------------------

    def _bank_shares(self, suspense, parts):
        """The parts with their amounts filled in: all that is open, as far as the line's amount
        reaches."""
        currency, left = suspense.currency_id, -suspense.amount_currency
        sized, open_ended = [], []
        for part in parts:
            part = dict(part)
            if part.get("payment_id") and part.get("amount") is None:
                payment = self.env["account.payment"].browse(part["payment_id"])
                sign = -1 if payment.payment_type == "outbound" else 1
                if payment.bank_booked and not payment.bank_returned and left * sign < 0:
                    sign, part["back"] = -sign, True  # it left before, and came back now
                part["share"] = sign * payment.amount
                if payment.currency_id != currency:
                    part["share"] = self._bank_rated(
                        part["share"], payment.currency_id, suspense
                    )
            elif part.get("amount") is not None:
                part["share"] = currency.round(float(part["amount"]))
            else:
                item = self.env["account.move.line"].browse(part["item_id"])
                part["share"] = self._bank_rated(
                    item.amount_residual_currency, item.currency_id, suspense, item
                )
                open_ended.append(part)
            sized.append(part)
        over = sum(part["share"] for part in sized) - left
        for part in reversed(open_ended):
            # Too much for this line: the last ones are paid in part.
            if (over > 0) != (left > 0) or (part["share"] > 0) != (left > 0):
                continue
            cut = min(abs(over), abs(part["share"])) * (1 if over > 0 else -1)
            part["share"] = currency.round(part["share"] - cut)
            over -= cut
        return [part for part in sized if not currency.is_zero(part["share"])]

    def _bank_rated(self, amount, currency, suspense, item=None):
        """An amount in the line's currency, at the line's own rate where it knows one."""
        ours = suspense.currency_id
        company = suspense.company_currency_id
        if currency == ours:
            return amount
        if currency == company and self.foreign_currency_id and suspense.balance:
            return ours.round(amount * suspense.amount_currency / suspense.balance)
        return currency._convert(amount, ours, self.company_id, self.date)

    # -- items ------------------------------------------------------------------------------

    def _bank_part(self, suspense, part):
        if part.get("back"):
            payment = self.env["account.payment"].browse(part["payment_id"])
            return self._bank_return_part(suspense, payment)
        if part.get("payment_id"):
            return self._bank_payment_part(suspense, part)
        if part.get("item_id"):
            return self._bank_item_part(suspense, part)
        return self._bank_account_part(suspense, part)

    def _bank_balance(self, suspense, amount):
        """What an amount in the line's currency is in the company's."""
        if not suspense.amount_currency:
            return 0.0
        rate = abs(suspense.balance / suspense.amount_currency)
        return suspense.company_currency_id.round(amount * rate)

    def _bank_item_part(self, suspense, part):
        item = self.env["account.move.line"].browse(part["item_id"])
        if not item.exists() or item.reconciled or item.parent_state != "posted":
            name = item.exists().display_name or ""
            raise UserError(self.env._("%s is not open any more.", name))
        if not item.account_id.reconcile:
            raise UserError(
                self.env._("Items of account %s are not reconciled.", item.account_id.display_name)
            )
        payment = item.move_id.origin_payment_id
        if payment.bank_batch_id and item.account_id == payment.outstanding_account_id:
            # What the bank was sent is executed by it whole.
            return self._bank_payment_part(
                suspense, {"payment_id": payment.id, "share": part["share"]}
            )
        share, company = part["share"], suspense.company_currency_id
        values = {
            "name": item.move_id.payment_reference or item.move_name or item.name,
            "account_id": item.account_id.id,
            "partner_id": item.partner_id.id,
            "currency_id": item.currency_id.id,
        }
        discounts = []
        balance = self._bank_balance(suspense, -share)
        if part.get("discount"):
            paid = self._bank_discounted(suspense, item, part)
            if item.currency_id == company != suspense.currency_id:
                balance = -paid  # the bank's rate makes an exchange difference, no discount
            discounts = self._bank_discount_items(item, paid, balance)
            taken = sum(found["amount_currency"] for found in discounts)
            written_off = sum(found["balance"] for found in discounts)
            values |= {"amount_currency": -paid - taken, "balance": balance - written_off}
        elif item.currency_id == suspense.currency_id:
            values |= {"amount_currency": -share, "balance": balance}
        elif item.currency_id == company:
            whole = part.get("amount") is None and company.is_zero(
                share - self._bank_rated(item.amount_residual, company, suspense)
            )
            balance = -item.amount_residual if whole else balance
            values |= {"amount_currency": balance, "balance": balance}
        else:
            paid = self._bank_item_amount(suspense, item, part)
            values |= {"amount_currency": -paid, "balance": balance}
        return Part(share, [values, *discounts], item)

    def _bank_item_amount(self, suspense, item, part):
        """How much of an item in a currency of its own is paid, in that currency."""
        if part.get("item_amount") is not None:
            return item.currency_id.round(float(part["item_amount"]))
        residual = item.amount_residual_currency
        whole = self._bank_rated(residual, item.currency_id, suspense)
        if not suspense.currency_id.compare_amounts(part["share"], whole):
            return residual
        paid = suspense.currency_id._convert(
            part["share"], item.currency_id, self.company_id, self.date
        )
        return residual if abs(paid) > abs(residual) else paid

    def _bank_discounted(self, suspense, item, part):
        """What is paid of an item that is closed with its discount, in the item's currency."""
        if item.currency_id == suspense.currency_id:
            return part["share"]
        if part.get("item_amount") is None and item.discount_amount_currency:
            return item.discount_amount_currency
        return self._bank_item_amount(suspense, item, part)

    def _bank_discount_items(self, item, paid, balance):
        """Journal items for an early-payment discount, on the accounts where Odoo books it.

        :param paid: what is paid of the item, in its own currency
        :param balance: the same in the company's currency, with the sign of what clears the item
        """
        company, rate = item.company_currency_id, abs(balance / paid)
        residual = item.amount_residual_currency
        values = self.env["account.move"]._get_invoice_counterpart_amls_for_early_payment_discount(
            [
                {
                    "aml": item,
                    "amount_currency": -residual,
                    "balance": company.round(-residual * rate),
                }
            ],
            company.round((residual - paid) * rate),
        )
        return [found for group in values.values() for found in group]

    def _bank_payment_part(self, suspense, part):
        payment = self.env["account.payment"].browse(part["payment_id"])
        batch = payment.bank_batch_id.sudo()  # sudo: only whether it left is asked
        if (
            payment.bank_booked
            or payment.state not in ("in_process", "paid")
            or (batch and batch.state not in SENT)  # it would be booked now, and leave later
        ):
            raise UserError(
                self.env._("%s does not wait for its booking.", payment.display_name)
            )
        share = part["share"]
        whole = self._bank_shares(suspense, [{"payment_id": payment.id}])[0]["share"]
        same = payment.currency_id == suspense.currency_id
        if payment.bank_batch_id and same and suspense.currency_id.compare_amounts(share, whole):
            raise UserError(
                self.env._(
                    "%(payment)s left for %(amount)s and is booked whole: what the bank took "
                    "more or less needs a part of its own.",
                    payment=payment.display_name, amount=payment.currency_id.format(payment.amount),
                )
            )
        discounts = [] if payment.move_id else payment._bank_discount_lines()
        account = payment.outstanding_account_id or payment.destination_account_id
        balance = self._bank_balance(suspense, -share)
        if same:
            amount = -share
        else:
            amount = payment.amount if payment.payment_type == "outbound" else -payment.amount
        items = [
            {
                "name": payment.end_to_end_id or payment.memo or payment.name,
                "account_id": account.id,
                "partner_id": payment.partner_id.id,
                "currency_id": payment.currency_id.id,
                "amount_currency": amount - sum(found["amount_currency"] for found in discounts),
                "balance": balance - sum(found["balance"] for found in discounts),
            },
            *discounts,
        ]
        targets = self.env["bank.statement.match"]._targets(payment)
        return Part(share, items, targets, payment)

    def _bank_return_part(self, suspense, payment):
        """A payment that comes back inside of a booking of several."""
        share = payment.amount if payment.payment_type == "outbound" else -payment.amount
        item = {
            "name": payment.end_to_end_id,
            "account_id": payment.destination_account_id.id,
            "partner_id": payment.partner_id.id,
            "currency_id": suspense.currency_id.id,
            "amount_currency": -share,
            "balance": self._bank_balance(suspense, -share),
        }
        nothing = self.env["account.move.line"]
        return Part(share, [item], nothing, payment.with_env(self.env), back=True)

    def _bank_account_part(self, suspense, part):
        """An amount that goes to an account, with taxes contained in it."""
        account = self.env["account.account"].browse(part["account_id"])
        taxes = self.env["account.tax"].browse(part.get("tax_ids") or [])
        amount = -part["share"]
        partner = self.env["res.partner"].browse(part.get("partner_id") or self.partner_id.id or [])
        values = {
            "name": part.get("name") or self.payment_ref,
            "account_id": account.id,
            "partner_id": partner.id,
            "currency_id": suspense.currency_id.id,
            "analytic_distribution": part.get("analytic_distribution") or False,
            "amount_currency": amount,
            "balance": self._bank_balance(suspense, amount),
        }
        items = [values]
        if taxes:
            items += self._bank_take_taxes(suspense, values, taxes, account, partner)
        return Part(part["share"], items, self.env["account.move.line"])

    def _bank_take_taxes(self, suspense, values, taxes, account, partner):
        """Lessen an item by the taxes that its amount contains; return the taxes' own items."""
        engine = self.env["account.tax"]
        uses, debit = set(taxes.mapped("type_tax_use")), values["amount_currency"] > 0
        base = engine._prepare_base_line_for_taxes_computation(
            {},
            account_id=account,
            partner_id=partner,
            currency_id=suspense.currency_id,
            tax_ids=taxes,
            price_unit=values["amount_currency"],
            quantity=1.0,
            sign=1,
            rate=abs(suspense.amount_currency / suspense.balance) if suspense.balance else 1.0,
            analytic_distribution=values["analytic_distribution"] or None,
            is_refund=("sale" in uses and debit) or ("purchase" in uses and not debit),
            special_mode="total_included",
            name=values["name"],
        )
        company = self.company_id
        engine._add_tax_details_in_base_lines([base], company)
        engine._round_base_lines_tax_details([base], company)
        engine._add_accounting_data_in_base_lines_tax_details([base], company)
        found = engine._prepare_tax_lines([base], company)
        items = [
            {name: value for name, value in item.items() if name in ITEM_OF_TAX}
            for item in found["tax_lines_to_add"]
        ]
        tags = found["base_lines_to_update"][0][1]["tax_tag_ids"]
        values |= {
            "tax_ids": [(6, 0, taxes.ids)],
            "tax_tag_ids": tags,
            # What taxes don't take is the account's: the amount paid is the bank's, to the cent.
            "amount_currency": values["amount_currency"] - sum(i["amount_currency"] for i in items),
            "balance": values["balance"] - sum(i["balance"] for i in items),
        }
        return items


# Of what Odoo's tax computation says of a tax item.
ITEM_OF_TAX = {
    "account_id",
    "amount_currency",
    "analytic_distribution",
    "balance",
    "currency_id",
    "group_tax_id",
    "name",
    "partner_id",
    "tax_base_amount",
    "tax_ids",
    "tax_repartition_line_id",
    "tax_tag_ids",
}

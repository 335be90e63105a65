"""What people do on the reconciliation screen: confirm, book, undo, name a partner.

Called by RPC. Odoo lets people who may invoice reconcile, but not write bookings of the bank; so
each method asks for that right, checks that the user may see everything that is named, and books
past the rights on the booking itself. A booking that somebody else touched meanwhile is told in a
sentence: what a person decides is about what they saw, and is done once or not at all.
"""

from decimal import Decimal, InvalidOperation

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

SLICE = 50  # bookings confirmed in one request
LOOKED_AT = 200  # bookings that one request looks through for sure suggestions


class BankReconcileScreen(models.AbstractModel):
    _inherit = "bank.reconcile.screen"

    # -- one booking ------------------------------------------------------------------------

    @api.model
    def apply(self, line_id, parts, stamp):
        """Book a booking on what a person chose.

        :param parts: as ``_bank_reconcile`` takes them
        :param stamp: what the booking stood at when the person looked
        :return: dict: ``line`` as it is now; ``conflict`` is a sentence where nothing was done
        """
        self._check_may()
        line = self._lines([line_id])
        conflict = self._changed_meanwhile(line, stamp)
        if conflict:
            return {"line": self._rows(line, booked=True)[0], "conflict": conflict}
        parts = self._checked_parts(line, parts)
        # sudo: see above; what the parts name was checked with the user's own rights.
        line.sudo()._bank_reconcile(parts)
        self._note_who(line)
        return {"line": self._rows(line, booked=True)[0], "conflict": False}

    @api.model
    def undo(self, line_id, stamp):
        """Take back what a booking is booked on; returned as :meth:`apply` does."""
        self._check_may()
        line = self._lines([line_id])
        conflict = self._changed_meanwhile(line, stamp)
        if not conflict:
            line.sudo().action_bank_undo()  # sudo: see above
            line.sudo().write({"bank_reconciled_at": False, "bank_reconciled_by_id": False})
        return {"line": self._rows(line, booked=True)[0], "conflict": conflict}

    @api.model
    def set_partner(self, line_id, partner_id, remember, stamp):
        """Name the partner of a booking, and of later ones like it if ``remember``."""
        self._check_may()
        line = self._lines([line_id])
        conflict = self._changed_meanwhile(line, stamp)
        if conflict:
            return {"line": self._rows(line)[0], "conflict": conflict, "remembered": False}
        partner = self.env["res.partner"].browse(partner_id or []).exists()
        partner.check_access("read")
        if partner.company_id and partner.company_id not in line.company_id.parent_ids:
            raise UserError(
                self.env._("%s is a partner of another company.", partner.display_name)
            )
        line.sudo().partner_id = partner  # sudo: see above
        remembered = bool(
            remember and partner and self.env["bank.reconcile.partner"]._remember(line, partner)
        )
        self.env["bank.audit.event"]._record(
            "booking_partner", line, company=line.company_id, entry=line.move_id.sudo().name,
            partner=partner.display_name or None, remembered=remembered,
        )
        return {"line": self._rows(line)[0], "conflict": False, "remembered": remembered}

    def _changed_meanwhile(self, line, stamp):
        """A sentence where the booking is not what the person saw; else it is locked for them."""
        busy = not line.sudo().try_lock_for_update()  # sudo: a lock is a write's right
        line.invalidate_recordset()
        if not busy and self._stamp(line) == stamp:
            return False
        # sudo: the name of who did it.
        who = line.sudo().bank_reconciled_by_id or line.move_id.sudo().write_uid
        if busy or not who or who == self.env.user:
            return self.env._("The booking was changed in the meantime: here it is as it is now.")
        return self.env._(
            "%(name)s changed the booking in the meantime: here it is as it is now.",
            name=who.name,
        )

    def _note_who(self, lines):
        # sudo: see above.
        lines.sudo().write(
            {"bank_reconciled_at": fields.Datetime.now(), "bank_reconciled_by_id": self.env.uid}
        )

    # -- what a browser sends ---------------------------------------------------------------

    def _checked_parts(self, line, parts):
        """The parts as ``_bank_reconcile`` takes them, once the user may see what they name.

        :raises AccessError: something is none of the user's business
        :raises UserError: something can't be
        """
        if not isinstance(parts, list) or not parts:
            raise UserError(self.env._("Choose first what the booking is for."))
        return [self._checked_part(line, part) for part in parts]

    def _checked_part(self, line, part):
        if part.get("item_id"):
            item = self.env["account.move.line"].browse(int(part["item_id"])).exists()
            item.check_access("read")
            if not item or item.company_id.root_id != line.company_id.root_id:
                raise UserError(self.env._("One of the items is not there any more."))
            amount = part.get("amount")
            return {
                "item_id": item.id,
                "amount": None if amount is None else self._amount(amount),
                **({"discount": True} if self._is_discounted(line, item, part) else {}),
            }
        if part.get("payment_id"):
            payment = self.env["account.payment"].browse(int(part["payment_id"])).exists()
            payment.check_access("read")
            if not payment or payment.journal_id != line.journal_id:
                raise UserError(self.env._("One of the payments is not there any more."))
            return {"payment_id": payment.id}
        return self._checked_write_off(line, part)

    def _is_discounted(self, line, item, part):
        """Whether an item is closed with its early-payment discount: that it has one, and that
        this is what is paid for it, is looked at here, whatever the browser says."""
        if part.get("discount") is not True:
            return False
        move, currency = item.move_id, item.currency_id
        eligible = move.is_invoice() and move._is_eligible_for_early_payment_discount(
            currency, line.date
        )
        if not eligible or currency != (line.foreign_currency_id or line.currency_id):
            return eligible
        paid = float(self._amount(part.get("amount")))
        return not currency.compare_amounts(paid, item.discount_amount_currency)

    def _checked_write_off(self, line, part):
        company = line.company_id
        account = self.env["account.account"].browse(int(part.get("account_id") or 0)).exists()
        taxes = self.env["account.tax"].browse(part.get("tax_ids") or []).exists()
        partner = self.env["res.partner"].browse(part.get("partner_id") or []).exists()
        for records in (account, taxes, partner):
            records.check_access("read")
        # sudo: whether an account is a bank's own is no secret.
        journals = self.env["account.journal"].sudo().search([("company_id", "=", company.id)])
        closed = journals.suspense_account_id + journals.default_account_id.filtered(
            lambda one: one.account_type in ("asset_cash", "liability_credit_card")
        )
        if not account or account in closed or not (
            account.sudo().company_ids & company.parent_ids
        ):
            raise UserError(
                self.env._("Choose an account to write off to: none of a bank or cash journal.")
            )
        if taxes.filtered(lambda tax: tax.company_id not in company.parent_ids):
            raise UserError(self.env._("A tax belongs to another company."))
        distribution = part.get("analytic_distribution") or False
        if distribution:
            distribution = {
                str(key): float(value) for key, value in distribution.items() if key != "__update__"
            }
        return {
            "account_id": account.id,
            "amount": self._amount(part.get("amount")),
            "name": str(part.get("name") or line.payment_ref or "")[:500],
            "tax_ids": taxes.ids,
            "analytic_distribution": distribution,
            "partner_id": partner.id or False,
        }

    def _amount(self, text):
        """A signed decimal text, as it came.

        :raises UserError: it is none
        """
        try:
            amount = Decimal(str(text))
        except InvalidOperation:
            amount = None
        if amount is None or not amount.is_finite() or not amount:
            raise UserError(self.env._("“%s” is no amount.", text))
        return str(amount)

    # -- many bookings ----------------------------------------------------------------------

    @api.model
    def preview(self, domain, score, offset=0):
        """Look through some open bookings for suggestions that are sure enough.

        :param score: the lowest score that counts as sure
        :return: dict: ``seen`` bookings of ``total``; ``ids`` of those with a sure suggestion;
            ``amounts``: currency's id → list of money in and money out, as text
        """
        self._check_may()
        model = self.env["account.bank.statement.line"]
        domain = Domain(domain) & Domain("is_reconciled", "=", False)
        lines = model.search(domain, offset=int(offset), limit=LOOKED_AT)
        sure = [line for line, _one in self._sure(lines, score)]
        amounts = {}
        for line in sure:
            sums = amounts.setdefault(line.currency_id, [0.0, 0.0])
            sums[line.amount < 0] += line.amount
        return {
            "seen": len(lines),
            "total": model.search_count(domain),
            "ids": [line.id for line in sure],
            "amounts": {
                currency.id: [self._text(amount, currency) for amount in sums]
                for currency, sums in amounts.items()
            },
        }

    @api.model
    def confirm(self, line_ids, score):
        """Book each of these on its best suggestion, where that is still sure enough.

        :return: dict: ``done`` (ids) and ``left`` (id → why), for at most :data:`SLICE`
        """
        self._check_may()
        lines = self._lines(line_ids[:SLICE])
        free = lines.sudo().try_lock_for_update().with_env(self.env)  # sudo: a write's right
        lines.invalidate_recordset()
        left = {line.id: self.env._("Somebody else works on it.") for line in lines - free}
        chosen = {}
        for line, suggestion in self._sure(free.filtered(lambda one: not one.is_reconciled), score):
            try:
                chosen[line] = self._checked_parts(line, parts_of(suggestion))
            except UserError as error:
                left[line.id] = str(error)
        for line in free:
            if line not in chosen and line.id not in left:
                left[line.id] = self.env._("It has no sure suggestion any more.")
        done = self._book_all(chosen, left)
        self._note_who(done)
        return {"done": done.ids, "left": left}

    def _sure(self, lines, score):
        """(line, its best suggestion) where that is sure enough; nothing is used twice."""
        found, taken = self._suggestions(lines, limit=1), set()
        for line in lines:
            for one in found.get(line.id, [])[:1]:
                used = {("item", item) for item in one["item_ids"]}
                used |= {("payment", payment) for payment in one["payment_ids"]}
                if one["score"] >= int(score) and not used & taken:
                    taken |= used
                    yield line, one

    def _book_all(self, chosen, left):
        """Book many at once; where Odoo refuses one, one by one, and it holds up no other."""
        done = self.env["account.bank.statement.line"]
        for lines in done.union(*chosen).grouped("company_id").values():
            parts_of = {line.sudo(): chosen[line] for line in lines}  # sudo: see above
            try:
                with self.env.cr.savepoint():
                    lines.sudo()._bank_reconcile_all(parts_of)
            except UserError:
                done += self._book_each(parts_of, left)
            else:
                done += lines
                self.env["bank.audit.event"]._record_each(
                    "booking_matched",
                    [
                        (
                            line,
                            {
                                "entry": line.move_id.name, "amount": str(line.amount),
                                "parts": len(parts), "open": str(line.amount_residual),
                            },
                        )
                        for line, parts in parts_of.items()
                    ],
                )
        return done

    def _book_each(self, parts_of, left):
        done = self.env["account.bank.statement.line"]
        for line, parts in parts_of.items():
            try:
                with self.env.cr.savepoint():
                    line._bank_reconcile(parts)
            except UserError as error:
                left[line.id] = str(error)
            else:
                done += line.with_env(self.env)
        return done

    # -- done, and to be done again by itself -------------------------------------------------

    @api.model
    def recent(self, limit=10):
        """What people reconciled last."""
        lines = self.env["account.bank.statement.line"].search(
            [("bank_reconciled_at", "!=", False)],
            order="bank_reconciled_at desc, id desc",
            limit=min(int(limit), 50),
        )
        rows = self._rows(lines, booked=True)
        for line, row in zip(lines, rows, strict=True):
            row["by"] = line.bank_reconciled_by_id.sudo().name  # sudo: the name of a colleague
        return rows

    @api.model
    def rule_from(self, line_id, part):
        """Defaults of a new rule that would have done what a person just did.

        :param part: the write-off, as :meth:`apply` takes it
        """
        self._check_may()
        line = self._lines([line_id])
        part = self._checked_write_off(line, part)
        text = constant_words(line.payment_ref or "")
        return {
            "default_name": (part["name"] if part["name"] != line.payment_ref else text) or text,
            "default_company_id": line.company_id.id,
            "default_journal_ids": line.journal_id.ids,
            "default_direction": "out" if line.amount < 0 else "in",
            "default_text": text or line.partner_name or False,
            "default_transaction_code": False if text else line.transaction_type,
            "default_account_id": part["account_id"],
            "default_tax_ids": part["tax_ids"],
            "default_analytic_distribution": part["analytic_distribution"],
            "default_partner_id": part["partner_id"],
            "default_label": part["name"] if part["name"] != line.payment_ref else False,
            "default_automatic": False,
        }


def parts_of(suggestion):
    """What confirming a suggestion books, as ``_bank_reconcile`` takes it."""
    discounted = suggestion.get("discounted", {})
    return [
        *(
            {"item_id": item, "amount": discounted.get(item), "discount": item in discounted}
            for item in suggestion["item_ids"]
        ),
        *({"payment_id": payment} for payment in suggestion["payment_ids"]),
        *suggestion["write_off"],
    ]


def constant_words(text):
    """The longest run of words without digits: what is the same in each month's booking."""
    best, run = [], []
    for word in [*text.split(), "0"]:
        if any(char.isdigit() for char in word):
            if len(" ".join(run)) > len(" ".join(best)):
                best = run
            run = []
        else:
            run.append(word)
    return " ".join(best)[:60].strip(" ,;:-/")

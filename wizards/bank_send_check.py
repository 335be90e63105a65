"""Every problem that would keep a payment from leaving, in words a person can act on."""

from collections import defaultdict
from datetime import datetime, timezone

from odoo import fields, models

from ..formats import pain001
from ..models import bank_payment_seal as seal
from ..models import format_texts


class BankSendWizardLine(models.TransientModel):
    _inherit = "bank.send.wizard.line"

    def _find_problems(self):
        """Line → its problems, as sentences. Reads only."""
        problems = defaultdict(list)
        taken, held = self._taken(), self._held()
        for line in self.filtered("selected"):
            found = line._document_problems(taken) or (
                line._account_problems() + line._payee_problems(held)
            )
            if found:
                problems[line] += found
        for find in ("_reference_problems", "_format_problems", "_credit_problems"):
            sound = self.filtered(lambda line: line.selected and line not in problems)
            for line, sentence in getattr(sound, find)():
                problems[line].append(sentence)
        return problems

    def _taken(self):
        """Instalments that are on their way already → where."""
        # sudo: another company's user must be told as well, and sees no more than the batch's name.
        live = (
            self.env["bank.payment.instalment"]
            .sudo()
            .search([("move_line_id", "in", self.move_line_id.ids), ("live", "=", True)])
        )
        return {instalment.move_line_id.id: instalment.payment_id for instalment in live}

    def _held(self):
        """Payees' accounts that wait for a confirmation → why."""
        held = {}
        for wizard in self.wizard_id:
            lines = self.filtered(lambda line, wizard=wizard: line.wizard_id == wizard)
            held |= lines.partner_bank_id._bank_hold_problems(wizard.company_id)
        return held

    def _document_problems(self, taken):
        """What speaks against paying this bill or payment at all."""
        self.ensure_one()
        item, move = self.move_line_id, self.move_id
        if self.payment_id:
            return self._payment_problems()
        if item.id in taken:
            payment = taken[item.id]
            return [
                self.env._(
                    "Already on its way in %(batch)s, prepared by %(user)s.",
                    batch=payment.bank_batch_id.name or payment.display_name,
                    user=payment.bank_batch_id.preparer_id.name or payment.create_uid.name,
                )
            ]
        if item.company_id != self.wizard_id.company_id:
            return [self.env._("The bill belongs to another company.")]
        if move.state != "posted":
            return [self.env._("The bill is not posted.")]
        if move.payment_state == "blocked":
            return [self.env._("The bill is blocked for payment.")]
        if item.reconciled or self.currency_id.is_zero(self.residual):
            return [self.env._("Nothing is open.")]
        if self.residual < 0 and not self.wizard_id.net_credit_notes:
            if move.is_sale_document(include_receipts=True):
                return [self.env._("This document brings money in: it can't be sent.")]
            return [
                self.env._(
                    "A credit note is not paid. Tick “Deduct credit notes”, or leave it out."
                )
            ]
        if self._registered_payment():
            return [
                self.env._(
                    "A payment for this bill is registered already: %s.",
                    self._registered_payment()[0].display_name,
                )
            ]
        problems = []
        if self.currency_id.compare_amounts(self.discount, self._discount()):
            problems.append(self.env._("The discount is not the one that the vendor grants."))
        if self.currency_id.compare_amounts(abs(self.amount), abs(self.residual)) > 0:
            problems.append(
                self.env._("More than what is open (%s).", self.currency_id.format(self.residual))
            )
        if self.residual > 0 and self.currency_id.compare_amounts(self.amount, 0) <= 0:
            problems.append(self.env._("The amount must be above zero."))
        if self.residual < 0 and self.currency_id.compare_amounts(self.amount, self.residual):
            problems.append(self.env._("A credit note is deducted as a whole."))
        return problems

    def _registered_payment(self):
        """Payments of this bill without an entry that are still being processed."""
        return self.move_id.matched_payment_ids.filtered(
            lambda payment: not payment.move_id and payment.state == "in_process"
        )

    def _payment_problems(self):
        payment = self.payment_id
        if payment.payment_type != "outbound":
            return [self.env._("This payment brings money in: it can't be sent.")]
        if payment.bank_batch_id and payment._bank_is_live():
            return [self.env._("Already on its way in %s.", payment.bank_batch_id.name)]
        if payment.state not in ("draft", "in_process") or payment.is_matched:
            return [self.env._("The payment is finished or cancelled.")]
        if payment.bank_batch_id:
            return [self.env._("The payment went through the bank before. Prepare a new one.")]
        if payment.payment_method_code != "bank_connect":
            return [self.env._("Choose the payment method “Bank Connect” on the payment.")]
        problems = []
        if self.currency_id.compare_amounts(self.amount, payment.amount):
            problems.append(self.env._("Change the amount on the payment itself."))
        if self.partner_bank_id != payment.partner_bank_id:
            problems.append(self.env._("Change the payee's account on the payment itself."))
        return problems

    def _account_problems(self):
        """What is wrong with our side: account, connection, day."""
        journal = self.journal_id
        if not journal:
            return [
                self.env._(
                    "No connected bank account is kept in %s. Connect one, or choose where to pay "
                    "from.",
                    self.currency_id.name,
                )
            ]
        problems = []
        company = self.wizard_id.company_id
        if not journal.filtered_domain(journal._check_company_domain(company)):
            problems.append(
                self.env._("%s belongs to another company.", journal.sudo().display_name)
            )
        if journal._bank_currency() != self.currency_id:
            problems.append(
                self.env._(
                    "%(journal)s is kept in %(theirs)s, the bill is in %(ours)s.",
                    journal=journal.display_name,
                    theirs=journal._bank_currency().name,
                    ours=self.currency_id.name,
                )
            )
        connection = journal.bank_connection_id
        if connection.state != "active":
            problems.append(
                self.env._("The bank connection of %s is not active.", journal.display_name)
            )
        if not journal.bank_account_id:
            problems.append(self.env._("%s has no bank account number.", journal.display_name))
        if not journal._bank_method_line():
            problems.append(
                self.env._("%s lacks the payment method “Bank Connect”.", journal.display_name)
            )
        if self.wizard_id.execution_date < fields.Date.context_today(self):
            problems.append(self.env._("The execution date is in the past."))
        return problems

    def _payee_problems(self, held):
        """What is wrong with the payee's account."""
        account, partner = self.partner_bank_id, self.partner_id
        if not partner:
            return [self.env._("The payee is missing.")]
        if not account:
            return [
                self.env._("%s has no bank account. Add one to the payee.", partner.display_name)
            ]
        problems = []
        if account in held:
            problems.append(held[account])
        if not account.active:
            problems.append(self.env._("The account %s is archived.", account.acc_number))
        if account.partner_id.commercial_partner_id != partner.commercial_partner_id:
            problems.append(
                self.env._(
                    "The account %(account)s belongs to %(owner)s, not to %(payee)s.",
                    account=account.acc_number,
                    owner=account.partner_id.display_name,
                    payee=partner.display_name,
                )
            )
        if account.currency_id and account.currency_id != self.currency_id:
            problems.append(
                self.env._(
                    "The account %(account)s takes %(currency)s only.",
                    account=account.acc_number,
                    currency=account.currency_id.name,
                )
            )
        if self._service_level() != "SEPA":
            if account.acc_type != "iban" and not account.bank_id.bic:
                problems.append(
                    self.env._(
                        "The account %s is no IBAN: the BIC of its bank is needed.",
                        account.acc_number,
                    )
                )
            if not account.partner_id.country_id or not account.partner_id.city:
                problems.append(
                    self.env._("Payments to this destination need the payee's town and country.")
                )
        return problems

    def _reference_problems(self):
        """References that the payments' texts have no room for."""
        found = []
        for payment in self._wanted_payments():
            long = payment.filtered(lambda line: not line._remittance_fits())
            found += [
                (
                    line,
                    self.env._(
                        "The reference is too long: banks carry 140 characters. "
                        "Shorten it on the bill."
                    ),
                )
                for line in long
            ]
            if not long and not payment._remittance_fits():
                found += [
                    (
                        line,
                        self.env._(
                            "The references of this payee are too long to share 140 "
                            "characters. Pay these bills one by one."
                        ),
                    )
                    for line in payment
                ]
        return found

    def _remittance_fits(self):
        try:
            self._remittance()
        except ValueError:
            return False
        return True

    def _wanted_payments(self):
        """These lines, grouped as they would be paid: one recordset for each payment."""
        return [
            payment
            for wizard in self.wizard_id
            for lines in wizard._batches(
                self.filtered(lambda line, wizard=wizard: line.wizard_id == wizard)
            ).values()
            for payment in wizard._payments(lines)
        ]

    def _format_problems(self):
        """What the bank's message can't carry, found by trying to write it."""
        found = []
        for (journal, currency, level), lines in self.wizard_id._batches(self).items():
            profile = journal.bank_connection_id.profile_id
            # Each line stands for a payment of its own: what is wrong shows where it belongs.
            payments = [line._as_payment(level) for line in lines if line.amount > 0]
            if not payments:
                continue
            batch = self.env["bank.payment.batch"].new(
                {
                    "journal_id": journal.id,
                    "currency_id": currency.id,
                    "execution_date": self.wizard_id.execution_date,
                    "service_level": level,
                    "instant": self.wizard_id.instant,
                }
            )
            content = seal.content_of(batch) | {"reference": "CHECK", "payments": payments}
            instruction = seal.instruction_from(content, datetime.now(timezone.utc))
            for problem in pain001.problems(instruction, profile.message_version, profile.charset):
                concerned = lines.filtered(
                    lambda line, problem=problem: f"LINE-{line.id}" == problem.end_to_end_id
                )
                sentence = format_texts.problem_text(self.env, problem)
                found += [(line, sentence) for line in concerned or lines]
        return found

    def _as_payment(self, level):
        return {
            **self._remittance(),
            "end_to_end_id": f"LINE-{self.id}",
            "uetr": None,
            "amount": seal.amount_text(self.amount, self.currency_id),
            "currency": self.currency_id.name,
            "payee": seal._party(
                self.partner_bank_id.partner_id, self.partner_bank_id.acc_holder_name
            ),
            "account": seal._account(self.partner_bank_id),
            "bic": seal._bic(self.partner_bank_id),
        }

    def _credit_problems(self):
        """Credit notes that exceed the bills they would be deducted from."""
        found = []
        for payment in self._wanted_payments():
            credits = payment.filtered(lambda line: line.residual < 0)
            if (
                credits
                and payment.currency_id.compare_amounts(sum(payment.mapped("amount")), 0) <= 0
            ):
                found += [
                    (
                        line,
                        self.env._(
                            "The credit notes of this payee are not less than the bills: "
                            "nothing is left to pay."
                        ),
                    )
                    for line in credits
                ]
        return found

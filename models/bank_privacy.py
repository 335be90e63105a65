"""What is held about a payee, and what of it can be erased.

Proofs of payments are kept as long as laws on bookkeeping ask (Regulation (EU) 2016/679, Art. 17
(3) b); when that time is over, the scheduled action erases them for everybody. What is asked for
before that is erased as far as nothing obliges to keep it, and the rest is named with its reason.
"""

from odoo import api, models
from odoo.exceptions import AccessError, UserError

from .evidence_plain import plain, slices

PARTNER = "name street street2 zip city country_id vat email phone create_date".split()
ACCOUNT = "acc_number acc_holder_name bank_id currency_id allow_out_payment active".split()
PAYMENT = (
    "end_to_end_id uetr date amount currency_id state bank_status bank_status_date bank_reason "
    "bank_reason_text bank_remittance bank_creditor_reference partner_bank_id bank_batch_id"
).split()
BOOKING = (
    "date amount currency_id payment_ref partner_name account_number bank_booking_date "
    "bank_message_id"
).split()
OVER = ("settled", "refused", "rejected", "cancelled")


class BankPrivacy(models.AbstractModel):
    _name = "bank.privacy"
    _description = "Data about a Payee"

    @api.model
    def _check_right(self):
        if not self.env.user.has_group("account_bank_connect.group_admin"):
            raise AccessError(
                self.env._("Only a bank administrator may export or erase a person's data.")
            )

    # -- what there is --------------------------------------------------------------------------

    @api.model
    def _payments(self, partner):
        """The person's payments over the bank, in the user's companies."""
        # sudo: a person's data is looked for everywhere in the user's companies; the caller has
        # checked that the user is an administrator.
        return (
            self.env["account.payment"]
            .sudo()
            .search(
                [
                    ("partner_id", "child_of", partner.ids),
                    ("bank_batch_id", "!=", False),
                    ("company_id", "in", self.env.companies.ids),
                ],
                order="id",
            )
        )

    @api.model
    def _bookings(self, partner):
        # sudo: as above.
        return (
            self.env["account.bank.statement.line"]
            .sudo()
            .search(
                [
                    ("partner_id", "child_of", partner.ids),
                    ("bank_message_id", "!=", False),
                    ("company_id", "in", self.env.companies.ids),
                ],
                order="id",
            )
        )

    @api.model
    def _packs(self, batches):
        """Evidence packs whose files hold one of these batches."""
        # sudo: as above.
        packs = self.env["bank.evidence.pack"].sudo()
        found = packs.search([("batch_id", "in", batches.ids), ("erased_date", "=", False)])
        others = packs.search([("batch_id", "=", False), ("erased_date", "=", False)])
        return found | others.filtered(
            lambda pack: any(
                batch.company_id == pack.company_id
                and pack.date_from <= batch.execution_date <= pack.date_to
                for batch in batches
            )
        )

    # -- export ---------------------------------------------------------------------------------

    @api.model
    def _held(self, partner):
        """Everything this module holds about a person, as plain values.

        :raises AccessError: the user is no bank administrator
        """
        self._check_right()
        partner.check_access("read")
        self.env["bank.audit.event"]._record("person_exported", company=self.env.company,
                                             partner=partner.id)
        # sudo: see `_payments`.
        person = partner.sudo().with_context(active_test=False)
        payments, bookings = self._payments(partner), self._bookings(partner)
        batches = payments.bank_batch_id
        held = {
            "person": plain(person, PARTNER),
            "accounts": [plain(account, ACCOUNT) for account in person.bank_ids.sorted("id")],
            "payments": [
                plain(payment, PAYMENT) for part in slices(payments) for payment in part
            ],
            "bookings": [plain(line, BOOKING) for part in slices(bookings) for line in part],
            "documents": [
                plain(message, ("name", "kind", "direction", "sha256", "size", "create_date",
                                "erased_date"))
                for message in (batches.message_ids_bank | bookings.bank_message_id).sorted("id")
            ],
            "sealed": [
                {"batch": batch.name, "payment": sealed}
                for batch in batches
                for sealed in self._sealed_of(batch, payments)
            ],
            "evidence_packs": self._packs(batches).mapped("name"),
        }
        held["account_changes"] = [plain(change) for change in self._account_changes(partner)]
        return held

    @api.model
    def _account_changes(self, partner):
        # sudo: see `_payments`. Accounts that are not used any more are the person's as well.
        accounts = self.env["res.partner.bank"].sudo().with_context(active_test=False)
        accounts = accounts.search([("partner_id", "child_of", partner.ids)])
        changes = self.env["bank.account.change"].sudo()
        companies = [*self.env.companies.ids, False]
        domain = [("account_id", "in", accounts.ids), ("company_id", "in", companies)]
        return changes.search(domain, order="id")

    def _sealed_of(self, batch, payments):
        mine = set(payments.mapped("end_to_end_id"))
        return [
            sealed
            for sealed in batch._sealed_payments()
            if sealed["end_to_end_id"] in mine
        ]

    # -- erasure --------------------------------------------------------------------------------

    @api.model
    def _erase(self, partner):
        """Erase what nothing obliges to keep.

        :return: list of sentences: what was erased, what stays and why
        :raises UserError: a payment to the person is on its way
        """
        self._check_right()
        partner.check_access("read")
        payments = self._payments(partner)
        self._refuse_while_open(payments)
        batches = payments.bank_batch_id
        due = self.env["bank.retention.due"]
        told, erased = [], {}
        for kind, what, records in (
            ("outgoing", self.env._("documents to the bank"), batches.message_ids_bank),
            ("incoming", self.env._("documents from the bank"), self._documents(partner, batches)),
            ("seal", self.env._("sealed copies of batches"), batches),
            ("account", self.env._("changes of accounts"), self._account_changes(partner)),
            # No law asks to keep what was never sent.
            ("unsent", self.env._("sealed copies of batches that never left"), batches),
        ):
            gone = self._due_now(kind, records)
            due._erase(kind, gone)
            erased[kind] = gone.ids
            if gone:
                told.append(self.env._("Erased: %(what)s, %(count)s.", what=what, count=len(gone)))
        packs = self._packs(batches)
        packs._erase()
        erased["pack"] = packs.ids
        if packs:
            told.append(self.env._("Erased: evidence packs, %s. Ask for new ones where needed.",
                                   len(packs)))
        self.env["bank.audit.event"]._record(
            "person_erased", company=self.env.company, partner=partner.id, **erased
        )
        return told + self._what_stays(partner, batches)

    def _refuse_while_open(self, payments):
        on_way = payments.filtered(
            lambda payment: payment._bank_is_live() or payment.bank_batch_id.state not in OVER
        )
        if on_way:
            raise UserError(
                self.env._(
                    "A payment to this person is still on its way in %s. Erase the data when the "
                    "bank has said its last word.",
                    ", ".join(sorted(set(on_way.bank_batch_id.mapped("name")))),
                )
            )

    def _documents(self, partner, batches):
        return batches.message_ids_bank | self._bookings(partner).bank_message_id

    def _due_now(self, kind, records):
        due, found = self.env["bank.retention.due"], records.browse()
        for cutoff, companies in self.env["bank.retention"].sudo()._cutoffs(kind).items():
            age = None if kind == "unsent" else cutoff
            # An account may be every company's; the records were chosen by company already.
            companies &= companies if kind == "account" else self.env.companies
            found |= due._due(kind, companies, age, only=records)
        return found

    def _what_stays(self, partner, batches):
        """One sentence for each thing that can't be erased, with its reason and its end."""
        retention = self.env["bank.retention"].sudo()
        told = []
        kept = batches.filtered("sealed_content")
        if kept:
            until = max(
                retention._keep_until("seal", batch.company_id, batch.execution_date)
                for batch in kept
            )
            told.append(
                self.env._(
                    "Kept until %(date)s: the proofs of payments in %(batches)s (sealed copies, "
                    "documents exchanged with the bank). Laws on bookkeeping ask for them; they "
                    "are erased by themselves when that time is over.",
                    date=until,
                    batches=", ".join(kept.mapped("name")),
                )
            )
        bookings = self._bookings(partner)
        if bookings:
            told.append(
                self.env._(
                    "Kept: bookings on the bank's statements, %s. They are the company's books.",
                    len(bookings),
                )
            )
        told.append(
            self.env._(
                "Not touched: the contact, its bank accounts, bills, journal entries and the "
                "messages below them. They are Odoo's; archive or anonymise the contact there "
                "when no bill has to be kept any more."
            )
        )
        told.append(
            self.env._(
                "Not touched: the audit trail. It can't be changed by anybody. It tells of people "
                "who act, of records by their number and of accounts by their last digits, and "
                "names no payee."
            )
        )
        return told

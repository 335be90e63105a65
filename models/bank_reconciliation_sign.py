"""Signing a bank reconciliation statement: the preparer, then another person.

What they sign is the SHA-256 of a canonical text of everything on the sheet; each signature is an
HMAC under a key that is not in the database, so that it can neither be written there by hand nor
moved to another sheet, person or time.
"""

from datetime import datetime, timezone

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.http import request
from odoo.tools import SQL

from . import bank_payment_seal as seal
from . import evidence_plain, keyring
from .bank_reconciliation import REVIEWERS
from .bank_reconciliation_line import COLUMNS
from .in_person import check_in_person, same_person

PURPOSE = "reconciliation"  # the key of the keyring that these signatures are made with
FORMAT = 1  # of the canonical text, so that a later one can be told apart
HEAD = (
    "name journal_id company_id currency_id company_currency_id foreign date version "
    "account_number ledger_account taken_on old_after bank_known statement_name "
    "statement_date coverage statement_balance since_count since_amount bank_balance "
    "book_receipt_total book_payment_total bank_adjusted account_balance outstanding_balance "
    "suspense_balance ledger_balance bank_receipt_total bank_payment_total ledger_adjusted "
    "difference clues ledger_balance_company ledger_adjusted_company ledger_adjusted_rate "
    "exchange_difference old_count carried_count settled_count"
).split()


class BankReconciliation(models.Model):
    _inherit = "bank.reconciliation"

    digest = fields.Char(
        string="SHA-256", readonly=True, index="btree_not_null",
        help="Of everything on the statement. It was made when the preparer signed.",
    )
    prepared_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    prepared_on = fields.Datetime(readonly=True)
    prepared_moment = fields.Char(readonly=True, help="ISO 8601 in UTC, with microseconds.")
    prepared_from = fields.Char(string="Prepared from address", readonly=True)
    prepared_signature = fields.Char(
        readonly=True, groups="account_bank_connect.group_auditor"
    )
    reviewed_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    reviewed_on = fields.Datetime(readonly=True)
    reviewed_moment = fields.Char(readonly=True, help="ISO 8601 in UTC, with microseconds.")
    reviewed_from = fields.Char(string="Reviewed from address", readonly=True)
    reviewed_signature = fields.Char(
        readonly=True, groups="account_bank_connect.group_auditor"
    )
    review_reason = fields.Text(
        string="Reviewer's reason", readonly=True,
        help="Why it was signed although something is unexplained or changed, or why it was sent "
        "back.",
    )
    may_prepare = fields.Boolean(compute="_compute_may_sign")
    may_review = fields.Boolean(compute="_compute_may_sign")
    needs_reason = fields.Boolean(compute="_compute_needs_reason")

    @api.depends("state", "prepared_by_id")
    @api.depends_context("uid")
    def _compute_may_sign(self):
        for sheet in self:
            sheet.may_prepare = sheet._allowed(sheet._check_preparer)
            sheet.may_review = sheet.state == "prepared" and sheet._allowed(sheet._check_reviewer)

    def _allowed(self, check):
        try:
            check()
        except AccessError:
            return False
        return True

    @api.depends("difference", "books_changed")
    def _compute_needs_reason(self):
        for sheet in self:
            sheet.needs_reason = sheet.books_changed or not sheet.currency_id.is_zero(
                sheet.difference
            )

    # -- signing ----------------------------------------------------------------------------------

    def action_prepare(self):
        """Sign as the preparer; from now on nothing on it changes.

        Who signs has seen what is signed: where the books changed since the draft was made, the
        draft is made anew instead, and the answer says so.
        """
        self.ensure_one()
        self._check_preparer()
        check_in_person(self.env)
        sheet = self._locked("draft").sudo()._engine()  # sudo: the state machine writes, no user
        if not sheet.bank_known:
            raise UserError(
                self.env._("There is no statement of the bank to compare the ledger with.")
            )
        if sheet._changes():
            sheet._take(self.env["bank.reconciliation.books"]._read(sheet.journal_id, sheet.date))
            return self._seen_anew()
        now, moment = self._moment()
        sheet.write(
            {
                "state": "prepared",
                "digest": seal.digest(sheet._canonical()),
                "prepared_by_id": self.env.uid,
                "prepared_on": now,
                "prepared_moment": moment,
                "prepared_from": self._address(),
            }
        )
        sheet.write({"prepared_signature": sheet._signature("prepared")})
        sheet._older_versions()._supersede(sheet)
        self._note("reconciliation_prepared", difference=sheet._plain("difference"))
        sheet._ask_to_review()
        return False

    def _seen_anew(self):
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "sticky": True,
                "title": self.env._("Not signed yet"),
                "message": self.env._(
                    "The books changed since this draft was made. It shows how they stand now: "
                    "look at it, and sign again."
                ),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def action_countersign(self, reason=None):
        """Sign as the reviewer: somebody else than the preparer.

        :param reason: why, where something is unexplained or the books changed since
        """
        self.ensure_one()
        self._check_reviewer()
        check_in_person(self.env)
        sheet = self._locked("prepared").sudo()._engine()  # sudo: as in `action_prepare`
        sheet._check_intact()
        reason = (reason or "").strip()
        if sheet.needs_reason and not reason:
            raise UserError(
                self.env._(
                    "There is an unexplained difference, or the books changed since it was "
                    "prepared. Send it back, or sign it and say why: auditors read it."
                )
            )
        now, moment = self._moment()
        sheet.write(
            {
                "state": "reviewed",
                "reviewed_by_id": self.env.uid,
                "reviewed_on": now,
                "reviewed_moment": moment,
                "reviewed_from": self._address(),
                "review_reason": reason or False,
            }
        )
        sheet.write({"reviewed_signature": sheet._signature("reviewed")})
        self._note(
            "reconciliation_reviewed", difference=sheet._plain("difference"), reason=reason or None
        )
        sheet._stop_asking()

    def action_send_back(self, reason):
        """Do not sign; the preparer makes a new version."""
        self.ensure_one()
        self._check_reviewer()
        if not (reason or "").strip():
            raise UserError(self.env._("Say what has to be put right."))
        sheet = self._locked("prepared").sudo()._engine()  # sudo: as in `action_prepare`
        sheet.write({"state": "returned", "review_reason": reason.strip()})
        self._note("reconciliation_returned", reason=reason.strip())
        sheet._stop_asking()
        sheet._tell_preparer(self.env._("Sent back: %s", reason.strip()))

    def _older_versions(self):
        return self.search(
            [
                ("journal_id", "=", self.journal_id.id),
                ("date", "=", self.date),
                ("version", "<", self.version),
                ("state", "in", ("prepared", "reviewed", "returned")),
            ]
        )

    def _supersede(self, newer):
        """A newer version is signed; what was signed before stays to be read."""
        self.write({"state": "superseded"})
        for sheet in self:
            sheet._note("reconciliation_superseded", by=newer.name)
            sheet._stop_asking()

    def _check_reviewer(self):
        """:raises AccessError: the user may not review this, or prepared it"""
        user = self.env.user
        if user._is_superuser() or not user.has_groups(REVIEWERS) or user.has_group(
            "account_bank_connect.group_auditor"
        ):
            raise AccessError(
                self.env._("Only an approver or a bank administrator may review a statement.")
            )
        for sheet in self:
            if same_person(user, sheet.prepared_by_id):
                raise AccessError(
                    self.env._("You prepared this statement: somebody else has to review it.")
                )

    def _moment(self):
        """:return: now, for the database and to the microsecond for the signature"""
        now = datetime.now(timezone.utc)
        return now.replace(tzinfo=None, microsecond=0), now.isoformat(timespec="microseconds")

    def _address(self):
        return request.httprequest.remote_addr if request else False

    def _note(self, kind, **details):
        self.env["bank.audit.event"]._record(
            kind, self, company=self.company_id, digest=self.digest, **details
        )

    # -- what is signed ---------------------------------------------------------------------------

    def _content(self):
        """Everything on the sheet, as plain values: amounts as decimal text."""
        self.ensure_one()
        # As the database has it, so that it is the same whenever it is read.
        self.flush_recordset()
        self.invalidate_recordset()
        sheet = self.with_context(lang="en_US")
        return {
            "format": FORMAT,
            **{name: sheet._plain(name) for name in HEAD},
            "lines": sheet._plain_lines(),
        }

    def _plain(self, name):
        """A field as plain value; names as they were, whatever is renamed later."""
        if name == "clues":
            return self.clues or []
        if name in ("journal_id", "company_id"):
            return {"id": self[name].id, "name": self[name.replace("_id", "_name")]}
        if self._fields[name].type == "many2one":
            return self[name].name
        return evidence_plain.value(self, name)

    def _plain_lines(self):
        """The items in their order, read at once; amounts to the cent of their currency."""
        self.env.flush_all()
        columns = SQL(", ").join(SQL.identifier(name) for name in COLUMNS)
        self.env.cr.execute(
            SQL(
                "SELECT %s FROM bank_reconciliation_line WHERE reconciliation_id = %s ORDER BY id",
                columns, self.id,
            )
        )
        rows = self.env.cr.dictfetchall()
        for row in rows:
            row["amount"] = evidence_plain.amount(row["amount"], self.currency_id)
            row["company_amount"] = evidence_plain.amount(
                row["company_amount"], self.company_currency_id
            )
            row["date"] = str(row["date"])
            row["first_date"] = str(row["first_date"]) if row["first_date"] else None
        return rows

    def _canonical(self):
        return seal.canonical(self._content())

    def _signed_values(self, role):
        """What a signature covers: who, what, when, from where."""
        return {
            "id": self.id,
            "role": role,
            "digest": self.digest,
            "user": self[f"{role}_by_id"].id,
            "moment": self[f"{role}_moment"],
            "address": self[f"{role}_from"] or None,
            "reason": (self.review_reason or None) if role == "reviewed" else None,
        }

    def _signature(self, role):
        try:
            return keyring.sign(seal.canonical(self._signed_values(role)).encode(), PURPOSE)
        except keyring.KeyringError as error:
            raise UserError(self.env["bank.connection"]._keyring_message(error)) from error

    # -- whether it still is what was signed ------------------------------------------------------

    def _faults(self):
        """What is wrong with a signed statement: codes ``content``, ``prepared``, ``reviewed``.

        :raises UserError: the key that signed is not configured here
        """
        self.ensure_one()
        # sudo: signatures are for auditors to see; everybody may know whether they hold.
        sheet = self.sudo()
        faults = []
        if sheet.digest and seal.digest(sheet._canonical()) != sheet.digest:
            faults.append("content")
        for role in ("prepared", "reviewed"):
            if not sheet[f"{role}_by_id"]:
                continue
            message = seal.canonical(sheet._signed_values(role)).encode()
            try:
                holds = keyring.verify(message, sheet[f"{role}_signature"], PURPOSE)
            except keyring.KeyringError as error:
                raise UserError(self.env["bank.connection"]._keyring_message(error)) from error
            if not holds:
                faults.append(role)
        return faults

    def _check_intact(self):
        if self._faults():
            raise UserError(
                self.env._("This statement was altered after it was signed. Tell an auditor.")
            )

    def action_verify(self):
        """Say whether figures and signatures are as they were signed."""
        self.ensure_one()
        self.check_access("read")
        faults = self._faults()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "danger" if faults else "success",
                "sticky": bool(faults),
                "message": self.env._("This statement was altered after it was signed.")
                if faults
                else self.env._("The figures and the signatures are as they were signed."),
            },
        }

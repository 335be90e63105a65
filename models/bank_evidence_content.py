"""What goes into an evidence pack: batches, bills, documents. The ledger: ``bank_evidence_ledger``;
people, rules and audit trail: ``bank_evidence_people``.
"""

import base64
import binascii
from pathlib import Path

from odoo import models
from odoo.exceptions import UserError

from . import evidence_plain
from .evidence_plain import plain, slices, stored
from .evidence_zip import safe_name

VERIFIER = Path(__file__).resolve().parents[1] / "report" / "verify.py"
README = """Evidence from Odoo, made by Bank Connect: {title}

batches/    each batch: what was sealed, who had to approve it and did, what approvers were shown
            of it, how payees' accounts were confirmed, its payments and their bills
bills/      the documents attached to the bills
messages/   every document exchanged with the bank, byte for byte; messages.json lists them
ledger/     bookings on the bank's statements, and journal entries
verification/ where bank and ledger disagreed, how it was explained and by whom; when it was looked
reconciliations/  signed bank reconciliation statements; SHA-256 of sheet.json is the digest on it
people/     who had which rights when this pack was made
rules/      the rules of approval and of keeping, as they were when this pack was made
audit/      the audit trail; events of other matters are there as digests only, so that the
            chain can be followed without showing them
manifest.json, manifest.sig.json    SHA-256 and size of every file; the signature of that list

To verify, with Python 3.8 or later and nothing else:

    python3 -I verify.py {file} --fingerprint "as Odoo shows it"

Take verify.py and the fingerprint from somewhere else than this pack. What the tables (.csv)
show starts with an apostrophe where a spreadsheet would take it for a formula.
"""

PAYMENT = (
    "id name end_to_end_id uetr date amount currency_id partner_id state bank_status "
    "bank_status_date bank_reason bank_reason_text bank_reference bank_booked bank_returned "
    "bank_remittance bank_creditor_reference create_uid create_date"
).split()
BILL = (
    "id name move_type ref partner_id invoice_date invoice_date_due amount_total amount_residual "
    "currency_id state payment_state create_uid create_date"
).split()
LINE = "id name quantity price_unit price_subtotal account_id tax_ids".split()
MESSAGE = (
    "id name connection_id direction kind purpose state sha256 size parent_id key remote_id "
    "attempts first_attempt last_attempt sent_date processed_date error_code error note "
    "create_date erased_date"
).split()


class BankEvidenceContent(models.AbstractModel):
    """Writes the parts of a pack. Whoever has more to prove extends :meth:`_parts`."""

    _name = "bank.evidence.content"
    _description = "Content of an Evidence Pack"

    def _write(self, pack, scope):
        """Write everything about a scope.

        :param pack: :class:`.evidence_zip.EvidenceZip`
        :param scope: a ``bank.evidence.pack``, as superuser: whoever asked for it may see all of
            the company's evidence, and evidence has no gaps that depend on who looks
        :return: what the list says beside the files
        """
        # A scheduled action has no company of its own; codes of accounts depend on it.
        company = scope.company_id
        content = self.with_company(company).with_context(allowed_company_ids=company.ids)
        scope = scope.with_env(content.env)
        batches = content._batches(scope)
        for part in content._parts():
            part(pack, scope, batches)
        title = f"{scope.batch_id.name or f'{scope.date_from} to {scope.date_to}'}, {company.name}"
        pack.add(
            "README.txt", README.format(title=title, file=scope._file_name()).encode()
        )
        pack.add("verify.py", VERIFIER.read_bytes())
        return {
            "scope": {
                "title": title,
                "company": evidence_plain.reference(company),
                "batch": batches[:1].reference if scope.batch_id else None,
                "from": str(scope.date_from) if scope.date_from else None,
                "to": str(scope.date_to) if scope.date_to else None,
            },
            "database": self.env["ir.config_parameter"].get_param("database.uuid"),
            "batches": [f"batches/{reference}" for reference in batches.mapped("reference")],
        }

    def _parts(self):
        return [self._write_batches, self._write_messages]

    def _batches(self, scope):
        if scope.batch_id:
            return scope.batch_id
        return self.env["bank.payment.batch"].search(
            [
                ("company_id", "=", scope.company_id.id),
                ("execution_date", ">=", scope.date_from),
                ("execution_date", "<=", scope.date_to),
            ],
            order="id",
        )

    # -- batches --------------------------------------------------------------------------------

    def _write_batches(self, pack, scope, batches):
        bills = set()
        for batch in slices(batches, 1):
            folder = f"batches/{batch.reference}"
            pack.add_json(f"{folder}/batch.json", self._batch(batch))
            if batch.sealed_content:
                pack.add(f"{folder}/sealed.json", batch.sealed_content.encode())
            self._write_decisions(pack, folder, batch)
            self._write_account_changes(pack, folder, batch)
            self._write_payments(pack, folder, batch)
            bills |= self._write_bills(pack, folder, batch)
        self._write_attachments(pack, bills)

    def _batch(self, batch):
        names = [name for name in stored(batch) if name != "sealed_content"]
        return {**plain(batch, names), "seal_signature": batch.seal_signature or None}

    def _write_decisions(self, pack, folder, batch):
        """What had to be approved, what the approvers were shown, and what they decided."""
        for name, model in (("steps", "bank.approval.step"), ("flags", "bank.payment.flag")):
            found = self.env[model].search([("batch_id", "=", batch.id)], order="id")
            rows = (plain(each) for part in slices(found) for each in part)
            pack.add_table(f"{folder}/{name}", stored(found), rows)
        approvals = [self._approval(approval) for approval in batch.approval_ids.sorted("id")]
        pack.add_json(f"{folder}/approvals.json", approvals)
        resolutions = self.env["bank.resolution"].search(
            [("batch_id", "=", batch.id)], order="id"
        )
        pack.add_json(f"{folder}/resolutions.json", [plain(each) for each in resolutions])
        for resolution in resolutions:
            for attachment in resolution.evidence_ids.sorted("id"):
                name = f"{attachment.id}-{safe_name(attachment.name)}"
                pack.add(f"{folder}/resolutions/{name}", attachment.raw or b"")

    def _write_account_changes(self, pack, folder, batch):
        """What was changed about the payees' accounts, and who confirmed it how."""
        paid_to = self.env["account.payment"]._read_group(
            [("bank_batch_id", "=", batch.id)], ["partner_bank_id"]
        )
        accounts = [account.id for (account,) in paid_to]
        changes = self.env["bank.account.change"].search(
            [("account_id", "in", accounts)], order="id"
        )
        evidence = changes.evidence_ids.sorted("id")
        rows = (plain(change) for part in slices(changes) for change in part)
        pack.add_table(f"{folder}/account_changes", stored(changes), rows)
        for attachment in slices(evidence, 1):
            name = f"{attachment.id}-{safe_name(attachment.name)}"
            pack.add(f"{folder}/account_changes/{name}", attachment.raw or b"")

    def _approval(self, approval):
        try:
            holds = approval._signature_holds()
        except UserError:
            holds = None  # the key that signed it is not configured here any more
        return {
            **plain(approval),
            "signature": approval.signature or None,
            "signature_valid": holds,
        }

    def _write_payments(self, pack, folder, batch):
        payments = self.env["account.payment"].search(
            [("bank_batch_id", "=", batch.id)], order="id"
        )
        account = ["account", "bic", "bills"]
        pack.add_table(
            f"{folder}/payments",
            [*PAYMENT, *account],
            (self._payment(payment) for part in slices(payments) for payment in part),
        )

    def _payment(self, payment):
        instalments = payment.bank_instalment_ids.sorted("id")
        return {
            **plain(payment, PAYMENT),
            "account": payment.partner_bank_id.acc_number or None,
            "bic": payment.partner_bank_id.bank_bic or None,
            "bills": instalments.move_id.mapped("name"),
            "instalments": [
                {
                    "bill_id": instalment.move_id.id,
                    "amount": evidence_plain.value(instalment, "amount"),
                    "discount": evidence_plain.value(instalment, "discount"),
                }
                for instalment in instalments
            ],
        }

    # -- bills ----------------------------------------------------------------------------------

    def _write_bills(self, pack, folder, batch):
        """:return: the ids of the batch's bills"""
        found = self.env["bank.payment.instalment"]._read_group(
            [("payment_id.bank_batch_id", "=", batch.id)], ["move_id"]
        )
        bills = self.env["account.move"].browse(sorted(bill.id for (bill,) in found))
        ids = set(bills.ids)
        pack.add_table(
            f"{folder}/bills",
            BILL,
            (self._bill(bill, lines) for bill, lines in self._with_lines(bills)),
        )
        return ids

    def _with_lines(self, bills):
        """Each bill with its lines; those of a slice of bills are read together."""
        for part in slices(bills):
            everyones = part.invoice_line_ids.ids
            for bill in part:
                yield bill, bill.invoice_line_ids.sorted("id").with_prefetch(everyones)

    def _bill(self, bill, lines):
        return {
            **plain(bill, BILL),
            "lines": [plain(line, LINE) for line in lines if line.display_type == "product"],
        }

    def _write_attachments(self, pack, bill_ids):
        """The bills' documents, each once, whatever the number of batches that paid a bill."""
        ids = sorted(bill_ids)
        for start in range(0, len(ids), 1000):
            attachments = self.env["ir.attachment"].search(
                [
                    ("res_model", "=", "account.move"),
                    ("res_id", "in", ids[start : start + 1000]),
                    ("type", "=", "binary"),
                    # Naming the field at all makes Odoo show those of fields too.
                    "|",
                    ("res_field", "=", False),
                    ("res_field", "!=", False),
                ],
                order="id",
            )
            for attachment in slices(attachments, 1):
                name = f"{attachment.id}-{safe_name(attachment.name)}"
                pack.add(f"bills/{attachment.res_id}/{name}", attachment.raw or b"")

    # -- documents ------------------------------------------------------------------------------

    def _write_messages(self, pack, scope, batches):
        rows = []
        for message in slices(self._messages(scope, batches), 1):
            row = {
                **plain(message, MESSAGE),
                "path": None,
                "batch": message.batch_id.reference or None,
            }
            if not message.erased_date:
                name = f"{message.id}-{safe_name(message.name)}"
                row["path"] = f"messages/{message.direction}/{name}"
                # As they are, altered or not: the verifier is to see it.
                pack.add(row["path"], _bytes(message.with_context(bin_size=False).content))
            rows.append(row)
        pack.add_json("messages/messages.json", rows)

    def _messages(self, scope, batches):
        """Documents of the batches, and those by which the bank reported their bookings."""
        messages = self.env["bank.message"]
        domain = [("batch_id", "in", batches.ids)]
        reported = self.env["account.bank.statement.line"]._read_group(
            [
                ("id", "in", self._statement_lines(scope, batches).ids),
                ("bank_message_id", "!=", False),
            ],
            ["bank_message_id"],
        )
        found = messages.search(domain).union(*(message for (message,) in reported))
        if not scope.batch_id:
            found |= messages.search(
                [
                    ("company_id", "=", scope.company_id.id),
                    ("create_date", ">=", scope.date_from),
                    ("create_date", "<", scope._day_after()),
                ]
            )
        return found.sorted("id")


def _bytes(content):
    """What a binary field holds; as it stands where somebody wrote into it what is no base64."""
    try:
        return base64.b64decode(content or b"")
    except binascii.Error:
        return content

"""Putting accounts on hold: written down, untrusted, and told to those who may confirm."""

import json

from odoo import SUPERUSER_ID, api, fields, models

from .engine import ENGINE

# A call that touches more accounts than this is an import: they wait in the list, without a task
# for each.
TASKS_AT_ONCE = 20
# What a bank says of a payee's account that will not take the next payment either (ISO 20022
# ExternalStatusReason1Code and ExternalReturnReason1Code, June 2025). AC02 and AC05 are ours.
ACCOUNT_REASONS = {"AC01", "AC03", "AC04", "AC06", "AC07", "BE01", "MD07", "RC04"}
CONFIRMING = ("account_bank_connect.group_approver", "account.group_validate_bank_account")


class ResPartnerBank(models.Model):
    _inherit = "res.partner.bank"

    def _bank_hold(self, reason):
        """Put accounts on hold for a reason that somebody has to look into.

        :param reason: one sentence; colleagues read it
        """
        self._bank_put_on_hold("hold", reason=reason)

    def _bank_note_new(self):
        """New accounts: on hold from the beginning."""
        values = {
            id_: {
                name: {"old": "", "new": text}
                for name, (_value, text) in after.items()
                if text and name not in ("active", "commercial_partner_id")
            }
            for id_, after in self._bank_snapshot().items()
        }
        self._bank_write_down("created", values)
        suppliers = self.filtered(lambda account: account.sudo().partner_id.supplier_rank)
        suppliers._bank_ask_people()

    def _bank_put_on_hold(self, kind, values=None, reason=False):
        """Nothing is paid to these until somebody has confirmed them.

        :param kind: of ``bank.account.change``
        :param values: account id → what changed, as ``_bank_differences`` gives it
        :param reason: why, where no value changed
        """
        if not self:
            return
        changes = self._bank_write_down(kind, values or {}, reason)
        known = self.filtered(lambda account: account.bank_trust in ("confirmed", "before"))
        # Set for all: an account that only SQL had changed is on hold in the books as well.
        self._bank_account_engine().write({"bank_trust": "hold"})
        payees = self._bank_payees()
        trusted = payees.filtered("allow_out_payment")
        if trusted:
            trusted._bank_account_engine().write({"allow_out_payment": False})
        changes._say()
        (known | trusted | payees.filtered("partner_id.supplier_rank"))._bank_ask_people()

    def _bank_write_down(self, kind, values, reason=False):
        """One change for each account, made at once."""
        now = fields.Datetime.now()
        # sudo: the history is written here only, by nobody's hand.
        model = self.env["bank.account.change"].sudo().with_context(bank_account_engine=ENGINE)
        changes = model.create(
            [
                {
                    "account_id": account.id,
                    "payee": account.partner_id.name or account.acc_number,
                    "number": account.acc_number,
                    "own": bool(account.partner_id.ref_company_ids),
                    "user_id": self.env.uid,
                    "date": now,
                    "kind": kind,
                    "values": values.get(account.id) or {},
                    "reason": reason,
                }
                for account in self.sudo()
            ]
        )
        changes._record_event("account_changed")
        return changes

    # -- who is asked ---------------------------------------------------------------------------

    @api.model
    def _bank_confirmers(self):
        """Everybody who may confirm accounts, not yet looked at who changed what."""
        # sudo: who may confirm is no secret, but users' groups and companies are not for all.
        users = self.env["res.users"].sudo()
        for name in CONFIRMING:
            users |= self.env.ref(name).sudo().all_user_ids
        return users.filtered(
            lambda user: user.active and not user.share and user.id != SUPERUSER_ID
        ).sorted("id")

    def _bank_may_be_confirmed_by(self, users, changers):
        """Those of ``users`` (with sudo) who may confirm this account."""
        company = self.sudo().company_id
        return users.filtered(
            lambda user: (
                user.partner_id not in changers.partner_id
                and (not company or company in user.company_ids)
            )
        )

    def _bank_ask_people(self):
        """One task for each account, spread over those who may confirm it."""
        payees = self._bank_payees()
        if not payees or len(payees) > TASKS_AT_ONCE:
            return
        kind = self.env.ref("account_bank_connect.activity_confirm_account")
        # sudo: whoever changes an account may not see other people's tasks.
        tasks = self.env["mail.activity"].sudo()
        asked = tasks.search(
            [
                ("res_model", "=", self._name),
                ("res_id", "in", payees.ids),
                ("activity_type_id", "=", kind.id),
            ]
        )
        people, changers = self._bank_confirmers(), payees._bank_changers()
        model = self.env["ir.model"]._get_id(self._name)
        values = []
        for account in payees.filtered(lambda account: account.id not in asked.mapped("res_id")):
            free = account._bank_may_be_confirmed_by(people, changers[account.id])
            if free:
                values.append(
                    {
                        "res_model_id": model,
                        "res_id": account.id,
                        "activity_type_id": kind.id,
                        "automated": True,
                        "user_id": free[account.id % len(free)].id,
                        "summary": self.env._(
                            "Confirm the account of %s", account.sudo().partner_id.display_name
                        ),
                    }
                )
        tasks.create(values)

    def _bank_changers(self):
        """Account id → who entered or changed it since it was last confirmed."""
        # sudo: who may confirm depends on all changes, whichever the user may see.
        changes = (
            self.env["bank.account.change"]
            .sudo()
            .search([("account_id", "in", self.ids)], order="id")
        )
        found = {account.id: self.env["res.users"].sudo() for account in self}
        for account in self.sudo():
            if not account.bank_confirmed:
                found[account.id] |= account.create_uid
        refused = {id_: self.env["res.users"].sudo() for id_ in found}
        for change in changes:
            id_ = change.account_id.id
            if change.state == "pending":
                found[id_] |= change.user_id
            elif change.state == "refused":
                refused[id_] |= change.user_id
            else:
                refused[id_] = self.env["res.users"].sudo()
        return {id_: users | refused[id_] for id_, users in found.items()}

    # -- may it be paid to ----------------------------------------------------------------------

    def _bank_hold_problems(self, company):
        """Why ``company`` may not pay to some of these accounts, in sentences.

        :return: account → sentence; who may be paid to is not in it
        """
        # sudo: whether an account may be paid to does not depend on what the user may read of it.
        accounts = self.sudo()
        distrusted = accounts.filtered(lambda account: not account.allow_out_payment)
        if not company.sudo().bank_account_control:
            return {
                account.with_env(self.env): self.env._(
                    "The account %s is not trusted yet. Somebody with the right to validate bank "
                    "accounts has to confirm it.",
                    account.acc_number,
                )
                for account in distrusted
            }
        held = accounts._bank_unconfirmed() | distrusted
        if not held:
            return {}
        people, changers = self._bank_confirmers(), held._bank_changers()
        return {
            account.with_env(self.env): account._bank_hold_sentence(
                account._bank_may_be_confirmed_by(people, changers[account.id])
            )
            for account in held
        }

    def _bank_hold_sentence(self, people):
        change = self.bank_change_ids.sorted("id")[-1:]
        names = ", ".join(people[:3].mapped("name"))
        values = {
            "account": self.acc_number,
            "user": change.user_id.name,
            "day": fields.Date.to_string(change.date),
            "reason": change.reason or "",
        }
        if change.state == "refused":
            return self.env._(
                "The account %(account)s was refused by %(decider)s: %(note)s Correct it; it is "
                "then confirmed anew.",
                decider=change.decider_id.name, note=change.note, **values,
            )
        if change.state != "pending":
            what = self.env._(
                "The account %(account)s is on hold: nobody has confirmed what it says now.",
                **values,
            )
        elif change.kind == "created":
            what = self.env._(
                "The account %(account)s is on hold: %(user)s entered it on %(day)s.", **values
            )
        elif change.kind == "changed":
            what = self.env._(
                "The account %(account)s is on hold: %(user)s changed it on %(day)s.", **values
            )
        elif change.kind == "asked":
            what = self.env._(
                "The account %(account)s is on hold: %(user)s asked on %(day)s to confirm it.",
                **values,
            )
        else:
            what = self.env._(
                "The account %(account)s is on hold since %(day)s: %(reason)s", **values
            )
        if not people:
            who = self.env._(
                "Nobody but who changed it may confirm accounts: ask the administrator for "
                "somebody who may."
            )
        elif change.state != "pending":
            who = self.env._(
                "Press “Ask for confirmation” on the account; then one of these can confirm it: "
                "%s.",
                names,
            )
        else:
            who = self.env._(
                "Has to be confirmed under Bank Connect ▸ Accounts to confirm, by one of: %s.",
                names,
            )
        return f"{what} {who}"


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def _bank_hold_accounts(self):
        """The bank found fault with the payee's account: look into it before the next payment."""
        faulty = self.filtered(lambda payment: payment.bank_reason in ACCOUNT_REASONS)
        sealed = {}
        for batch in faulty.bank_batch_id.sudo():
            content = json.loads(batch.sealed_content or "{}")
            for payment in content.get("payments", []):
                sealed[payment["end_to_end_id"]] = payment["account"]
        # Where the number was put right since, the bank speaks of an account that is gone.
        faulty = faulty.filtered(
            lambda payment: payment.partner_bank_id.sanitized_acc_number
            in sealed.get(payment.end_to_end_id, {}).values()
        )
        for _reason, payments in faulty.grouped("bank_reason").items():
            payments.partner_bank_id._bank_hold(
                self.env._("The bank sent a payment back: %s", payments[0]._bank_explanation())
            )

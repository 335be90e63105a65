from collections import defaultdict

from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from .approval_facts import ACCOUNT_CHANGES
from .approval_matching import NotNow, admit, assign, missing, open_steps
from .bank_batch_seal import Altered
from .in_person import logins_of


class Standing:
    """How far the approval of one batch is: who was counted for what, and who may go next.

    Made for a moment and thrown away. It reads as the module itself: who has to approve does not
    depend on who asks.
    """

    def __init__(self, batch, kept_out=None):
        self.batch = batch.sudo()
        self.env = self.batch.env
        self._kept_out = kept_out
        self.steps = self.batch._current_steps()
        self.plain = [step._as_step() for step in self.steps]
        self.approvals = self.batch._counting_approvals()
        self.taken = [
            (_person(approval._authority()), approval._choices()) for approval in self.approvals
        ]
        self.assigned = assign(self.plain, self.taken)
        self.missing = missing(self.plain, self.assigned)
        self.used = logins_of(self.approvals.user_id | self.approvals.on_behalf_of_id)
        self._fitting = None
        self._admissions = {}

    @property
    def complete(self):
        return bool(self.steps) and not self.missing

    @property
    def kept_out(self):
        """user → why this user doesn't approve the batch."""
        if self._kept_out is None:
            self._kept_out = self.batch._kept_out()[self.batch]
        return self._kept_out

    @property
    def fitting(self):
        """user → numbers of the steps, of everybody who could still approve."""
        if self._fitting is None:
            found = defaultdict(set)
            for step in self.steps:
                for user in step._people():
                    if user not in self.used and user not in self.kept_out:
                        found[user].add(step.number)
            self._fitting = {user: frozenset(numbers) for user, numbers in found.items()}
        return self._fitting

    def _admit(self, user):
        """The choices of an approval on this user's authority.

        :raises NotNow: it can't be counted
        """
        fits = self.fitting.get(user, frozenset())
        # People who fit the same steps are interchangeable: one answer, and of each sort no more
        # than could ever be needed.
        if fits not in self._admissions:
            enough = sum(self.missing.values())
            sorts, seen = defaultdict(list), {_person(user)}
            for other, numbers in self.fitting.items():
                if _person(other) not in seen and len(sorts[numbers]) < enough:
                    seen.add(_person(other))
                    sorts[numbers].append((_person(other), numbers))
            others = [offer for offers in sorts.values() for offer in offers]
            offer = (_person(user), fits)
            try:
                self._admissions[fits] = admit(self.plain, self.taken, offer, others)
            except NotNow as refused:
                self._admissions[fits] = refused
        answer = self._admissions[fits]
        if isinstance(answer, NotNow):
            raise answer
        return answer

    def may_go(self, user):
        """Whether an approval on this user's authority would be counted now."""
        try:
            self._admit(user)
        except NotNow:
            return False
        return True

    def next_people(self):
        """user → the user's substitutes of today, of everybody whose approval would count now."""
        people = self.env["res.users"].union(*filter(self.may_go, self.fitting))
        rows = self.env["bank.approval.substitute"]._in_force(
            self.batch.company_id, principals=people
        )
        approvers = self.env["bank.approval.level"]._approvers(self.batch.company_id)
        free = approvers - self.used - people.union(*self.kept_out)
        return {
            user: rows.filtered(lambda row, user=user: row.principal_id == user).substitute_id
            & free
            for user in people
        }

    def authority(self, user, on_behalf_of=None):
        """On whose authority a user approves now: the user's own, or that of who is away.

        :param on_behalf_of: the one whose authority is meant; by default, the first that counts
        :return: (user whose authority it is, choices)
        :raises AccessError, UserError: the approval can't be counted, and why
        """
        self._check_user(user)
        rows = self.env["bank.approval.substitute"]._in_force(
            self.batch.company_id, substitute=user
        )
        owners = list(dict.fromkeys([user, *rows.principal_id]))
        if on_behalf_of:
            if on_behalf_of not in owners:
                raise AccessError(
                    self.env._("You are not the substitute of %s today.", on_behalf_of.name)
                )
            owners = [on_behalf_of]
        first_refusal = None
        for owner in owners:
            try:
                return owner, self._admit(owner)
            except NotNow as refused:
                # Of several reasons the user's own is told, unless it is only that the user
                # belongs to no level while somebody represented does.
                if first_refusal is None or first_refusal.why == "stranger":
                    first_refusal = refused
        if on_behalf_of and on_behalf_of in self.used:
            raise UserError(
                self.env._(
                    "%(name)s's authority was used for %(batch)s already.",
                    name=on_behalf_of.name, batch=self.batch.name,
                )
            )
        raise UserError(self._why(first_refusal))

    def _check_user(self, user):
        reason = self.kept_out.get(user)
        if reason:
            raise AccessError(reason)
        if user in self.used:
            raise UserError(
                self.env._(
                    "Your authority was used for %s already: one person counts once.",
                    self.batch.name,
                )
            )

    def _why(self, refused):
        names = ", ".join(
            f"“{step.level_name}”" for step in self.steps if step.number in refused.steps
        )
        if refused.why == "stranger":
            return self.env._(
                "You belong to no level that has to approve %(batch)s. Needed: %(levels)s.",
                batch=self.batch.name, levels=names,
            )
        if refused.why == "early":
            return self.env._(
                "It is not your turn yet: %(levels)s comes after the levels before it.",
                levels=names,
            )
        if refused.why == "reserved":
            return self.env._(
                "Your approval is needed later: without you there would be too few people for "
                "%(levels)s. Let somebody else go first.",
                levels=names,
            )
        return self.env._("Enough people of your level have approved %s.", self.batch.name)

    def of_step(self, step):
        """How one step stands.

        :return: ``state``, names in ``given`` (who was counted) and ``next`` (who may go now)
        """
        if step.sudo() not in self.steps:
            return {"state": False, "given": [], "next": []}
        number = step.number
        given = [
            approval._who()
            for approval in self.approvals
            if self.assigned.get(_person(approval._authority())) == number
        ]
        if number not in self.missing:
            return {"state": "done", "given": given, "next": []}
        if number not in open_steps(self.plain, self.assigned):
            return {"state": "waiting", "given": given, "next": []}
        coming = []
        if self.batch.state == "to_approve":
            for user, substitutes in self.next_people().items():
                if number in self._admit(user):
                    names = substitutes.mapped("name")
                    coming.append(f"{user.name} ({', '.join(names)})" if names else user.name)
        return {"state": "open", "given": given, "next": sorted(coming)}


def _person(user):
    """What somebody is counted by: two logins of one person are one."""
    return user.partner_id.id


class BankPaymentBatch(models.Model):
    """Who may decide about a batch, and whether all have."""

    _inherit = "bank.payment.batch"

    def _standing(self, kept_out=None):
        self.ensure_one()
        return Standing(self, kept_out)

    def _counting_approvals(self):
        """The approvals of what is sealed now, and of what was asked for, oldest first."""
        return self.approval_ids.filtered(
            lambda approval: (
                approval.decision == "approved"
                and approval.seal == self.seal
                and approval.requirement == self.approval_requirement
            )
        ).sorted("id")

    def _check_complete(self):
        """Refuse when not everybody has approved whom the rules asked for.

        May be called at any time between the last approval and sending.

        :raises Altered: it never gets so far unless somebody changed the database
        """
        for batch in self:
            standing = batch._standing()
            if not standing.complete:
                names = [
                    f"“{step.level_name}”"
                    for step in standing.steps
                    if step.number in standing.missing
                ]
                raise Altered(
                    self.env._(
                        "%(batch)s lacks approvals that it needs: %(levels)s. Nothing of it is "
                        "sent.",
                        batch=batch.name,
                        levels=", ".join(names) or self.env._("all"),
                    )
                )

    def _kept_out(self):
        """Who doesn't approve these batches: two pairs of eyes, whatever rights a person has.

        :return: batch → {user: why, as a sentence}
        """
        changes = SQL(
            "SELECT account_id, user_id FROM bank_account_change WHERE kind IN %s", ACCOUNT_CHANGES
        )
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """
                WITH payment AS (
                    SELECT bank_batch_id, create_uid, partner_bank_id FROM account_payment
                     WHERE bank_batch_id = ANY(%(batches)s)
                )
                SELECT batch.id, who.user_id, NULL
                  FROM bank_payment_batch batch,
                       unnest(ARRAY[batch.preparer_id, batch.sealed_by_id]) AS who(user_id)
                 WHERE batch.id = ANY(%(batches)s)
             UNION
                SELECT bank_batch_id, create_uid, NULL FROM payment
             UNION ALL (
                SELECT bank_batch_id, who.user_id, COALESCE(min(partner.name), '?')
                  FROM payment
                  JOIN res_partner_bank account ON account.id = payment.partner_bank_id
                  JOIN res_partner partner ON partner.id = account.partner_id
                  JOIN LATERAL (
                           SELECT account.create_uid AS user_id
                        UNION SELECT change.user_id FROM (%(changes)s) change
                               WHERE change.account_id = account.id
                       ) who ON TRUE
              GROUP BY bank_batch_id, who.user_id)
                """,
                batches=self.ids,
                changes=changes,
            )
        )
        users = self.env["res.users"].sudo()
        found = {batch: {} for batch in self}
        names = {batch.id: batch for batch in self}
        for batch_id, user_id, payee in rows:
            batch = names[batch_id]
            reason = (
                self.env._(
                    "You created or changed the bank account of %(payee)s, so somebody else has to "
                    "approve %(batch)s.", payee=payee, batch=batch.name,
                )
                if payee
                else self.env._(
                    "You prepared %s, so somebody else has to approve it.", batch.name
                )
            )
            if user_id:
                found[batch].setdefault(users.browse(user_id), reason)
        # Another login makes no other person.
        logins = logins_of(users.browse({row[1] for row in rows if row[1]})).grouped("partner_id")
        for people in found.values():
            for user, reason in list(people.items()):
                for login in logins[user.partner_id]:
                    people.setdefault(login, reason)
        return found

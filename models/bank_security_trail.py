"""The questions of a security review about what was done, and whether the trail of it is whole."""

import json
from datetime import timedelta

from odoo import models

from .bank_security_check import Found

VERIFIED = timedelta(days=3)  # it is verified once a day
KEPT_ELSEWHERE = timedelta(days=90)


class BankSecurityCheck(models.AbstractModel):
    _inherit = "bank.security.check"

    def _checks(self):
        return [
            *super()._checks(),
            self._trail, self._superuser, self._approvals, self._resolutions, self._failed_checks,
            self._logins,
        ]

    def _trail(self, _companies, _since):
        check = self.env["bank.audit.check"].search([], limit=1)
        now, found = self.env.cr.now(), []
        facts = {"date": str(check.create_date or "–")}
        if check.result == "broken":
            found.append(Found("trail_broken", check, facts, key="trail"))
        if check.result == "unproven":
            facts["count"] = check.unsigned + check.unchecked
            found.append(Found("trail_unproven", None, facts))
        if not check or check.create_date < now - VERIFIED:
            found.append(Found("trail_unverified", None, facts))
        if not self._count_events("audit_exported", now - KEPT_ELSEWHERE):
            found.append(Found("trail_kept_here"))
        return found

    def _count_events(self, kind, since):
        return self.env["bank.audit.event"].search_count(
            [("kind", "=", kind), ("date", ">=", since)], limit=1
        )

    def _superuser(self, companies, since):
        """What was done past all rights, though no scheduled action did it."""
        rows = self.env["bank.audit.event"]._read_group(
            [
                ("superuser", "=", True),
                ("origin", "!=", "cron"),
                ("date", ">=", since),
                ("company_number", "in", [False, *companies.ids]),
                # Looking, as this review does, changes nothing.
                ("kind", "not in", ("audit_verified", "audit_exported", "review_made")),
            ],
            ["kind"], ["__count"],
        )
        if not rows:
            return []
        kinds = dict(rows)
        facts = {"count": sum(kinds.values()), "kinds": kinds}
        return [Found("superuser_actions", facts=facts, key=str(since))]

    def _approvals(self, companies, since):
        approvals = self.env["bank.approval"].search(
            [
                ("superuser", "=", True),
                ("company_id", "in", companies.ids),
                ("create_date", ">=", since),
            ]
        )
        return [
            Found(
                "approval_superuser", each,
                {"user": each.user_id.name, "batch": each.batch_id.name}, (each.user_id.id,),
            )
            for each in approvals
        ]

    def _resolutions(self, companies, since):
        """Where people, not the bank, said what became of payments."""
        resolutions = self.env["bank.resolution"].search(
            [
                ("state", "=", "confirmed"),
                ("company_id", "in", companies.ids),
                ("decided_on", ">=", since),
            ]
        )
        labels = dict(resolutions._fields["verdict"]._description_selection(self.env))
        return [
            Found(
                "override_resolution", each,
                {
                    "proposer": each.proposer_id.name, "decider": each.decider_id.name,
                    "message": each.message_id.name, "verdict": labels[each.verdict],
                },
                (each.proposer_id.id, each.decider_id.id),
                # Bytes that leave a second time are what two people must be surest of.
                severity="high" if each.verdict == "resend" else "",
            )
            for each in resolutions
        ]

    def _logins(self, companies, since):
        """Approvers and bank administrators whom somebody else let log in anew."""
        people = self._members("approver", companies) | self._members("admin", companies)
        events = self.env["bank.audit.event"].search(
            [
                ("kind", "=", "login_changed"),
                ("date", ">=", since),
                ("res_id", "in", people.ids),
            ]
        )
        by_others = events.filtered(lambda event: not json.loads(event.details)["own"])
        # Who asks for a new password by mail is nobody yet: Odoo's public user.
        actors = {
            user.id: user
            for user in self.env["res.users"].with_context(active_test=False).search(
                [("id", "in", by_others.mapped("user_number"))]
            )
        }
        found = {}
        for event in by_others:
            actor = actors.get(event.user_number)
            if actor and actor._is_public():
                continue
            user = people.browse(event.res_id)
            facts = {"user": user.name, "by": event.user_login, "date": str(event.date)}
            # The latest of each two, which comes first.
            found.setdefault(
                (event.res_id, event.user_number),
                Found(
                    "login_changed", user, facts, (event.res_id, event.user_number),
                    f"{since}/{event.user_number}",
                ),
            )
        return list(found.values())

    def _failed_checks(self, companies, since):
        rows = self.env["bank.audit.event"]._read_group(
            [("kind", "=", "step_up_failed"), ("date", ">=", since)],
            ["res_id"], ["__count", "date:max"],
        )
        found = []
        for number, count, last in rows:
            user = self.env["res.users"].browse(number).exists()
            if not user.company_ids & companies:
                continue
            facts = {"user": user.name, "count": count, "date": str(last)}
            # Once is a slip of the finger.
            severity = "medium" if count >= 3 else ""
            found.append(
                Found("step_up_failed", user, facts, (number,), str(since), severity)
            )
        return found

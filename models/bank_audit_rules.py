"""The audit trail of who must approve what: rules, their levels, and substitutes."""

from odoo import models


class BankApprovalRule(models.Model):
    _name = "bank.approval.rule"
    _inherit = ["bank.approval.rule", "bank.audit.mixin"]

    _audit_prefix = "rule"
    _audit_plain = frozenset(
        (
            "name", "active", "company_id", "journal_ids", "currency_ids", "amount_from",
            "amount_below", "payment_from", "payment_below", "new_payee", "account_days",
            "account_changed", "country_ids", "urgent", "in_order", "step_up",
        )
    )
    # Levels tell of themselves.
    _audit_ignored = frozenset(("level_ids",))


class BankApprovalLevel(models.Model):
    _name = "bank.approval.level"
    _inherit = ["bank.approval.level", "bank.audit.mixin"]

    _audit_prefix = "level"
    _audit_plain = frozenset(("rule_id", "sequence", "name", "people", "group_id", "user_ids"))


class BankReconcileRule(models.Model):
    _name = "bank.reconcile.rule"
    _inherit = ["bank.reconcile.rule", "bank.audit.mixin"]

    _audit_prefix = "reconcile_rule"
    # Not the other side's account: the trail names no whole number.
    _audit_plain = frozenset(
        (
            "name", "active", "company_id", "purpose", "automatic", "journal_ids", "direction",
            "text", "text_pattern", "transaction_code", "amount_from", "amount_to", "account_id",
            "tax_ids", "analytic_distribution", "partner_id", "label", "confirmed",
        )
    )
    _audit_ignored = frozenset(("sequence",))


class BankApprovalSubstitute(models.Model):
    _name = "bank.approval.substitute"
    _inherit = ["bank.approval.substitute", "bank.audit.mixin"]

    _audit_prefix = "substitute"
    _audit_plain = frozenset(
        (
            "principal_id", "substitute_id", "company_id", "date_from", "date_to", "reason",
            "active",
        )
    )

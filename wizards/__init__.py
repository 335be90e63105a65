# ruff: noqa: I001 - a model is defined before it is extended, so the order is not the alphabet's
from . import (
    bank_send_wizard,
    bank_send_wizard_line,
    bank_send_check,
    bank_send_create,
    bank_reject_wizard,
    bank_account_wizard,
    bank_resolve_wizard,
    bank_recall_wizard,
    bank_certificate_wizard,
    bank_stop_wizard,
    bank_secret_wizard,
    bank_evidence_wizard,
    bank_privacy_wizard,
    bank_settings_wizard,
    bank_audit_wizard,
)

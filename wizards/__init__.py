from . import (
    bank_certificate_wizard,
    bank_reject_wizard,
    bank_resolve_wizard,
    bank_send_wizard,
    bank_send_wizard_line,
    bank_send_check,
    bank_send_create,
    bank_stop_wizard,
)

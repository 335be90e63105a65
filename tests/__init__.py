from . import (
    test_approval,
    test_bill_state,
    test_message,
    test_second_payment,
    test_send_problems,
    test_send_wizard,
    test_sending,
    test_statement_import,
    test_statement_match,
    test_status_import,
    test_uncertain,
)

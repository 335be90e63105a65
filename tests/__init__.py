from . import (
    test_approval,
    test_message,
    test_second_payment,
    test_send_problems,
    test_send_wizard,
    test_status_import,
)

from . import (
    test_send_problems,
    test_send_wizard,
)

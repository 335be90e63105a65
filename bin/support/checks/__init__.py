"""What ``bin/test`` does: the style gate, the pure tests, the tests in Odoo."""

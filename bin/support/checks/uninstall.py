"""Run in Odoo's shell: remove the module as the Apps menu does."""
# ruff: noqa: F821  (env is the shell's)

module = env["ir.module.module"].search([("name", "=", "account_bank_connect")])
if module.state != "installed":
    raise SystemExit(f"the module is {module.state}, not installed")
module.button_immediate_uninstall()

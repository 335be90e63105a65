"""What happens around installation and removal."""


def uninstall_hook(env):
    """Leave the bookkeeping usable: no payment may keep a method that goes with this module.

    Payments and entries stay. Odoo forbids removing a payment method line that is in use, so the
    lines of ours are turned into manual ones; the records of what the bank said go with the
    module's tables, and so must the triggers.
    """
    env.cr.execute(
        """
        DROP TRIGGER IF EXISTS bank_connect_guard_reconcile ON account_partial_reconcile;
        DROP FUNCTION IF EXISTS bank_connect_guard_reconcile();
        DROP TRIGGER IF EXISTS bank_connect_guard_audit ON bank_audit_event;
        DROP TRIGGER IF EXISTS bank_connect_guard_audit_all ON bank_audit_event;
        DROP FUNCTION IF EXISTS bank_connect_guard_audit();
        DROP TABLE IF EXISTS bank_audit_linking;
        """
    )
    # Tasks hold on to their kinds, which then stay behind: on bills and accounts too, done or not.
    kinds = env["ir.model.data"].search(
        [("module", "=", "account_bank_connect"), ("model", "=", "mail.activity.type")]
    ).mapped("res_id")
    env["mail.activity"].with_context(active_test=False).search(
        [("activity_type_id", "in", kinds)]
    ).unlink()
    ours = env["account.payment.method"].search([("code", "=", "bank_connect")])
    manual = env.ref("account.account_payment_method_manual_out", raise_if_not_found=False)
    if not (ours and manual):
        return
    lines = env["account.payment.method.line"].search([("payment_method_id", "in", ours.ids)])
    lines.write({"payment_method_id": manual.id})

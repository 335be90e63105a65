from collections import defaultdict

from markupsafe import Markup
from odoo import api, fields, models
from odoo.exceptions import UserError

OWING = ("liability_payable", "asset_receivable")


class BankSendWizard(models.TransientModel):
    """Shows what will leave, in batches, with every problem, before anything is created."""

    _name = "bank.send.wizard"
    _description = "Send to Bank"

    company_id = fields.Many2one("res.company", required=True, readonly=True)
    journal_id = fields.Many2one(
        "account.journal",
        string="Pay from",
        domain="[('company_id', '=', company_id), ('bank_connection_id.state', '=', 'active')]",
        help="Leave empty to take the connected bank account in each bill's currency.",
    )
    execution_date = fields.Date(
        required=True,
        default=fields.Date.context_today,
        help="The day on which the bank is asked to pay.",
    )
    urgent = fields.Boolean(help="Asks for same-day settlement. Banks charge for it.")
    instant = fields.Boolean(help="Asks for an instant transfer, within seconds.")
    group_payments = fields.Boolean(
        string="One payment per payee",
        help="Bills of one vendor to one account are paid with a single transfer.",
    )
    net_credit_notes = fields.Boolean(
        string="Deduct credit notes",
        help="Open credit notes of the same vendor are deducted from the payment.",
    )
    take_discounts = fields.Boolean(
        string="Take early-payment discounts",
        default=True,
    )
    line_ids = fields.One2many("bank.send.wizard.line", "wizard_id", string="Payments")
    ready_count = fields.Integer(compute="_compute_summary")
    problem_count = fields.Integer(compute="_compute_summary")
    summary = fields.Html(compute="_compute_summary")

    # -- opening --------------------------------------------------------------------------

    @api.model
    def _open_for(self, records):
        """Prepare the wizard for bills, instalments or payments, and show it.

        :raises UserError: nothing among them can be sent, said in one sentence
        """
        if not self.env.user.has_group("account_bank_connect.group_preparer"):
            raise UserError(
                self.env._(
                    "Only a preparer may send payments to the bank. Ask the administrator for the "
                    "right “Bank payments: Preparer”."
                )
            )
        if not records:
            raise UserError(self.env._("Choose at least one bill or payment."))
        if len(records.company_id) > 1:
            raise UserError(self.env._("Choose bills or payments of one company only."))
        wizard = self.create({"company_id": records.company_id.id})
        wizard._add(records)
        return wizard._show()

    @api.model_create_multi
    def create(self, vals_list):
        wizards = super().create(
            [{"company_id": self.env.company.id, **vals} for vals in vals_list]
        )
        # A wizard opened by a list action or over RPC takes its records from the context.
        model, ids = self.env.context.get("active_model"), self.env.context.get("active_ids")
        if model in ("account.move", "account.payment", "account.move.line") and ids:
            records = self.env[model].browse(ids).exists()
            for wizard, vals in zip(wizards, vals_list, strict=True):
                if "line_ids" not in vals and "company_id" not in vals:
                    wizard.company_id = records.company_id[:1] or self.env.company
                    wizard._add(records)
        return wizards

    def _add(self, records):
        """Fill the wizard from bills, journal items or payments."""
        lines = self.env["bank.send.wizard.line"]
        if records._name == "account.payment":
            lines.create([{"wizard_id": self.id, "payment_id": payment.id} for payment in records])
            return
        items = records if records._name == "account.move.line" else records.line_ids
        items = items.filtered(lambda item: item.account_type in OWING).sorted(
            lambda item: (item.date_maturity or item.date, item.id)
        )
        # A bill with nothing open is shown too, so that its owner reads why it does not leave.
        open_bills = items.filtered(lambda item: not item.reconciled).move_id
        offered = items.filtered(lambda item: not item.reconciled or item.move_id not in open_bills)
        nearest = {}
        for item in offered:
            nearest.setdefault(item.move_id, item)
        today = fields.Date.context_today(self)
        lines.create(
            [
                {
                    "wizard_id": self.id,
                    "move_line_id": item.id,
                    # What is due, and the next instalment of what is not; the rest on request.
                    "selected": nearest[item.move_id] == item
                    or (item.date_maturity or today) <= today
                    or records._name == "account.move.line",
                }
                for item in offered
            ]
        )

    def _show(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send to Bank"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }

    # -- what will leave --------------------------------------------------------------------

    @api.depends(
        "line_ids.selected",
        "line_ids.problem",
        "line_ids.amount",
        "line_ids.partner_bank_id",
        "execution_date",
        "journal_id",
        "group_payments",
        "net_credit_notes",
        "urgent",
        "instant",
    )
    def _compute_summary(self):
        for wizard in self:
            chosen = wizard.line_ids.filtered("selected")
            wizard.problem_count = len(chosen.filtered("problem"))
            ready = chosen.filtered(lambda line: not line.problem)
            wizard.ready_count = len(ready)
            wizard.summary = wizard._summary_table(ready) if ready else False

    def _summary_table(self, lines):
        """The batches that these lines make, as HTML; every text in it is escaped."""
        level_field = self.env["bank.payment.batch"]._fields["service_level"]
        levels = dict(level_field._description_selection(self.env))
        cell, number = "<td>%s</td>", "<td class='text-end'>%s</td>"
        row = Markup(f"<tr>{cell}{cell}{number}{number}</tr>")
        rows = [
            row
            % (
                journal.display_name,
                levels.get(level, level),
                len(self._payments(batch)),
                currency.format(sum(batch.mapped("amount"))),
            )
            for (journal, currency, level), batch in self._batches(lines).items()
        ]
        return Markup(
            "<table class='table table-sm mb-0'><thead><tr><th>%s</th><th>%s</th>"
            "<th class='text-end'>%s</th><th class='text-end'>%s</th></tr></thead>"
            "<tbody>%s</tbody></table>"
        ) % (
            self.env._("From"),
            self.env._("Kind"),
            self.env._("Payments"),
            self.env._("Total"),
            Markup().join(rows),
        )

    def _batches(self, lines):
        """Lines that may leave together: same account, currency and service level.

        :return: (journal, currency, service level) → lines
        """
        groups = defaultdict(lambda: self.env["bank.send.wizard.line"])
        for line in lines:
            groups[line.journal_id, line.currency_id, line._service_level()] |= line
        return groups

    def _payments(self, lines):
        """Lines grouped into payments, one recordset per payment.

        Only whole instalments are paid together: of a part it would not be clear to which bill
        it belongs.
        """
        payments, together = [], defaultdict(lambda: self.env["bank.send.wizard.line"])
        for line in lines:
            credit = line.residual < 0
            if line.payment_id:
                payments.append(line)
            elif (self.group_payments or self.net_credit_notes) and (credit or line._is_whole()):
                together[
                    line.partner_id.commercial_partner_id,
                    line.partner_bank_id,
                    line.account_id,
                    line.currency_id,
                ] |= line
            else:
                payments.append(line)
        for group in together.values():
            if not self.group_payments and all(line.residual > 0 for line in group):
                payments += list(group)
            else:
                payments.append(group)
        return payments

    # -- send -------------------------------------------------------------------------------

    def action_send(self):
        """Create the payments and their batches, and ask for approval."""
        self.ensure_one()
        chosen = self.line_ids.filtered("selected")
        if not chosen:
            raise UserError(self.env._("Choose at least one payment."))
        chosen._check_again()
        problems = chosen.filtered("problem")
        if problems:
            raise UserError(
                self.env._("Nothing was sent. Solve these, or leave the lines out:")
                + "\n"
                + "\n".join(f"• {line.display_name}: {line.problem}" for line in problems)
            )
        batches = self._create_batches(chosen)
        batches.action_submit()
        action = {
            "type": "ir.actions.act_window",
            "name": self.env._("Payment batches"),
            "res_model": "bank.payment.batch",
            "view_mode": "list,form",
            "domain": [("id", "in", batches.ids)],
        }
        if len(batches) == 1:
            action |= {"view_mode": "form", "res_id": batches.id}
        return action

from odoo import api, fields, models


class BankApprovalCheck(models.TransientModel):
    """The result of checking the approval rules, for people to read."""

    _name = "bank.approval.check"
    _description = "Check of the approval rules"

    line_ids = fields.One2many("bank.approval.check.line", "check_id", readonly=True)
    fine = fields.Boolean(compute="_compute_fine")

    @api.depends("line_ids.kind")
    def _compute_fine(self):
        for check in self:
            check.fine = not check.line_ids.filtered(lambda line: line.kind != "overlap")

    @api.model
    def action_check(self):
        """Check the rules of the companies that are looked at, and show what is found."""
        self.check_access("read")
        rules = self.env["bank.approval.rule"]
        rules.check_access("read")
        check = self.create({})
        found = [line for company in self.env.companies for line in rules._gaps(company)]
        order = ("gap", "people", "overlap")
        found.sort(key=lambda line: order.index(line["kind"]))
        # sudo: nobody edits what was found.
        self.env["bank.approval.check.line"].sudo().create(
            [
                {
                    "check_id": check.id,
                    "kind": line["kind"],
                    "company_name": line["company"],
                    "text": line["text"],
                }
                for line in found
            ]
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Check of the approval rules"),
            "res_model": self._name,
            "res_id": check.id,
            "view_mode": "form",
            "target": "new",
            "context": {"dialog_size": "large"},
        }


class BankApprovalCheckLine(models.TransientModel):
    _name = "bank.approval.check.line"
    _description = "Finding about the approval rules"

    check_id = fields.Many2one("bank.approval.check", required=True, ondelete="cascade")
    kind = fields.Selection(
        [("gap", "Gap"), ("people", "Too few people"), ("overlap", "Several rules")], required=True
    )
    company_name = fields.Char(string="Company")
    text = fields.Char(string="Finding")

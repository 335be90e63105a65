import base64

from odoo import api, fields, models
from odoo.tools import html_escape as escape


class BankConnectionFileWizard(models.TransientModel):
    """Reads a connection from a file, copies one to the bank's test system, or compares two."""

    _name = "bank.connection.file.wizard"
    _description = "Import, Copy or Compare a Connection"

    task = fields.Selection(
        [("import", "Import"), ("test", "Copy to test"), ("compare", "Compare")],
        required=True, default="import",
    )
    connection_id = fields.Many2one("bank.connection", ondelete="cascade")
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )
    file = fields.Binary(attachment=False)
    file_name = fields.Char()
    url = fields.Char(string="Address of the test system")
    other_id = fields.Many2one("bank.connection", string="Compare with", ondelete="cascade")
    differences = fields.Html(compute="_compute_differences", sanitize=False)

    @api.depends("connection_id", "other_id")
    def _compute_differences(self):
        for wizard in self:
            if not (wizard.connection_id and wizard.other_id):
                wizard.differences = False
                continue
            rows = "".join(
                "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>"
                for row in wizard.connection_id._differences(wizard.other_id)
            )
            head = "".join(
                f"<th>{escape(text)}</th>"
                for text in ("", wizard.connection_id.name, wizard.other_id.name)
            )
            wizard.differences = (
                f'<table class="table table-sm"><thead><tr>{head}</tr></thead>'
                f"<tbody>{rows}</tbody></table>"
                if rows
                else f"<p>{escape(self.env._('They say the same.'))}</p>"
            )

    def action_import(self):
        self.ensure_one()
        content = base64.b64decode(self.with_context(bin_size=False).file or b"")
        return self._show(self.env["bank.connection"]._from_file(content, self.company_id))

    def action_copy(self):
        self.ensure_one()
        return self._show(self.connection_id._copy_to_test((self.url or "").strip()))

    def _show(self, connection):
        return {
            "type": "ir.actions.act_window",
            "res_model": "bank.connection",
            "res_id": connection.id,
            "view_mode": "form",
        }

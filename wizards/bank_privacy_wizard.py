import base64
import io
import json
import zipfile

from odoo import fields, models


class BankPrivacyWizard(models.TransientModel):
    """A payee asks what is held about them, or wants it erased."""

    _name = "bank.privacy.wizard"
    _description = "Data about a Payee"

    partner_id = fields.Many2one(
        "res.partner",
        required=True,
        ondelete="cascade",
        default=lambda self: self.env.context.get("active_id"),
    )
    result = fields.Text(readonly=True)
    file = fields.Binary(readonly=True, attachment=False)
    file_name = fields.Char(readonly=True)

    def action_export(self):
        """Everything that is held, for machines (JSON) and for people (text)."""
        self.ensure_one()
        held = self.env["bank.privacy"]._held(self.partner_id)
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("data.json", json.dumps(held, ensure_ascii=False, indent=1))
            file.writestr("data.txt", "\n".join(_readable(held)))
        self.write(
            {
                "file": base64.b64encode(stream.getvalue()),
                "file_name": f"data-{self.partner_id.id}.zip",
            }
        )
        return self._again()

    def action_erase(self):
        self.ensure_one()
        told = self.env["bank.privacy"]._erase(self.partner_id)
        self.write({"result": "\n\n".join(told)})
        return self._again()

    def _again(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Data about a payee"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }


def _readable(value, depth=0):
    """Plain values as lines that a person can read."""
    indent = "    " * depth
    for key, found in value.items():
        title = key.replace("_", " ").capitalize()
        if isinstance(found, dict) and set(found) == {"id", "name"}:
            yield f"{indent}{title}: {found['name']}"
        elif isinstance(found, dict):
            yield f"{indent}{title}:"
            yield from _readable(found, depth + 1)
        elif isinstance(found, list) and found and isinstance(found[0], dict):
            yield f"{indent}{title}: {len(found)}"
            for number, each in enumerate(found, 1):
                yield f"{indent}  {number}."
                yield from _readable(each, depth + 1)
        elif found not in (None, False, []):
            shown = ", ".join(map(str, found)) if isinstance(found, list) else found
            yield f"{indent}{title}: {shown}"

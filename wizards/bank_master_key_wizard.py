from odoo import api, fields, models
from odoo.tools import html_escape as escape


class BankMasterKeyWizard(models.TransientModel):
    """Shows what is under which master key, and brings what is sealed under the newest."""

    _name = "bank.master.key.wizard"
    _description = "Master Keys"

    standing = fields.Html(compute="_compute_standing", sanitize=False)
    advice = fields.Text(compute="_compute_standing")
    may_reseal = fields.Boolean(compute="_compute_standing")

    @api.depends_context("lang")
    def _compute_standing(self):
        self.env["bank.sealed"]._check_administrator()
        lines = self.env["bank.sealed"]._standing()
        stale = [line for line in lines if line["what"] == "sealed" and not line["newest"]]
        for wizard in self:
            wizard.standing = wizard._standing_table(lines)
            wizard.may_reseal = any(line["known"] for line in stale)
            wizard.advice = wizard._advice(lines, stale)

    def _standing_table(self, lines):
        head = (self.env._("Master key"), self.env._("What"), self.env._("How many"), "")
        rows = "".join(
            f"<tr><td>{escape(line['key'])}</td><td>{escape(self._what(line))}</td>"
            f"<td>{line['count']}</td><td>{escape(self._mark(line))}</td></tr>"
            for line in lines
        )
        return (
            '<table class="table table-sm"><thead><tr>'
            + "".join(f"<th>{escape(text)}</th>" for text in head)
            + f"</tr></thead><tbody>{rows}</tbody></table>"
        )

    def _what(self, line):
        name = self.env["ir.model"]._get(line["model"]).name
        if line["what"] == "sealed":
            return self.env._("sealed: %s", name)
        return self.env._("signed: %s", name)

    def _mark(self, line):
        if line["newest"]:
            return self.env._("newest key")
        return self.env._("older key") if line["known"] else self.env._("not on this server")

    def _advice(self, lines, stale):
        old = sorted({line["key"] for line in lines if line["known"] and not line["newest"]})
        lost = sorted({line["key"] for line in lines if not line["known"]})
        sentences = []
        if lost:
            sentences.append(self.env._(
                "Give the server these keys, or import certificates and make secrets again: %s.",
                ", ".join(lost),
            ))
        if any(line["known"] for line in stale):
            sentences.append(self.env._("Seal everything under the newest key."))
        elif old:
            sentences.append(self.env._(
                "Nothing secret needs these keys any more; keep them to prove old approvals and "
                "the audit trail: %s.", ", ".join(old),
            ))
        return "\n".join(sentences) or self.env._("Everything is under the newest key.")

    def action_reseal(self):
        sealed = self.env["bank.sealed"]
        sealed._check_administrator()
        result = sealed._reseal()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if result["lost"] else "success",
                "sticky": bool(result["lost"]),
                "message": self.env._(
                    "Sealed anew: %(done)s. Not to be opened with the keys of this server: "
                    "%(lost)s.", **result,
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
        }

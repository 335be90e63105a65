import base64
import re

from odoo import api, fields, models

# Enough to recognise a document; the whole of it is one click away.
PREVIEW_BYTES = 30_000


class BankMessage(models.Model):
    _inherit = "bank.message"

    preview = fields.Text(
        compute="_compute_preview",
        help="The beginning of the document, set in lines. Download it for the exact bytes.",
    )
    preview_is_part = fields.Boolean(compute="_compute_preview")

    @api.depends("content", "size")
    def _compute_preview(self):
        for message in self:
            content = message.with_context(bin_size=False).content or b""
            # Base64 carries 3 bytes in 4 characters.
            start = base64.b64decode(content[: PREVIEW_BYTES // 3 * 4])
            text = start.decode("utf-8", errors="replace").replace("\0", "\ufffd")
            message.preview = _indented(text) if text.lstrip("\ufeff").startswith("<") else text
            message.preview_is_part = message.size > len(start)


def _indented(text):
    """XML set in lines, as text alone: nothing from outside is parsed for a mere look at it."""
    lines, depth = [], 0
    for line in re.sub(r">\s*<", ">\n<", text).split("\n"):
        closing = line.startswith("</")
        depth = max(depth - closing, 0)
        lines.append("  " * depth + line)
        opens = line.startswith("<") and line[1:2] not in ("/", "?", "!")
        depth += opens and "</" not in line and not line.endswith("/>")
    return "\n".join(lines)

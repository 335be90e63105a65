import base64
import io
import re

from odoo import api, fields, models

from ..formats.encoding import chunks, guessed_encoding
from ..formats.errors import FormatError

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
            message.preview = _shown(start)
            message.preview_is_part = message.size > len(start)


def _shown(start):
    """The beginning of a document as text, in lines."""
    size, encoding = len(start), guessed_encoding(start)
    try:
        pieces = chunks(io.BytesIO(start), size + 1, size, None, encoding)
        text = b"".join(pieces).decode()
    except FormatError:
        text = start.decode("utf-8", errors="replace")
    text = text.replace("\0", "\ufffd").lstrip("\ufeff")
    if text.startswith("<"):
        return _indented(text)
    if text.startswith(("{", "[")) and not text.startswith("{1:"):
        return _json_lines(text)
    return text


def _json_lines(text):
    """JSON set in lines, as text alone; what is set in lines already stays as it is."""
    if "\n" in text[:1000]:
        return text
    lines, depth = [""], 0
    for part in re.findall(r'"(?:[^"\\]|\\.)*"?|[\[\]{},]|[^"\[\]{},]+', text):
        if part in "]}":
            depth = max(depth - 1, 0)
            lines.append("  " * depth)
        lines[-1] += part if lines[-1].strip() else part.lstrip()
        if part in "[{":
            depth += 1
        if part in "[{,":
            lines.append("  " * depth)
    return "\n".join(line for line in lines if line.strip())


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

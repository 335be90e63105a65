"""The audit trail of access to evidence: who read what the bank was told, or said.

Recorded where the bytes leave: by the screen, a download, an export or the API. The engine's own
reading passes none of these.
"""

from odoo import models

EXACT, SHOWN = "content", "preview"


class BankMessage(models.Model):
    _inherit = "bank.message"

    # Odoo reads with a cursor that can't write, where it has one; here reading is written down.
    def read(self, fields=None, load="_classic_read"):
        return super().read(fields, load)

    def web_read(self, specification):
        return super().web_read(specification)

    read._readonly = web_read._readonly = False

    def _read_format(self, fnames, load="_classic_read"):
        asked = set(fnames) & {EXACT, SHOWN}
        if self.env.context.get("bin_size") or self.env.context.get("bin_size_content"):
            asked.discard(EXACT)  # only its size is told
        if asked:
            self._note_reading("screen" if asked == {SHOWN} else "api")
        return super()._read_format(fnames, load)

    def _export_rows(self, fields, *, _is_toplevel_call=True):
        if any(path and path[0] in (EXACT, SHOWN) for path in fields):
            self._note_reading("export")
        return super()._export_rows(fields, _is_toplevel_call=_is_toplevel_call)

    def _note_reading(self, way):
        self.env["bank.audit.event"]._record_each(
            "evidence_read", [(message, {"way": way, "sha256": message.sha256}) for message in self]
        )


class IrBinary(models.AbstractModel):
    _inherit = "ir.binary"

    def _record_to_stream(self, record, field_name):
        stream = super()._record_to_stream(record, field_name)
        if record._name == "bank.message" and field_name == EXACT:
            record._note_reading("download")
        elif record._name == "ir.attachment" and record.res_model == "bank.resolution":
            self.env["bank.audit.event"]._record(
                "evidence_read", self.env[record.res_model].browse(record.res_id).exists(),
                way="download", file=record.name, sha1=record.checksum,
            )
        return stream

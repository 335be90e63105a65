import io

from odoo import models
from odoo.tools.misc import file_path

from . import plain_pdf

MODULE = "account_bank_connect"
FONTS = "web/static/fonts/google/Open_Sans"


class IrActionsReport(models.Model):
    """This module's reports become a PDF on every server, also on one without wkhtmltopdf."""

    _inherit = "ir.actions.report"

    def _render_qweb_pdf_prepare_streams(self, report_ref, data, res_ids=None):
        report = self._get_report(report_ref)
        if (
            not report.report_name.startswith(f"{MODULE}.")
            or self.get_wkhtmltopdf_state() != "install"
        ):
            return super()._render_qweb_pdf_prepare_streams(report_ref, data, res_ids=res_ids)
        streams = {}
        for record in self.env[report.model].browse(res_ids):
            # One by one, so that each is a document of its own.
            markup = self._render_qweb_html(report_ref, record.ids, data=dict(data or {}))[0]
            content = plain_pdf.of_html(
                str(markup, "utf-8"),
                title=f"{report.name}: {record.display_name}",
                fonts=file_path(FONTS),
                lang=self.env.lang or "",
                wide=report.get_paperformat().orientation == "Landscape",
            )
            streams[record.id] = {"stream": io.BytesIO(content), "attachment": None}
        return streams

from odoo.exceptions import AccessError
from odoo.http import Controller, content_disposition, request, route

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Reconciliation(Controller):
    """A bank reconciliation statement as a spreadsheet, for who may read it."""

    @route("/bank_connect/reconciliation/<int:sheet_id>.xlsx", type="http", auth="user",
           methods=["GET"])
    def download(self, sheet_id, **_query):
        sheet = request.env["bank.reconciliation"].browse(sheet_id).exists()
        try:
            sheet.check_access("read")
        except AccessError:
            return request.not_found()
        if not sheet:
            return request.not_found()
        return request.make_response(
            sheet._spreadsheet(),
            [
                ("Content-Type", XLSX),
                ("Content-Disposition", content_disposition(f"{sheet._file_name()}.xlsx")),
                ("X-Content-Type-Options", "nosniff"),
                ("Cache-Control", "no-store"),
            ],
        )

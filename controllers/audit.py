
from odoo import http
from odoo.http import request


class BankAuditHead(http.Controller):
    """The signed head of the audit trail, to be kept where nobody who administers Odoo can go."""

    # Not "readonly": that somebody took the head is recorded.
    @http.route("/bank_connect/audit/head", type="http", auth="user", methods=["GET"])
    def head(self):
        head = request.env["bank.audit.check"]._export_head()
        return request.make_json_response(
            head,
            headers=[
                (
                    "Content-Disposition",
                    http.content_disposition(f"audit-head-{head['position']}.json"),
                )
            ],
        )

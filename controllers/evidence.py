import tempfile

from odoo.exceptions import AccessError, UserError
from odoo.http import Controller, content_disposition, request, route
from werkzeug.wsgi import wrap_file


class Evidence(Controller):
    """The way out for evidence packs: who takes one is noted, and memory stays flat."""

    @route(
        "/bank_connect/evidence/<int:pack_id>", type="http", auth="user", methods=["GET"],
        readonly=False,
    )
    def download(self, pack_id, **_query):
        pack = request.env["bank.evidence.pack"].browse(pack_id).exists()
        if not pack:
            return request.not_found()
        file = tempfile.TemporaryFile()
        try:
            pack._hand_out(file)
        except AccessError:
            file.close()
            return request.not_found()
        except UserError as error:
            file.close()
            return request.make_response(str(error), [("Content-Type", "text/plain")], status=409)
        file.seek(0)
        headers = [
            ("Content-Type", "application/zip"),
            ("Content-Length", str(int(pack.size))),
            ("Content-Disposition", content_disposition(pack._file_name())),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
        ]
        response = request.make_response(
            wrap_file(request.httprequest.environ, file, 1 << 16), headers
        )
        response.direct_passthrough = True
        return response

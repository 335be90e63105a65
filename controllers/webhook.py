from odoo import SUPERUSER_ID
from odoo.http import Controller, request, route

from ..connectors.notification import MAX_BODY

ANSWERS = {"accepted": 204, "refused": 401, "busy": 429}


class Webhook(Controller):
    """Where a bank says that something waits. The caller learns nothing but yes or no."""

    # The size is bounded before a byte of the body is read: Odoo answers 413 above it.
    @route(
        "/bank_connect/notify/<string:token>", type="http", auth="none", methods=["POST"],
        csrf=False, save_session=False, readonly=False, max_content_length=MAX_BODY,
    )
    def notify(self, token, **_query):
        # Nobody is logged in; `_notified` lets in by the bank's signature alone.
        env = request.env(user=SUPERUSER_ID)
        outcome = env["bank.connection"]._notified(
            token, request.httprequest.headers, request.httprequest.get_data()
        )
        headers = [("Retry-After", "60")] if outcome == "busy" else []
        return request.make_response("", headers=headers, status=ANSWERS[outcome])

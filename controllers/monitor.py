import time

from odoo import SUPERUSER_ID
from odoo.http import Controller, request, route

from .metrics import CONTENT_TYPE, exposition

HOLD = 5  # seconds for which strangers are told the same answer, so that they cost no database
MAX_TOKEN = 200  # characters

_told = {}  # database name: (when, status)


class Monitor(Controller):
    """Health and metrics for operators: counts, ages and dates, never an amount.

    A stranger learns one word. Names of connections and figures are for those who show a token,
    and for the companies it was made for.
    """

    @route(
        "/bank_connect/health", type="http", auth="none", methods=["GET"], save_session=False,
        readonly=True,
    )
    def health(self, **_query):
        companies = self._companies()
        if companies:
            return self._json(companies.env["bank.monitor"]._figures(companies))
        if "Authorization" in request.httprequest.headers:
            return self._unauthorized()
        return self._json({"status": self._status()})

    @route(
        "/bank_connect/metrics", type="http", auth="none", methods=["GET"], save_session=False,
        readonly=True,
    )
    def metrics(self, **_query):
        companies = self._companies()
        if not companies:
            return self._unauthorized()
        figures = companies.env["bank.monitor"]._figures(companies)
        return request.make_response(
            exposition(figures), headers=[("Content-Type", CONTENT_TYPE), *self._headers()]
        )

    def _companies(self):
        """The companies whose figures the caller may see."""
        # Nobody is logged in; the token decides what is shown.
        env = request.env(user=SUPERUSER_ID)
        scheme, _space, token = request.httprequest.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(token) <= MAX_TOKEN:
            return env["res.company"]
        return env["bank.monitor.token"]._companies_of(token)

    def _status(self):
        database, now = request.db, time.monotonic()
        when, status = _told.get(database, (0, None))
        if status is None or now - when > HOLD:
            degraded = request.env(user=SUPERUSER_ID)["bank.monitor"]._is_degraded()
            status = "degraded" if degraded else "ok"
            _told[database] = (now, status)
        return status

    def _json(self, content):
        return request.make_json_response(content, headers=self._headers())

    def _unauthorized(self):
        return request.make_response(
            "", headers=[("WWW-Authenticate", "Bearer"), *self._headers()], status=401
        )

    def _headers(self):
        return [("Cache-Control", "no-store")]

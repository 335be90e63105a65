"""Proving the audit trail: from its first event to its last, and against heads taken earlier."""

import json
from collections import namedtuple
from datetime import datetime, timedelta, timezone

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from . import audit_chain as chain
from . import keyring
from .audit_follow import Follower
from .bank_audit_event import PURPOSE

HEAD_FORMAT = "bank-connect-audit-head/1"
LATE = timedelta(minutes=30)  # an event is linked at once, or by the next scheduled action
SLICE = 2000

#: What an examination found. ``result``: ``intact``, ``unproven`` (nothing is wrong, but not all
#: is signed, or can be checked here) or ``broken``; ``fault``: the first broken link or None.
Examination = namedtuple(
    "Examination", "result fault position hash unsigned unchecked first_doubtful pending"
)


class BankAuditEvent(models.Model):
    _inherit = "bank.audit.event"

    @api.model
    def _examine(self, heads=None):
        """Follow the whole chain; nothing is written.

        :param dict heads: position → hash, of heads taken earlier
        :return: :class:`Examination`
        """
        follower = Follower(_verify, heads)
        fault = self._first(follower.take, self._slices()) or follower.end()
        pending = 0
        if not fault:
            late = datetime.now(timezone.utc).replace(tzinfo=None) - LATE
            for event in self._pending():
                pending += 1
                fault = follower.take_pending(event, event["date"] < late)
                if fault:
                    break
        if fault:
            result = "broken"
        else:
            result = "unproven" if follower.unsigned or follower.unchecked else "intact"
        return Examination(
            result, fault, follower.position, follower.hash, follower.unsigned,
            follower.unchecked, follower.first_doubtful, pending,
        )

    @api.model
    def _first(self, take, events):
        for event in events:
            fault = take(event)
            if fault:
                return fault
        return None

    @api.model
    def _slices(self):
        """Every linked event in order, as dicts; a slice at a time, so that memory stays flat."""
        last = None
        while True:
            # A chain that was tampered with may hold a position twice.
            rows = self._rows(
                SQL(
                    "position IS NOT NULL AND %s ORDER BY position, id LIMIT %s",
                    SQL("(position, id) > %s", last) if last else SQL("TRUE"),
                    SLICE,
                )
            )
            yield from rows
            if len(rows) < SLICE:
                return
            last = (rows[-1]["position"], rows[-1]["id"])

    @api.model
    def _pending(self):
        last = 0
        while rows := self._rows(
            SQL("position IS NULL AND id > %s ORDER BY id LIMIT %s", last, SLICE)
        ):
            yield from rows
            last = rows[-1]["id"]

    @api.model
    def _rows(self, condition):
        names = (*chain.CONTENT, "content_mac", *chain.LINK)
        self.env.cr.execute(
            SQL(
                "SELECT %s FROM bank_audit_event WHERE %s",
                SQL(", ").join(SQL.identifier(name) for name in names), condition,
            )
        )
        return self.env.cr.dictfetchall()

    # -- heads ----------------------------------------------------------------------------

    @api.model
    def _head(self):
        """The last link of the chain, signed: kept elsewhere, it proves that nothing was cut off.

        :return: dict ready for JSON
        """
        self.env.cr.execute(
            "SELECT position, hash, date FROM bank_audit_event WHERE position IS NOT NULL "
            "ORDER BY position DESC LIMIT 1"
        )
        position, digest, date = self.env.cr.fetchone() or (0, chain.START, None)
        head = {
            "format": HEAD_FORMAT,
            # sudo: the database's number is no secret, but system parameters are.
            "database": self.env["ir.config_parameter"].sudo().get_param("database.uuid"),
            "position": position,
            "count": position,
            "hash": digest,
            "date": date and f"{date:%Y-%m-%dT%H:%M:%S.%f}Z",
            "taken": f"{fields.Datetime.now():%Y-%m-%dT%H:%M:%SZ}",
        }
        return {**head, "mac": self._sign(chain.head_message(head))}

    @api.model
    def _read_head(self, text):
        """A head as :meth:`_head` made it, from its JSON text.

        :raises UserError: it is none, was altered, or can't be checked here
        """
        try:
            head = json.loads(text)
            known = head["format"] == HEAD_FORMAT and isinstance(head["position"], int)
            known = known and isinstance(head["hash"], str)
        except (ValueError, KeyError, TypeError):
            known = False
        if not known:
            raise UserError(self.env._("This file is no head of an audit trail."))
        mac = head.get("mac")
        genuine = bool(mac) and _verify(chain.head_message(head), mac)
        if genuine is None:
            raise UserError(
                self.env._(
                    "This head was signed under a master key that this server does not have."
                )
            )
        if not genuine:
            raise UserError(self.env._("This head is not signed, or was altered."))
        return head


def _verify(message, signature):
    """Whether a signature is right; None where it can't be told here."""
    try:
        return keyring.verify(message, signature, PURPOSE)
    except keyring.KeyringError:
        return None

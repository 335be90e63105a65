import json
import logging
from datetime import date, datetime, timezone
from decimal import Decimal
from functools import partial

from odoo import SUPERUSER_ID, api, fields, models
from odoo.exceptions import AccessError
from odoo.http import request
from odoo.tools import SQL
from psycopg2 import Error as DatabaseError
from psycopg2.errors import LockNotAvailable, ReadOnlySqlTransaction, UndefinedTable

from . import audit_chain as chain
from . import keyring
from .audit_kinds import KINDS
from .audit_mask import masked

_logger = logging.getLogger(__name__)

PURPOSE = "audit"  # the keyring's label
SLICE = 1000  # events written or linked by one statement
COLUMNS = (*chain.CONTENT, "content_mac")

# The database itself keeps the trail: whatever code or SQL is at work, an event is never changed,
# but for the one time when it is given its place in the chain, and never removed. Who may switch
# triggers off is found out by the chain. The table of locks is empty for ever: see `_link_pending`.
GUARD = """
CREATE TABLE IF NOT EXISTS bank_audit_linking ();
CREATE OR REPLACE FUNCTION bank_connect_guard_audit() RETURNS trigger AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.position IS NULL AND NEW.position IS NOT NULL
           AND OLD.hash IS NULL AND OLD.previous_hash IS NULL AND OLD.chain_mac IS NULL
           AND to_jsonb(NEW) - ARRAY['position', 'previous_hash', 'hash', 'chain_mac']
             = to_jsonb(OLD) - ARRAY['position', 'previous_hash', 'hash', 'chain_mac'] THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'The audit trail can''t be changed'
          USING ERRCODE = 'integrity_constraint_violation';
END;
$$ LANGUAGE plpgsql;

DROP TRIGGER IF EXISTS bank_connect_guard_audit ON bank_audit_event;
CREATE TRIGGER bank_connect_guard_audit
    BEFORE UPDATE OR DELETE ON bank_audit_event
    FOR EACH ROW EXECUTE FUNCTION bank_connect_guard_audit();
DROP TRIGGER IF EXISTS bank_connect_guard_audit_all ON bank_audit_event;
CREATE TRIGGER bank_connect_guard_audit_all
    BEFORE TRUNCATE ON bank_audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION bank_connect_guard_audit();
"""


class BankAuditEvent(models.Model):
    """One thing that somebody did, as it is remembered for ever.

    Events are added by :meth:`_record` alone, in the transaction of what they tell of: both are
    committed or neither is. What they speak of is kept as text and number, without a reference
    that the database would follow: removing a user or a batch changes no event.
    """

    _name = "bank.audit.event"
    _description = "Audit Event"
    _order = "id desc"
    _rec_name = "kind"
    # Odoo's own columns would refer to users, and removing a user would then change events.
    _log_access = False

    kind = fields.Selection(KINDS, string="What happened", required=True, readonly=True, index=True)
    date = fields.Datetime(string="When", required=True, readonly=True, index=True)
    res_model = fields.Char(string="Model", readonly=True)
    res_id = fields.Many2oneReference(
        string="Record number", model_field="res_model", readonly=True
    )
    res_name = fields.Char(string="Record", readonly=True)
    user_number = fields.Integer(string="User number", readonly=True, aggregator=None)
    user_login = fields.Char(string="User", readonly=True, index="btree_not_null")
    superuser = fields.Boolean(
        readonly=True,
        help="Done by Odoo's superuser, whom no right restricts: a scheduled action, or a person "
        "at the server's command line.",
    )
    origin = fields.Selection(
        [("web", "Screen or API"), ("cron", "Scheduled action"), ("server", "Server")],
        string="Came by", readonly=True,
    )
    address = fields.Char(string="Network address", readonly=True)
    # No many2one: see above. No event without a company tells of one company's business.
    company_number = fields.Integer(
        string="Company number", readonly=True, index="btree_not_null", aggregator=None
    )
    company_name = fields.Char(string="Company", readonly=True)
    details = fields.Text(readonly=True, help="JSON")
    content_mac = fields.Char(
        string="Signature", readonly=True,
        help="Proves that this server recorded the event as it stands. Empty: no master key was "
        "configured at the time.",
    )
    position = fields.Integer(
        readonly=True, aggregator=None, help="Its place in the chain, given after it happened."
    )
    previous_hash = fields.Char(readonly=True)
    hash = fields.Char(readonly=True, help="SHA-256 of the previous hash and of this event.")
    chain_mac = fields.Char(string="Signature of its place", readonly=True)

    _position_uniq = models.UniqueIndex("(position) WHERE position IS NOT NULL")
    _pending_idx = models.Index("(id) WHERE position IS NULL")
    _record_idx = models.Index("(res_model, res_id)")

    def init(self):
        self.env.cr.execute(GUARD)

    @api.depends("kind")
    @api.depends_context("lang")
    def _compute_display_name(self):
        labels = dict(self._fields["kind"]._description_selection(self.env))
        for event in self:
            event.display_name = labels.get(event.kind) or event.kind

    # It never hands on: nobody adds, changes or removes an event through the ORM.
    @api.model_create_multi
    def create(self, vals_list):  # pylint: disable=method-required-super
        raise AccessError(self.env._("Events are recorded when things happen, not by hand."))

    def write(self, vals):  # pylint: disable=method-required-super
        raise AccessError(self.env._("The audit trail can't be changed."))

    def unlink(self):  # pylint: disable=method-required-super
        # Not by `ondelete`, which lets the module's removal through: tables are dropped then.
        raise AccessError(  # pylint: disable=no-raise-unlink
            self.env._("The audit trail can't be changed.")
        )

    # -- recording ------------------------------------------------------------------------

    @api.model
    def _record(self, kind, record=None, company=None, **details):
        """Remember that the current user did something.

        :param str kind: one of ``audit_kinds.KINDS``
        :param record: what it was done to (one record), if anything
        :param company: whose business it is; by default the record's company
        :param details: plain values; no secret, and of an account no more than its masked number
            (whole IBANs are masked here as well)
        """
        return self._record_each(kind, [(record, details)], company=company)

    @api.model
    def _record_each(self, kind, items, company=None):
        """Remember many things of one kind, in as many queries as one.

        :param items: list of ``(record, details)``, see :meth:`_record`
        """
        if kind not in dict(KINDS):
            raise ValueError(f"Unknown kind of audit event: {kind}")
        if not items:
            return
        cr = self.env.cr
        if cr.readonly:
            # Odoo repeats the request with a cursor that can write.
            raise ReadOnlySqlTransaction("the audit trail is written")
        common = self._who_and_where(kind)
        for start in range(0, len(items), SLICE):
            part = items[start : start + SLICE]
            cr.execute(
                "SELECT nextval('bank_audit_event_id_seq') FROM generate_series(1, %s)",
                (len(part),),
            )
            rows = []
            for (number,), (record, details) in zip(cr.fetchall(), part, strict=True):
                event = {**common, "id": number, **self._what(record, company, details)}
                event["content_mac"] = self._sign(chain.event_message(event))
                rows.append(tuple(event[name] for name in COLUMNS))
            cr.execute(
                SQL(
                    "INSERT INTO bank_audit_event (%s) VALUES %s",
                    SQL(", ").join(SQL.identifier(name) for name in COLUMNS),
                    SQL(", ").join(SQL("%s", row) for row in rows),
                )
            )
        self._link_after_commit()

    @api.model
    def _who_and_where(self, kind):
        # sudo: who acts may read their own login, whatever they may read of users.
        user = self.env.user.sudo()
        if request:
            origin, address = "web", request.httprequest.remote_addr
        else:
            origin, address = ("cron" if self.env.context.get("cron_id") else "server"), None
        return {
            "kind": kind,
            "date": datetime.now(timezone.utc).replace(tzinfo=None),
            "user_number": user.id,
            "user_login": user.login,
            "superuser": user.id == SUPERUSER_ID,
            "origin": origin,
            "address": address,
        }

    @api.model
    def _what(self, record, company, details):
        if record:
            record.ensure_one()
            # sudo: an event tells of its record whatever the user may see of it.
            record = record.sudo()
            if company is None and "company_id" in record._fields:
                company = record.company_id
        details = dict(details)
        if request and request.session.uid not in (None, self.env.uid):
            details["session_user"] = request.session.uid
        return {
            "res_model": record._name if record else None,
            "res_id": record.id if record else None,
            "res_name": _plain(self._name_of(record)) if record else None,
            "company_number": company.id if company else None,
            "company_name": _plain(company.sudo().name) if company else None,
            "details": json.dumps(_plain(details), sort_keys=True, ensure_ascii=False)
            if details
            else None,
        }

    @api.model
    def _name_of(self, record):
        """What a record is called in the trail, which can't forget: its own word for it, if any."""
        name = getattr(record, "_audit_name", None)
        return name() if name else record.display_name

    @api.model
    def _sign(self, message):
        """The signature, or None where no master key is configured: work goes on without."""
        try:
            return keyring.sign(message, PURPOSE)
        except keyring.KeyringError:
            return None

    # -- linking --------------------------------------------------------------------------

    @api.model
    def _link_after_commit(self):
        """Link what this transaction records, once, when it has committed."""
        callbacks = self.env.cr.postcommit
        if not callbacks.data.get("bank_audit_link"):
            callbacks.data["bank_audit_link"] = True
            callbacks.add(partial(_link_now, self.env.registry))

    @api.model
    def _link_pending(self, wait=1000):
        """Give every committed event its place: one slice of them, in the order of their numbers.

        The lock comes before the transaction's first look at the data (a repeatable read sees
        what was committed then), so that each linker sees all that the one before it linked. It is
        held on a table of its own: nobody who records an event ever waits for a linker.

        :param int wait: milliseconds to wait for another linker
        :return: how many events were linked
        :raises LockNotAvailable: another linker is at work
        """
        cr = self.env.cr
        # SET takes no placeholder that PostgreSQL itself would fill; psycopg quotes the number.
        cr.execute("SET LOCAL lock_timeout = %s", (int(wait),))
        cr.execute("LOCK TABLE bank_audit_linking IN EXCLUSIVE MODE", log_exceptions=False)
        cr.execute(
            SQL(
                "SELECT %s FROM bank_audit_event WHERE position IS NULL ORDER BY id LIMIT %s",
                SQL(", ").join(SQL.identifier(name) for name in COLUMNS),
                SLICE,
            )
        )
        events = cr.dictfetchall()
        if not events:
            return 0
        cr.execute(
            "SELECT position, hash FROM bank_audit_event WHERE position IS NOT NULL "
            "ORDER BY position DESC LIMIT 1"
        )
        position, previous = cr.fetchone() or (0, chain.START)
        rows = []
        for event in events:
            position += 1
            digest = chain.link_hash(event, position, previous)
            mac = self._sign(chain.link_message(digest))
            rows.append((event["id"], position, previous, digest, mac))
            previous = digest
        cr.execute(
            SQL(
                """
                UPDATE bank_audit_event event
                   SET position = link.position, previous_hash = link.previous_hash,
                       hash = link.hash, chain_mac = link.chain_mac
                  FROM (VALUES %s) link (id, position, previous_hash, hash, chain_mac)
                 WHERE event.id = link.id
                """,
                SQL(", ").join(SQL("%s", row) for row in rows),
            )
        )
        self.invalidate_model(chain.LINK)
        return len(events)

    @api.model
    def _cron_link(self):
        """Scheduled action: link what a worker left behind that died after its commit."""
        while self.search_count([("position", "=", False)], limit=1):
            # A transaction of its own each time: this one has looked at the data already.
            if not _link_now(self.env.registry):
                break
            if not self.env["ir.cron"]._commit_progress(1):
                self.env.ref("account_bank_connect.cron_audit_link")._trigger()
                break


def _link_now(registry):
    """Link one slice in a transaction of its own. Never fails: what stays is linked later."""
    if "bank.audit.event" not in registry:
        return 0  # the module was removed
    try:
        with registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            return env["bank.audit.event"]._link_pending()
    except LockNotAvailable:
        _logger.debug("Another worker links the audit trail")
    except UndefinedTable:
        _logger.debug("The audit trail goes with the module")
    except DatabaseError:
        _logger.warning("The audit trail could not be linked now", exc_info=True)
    except Exception:
        # After a commit nothing may fail any more, whatever it is; the log has the trace.
        _logger.exception("The audit trail could not be linked")
    return 0


def _plain(value):
    """``value`` as JSON holds it, with whole account numbers masked; records by their names.

    :raises TypeError: it is no plain value
    """
    if isinstance(value, str):
        return masked(value.replace("\0", "\ufffd"))
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Decimal | date | datetime):
        return str(value)
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, set | frozenset):
        value = sorted(value)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, models.BaseModel):
        # sudo: see `_what`.
        return _plain(value.sudo().mapped("display_name"))
    raise TypeError(f"Not for the audit trail: {type(value).__name__}")

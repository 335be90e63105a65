import json

from odoo import models
from odoo.tools import SQL

from . import audit_chain, keyring
from .evidence_plain import plain, value
from .keyring import KeyringError

MODULE = "account_bank_connect"
SLICE = 1000
# Models that say who must approve and how long documents are kept.
RULES = ("bank.approval.rule", "bank.approval.level", "bank.approval.substitute", "bank.retention")


class BankEvidenceContent(models.AbstractModel):
    """The part of a pack about people, rules and the audit trail."""

    _inherit = "bank.evidence.content"

    def _parts(self):
        return [*super()._parts(), self._write_people, self._write_rules, self._write_audit]

    # -- who could do what ----------------------------------------------------------------------

    def _write_people(self, pack, scope, batches):
        """Everybody who has a role here, and everybody who acted, with all their groups."""
        ours = self.env["res.groups"].search([("privilege_id", "!=", False)])
        names = ours._get_external_ids()
        ours = ours.filtered(lambda group: any(MODULE in each for each in names[group.id]))
        users = ours.all_user_ids.filtered(lambda user: scope.company_id in user.company_ids)
        users |= batches.preparer_id | batches.approval_ids.user_id
        made = self.env["account.payment"]._read_group(
            [("bank_batch_id", "in", batches.ids)], ["create_uid"]
        )
        users = users.union(*(user for (user,) in made))
        pack.add_table(
            "people/users",
            ["id", "login", "name", "active", "companies", "groups"],
            [self._person(user) for user in users.sorted("id")],
        )

    def _person(self, user):
        names = user.all_group_ids._get_external_ids()
        return {
            "id": user.id,
            "login": user.login,
            "name": user.name,
            "active": user.active,
            "companies": user.company_ids.sorted("id").mapped("name"),
            "groups": sorted(name for found in names.values() for name in found[:1]),
        }

    # -- the rules ------------------------------------------------------------------------------

    def _write_rules(self, pack, scope, batches):
        for name in RULES:
            if name in self.env:
                every = self.env[name].with_context(active_test=False)
                records = every.search([], order="id")  # pylint: disable=no-search-all
                if "company_id" in records._fields:
                    wanted = (scope.company_id, records.env["res.company"])
                    records = [record for record in records if record.company_id in wanted]
                pack.add_json(f"rules/{name}.json", [plain(record) for record in records])
        pack.add_json("rules/company.json", self._company_rules(scope.company_id))
        journals = self.env["account.journal"].search(
            [("company_id", "=", scope.company_id.id), ("bank_connection_id", "!=", False)],
            order="id",
        )
        connections = (journals.bank_connection_id | batches.connection_id).sorted("id")
        pack.add_json(
            "rules/connections.json", [self._connection(connection) for connection in connections]
        )

    def _company_rules(self, company):
        """What this module lets a company decide for itself."""
        names = [
            name
            for name, field in company._fields.items()
            if field.store and name.startswith("bank_") and MODULE in (field._modules or ())
        ]
        return plain(company, [name for name in names if company._fields[name].type != "one2many"])

    def _connection(self, connection):
        names = ("id", "name", "company_id", "profile_id", "url", "state", "pinned_fingerprints")
        certificate, shown = connection.certificate_id, None
        if certificate:
            shown = {
                "serial_number": certificate.serial_number or None,
                "valid_from": value(certificate, "date_start"),
                "valid_to": value(certificate, "date_end"),
            }
        return {**plain(connection, names), "certificate": shown}

    # -- the audit trail ------------------------------------------------------------------------

    def _write_audit(self, pack, scope, batches):
        """The chain from the first event that belongs here to its head.

        Events of other matters are there as digests: the chain can be followed, and what happened
        elsewhere stays there.
        """
        wanted = self._audit_condition(scope, batches)
        columns = SQL(", ").join(
            SQL.identifier(name)
            for name in (*audit_chain.CONTENT, *audit_chain.LINK, "content_mac")
        )
        first = self.env.execute_query(
            SQL("SELECT min(position) FROM bank_audit_event WHERE %s", wanted)
        )[0][0]
        last, position = None, first
        with pack.open("audit/events.jsonl") as file:
            while position is not None:
                self.env.cr.execute(
                    SQL(
                        "SELECT %s, (%s) IS TRUE AS wanted FROM bank_audit_event "
                        "WHERE position >= %s ORDER BY position LIMIT %s",
                        columns, wanted, position, SLICE,
                    )
                )
                events = self.env.cr.dictfetchall()
                for event in events:
                    file.write(_line(event))
                last = events[-1] if events else last
                position = events[-1]["position"] + 1 if events else None
        pack.add_json("audit/head.json", self._audit_head(last))

    def _audit_condition(self, scope, batches):
        """SQL: which events belong to the scope."""
        resolutions = self.env["bank.resolution"].search([("batch_id", "in", batches.ids)])
        about = {
            batches._name: batches.ids,
            "bank.message": batches.message_ids_bank.ids,
            "account.payment": batches.payment_ids.ids,
            resolutions._name: resolutions.ids,
        }
        conditions = [
            SQL("(res_model = %s AND res_id = ANY(%s))", model, ids) for model, ids in about.items()
        ]
        if not scope.batch_id:
            conditions.append(
                SQL(
                    "(company_number = %s AND date >= %s AND date < %s)",
                    scope.company_id.id, scope.date_from, scope._day_after(),
                )
            )
        return SQL("(%s)", SQL(" OR ").join(conditions))

    def _audit_head(self, last):
        head = {"position": last["position"], "hash": last["hash"]} if last else {
            "position": None, "hash": None
        }
        try:
            # For whoever holds the key: the head was this server's when the pack was made.
            head["mac"] = keyring.sign(json.dumps(head, sort_keys=True).encode(), "evidence-head")
        except KeyringError:
            head["mac"] = None
        return head


def _line(event):
    said = {
        "position": event["position"],
        "previous": event["previous_hash"],
        "hash": event["hash"],
        "digest": audit_chain.content_digest(event),
    }
    if event["wanted"]:
        said["signature"] = event["content_mac"] or "unsigned"
        said["content"] = audit_chain.canonical(event).decode()
    return json.dumps(said, sort_keys=True, ensure_ascii=False).encode() + b"\n"

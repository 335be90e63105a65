"""Database rows written after a pattern, and what makes that safe.

Records of one kind are alike but for a few columns. Odoo makes one of each kind on trial; the rows
it wrote are the pattern, the trial is undone, and the records are inserted after the pattern, each
with columns of its own. What other modules compute for such records is computed for every one.
"""

import json
from contextlib import contextmanager
from datetime import date

from odoo.tools import SQL, split_every

# Modules whose part in creating an entry or a statement line was read: a copy can follow it.
KNOWN = frozenset(
    """
    account account_add_gln account_bank_connect account_check_printing account_debit_note
    account_edi_ubl_cii account_payment account_qr_code_sepa analytic base base_iban certificate
    digest mail onboarding portal product uom web
    """.split()
)
CHUNK = 1000  # rows inserted by one statement


class _Undo(Exception):
    """Ends a trial."""


class Kinds:
    """Records sorted into kinds.

    :ivar numbers: each record's kind, counted from 0
    :ivar samples: of each kind the position of the first record
    """

    def __init__(self, kinds):
        found = {}
        self.numbers, self.samples = [], []
        for position, kind in enumerate(kinds):
            if kind not in found:
                found[kind] = len(found)
                self.samples.append(position)
            self.numbers.append(found[kind])
        # A trial costs as much as creating its samples, and then some.
        self.worthwhile = None not in found and len(self.numbers) >= 4 * len(found) > 0


def hashable(pairs):
    """The pairs as a key; None if a value is more than a plain one."""
    plain = (str, int, float, date, tuple, type(None))
    if all(isinstance(value, plain) for pair in pairs for value in pair):
        return tuple(pairs)
    return None


def may_copy(*models):
    """Whether records of these models can be copied: no unknown module takes part in creating them.

    Fields that an unknown module adds are no obstacle where they stay empty or are computed.
    """
    return all(
        _is_known_method(model, "create")
        and not any(
            field.required or field.default
            for field in model._fields.values()
            if field.store and not _is_known_field(model, field)
        )
        for model in models
    )


def trial(env, make):
    """Let Odoo make samples, and undo it.

    :param make: makes the samples; returns a list of recordsets
    :return: for each recordset its rows, JSON texts in the order of the records' ids
    """
    taken = []
    try:
        with env.cr.savepoint():
            made = make()
            env.flush_all()
            taken = [_rows(records) for records in made]
            raise _Undo
    except _Undo:
        return taken


def _rows(records):
    return [
        row[0]
        for row in records.env.execute_query(
            SQL(
                "SELECT to_jsonb(r)::text FROM %s r WHERE id IN %s ORDER BY id",
                SQL.identifier(records._table),
                tuple(records.ids),
            )
        )
    ]


def new_ids(model, count):
    """Take numbers for ``count`` new records, ascending."""
    return [
        row[0]
        for row in model.env.execute_query(
            SQL(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
                model._table,
                count,
            )
        )
    ]


def insert(model, patterns, rows):
    """Insert records after their patterns.

    :param patterns: rows as JSON texts
    :param rows: (index of the pattern, the record's own columns with its ``id``)
    :return: the new records
    """
    for chunk in split_every(CHUNK, rows, list):
        model.env.cr.execute(
            SQL(
                """
                INSERT INTO %(table)s
                SELECT new.*
                  FROM jsonb_array_elements(%(own)s::jsonb) own,
                       jsonb_populate_record(
                           NULL::%(table)s, %(patterns)s::jsonb -> (own->>0)::int || (own->1)
                       ) new
                """,
                table=SQL.identifier(model._table),
                own=json.dumps(chunk),
                patterns=f"[{','.join(patterns)}]",
            )
        )
    return model.browse(own["id"] for _pattern, own in rows)


def settle(*groups, open_fields=()):
    """Have computed what a copy could not know, and check what modules want checked.

    Call it once for all new records together.

    :param open_fields: names of fields of the last group that are computed for each record
    """
    # Checks compute fields, and Odoo takes that for a change by hand.
    groups = [records.with_context(skip_is_manually_modified=True) for records in groups]
    # A pattern holds what Odoo computes; only other modules' fields are open.
    copied = [
        (
            [f for f in records._fields.values() if f.store and _is_known_field(records, f)],
            records,
        )
        for records in groups
    ]
    env = groups[0].env
    with env.protecting(copied):
        for records in groups:
            records.modified([f.name for f in records._fields.values() if f.store], create=True)
    for name in open_fields:
        env.add_to_compute(groups[-1]._fields[name], groups[-1])
    for records in groups:
        records._validate_fields(records._fields)
        records.check_access("create")


def read_at_once(*groups):
    """Read all that Odoo would read of these records one by one."""
    for records in groups:
        records.sudo().fetch(
            [
                field.name
                for field in records._fields.values()
                if field.store and (field.prefetch is True or field.type == "many2many")
            ]
        )


@contextmanager
def postponed(*groups):
    """Have fields computed once at the end instead of after every step.

    :param groups: pairs of records and the names of their stored computed fields; fields that
        nobody edits, and that nothing done meanwhile has to read
    """
    fields = [([records._fields[name] for name in names], records) for records, names in groups]
    env = groups[0][0].env
    for names, records in fields:
        for field in names:
            env.remove_to_compute(field, records)
    with env.protecting(fields):
        yield
    for names, records in fields:
        for field in names:
            env.add_to_compute(field, records)


def _is_known_field(model, field):
    return set(field._modules) <= KNOWN and (
        not isinstance(field.compute, str) or _is_known_method(model, field.compute)
    )


def _is_known_method(model, name):
    return all(
        getattr(cls, "_module", None) in KNOWN
        for cls in type(model).__mro__
        if name in vars(cls) and not cls.__module__.startswith("odoo.orm")
    )

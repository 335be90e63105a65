"""Records as plain values, for JSON: what they hold, without what is nobody's business.

Used where a record is to be shown whole, now and after fields were added to it.
"""

from odoo import fields

SKIP_TYPES = ("binary", "image", "html", "one2many", "many2one_reference", "properties")
SKIP_PREFIXES = ("message_", "activity_", "website_", "rating_", "my_activity")


def plain(record, names=None):
    """One record as a dict of plain values.

    :param names: fields to take; by default all that are stored and that no group is kept from
    """
    return {name: value(record, name) for name in names or stored(record)}


def stored(records):
    """Names of the fields that say what a record is, in their own order."""
    return [
        name
        for name, field in records._fields.items()
        if field.store
        and field.type not in SKIP_TYPES
        and not field.groups
        and not name.startswith(SKIP_PREFIXES)
    ]


def value(record, name):
    """A field's value as JSON has it: amounts as decimal text, records as id and name."""
    field, found = record._fields[name], record[name]
    if field.type == "monetary":
        currency = record[field.get_currency_field(record)]
        return amount(found, currency) if currency else repr(found)
    if field.type == "float":
        return repr(found)
    if field.type == "many2one":
        return reference(found)
    if field.type == "many2many":
        return [reference(other) for other in found.sorted("id")]
    if field.type == "date":
        return fields.Date.to_string(found) or None
    if field.type == "datetime":
        return f"{found:%Y-%m-%dT%H:%M:%S}Z" if found else None
    if field.type in ("boolean", "integer", "json"):
        return found
    return str(found) if found else None


def amount(number, currency):
    """An Odoo amount as exact decimal text."""
    return f"{currency.round(number):.{currency.decimal_places}f}"


def reference(record):
    return {"id": record.id, "name": record.display_name} if record else None


def slices(records, size=500):
    """The records in slices, each forgotten before the next, so that memory stays flat."""
    ids, model = records.ids, records
    for start in range(0, len(ids), size):
        yield model.browse(ids[start : start + size])
        model.env.invalidate_all()

"""The table of docs/security.md that says who may do what. It is written in one place: there."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "docs" / "security.md"
HEADING = "## Who may do what"
OPERATIONS = {"r": "read", "w": "write", "c": "create", "d": "unlink"}
# Columns of the table: a user with this group and no other.
GROUPS = {
    "preparer": "account_bank_connect.group_preparer",
    "approver": "account_bank_connect.group_approver",
    "bank administrator": "account_bank_connect.group_admin",
    "auditor": "account_bank_connect.group_auditor",
    "invoicing": "account.group_account_invoice",
    "read-only": "account.group_account_readonly",
    "validates accounts": "account.group_validate_bank_account",
    "Odoo's administrator": "base.group_system",
    "employee": "base.group_user",
    "portal": "base.group_portal",
}


def documented():
    """The table.

    :return: dict of model → column → letters of ``OPERATIONS``
    :raises ValueError: a line of the table can't be understood
    """
    _before, _heading, rest = DOCUMENT.read_text().partition(HEADING + "\n")
    section = re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    columns = _cells(lines[0])[1:]
    if columns != list(GROUPS):
        raise ValueError(f"The columns of the table are not {list(GROUPS)}")
    table = {}
    for line in lines[2:]:
        first, *rights = _cells(line)
        models = re.findall(r"`([a-z_.]+)`", first)
        if not models or len(rights) != len(columns) or set("".join(rights)) - set(OPERATIONS):
            raise ValueError(f"This line of the table can't be understood: {line}")
        for model in models:
            if model in table:
                raise ValueError(f"{model} is in the table twice")
            table[model] = dict(zip(columns, rights, strict=True))
    return table


def line_for(models, rights):
    """A line of the table.

    :param rights: column → letters
    """
    names = ", ".join(f"`{model}`" for model in models)
    return " | ".join([f"| {names}", *(rights[column] for column in GROUPS)]) + " |"


def _cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]

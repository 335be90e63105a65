"""Account numbers, so that they can be told apart but not used."""

import re

from ..formats.iban import is_iban

#: Groups of those who see whole account numbers in this module's fields: they prepare, approve,
#: confirm, look into trouble or audit, and can't without. Everybody else sees them masked.
ROLES = ",".join(
    f"account_bank_connect.group_{role}" for role in ("preparer", "approver", "admin", "auditor")
)
SEES_ACCOUNTS = ROLES
SEES_PAYEES_ACCOUNTS = f"{SEES_ACCOUNTS},account.group_validate_bank_account"

# ISO 13616, as people and programs write it: with or without spaces.
_CANDIDATE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]){11,30}")


def masked(text):
    """``text`` with the middle of every valid IBAN in it replaced: ``DE89…3000``."""
    return _CANDIDATE.sub(_mask, text)


def _mask(match):
    found = match.group()
    # What follows after a space may be the next word: the longest beginning that is an IBAN.
    for end in range(len(found), 14, -1):
        number = found[:end].replace(" ", "").upper()
        if not found[end : end + 1].isalnum() and is_iban(number):
            return f"{number[:4]}…{number[-4:]}{found[end:]}"
    return found

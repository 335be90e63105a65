"""Rules for single fields: lengths, forms, characters.

Lengths are those of ISO 20022 and, for names and address lines, the 70 characters of the EPC.
"""

import re

from ..charset import carries, slash_fault, to_charset, unmappable
from ..iban import is_iban
from ..model import Account, Address, Agent, Party, Problem
from .versions import Version

CHARGE_BEARERS = ("SLEV", "SHAR", "DEBT", "CRED")
_CODE = re.compile(r"[A-Za-z0-9]+", re.ASCII)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_ADDRESS = (
    ("town", "town", 35),
    ("post_code", "post code", 16),
    ("street", "street", 70),
    ("building", "building number", 16),
    ("subdivision", "state or province", 35),
)


class Fields:
    """Judges fields and gathers what is wrong with them."""

    def __init__(self, form: Version, charset: str) -> None:
        self.form = form
        self.charset = charset
        self.found: list[Problem] = []
        self.end_to_end_id: str | None = None

    def add(self, path: str, code: str, message: str, **facts: object) -> None:
        self.found.append(
            Problem(
                path=path,
                code=code,
                message=message,
                end_to_end_id=self.end_to_end_id,
                facts=facts,
            )
        )

    def too_long(
        self, path: str, label: str, length: int, most: int, unit: str = "characters"
    ) -> None:
        text = f"{label} has {length} {unit}, {most} are allowed"
        self.add(path, "too_long", text, length=length, most=most)

    def text(
        self, path: str, label: str, value: str | None, most: int, *, needed: bool = False
    ) -> None:
        """A free text, which may be transliterated."""
        if value is None and not needed:
            return
        if value is None or not value.strip():
            self.add(path, "empty", f"{label} is empty")
            return
        if not carries(value, self.charset):
            missing = unmappable(value, self.charset)
            if missing:
                shown = " ".join(missing[:10])
                self.add(
                    path,
                    "charset",
                    f"{label} {value[:70]!r} has characters that the bank's channel cannot"
                    f" carry ({shown}): write it in Latin letters",
                    characters=shown,
                )
                return
            value = to_charset(value, self.charset)
        length = len(value.strip())
        if not length:
            self.add(path, "empty", f"{label} is empty")
        elif length > most:
            self.too_long(path, label, length, most)

    def identifier(self, path: str, label: str, value: str | None, *, slashes: bool = True) -> None:
        """An identifier or reference, which must fit as it is."""
        if not value or not value.strip():
            self.add(path, "empty", f"{label} is empty")
        elif len(value) > 35:
            self.too_long(path, label, len(value), 35)
        elif value != value.strip() or not carries(value, self.charset):
            text = f"{label} {value!r} has characters the bank does not take"
            foreign = (char for char in dict.fromkeys(value) if not carries(char, self.charset))
            self.add(path, "charset", text, characters=" ".join(foreign) or " ")
        elif slashes and slash_fault(value):
            text = f"{label} {value!r} begins or ends with a slash or has two in a row"
            self.add(path, "slash", text)

    def code(self, path: str, label: str, value: str | None, most: int) -> None:
        if value is not None and (not _CODE.fullmatch(value) or len(value) > most):
            self.add(path, "code", f"{label} {value!r} is not a code of 1 to {most} characters")

    def charge_bearer(self, path: str, value: str | None) -> None:
        if value is not None and value not in CHARGE_BEARERS:
            text = f"the charge bearer {value!r} is not one of {', '.join(CHARGE_BEARERS)}"
            self.add(path, "charge_bearer", text)

    def country(self, path: str, label: str, value: str) -> None:
        if not _COUNTRY.fullmatch(value):
            self.add(path, "country", f"{label} {value!r} is not a country code of two letters")

    def party(self, path: str, label: str, item: Party) -> None:
        self.text(f"{path}.name", f"{label}'s name", item.name, 70, needed=True)
        self.address(f"{path}.address", label, item.address)
        if item.organisation_id is not None:
            where = f"{path}.organisation_id"
            self.identifier(where, f"{label}'s identification", item.organisation_id)
        if item.organisation_id_scheme is not None:
            where = f"{path}.organisation_id_scheme"
            self.identifier(where, f"{label}'s identification scheme", item.organisation_id_scheme)

    def address(self, path: str, label: str, item: Address | None) -> None:
        if item is None:
            return
        if not item.country:
            self.add(f"{path}.country", "country", f"{label}'s address has no country")
        else:
            self.country(f"{path}.country", f"{label}'s country", item.country)
        for name, word, most in _ADDRESS:
            self.text(f"{path}.{name}", f"{label}'s {word}", getattr(item, name), most)
        structured = item.town or item.post_code or item.street or item.building
        if not item.town and (self.form.needs_town or structured):
            self.add(f"{path}.town", "town", f"{label}'s address has no town")
        most = 2 if structured else 7
        if len(item.lines) > most:
            where = f"{label}'s address"
            self.too_long(f"{path}.lines", where, len(item.lines), most, "lines")
        for index, line in enumerate(item.lines):
            self.text(f"{path}.lines[{index}]", f"{label}'s address line", line, 70, needed=True)

    def account(self, path: str, label: str, item: Account) -> None:
        if item.iban:
            if not is_iban(item.iban):
                text = f"{label} {item.iban!r} is not a valid IBAN"
                self.add(f"{path}.iban", "iban", text)
            if item.other:
                self.add(path, "account", f"{label} is given as IBAN and as another number")
        elif not item.other or not item.other.strip():
            self.add(path, "account", f"{label} is missing")
        else:
            self.identifier(f"{path}.other", label, item.other, slashes=False)
            if len(item.other) == 35:
                self.too_long(f"{path}.other", label, 35, 34)
        if item.other_scheme is not None:
            self.identifier(f"{path}.other_scheme", f"{label}'s scheme", item.other_scheme)
        if item.currency is not None and not re.fullmatch(r"[A-Z]{3}", item.currency):
            text = f"{label}'s currency {item.currency!r} is not a currency code"
            self.add(f"{path}.currency", "currency", text)

    def agent(self, path: str, label: str, item: Agent | None) -> None:
        if item is None:
            return
        if not (item.bic or item.member_id or item.name):
            self.add(path, "bic", f"{label} has neither BIC, clearing number nor name")
        if item.bic and not self.form.bic_pattern.fullmatch(item.bic):
            self.add(f"{path}.bic", "bic", f"{label} has the BIC {item.bic!r}, which is not valid")
        if item.member_id is not None:
            where = f"{path}.member_id"
            self.identifier(where, f"{label}'s clearing number", item.member_id, slashes=False)
        if item.clearing_system is not None:
            where = f"{path}.clearing_system"
            self.code(where, f"{label}'s clearing system", item.clearing_system, 5)
            if not item.member_id:
                self.add(where, "bic", f"{label} has a clearing system but no number in it")
        self.text(f"{path}.name", f"{label}'s name", item.name, 70)
        self.address(f"{path}.address", label, item.address)

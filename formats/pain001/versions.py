"""What differs between the versions of pain.001, as data."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of the message.

    - ``namespace``: of its schema
    - ``bic_tag``, ``bic_pattern``: how it writes a bank's BIC
    - ``wraps_date``: the execution date stands in a ``Dt`` of its own
    - ``has_uetr``: it has a place for the UETR
    - ``needs_town``: an address must have town and country as fields of their own (EPC and
      CBPR+ since November 2026)
    """

    name: str
    namespace: str
    bic_tag: str
    bic_pattern: re.Pattern
    wraps_date: bool
    has_uetr: bool
    needs_town: bool


_BY_NAME = {
    version.name: version
    for version in (
        Version(
            name="pain.001.001.03",
            namespace="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03",
            bic_tag="BIC",
            bic_pattern=re.compile(r"[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?"),
            wraps_date=False,
            has_uetr=False,
            needs_town=False,
        ),
        Version(
            name="pain.001.001.09",
            namespace="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09",
            bic_tag="BICFI",
            bic_pattern=re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?"),
            wraps_date=True,
            has_uetr=True,
            needs_town=True,
        ),
    )
}
VERSIONS = tuple(_BY_NAME)


def version_of(name: str) -> Version:
    """The version called ``name``; raises ``ValueError`` for one that can't be written."""
    if name not in _BY_NAME:
        raise ValueError(f"{name!r} can't be written: one of {', '.join(VERSIONS)}")
    return _BY_NAME[name]

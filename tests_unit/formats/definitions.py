"""The messages whose schema no package carries, held against classes generated from it.

``pyiso20022`` has a class for each ISO 20022 message, made from its schema: elements, their
order and what is mandatory. Patterns and lengths are not compared.
"""

import importlib
from dataclasses import fields, is_dataclass

import pytest
from lxml import etree


def assert_defined(document: bytes, name: str) -> None:
    """``document`` has the elements of the message ``name``, each in its place, none missing.

    Skips the test where the packages are not at hand.
    """
    kind = name.split(".")[0]
    where = f"pyiso20022.{kind}.{name.replace('.', '_')}"
    reason = "see requirements-schemas.txt"
    pytest.importorskip("xsdata", reason=reason)
    pytest.importorskip("pyiso20022", reason=reason)
    parsers = importlib.import_module("xsdata.formats.dataclass.parsers")
    serializers = importlib.import_module("xsdata.formats.dataclass.serializers")
    config = importlib.import_module("xsdata.formats.dataclass.parsers.config")
    try:
        message = importlib.import_module(where).Document
    except ModuleNotFoundError:
        pytest.skip(f"pyiso20022 has no {name}")
    strict = config.ParserConfig(fail_on_unknown_properties=True, fail_on_converter_warnings=True)
    read = parsers.XmlParser(config=strict).from_bytes(document, message)
    _assert_complete(read, name)
    again = serializers.XmlSerializer().render(read).encode()
    assert _tags(document) == _tags(again)


def _tags(document: bytes) -> list[str]:
    return [etree.QName(element).localname for element in etree.fromstring(document).iter()]


def _assert_complete(value: object, path: str) -> None:
    for field in fields(value):
        found = getattr(value, field.name)
        if field.metadata.get("required"):
            assert found is not None, f"{path}.{field.name} is missing"
        items = found if isinstance(found, list) else [found]
        assert len(items) >= field.metadata.get("min_occurs", 0), f"{path}.{field.name}"
        for item in items:
            if is_dataclass(item):
                _assert_complete(item, f"{path}.{field.name}")

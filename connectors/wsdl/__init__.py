"""The contract of the SOAP channel: our own WSDL, and the schema of the request inside."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent


def contract() -> bytes:
    """Return our own WSDL."""
    return (_FOLDER / "corporate_file_service.wsdl").read_bytes()


def request_schema() -> bytes:
    """Return the XML schema of the ApplicationRequest."""
    return (_FOLDER / "application_request.xsd").read_bytes()

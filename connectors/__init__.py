"""Bank channels: each file carries opaque bytes over one protocol.

The package imports neither Odoo nor the sibling package ``formats``.  The names below are its
public face; everything raised or returned is defined in :mod:`.interface`.
"""

from .interface import (
    Check,
    Connector,
    Document,
    FetchError,
    Health,
    NotSent,
    Outcome,
    Receipt,
    Refused,
    RemoteDocument,
    Unavailable,
    Uncertain,
)
from .settings import Identity, Settings, Timeouts, Trust

__all__ = [
    "Check",
    "Connector",
    "Document",
    "FetchError",
    "Health",
    "Identity",
    "NotSent",
    "Outcome",
    "Receipt",
    "Refused",
    "RemoteDocument",
    "Settings",
    "Timeouts",
    "Trust",
    "Unavailable",
    "Uncertain",
]

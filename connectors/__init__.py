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
    Reason,
    Receipt,
    Refused,
    RemoteDocument,
    SettingsError,
    Unavailable,
    Uncertain,
)
from .profiles import profile, profile_names
from .registry import connect
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
    "Reason",
    "Receipt",
    "Refused",
    "RemoteDocument",
    "Settings",
    "SettingsError",
    "Timeouts",
    "Trust",
    "Unavailable",
    "Uncertain",
    "connect",
    "profile",
    "profile_names",
]

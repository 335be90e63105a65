"""Which class speaks which protocol."""

from __future__ import annotations

from .interface import Connector, SettingsError
from .rest import RestConnector
from .settings import Settings

PROTOCOLS: dict[str, type[Connector]] = {"rest": RestConnector}


def connect(protocol: str, settings: Settings) -> Connector:
    """Return a connector; no byte is sent yet.

    :raises SettingsError: where the settings cannot work
    """
    if protocol not in PROTOCOLS:
        raise SettingsError("protocol", f"The protocol {protocol!r} is not known.")
    return PROTOCOLS[protocol](settings)

"""Which class speaks which protocol."""

from __future__ import annotations

from .file_profile import FileProfile
from .interface import Connector, SettingsError
from .rest import RestConnector
from .rest_profile import RestProfile
from .settings import Settings
from .sftp import SftpConnector
from .sftp_profile import SftpProfile
from .soap import SoapConnector
from .soap_profile import SoapProfile

PROTOCOLS: dict[str, type[Connector]] = {
    "rest": RestConnector,
    "sftp": SftpConnector,
    "soap": SoapConnector,
}
# Which class reads a protocol's profiles; each has ``from_dict``, ``name`` and ``can_recall``.
# The protocol "file" has no class to speak it: people do.
PROFILES: dict[str, type[FileProfile | RestProfile | SftpProfile | SoapProfile]] = {
    "file": FileProfile,
    "rest": RestProfile,
    "sftp": SftpProfile,
    "soap": SoapProfile,
}


def connect(protocol: str, settings: Settings) -> Connector:
    """Return a connector; no byte is sent yet.

    :raises SettingsError: where the settings cannot work
    """
    if protocol not in PROTOCOLS:
        raise SettingsError("protocol", f"The protocol {protocol!r} is not known.")
    return PROTOCOLS[protocol](settings)

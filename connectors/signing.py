"""How requests are signed and the bank's answers verified, as a profile says.

Two kinds: HTTP signatures (:mod:`.http_signature`) and detached JWS (:mod:`.detached_jws`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .interface import SettingsError
from .keys import public_keys


class Signer(ABC):
    """Signs what goes out, and checks what comes back."""

    verifies: bool = False
    """Whether answers must be signed by the bank."""

    signs_nothing: bool = True
    """Whether an answer without a body is signed as well."""

    @abstractmethod
    def sign(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, now: datetime
    ) -> dict[str, str]:
        """Return the headers to add, some of which may replace given ones.

        :raises ValueError: where the request cannot be signed as the profile says
        """

    @abstractmethod
    def check(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """Return why an answer is not signed as agreed, or ``None`` where it is.

        :param headers: the answer's, case-insensitive
        """


def public_keys_for(signers: Any, wanted: bool) -> list[Any]:
    """Return the bank's public keys from the settings.

    :param signers: a :class:`.settings.Trust`, or ``None``
    :raises SettingsError: ``signers``, where they are needed and missing or unusable
    """
    if not wanted:
        return []
    if signers is None or not signers.ca_pem.strip():
        raise SettingsError("signers", "The certificate that this bank signs with is missing.")
    try:
        return public_keys(signers.ca_pem)
    except ValueError as error:
        raise SettingsError(
            "signers", f"The certificate that this bank signs with cannot be used: {error}."
        ) from None

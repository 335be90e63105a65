"""How to reach one bank under one contract: who we are, whom we trust, where and how long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .exchange import Exchange
    from .tokens import TokenStore


@dataclass
class Identity:
    """Our certificate and private key, both PEM.

    ``certificate`` may hold the chain, leaf first, and is empty where a key is enough (SSH).
    ``password`` opens an encrypted key.
    Secrets never show in ``repr``.
    """

    certificate: bytes
    private_key: bytes = field(repr=False)
    password: str | None = field(default=None, repr=False)


@dataclass
class Trust:
    """Whom to believe: a CA or the bank's own certificate (PEM), nothing else.

    ``fingerprints`` (SHA-256 of the leaf certificate, hex, colons allowed) narrows this to
    named certificates.  The host name is always checked; public CAs are never added.
    ``crl`` (PEM, one or several lists): in TLS, a server whose certificate is in it is not
    believed, nor one whose issuer has no list in it that is up to date.

    Over SSH they are host keys (lines as in known_hosts) and their fingerprints (``SHA256:…``).
    """

    ca_pem: bytes
    fingerprints: tuple[str, ...] = ()
    crl: bytes = field(default=b"", repr=False)


@dataclass
class Timeouts:
    """Seconds: to connect (per address), between two reads, and for one whole exchange."""

    connect: float = 10.0
    read: float = 60.0
    total: float = 300.0


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass
class Settings:
    """Everything :func:`.registry.connect` needs.

    :ivar url: the bank's base address, ``https://host[:port][/path]``
    :ivar profile: name of a built-in profile, or the profile as a plain dict
    :ivar identity: what we show in TLS; ``None`` where the bank asks for no client certificate
    :ivar trust: whom to believe in TLS
    :ivar variables: values for the profile's templates: ``contract_id``, ``consent_id``,
        ``psu_ip_address``, … (strings); some may be secret, so none is ever logged
    :ivar accounts: for banks without a mailbox, IBAN → the bank's account resource id
    :ivar allow_private: permit loopback and private addresses (the sandbox bank)
    :ivar proxy: ``http://host:port``; the environment's proxies are ignored
    :ivar observer: called with an :class:`.exchange.Exchange` after each HTTP exchange
    :ivar record_bodies: let the observer see bodies as well, masked
    :ivar secrets: which of the ``variables`` are secrets, by name: a bank that repeats one in an
        error gets it blanked out before anybody keeps the answer
    :ivar now: the clock, for certificate dates and receipts

    :ivar token_store: where access tokens are kept between calls; without one, in memory

    For channels whose messages are signed:

    :ivar signing: what we sign with; ``None``: the identity
    :ivar signers: whose signatures to believe; the TLS authority signs servers and is never asked
    :ivar crl: revocation lists for ``signers`` (DER or PEM); ``None``: the bank publishes none
    :ivar decryption: what the bank encrypts for; ``None``: what we sign with
    :ivar retired: replaced keys of ours that the bank may still encrypt for
    :ivar encrypt_for: the bank's encryption certificate (PEM)
    :ivar wsdl: the bank's own WSDL, as text or as the path of a file
    """

    url: str
    profile: str | Mapping[str, Any]
    identity: Identity | None
    trust: Trust
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    accounts: Mapping[str, str] = field(default_factory=dict, repr=False)
    allow_private: bool = False
    proxy: str | None = field(default=None, repr=False)
    timeouts: Timeouts = field(default_factory=Timeouts)
    observer: Callable[[Exchange], None] | None = field(default=None, repr=False)
    now: Callable[[], datetime] = field(default=_now, repr=False)
    record_bodies: bool = False
    secrets: frozenset[str] = frozenset()
    token_store: TokenStore | None = field(default=None, repr=False)
    signing: Identity | None = None
    signers: Trust | None = None
    crl: bytes | None = field(default=None, repr=False)
    decryption: Identity | None = None
    retired: tuple[Identity, ...] = ()
    encrypt_for: bytes | None = None
    wsdl: str | None = field(default=None, repr=False)

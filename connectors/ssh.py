"""One SSH connection (RFC 4251 to 4254) with an SFTP channel (draft-ietf-secsh-filexfer-02).

The server is believed by its host key alone, which has to be known beforehand: nothing is learned
on first use, and neither the user's known_hosts nor an agent is ever asked.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import io
import logging
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from .dial import dial
from .interface import SettingsError
from .settings import Identity, Settings, Trust
from .trace import Trace, TransportError

# What an SFTP server answers (draft-ietf-secsh-filexfer-02, section 7).
NO_SUCH_FILE, PERMISSION_DENIED, FAILURE, UNSUPPORTED = 2, 3, 4, 8
_EXTENDED = 200  # SSH_FXP_EXTENDED
# Left out of what is negotiated: CBC and SHA-1 (RFC 8758, RFC 9142), 3DES and MD5.
_WEAK = ("cbc", "3des", "md5", "sha1", "arcfour", "ssh-rsa", "ssh-dss")
_GROUPS = (("ssh-ed25519",), ("ecdsa-sha2-",), ("rsa-sha2-",))
_KINDS = ("ssh-", "ecdsa-")
_CLASSES = {
    rsa.RSAPrivateKey: paramiko.RSAKey,
    ec.EllipticCurvePrivateKey: paramiko.ECDSAKey,
    ed25519.Ed25519PrivateKey: paramiko.Ed25519Key,
}
# What the library raises when the line breaks or the other side speaks nonsense.
BROKEN = (
    paramiko.SSHException,
    paramiko.SFTPError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    struct.error,
)
# The library logs each broken line as an error with its trace; here it is told by an outcome.
_WIRE = f"{__name__}.wire"
logging.getLogger(_WIRE).setLevel(logging.CRITICAL)


class Status(OSError):
    """The server answered that it did not do what was asked.

    :ivar code: an SFTP status, such as :data:`NO_SUCH_FILE`
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text


class Client(paramiko.SFTPClient):
    """The library's client, which tells a server's no apart from a broken line."""

    def _convert_status(self, msg: paramiko.Message) -> None:
        code, text = msg.get_int(), msg.get_text()
        if code == 1:
            raise EOFError(text)
        if code:
            raise Status(code, text)

    def sync(self, file: paramiko.SFTPFile) -> None:
        """Have the server write a file to its disk, where it offers that (fsync@openssh.com)."""
        try:
            self._request(_EXTENDED, "fsync@openssh.com", file.handle)
        except Status as status:
            if status.code != UNSUPPORTED:
                raise


def fingerprint(key: paramiko.PKey) -> str:
    """Return a key's fingerprint as OpenSSH shows it, ``SHA256:`` and base64 without padding."""
    digest = hashlib.sha256(key.asbytes()).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


@dataclass(frozen=True)
class HostKeys:
    """The host keys that a server may show."""

    keys: tuple[bytes, ...]  # public keys as SSH writes them
    types: tuple[str, ...]  # their types
    fingerprints: tuple[bytes, ...]  # SHA-256 digests

    @classmethod
    def read(cls, trust: Trust) -> HostKeys:
        """Read public keys, as in a ``.pub`` or known_hosts file, and fingerprints.

        A fingerprint reads ``SHA256:…`` (base64) or is hexadecimal.  Where both are given, a key
        must be known by both.

        :raises SettingsError: ``trust``
        """
        keys, types, digests = [], [], []
        for line in trust.ca_pem.decode("utf-8", "replace").splitlines():
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            try:
                place = next(i for i, word in enumerate(words) if word.startswith(_KINDS))
                blob = base64.b64decode(words[place + 1], validate=True)
                length = int.from_bytes(blob[:4], "big")
                if blob[4 : 4 + length] != words[place].encode():
                    raise ValueError("type")
            except (StopIteration, IndexError, ValueError):
                text = "The bank's host key must read like a line of known_hosts or a .pub file."
                raise SettingsError("trust", text) from None
            keys.append(blob)
            types.append(words[place])
        for pin in trust.fingerprints:
            digests.append(_digest(pin))
        if not keys and not digests:
            raise SettingsError("trust", "The bank's host key or its fingerprint is missing.")
        return cls(tuple(keys), tuple(types), tuple(digests))

    def accept(self, key: paramiko.PKey) -> bool:
        blob = key.asbytes()
        digest = hashlib.sha256(blob).digest()
        known = not self.keys or any(hmac.compare_digest(blob, one) for one in self.keys)
        pinned = not self.fingerprints or any(
            hmac.compare_digest(digest, one) for one in self.fingerprints
        )
        return known and pinned

    def groups(self) -> list[tuple[str, ...]]:
        """Return which kinds of host key to ask for, one attempt each."""
        if not self.keys:
            return list(_GROUPS)  # a fingerprint does not tell the kind of its key
        wanted = {"rsa-sha2-" if one == "ssh-rsa" else one for one in self.types}
        return [tuple(sorted(wanted))]


def _digest(pin: str) -> bytes:
    try:
        if pin.startswith("SHA256:"):
            digest = base64.b64decode(pin[7:] + "=" * (-len(pin[7:]) % 4), validate=True)
        else:
            digest = bytes.fromhex(pin.replace(":", ""))
    except (ValueError, binascii.Error):
        digest = b""
    if len(digest) != 32:
        text = "A pinned fingerprint must read SHA256:… or be 64 hexadecimal digits."
        raise SettingsError("trust", text)
    return digest


def load_key(identity: Identity | None) -> paramiko.PKey | None:
    """Return our private key, PEM or OpenSSH's own form; ``None`` where there is none.

    :raises SettingsError: ``key`` or ``key_password``
    """
    if identity is None or not identity.private_key:
        return None
    data = identity.private_key
    password = identity.password.encode() if identity.password else None
    load = load_ssh_private_key if b"BEGIN OPENSSH" in data else load_pem_private_key
    try:
        key = load(data, password)
    except TypeError:
        text = "The private key's password is missing, or one is set that it does not need."
        raise SettingsError("key_password", text) from None
    except (ValueError, UnsupportedAlgorithm):
        if password:
            text = "The password does not open the private key."
            raise SettingsError("key_password", text) from None
        raise SettingsError("key", "The private key is not a PEM or OpenSSH key.") from None
    for kind, made in _CLASSES.items():
        if isinstance(key, kind):
            text = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
            return made.from_private_key(io.StringIO(text.decode()))
    raise SettingsError("key", "The private key is of a kind that SSH does not take here.")


@dataclass
class Call:
    """One call on the line: how far it came, and whether its time is up."""

    trace: Trace
    expired: bool = False


class Line:
    """The connection to a bank's SSH server, opened when it is first needed."""

    def __init__(self, settings: Settings, host: str, port: int, user: str, password: str) -> None:
        """:raises SettingsError: where host key, login or private key cannot work"""
        self.host, self.port, self.user, self.password = host, port, user, password
        self.hosts = HostKeys.read(settings.trust)
        self.key = load_key(settings.identity)
        if not user:
            raise SettingsError("variable", "The user name is missing (user_name).")
        if self.key is None and not password:
            raise SettingsError("key", "A private key or a password is needed to log in.")
        self.settings = settings
        self.transport: paramiko.Transport | None = None
        self.client: Client | None = None
        self.shown: str | None = None  # fingerprint of the host key that the server showed

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        transport, self.transport, self.client = self.transport, None, None
        if transport is not None:
            transport.close()

    @contextlib.contextmanager
    def call(self) -> Iterator[Call]:
        """Bound what happens inside in time: when it is up, the line is cut."""
        limit = self.settings.timeouts.total
        call = Call(Trace(deadline=time.monotonic() + limit))

        def cut() -> None:
            call.expired = True
            self.close()

        timer = threading.Timer(limit, cut)
        timer.daemon = True
        timer.start()
        try:
            yield call
        finally:
            timer.cancel()

    def open(self, call: Call) -> Client:
        """Return the SFTP client, connected and logged in.

        :raises TransportError: nothing was asked of the bank
        """
        if self.client is not None and self.transport and self.transport.is_active():
            call.trace.marks += ["resolved", "connected", "secured", "answered"]
            return self.client
        self.close()
        transport = self._shake_hands(call)
        try:
            call.trace.marks.append("secured")
            self._log_in(transport)
            channel = transport.open_session(timeout=self.settings.timeouts.connect)
            channel.settimeout(self.settings.timeouts.read)
            channel.invoke_subsystem("sftp")
            self.client = Client(channel)
        except paramiko.AuthenticationException as error:
            self.close()
            raise TransportError("ssh_login", type(error).__name__) from None
        except BROKEN as error:
            self.close()
            code = "total_timeout" if call.expired else "ssh_session"
            raise TransportError(code, f"{type(error).__name__}: {error}") from None
        call.trace.marks.append("answered")
        return self.client

    def _shake_hands(self, call: Call) -> paramiko.Transport:
        """Connect until the server shows a host key that is known; else refuse it."""
        failure = TransportError("ssh_algorithms", "no common algorithm")
        marks = call.trace.marks
        for group in self.hosts.groups():
            marks.clear()
            sock = dial(
                self.host,
                self.port,
                timeout=self.settings.timeouts.connect,
                trace=call.trace,
                allow_private=self.settings.allow_private,
            )
            self.transport = transport = paramiko.Transport(sock)
            transport.set_log_channel(_WIRE)
            transport.banner_timeout = self.settings.timeouts.connect
            transport.auth_timeout = self.settings.timeouts.read
            _restrict(transport, group)
            try:
                transport.start_client(timeout=self.settings.timeouts.connect)
                if not transport.initial_kex_done:
                    raise TransportError("ssh_timeout")  # the library only stops waiting
                key = transport.get_remote_server_key()
                if self.hosts.accept(key):
                    self.shown = fingerprint(key)
                    return transport
                # Another kind of key may be the pinned one; none is ever learned.
                shown = fingerprint(key)
                if self.shown is None:
                    self.shown = shown
                failure = TransportError("ssh_untrusted", f"{key.get_name()} {shown}")
            except paramiko.ssh_exception.IncompatiblePeer as error:
                if failure.code != "ssh_untrusted":
                    failure = TransportError("ssh_algorithms", str(error))
            except BROKEN as error:
                self.close()
                code = "ssh_not_spoken" if "banner" in str(error) else "ssh_handshake"
                code = "total_timeout" if call.expired else code
                raise TransportError(code, f"{type(error).__name__}: {error}") from None
            except TransportError:
                self.close()
                raise
            self.close()
        raise failure

    def _log_in(self, transport: paramiko.Transport) -> None:
        if self.key is None:
            transport.auth_password(self.user, self.password, fallback=False)
        elif transport.auth_publickey(self.user, self.key) and self.password:
            transport.auth_password(self.user, self.password, fallback=False)  # the bank wants both
        if not transport.is_authenticated():
            raise paramiko.AuthenticationException("more is wanted")


def _restrict(transport: paramiko.Transport, group: tuple[str, ...]) -> None:
    options = transport.get_security_options()

    def strong(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if not any(weak in name for weak in _WEAK))

    options.ciphers = strong(options.ciphers)
    options.digests = strong(options.digests)
    options.kex = strong(options.kex)
    kinds = strong(options.key_types)
    options.key_types = tuple(name for name in kinds if name.startswith(group))

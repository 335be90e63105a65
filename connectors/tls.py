"""Mutually authenticated TLS for ``requests`` that knows how far an exchange came.

Whether a payment may be sent again hangs on one question: can the bank have read it?  The HTTP
libraries do not tell, so the connection and the socket here are our own and keep a
:class:`.trace.Trace`.
"""

from __future__ import annotations

import functools
import hashlib
import http.client
import selectors
import socket
import ssl
import time
from email.errors import FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool

from .dial import Proxy, dial
from .identity import client_context, fingerprints
from .interface import SettingsError
from .settings import Settings
from .trace import Peer, Trace, TransportError

# How long to wait for the server's word on our certificate after a TLS 1.3 handshake.
_SETTLE = 1.0

# X509_V_ERR_* of OpenSSL's x509_vfy.h.
_VERIFY_CODES = {
    3: "tls_crl",
    11: "tls_crl",
    12: "tls_crl",
    9: "tls_not_yet_valid",
    10: "tls_expired",
    23: "tls_revoked",
    62: "tls_hostname",
    64: "tls_hostname",
}
# TLS alerts (RFC 8446, section 6.2) by which a server turns down a client certificate.
_CERTIFICATE_ALERTS = (
    "BAD_CERTIFICATE",
    "UNSUPPORTED_CERTIFICATE",
    "CERTIFICATE_REVOKED",
    "CERTIFICATE_EXPIRED",
    "CERTIFICATE_UNKNOWN",
    "CERTIFICATE_REQUIRED",
    "UNKNOWN_CA",
    "ACCESS_DENIED",
    "DECRYPT_ERROR",
)
# How the library's header parser notes that it gave up half-way.
_BROKEN_HEAD = (MissingHeaderBodySeparatorDefect, FirstHeaderLineIsContinuationDefect)


def is_certificate_alert(error: BaseException) -> bool:
    """Tell whether `error` is the server's alert that it turns our certificate down."""
    reason = (isinstance(error, ssl.SSLError) and error.reason) or ""
    return "ALERT" in reason and reason.endswith(_CERTIFICATE_ALERTS)


def _is_broken_off(error: OSError) -> bool:
    """Tell whether `error` says that the other side is gone."""
    return (
        isinstance(error, ConnectionError | ssl.SSLEOFError | ssl.SSLZeroReturnError)
        # Early releases of Python 3.10 and 3.11 have no class of its own for it.
        or getattr(error, "reason", None) == "UNEXPECTED_EOF_WHILE_READING"
    )


def _handshake_problem(error: OSError) -> TransportError:
    reason = getattr(error, "reason", None) or ""
    if isinstance(error, ssl.SSLCertVerificationError):
        code = _VERIFY_CODES.get(error.verify_code, "tls_untrusted")
        return TransportError(code, error.verify_message)
    if isinstance(error, TimeoutError):
        return TransportError("tls_timeout", str(error))
    if is_certificate_alert(error):
        return TransportError("tls_client_rejected", reason)
    if _is_broken_off(error):
        return TransportError("tls_closed", str(error))
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return TransportError("tls_not_spoken", reason)
    if "PROTOCOL_VERSION" in reason or "UNSUPPORTED_PROTOCOL" in reason:
        return TransportError("tls_version", reason)
    return TransportError("tls_handshake", reason or str(error))


class Transport:
    """Opens connections for one bank; `trace` is the exchange that runs now."""

    def __init__(self, settings: Settings) -> None:
        """:raises SettingsError: for certificates, keys, pins or a proxy that cannot work"""
        self.context = client_context(settings.identity, settings.trust)
        self.context.sslsocket_class = TracedSocket
        self.pins = fingerprints(settings.trust)
        self.allow_private = settings.allow_private
        self.timeouts = settings.timeouts
        try:
            self.proxy = Proxy.from_url(settings.proxy) if settings.proxy else None
        except ValueError as error:
            raise SettingsError("proxy", f"The proxy's address is not usable: {error}.") from None
        self.trace = Trace()

    def begin(self) -> Trace:
        """Start the clock and the evidence of a new exchange."""
        self.trace = Trace(
            deadline=time.monotonic() + self.timeouts.total, read_timeout=self.timeouts.read
        )
        return self.trace

    def open(self, host: str, port: int) -> TracedSocket:
        """Connect, shake hands, and verify whom we reached.

        :raises TransportError: always certain that nothing of a request was sent
        """
        plain = dial(
            host,
            port,
            timeout=self.timeouts.connect,
            trace=self.trace,
            allow_private=self.allow_private,
            proxy=self.proxy,
        )
        address = plain.getpeername()[0]
        sock: Any = plain
        try:
            sock = self.context.wrap_socket(
                plain,
                server_hostname=host,
                do_handshake_on_connect=False,
                # An answer that ends without TLS's closing alert may have been cut (RFC 8446, 6.1).
                suppress_ragged_eofs=False,
            )
            sock.settimeout(max(0.001, min(self.timeouts.connect, self.trace.remaining())))
            sock.do_handshake()
            vouched = self._settle(sock)
        except OSError as error:
            sock.close()
            raise _handshake_problem(error) from None
        except BaseException:
            sock.close()
            raise
        certificate = sock.getpeercert(binary_form=True)
        fingerprint = hashlib.sha256(certificate).hexdigest()
        sock.peer = Peer(address, certificate, fingerprint, sock.version(), vouched)
        self.trace.peer = sock.peer
        if self.pins and fingerprint not in self.pins:
            sock.close()
            raise TransportError("tls_pin", f"presented {fingerprint}")
        self.trace.marks.append("secured")
        sock.transport = self
        return sock

    def _settle(self, sock: TracedSocket) -> bool:
        """Wait until a TLS 1.3 server has had its say about our certificate.

        Returns whether a session ticket came.

        In TLS 1.3 the client is done before the server has verified the client's certificate.
        Servers usually send a session ticket once they have (RFC 8446, section 4.6.1), or an
        alert if they turn it down.  Seeing it here, before the request is written, makes a
        rejected certificate a certain "not sent".  A server that sends no ticket costs a pause.
        """
        if sock.version() != "TLSv1.3":
            return False
        end = min(time.monotonic() + _SETTLE, self.trace.deadline)
        sock.setblocking(False)
        with selectors.DefaultSelector() as selector:
            selector.register(sock, selectors.EVENT_READ)
            while True:
                try:
                    early = sock.recv(1)
                except ssl.SSLWantReadError:
                    if sock.session is not None and sock.session.has_ticket:
                        return True
                    left = end - time.monotonic()
                    if left <= 0 or not selector.select(left):
                        return False
                else:
                    # No server may speak before it is asked; an empty read is its goodbye.
                    raise TransportError("tls_handshake" if early else "tls_closed", "settling")


class TracedSocket(ssl.SSLSocket):
    """An SSL socket that marks what was written and read, within the exchange's deadline."""

    transport: Transport | None = None
    peer: Peer | None = None

    def settimeout(self, value: float | None) -> None:
        # Once in use, the exchange's own limits hold, not those of the HTTP library above.
        if self.transport is None:
            super().settimeout(value)

    def _arm(self) -> Trace:
        trace = self.transport.trace
        left = trace.remaining()
        if left <= 0:
            raise TimeoutError("total time used up")
        super().settimeout(min(trace.read_timeout, left))
        return trace

    def send(self, data: Any, flags: int = 0) -> int:
        if self.transport is None:
            return super().send(data, flags)
        trace = self.transport.trace
        trace.writing = True
        trace.peer = self.peer
        try:
            self._arm()
            count = super().send(data, flags)
        except OSError as error:
            trace.errors.append(error)
            if _is_broken_off(error):
                # The server may have answered before it hung up; every urllib3 goes on to read
                # after a broken pipe, but not after a reset.
                raise BrokenPipeError(str(error)) from error
            raise
        trace.written += count
        return count

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        if self.transport is None:
            return super().recv_into(buffer, nbytes, flags)
        trace = self.transport.trace
        try:
            self._arm()
            count = super().recv_into(buffer, nbytes, flags)
        except OSError as error:
            trace.errors.append(error)
            raise
        trace.received += count
        trace.ended = not count
        return count


class _Response(http.client.HTTPResponse):
    """An answer whose head came whole; the library takes a cut one for complete."""

    def __init__(self, sock: TracedSocket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._trace = sock.transport.trace

    def begin(self) -> None:
        """Read the head.

        :raises ConnectionError: where the connection ends before the head's empty line
        :raises http.client.HTTPException: where a line of it is no header
        """
        super().begin()
        if self._trace.ended:
            error = ConnectionAbortedError("the answer ends in its head")
            self._trace.errors.append(error)
            raise error
        # Such a line and all that follow are dropped, a Content-Length among them perhaps.
        if any(isinstance(defect, _BROKEN_HEAD) for defect in self.msg.defects):
            raise http.client.HTTPException("a line of the answer's head is no header")


class _Connection(HTTPSConnection):
    response_class = _Response
    transport: Transport

    def connect(self) -> None:
        self.sock: socket.socket = self.transport.open(self.host.strip("[]"), self.port)
        self.is_verified = True


class _Pool(HTTPSConnectionPool):
    ConnectionCls = _Connection

    def __init__(self, *args: Any, transport: Transport, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.transport = transport

    def _new_conn(self) -> Any:
        connection = super()._new_conn()
        connection.transport = self.transport
        return connection


class BankAdapter(HTTPAdapter):
    """Sends through a :class:`Transport`; no public CA, no proxy and no retry of its own."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "https": functools.partial(_Pool, transport=self.transport)
        }

    def send(  # the signature is requests'
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        if verify is not True or cert or proxies:
            raise ValueError("verification, identity and proxy belong to the connection's settings")
        return super().send(request, stream=stream, timeout=timeout)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Add nothing: the library would bring its public CAs here."""

    def forget_idle(self) -> None:
        """Close kept connections, so that the next request goes out on a fresh one."""
        self.poolmanager.clear()


def bank_session(transport: Transport) -> requests.Session:
    """Return a session that speaks HTTPS through `transport` and nothing else.

    It ignores the environment (proxies, CA bundles, .netrc), keeps no cookies, and sends no
    header that is not asked for.
    """
    session = _Session()
    session.trust_env = False
    session.headers.clear()
    session.adapters.clear()
    session.mount("https://", BankAdapter(transport))
    session.cookies.set_policy(_NoCookies())
    return session


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Never lead elsewhere: even unfollowed, the library would read the body unbounded."""
        return None


class _NoCookies(DefaultCookiePolicy):
    def set_ok(self, cookie: Any, request: Any) -> bool:
        return False

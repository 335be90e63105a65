"""What certificate does an address show?  Looked at, and not believed.

The one place where a certificate is taken unverified: there is no other way to see one before
somebody has decided to trust it.  The connection is closed as soon as the certificates are in hand:
not a byte is sent over it, no identity is shown, and nothing is remembered here.  Whoever asked
compares the fingerprint with what the bank says on another way.
"""

from __future__ import annotations

import ssl
import time
from urllib.parse import urlsplit

from .dial import Proxy, dial
from .interface import FetchError
from .problems import build
from .settings import Timeouts
from .trace import Trace, TransportError


def peek(
    url: str,
    *,
    allow_private: bool = False,
    proxy: str | None = None,
    timeouts: Timeouts = Timeouts(),  # noqa: B008 - never changed
) -> bytes:
    """Return the leaf certificate (DER) that the server at ``url`` shows.

    :raises FetchError: it could not be reached, or it speaks no TLS
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme != "https" or not parts.hostname:
        raise build(FetchError, "tls_not_spoken", host=host)
    trace = Trace(deadline=time.monotonic() + timeouts.total, read_timeout=timeouts.read)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        plain = dial(
            parts.hostname,
            parts.port or 443,
            timeout=timeouts.connect,
            trace=trace,
            allow_private=allow_private,
            proxy=Proxy.from_url(proxy) if proxy else None,
        )
    except TransportError as error:
        raise build(
            FetchError, error.code, detail=error.detail, **{"host": host, **error.facts}
        ) from None
    try:
        # Closes the TCP connection as well, whatever happens.
        with plain, context.wrap_socket(
            plain, server_hostname=parts.hostname, do_handshake_on_connect=False
        ) as sock:
            sock.settimeout(timeouts.connect)
            sock.do_handshake()
            shown = sock.getpeercert(binary_form=True)
    except OSError as error:
        detail = getattr(error, "reason", None) or type(error).__name__
        raise build(FetchError, "tls_handshake", detail=detail, host=host) from None
    return shown

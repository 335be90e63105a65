"""Open a TCP connection to a bank: resolve once, guard, connect to exactly that address."""

from __future__ import annotations

import base64
import errno
import ipaddress
import socket
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from .guard import permitted
from .trace import Trace, TransportError

_MAX_PROXY_ANSWER = 16 * 1024


@dataclass(frozen=True)
class Proxy:
    """A forward proxy that tunnels with CONNECT (RFC 9110, section 9.3.6)."""

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)

    @classmethod
    def from_url(cls, url: str) -> Proxy:
        """Parse ``http://[user:password@]host:port``.

        :raises ValueError: for anything else; the text never repeats the URL
        """
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError("a proxy reads http://host:port or http://user:password@host:port")
        authorization = None
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            authorization = "Basic " + base64.b64encode(pair.encode()).decode()
        return cls(parts.hostname, parts.port or 8080, authorization)

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port}"


def _literal(host: str) -> str | None:
    """Return the address that `host` is, or ``None`` where it is a name."""
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        return None


def _resolve(host: str, port: int) -> list[tuple]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise TransportError("dns", str(error)) from None
    return list(dict.fromkeys((family, sockaddr) for family, _, _, _, sockaddr in found))


def _connect(addresses: list[tuple], timeout: float, trace: Trace) -> socket.socket:
    failure = TransportError("connect_failed", "no address")
    for family, sockaddr in addresses:
        limit = min(timeout, trace.remaining())
        if limit <= 0:
            raise TransportError("connect_timeout", "total time used up")
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(limit)
            sock.connect(sockaddr)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock
        except ConnectionRefusedError as error:
            failure = TransportError("connect_refused", f"{sockaddr[0]}: {error}")
        except TimeoutError as error:
            failure = TransportError("connect_timeout", f"{sockaddr[0]}: {error}")
        except OSError as error:
            away = error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN)
            code = "unreachable" if away else "connect_failed"
            failure = TransportError(code, f"{sockaddr[0]}: {error}")
        sock.close()
    raise failure


def dial(
    host: str,
    port: int,
    *,
    timeout: float,
    trace: Trace,
    allow_private: bool = False,
    proxy: Proxy | None = None,
) -> socket.socket:
    """Return a connected TCP socket to `host`, directly or through `proxy`.

    Through a proxy the name is resolved by the proxy, so that only literal addresses and
    ``localhost`` can be guarded here.

    :raises TransportError: always certain that nothing was sent to the bank
    """
    if proxy:
        literal = _literal(host)
        local = host.rstrip(".").lower().rpartition(".")[2] == "localhost"
        refused = (
            not permitted(literal, allow_private=allow_private)
            if literal
            else (local and not allow_private)
        )
        if refused:
            raise TransportError("address_refused", literal or host)
        return _tunnel(proxy, host, port, timeout, trace)
    addresses = _resolve(host, port)
    trace.marks.append("resolved")
    allowed = [pair for pair in addresses if permitted(pair[1][0], allow_private=allow_private)]
    if not allowed:
        raise TransportError("address_refused", ", ".join(pair[1][0] for pair in addresses))
    sock = _connect(allowed, timeout, trace)
    trace.marks.append("connected")
    return sock


def _tunnel(proxy: Proxy, host: str, port: int, timeout: float, trace: Trace) -> socket.socket:
    try:
        sock = _connect(_resolve(proxy.host, proxy.port), timeout, trace)
    except TransportError as error:
        raise TransportError("proxy_unreachable", error.detail, proxy=proxy.name) from None
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    answer = b""
    try:
        sock.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        # Byte by byte, so that nothing of the bank's first TLS bytes is taken from the socket.
        while not answer.endswith(b"\r\n\r\n") and len(answer) < _MAX_PROXY_ANSWER:
            sock.settimeout(max(0.001, min(timeout, trace.remaining())))
            byte = sock.recv(1)
            if not byte:
                break
            answer += byte
    except (OSError, UnicodeError) as error:
        sock.close()
        raise TransportError("proxy_unreachable", str(error), proxy=proxy.name) from None
    status = answer.split(b"\r\n", 1)[0].split(b" ")
    number = status[1] if len(status) > 1 and status[0].startswith(b"HTTP/1.") else b""
    if number[:1] == b"2" and answer.endswith(b"\r\n\r\n"):
        trace.marks += ["resolved", "connected"]
        return sock
    sock.close()
    code = "proxy_auth" if number == b"407" else "proxy_refused"
    raise TransportError(code, f"proxy status {number.decode('latin-1')!r}", proxy=proxy.name)

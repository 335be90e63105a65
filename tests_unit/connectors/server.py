"""A real TLS server on loopback that answers exactly as a test scripts it, byte by byte."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import struct
import tempfile
import threading
from dataclasses import dataclass


@dataclass
class Request:
    method: str
    path: str
    headers: dict  # lower-case names
    body: bytes


def reply(request, status=200, body=b"", headers=None, echo=True, date=True):
    """Return an HTTP answer as bytes; `body` may be bytes or something for JSON."""
    headers = dict(headers or {})
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    headers.setdefault("Content-Length", str(len(body)))
    if echo:
        headers.setdefault("X-Request-ID", request.headers.get("x-request-id", ""))
    lines = [f"HTTP/1.1 {status} Text", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


class BankServer:
    """Serves each request with `script(request, sock)`, which may write, wait, or hang up.

    A script that returns bytes has them sent; requests that were read whole are in `requests`,
    and `fed` counts all bytes that came in through TLS.
    """

    def __init__(self, pair, client_ca=None, *, tls=None, tickets=2, script=None, plain=False):
        self.script = script or (lambda request, sock: reply(request, 200, {}))
        self.requests = []
        self.connections = 0
        self.fed = 0
        self.plain = plain
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.num_tickets = tickets
        if tls:
            self.context.minimum_version = self.context.maximum_version = tls
        with tempfile.NamedTemporaryFile() as file:
            file.write(pair.certificate + pair.key_pem())
            file.flush()
            self.context.load_cert_chain(file.name)
        if client_ca:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(cadata=client_ca.decode())
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self.stopping = threading.Event()
        self.open = []
        self.threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self):
        self.threads[0].start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        # Closing alone does not wake a thread that waits in accept.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for raw in self.open:
            with contextlib.suppress(OSError):
                raw.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(5)

    def _accept(self):
        while not self.stopping.is_set():
            try:
                raw, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(raw,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _serve(self, raw):
        raw.settimeout(10)
        try:
            sock = raw if self.plain else self.context.wrap_socket(raw, server_side=True)
        except OSError:
            raw.close()
            return
        self.open.append(sock)
        with sock, contextlib.suppress(OSError):
            while not self.stopping.is_set():
                request = self._read(sock)
                if request is None:
                    return
                self.requests.append(request)
                answer = self.script(request, sock)
                if answer is None:
                    return
                sock.sendall(answer)

    def _read(self, sock):
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = sock.recv(65536)
            self.fed += len(chunk)
            if not chunk:
                return None
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        while len(body) < int(headers.get("content-length", 0)):
            chunk = sock.recv(65536)
            self.fed += len(chunk)
            if not chunk:
                return None
            body += chunk
        return Request(method, path, headers, body)

    # Scripts

    def hang(self, request, sock):
        """Read the request, then say nothing."""
        self.stopping.wait(10)

    @staticmethod
    def hang_up(request, sock):
        """Read the request, then close without a word."""

    @staticmethod
    def reset(request, sock):
        """Read the request, then reset the TCP connection."""
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(sock.detach())

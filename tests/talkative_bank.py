"""A bank on loopback, over mutual TLS, that answers badly when told, and repeats what it hears."""

import ipaddress
import json
import ssl
import tempfile
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from .certificates import new_key

TOKEN = "planted-access-token-5501"


class TalkativeBank:
    """``mode``: ``fine``, ``repeat_400``, ``repeat_500``, ``cut``, ``nonsense``, ``token``."""

    def __init__(self, case, client_certificate):
        key, pem = new_key()
        self.certificate = _certificate(key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=client_certificate.decode())
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.certificate + pem)
            file.flush()
            context.load_cert_chain(file.name)
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_arguments: None  # clients break off on purpose
        server.bank = self
        self.mode = "fine"
        self.heard = []
        self.url = f"https://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        case.addCleanup(thread.join, 5)
        case.addCleanup(server.server_close)
        case.addCleanup(server.shutdown)


def _certificate(key):
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bank")])
    now = datetime.now(timezone.utc)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=400))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        """The test's own log is enough."""

    def do_POST(self):
        self._do()

    def do_GET(self):
        self._do()

    def _do(self):
        bank = self.server.bank
        body = self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()
        all_said = f"{self.requestline}\n{self.headers}\n{body}"
        bank.heard.append(all_said)
        if self.path == "/token":
            if bank.mode == "token":
                return self._answer(400, {"error": "invalid_client", "error_description": all_said})
            said = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600}
            return self._answer(200, said)
        if bank.mode == "cut":
            self.wfile.write(b"HTTP/1.1 201 Created\r\nContent-Length: 999\r\n\r\n" + body.encode())
            self.close_connection = True
            return None
        if bank.mode == "nonsense":
            self.wfile.write(all_said.encode())
            self.close_connection = True
            return None
        if bank.mode.startswith("repeat"):
            error = {"errors": [{"code": "BAD", "detail": all_said, "title": all_said}]}
            return self._answer(int(bank.mode[-3:]), error)
        number = f"b{len(bank.heard)}"
        return self._answer(201, {"data": {"id": number, "attributes": {"status": "processing"}}})

    def _answer(self, status, said):
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

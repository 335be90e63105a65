"""Profiles for the sandbox bank's kinds of channel, written from its README and the guide for
profiles alone, as somebody does who has a bank's paper in hand."""

import copy

from connectors import profile

SIGNED = {
    "kind": "http",
    "algorithm": "rsa-sha256",
    "digest": "SHA-256",
    "headers": ["(request-target)", "digest", "x-request-id", "date"],
    "read_headers": ["(request-target)", "x-request-id", "date"],
    "key_id": "SN={certificate_serial_hex},CA={certificate_issuer}",
    "certificate_header": "TPP-Signature-Certificate",
    "certificate_form": "base64",
    "verify": ["digest", "x-request-id", "date"],
}
ANSWERS = [
    {"status": 201, "means": "delivered"},
    {"status": 409, "codes": ["DUPLICATE"], "means": "duplicate"},
    {"status": 409, "codes": ["STATUS_INVALID"], "means": "in_flight"},
    {"status": 422, "means": "key_conflict"},
    {"status": 429, "means": "not_sent"},
    {"status": 401, "means": "not_sent"},
    {"status": 400, "means": "refused"},
    {"status": 403, "means": "refused"},
    {"status": 415, "means": "refused"},
]
ASSERTION = {"algorithm": "PS256", "key_id": "{key_id}"}
LISTED = {
    name: name for name in ("id", "kind", "name", "created", "size", "sha256")
} | {"message_name": "messageName"}


def oauth(client, **more):
    return {
        "kind": "oauth2",
        "client": client,
        "token": "/oauth2/token",
        "scope": "payments accounts",
        **more,
    }


def kind(name, body, auth, key, **more):
    """A profile of one of the channels on which a payment is one request."""
    place = "Response.PaymentId" if name == "xml_base64" else "paymentId"
    status = place.replace("PaymentId", "TransactionStatus").replace(
        "paymentId", "transactionStatus"
    )
    sha256 = place.replace("PaymentId", "Sha256").replace("paymentId", "sha256")
    built = {
        "name": f"kind_{name}",
        "title": f"The sandbox bank's kind {name}",
        "protocol": "rest",
        "auth": auth,
        "key": key,
        "submit": {
            "path": "/api/payments",
            "body": body,
            "fields": {"payment_id": place, "status": status},
            "answers": ANSWERS,
        },
        "status": {"path": "/api/payments/{payment_id}/status", "fields": {"status": status}},
        "documents": {
            "list": {
                "path": "/api/reports",
                "query": {"kind": "{kinds}"},
                "items": "documents",
                "fields": LISTED,
            },
            "fetch": {"path": "/api/reports/{id}", "accept": "application/xml"},
            "acknowledge": {"path": "/api/reports/{id}", "method": "DELETE"},
        },
        "check": {"path": "/api/reports"},
    }
    if "window_hours" in key:
        built["inquiry"] = {
            "path": "/api/keys/{key}",
            "fields": {"payment_id": place, "status": status, "sha256": sha256},
            "unknown": {"status": 404, "codes": ["PAYMENT_UNKNOWN"]},
        }
    if name == "xml_base64":
        built["errors"] = {"items": "Errors.Error", "code": "Code", "text": "Text"}
        built["submit"]["accept"] = "application/xml"
        built["documents"]["fetch"]["content"] = "Response.Content"
    for part, changes in more.items():
        built[part] = {**built.get(part, {}), **changes}
    return built


def key(header, echo="ignored"):
    return {"header": header, "format": "uuid", "window_hours": 24, "echo": echo}


NEXT = "_links.next.href"
CURSOR = {"cursor": "nextCursor", "parameter": "cursor"}


def paged(built, way):
    built["documents"]["list"]["next"] = way
    return built


def obie():
    """The built-in profile as it is, with the sandbox bank's mailbox."""
    built = copy.deepcopy(profile("obie_file"))
    built["name"] = "kind_obie"
    built["auth"]["token"] = "/oauth2/token"
    built["auth"]["scope"] = "payments accounts"
    built["signature"]["verify"] = True
    return built


PROFILES = {
    "multipart": paged(
        kind(
            "multipart",
            {
                "kind": "multipart",
                "part": "file",
                "file_name": "{name}.xml",
                "media_type": "application/xml",
                "fields": {"note": "hello"},
            },
            oauth("secret_basic", bound=True),
            key("X-Request-ID", "required"),
            signature=SIGNED,
            status={"accept": "application/xml", "fields": {}},
        ),
        NEXT,
    ),
    "xml_base64": paged(
        kind(
            "xml_base64",
            {
                "kind": "xml",
                "template": "<Order><paymentBase64>{content_base64}</paymentBase64></Order>",
            },
            oauth("secret_post"),
            key("Idempotency-Id"),
            status={"content": "Response.Report", "form": "base64", "accept": "application/xml"},
        ),
        CURSOR,
    ),
    "json": paged(
        kind(
            "json",
            {
                "kind": "json",
                "template": {
                    "content": "{content_base64}",
                    "sha256": "{sha256}",
                    "numberOfTransactions": "number:{transactions}",
                    "controlSum": "number:{control_sum}",
                },
            },
            {"kind": "api_key", "header": "X-Api-Key", "value": "{api_key}"},
            key("Idempotency-Key"),
            errors={"code": "code", "text": "detail"},
        ),
        CURSOR,
    ),
    "sealed": paged(
        kind(
            "sealed",
            {"kind": "sealed", "sign": "PS256", "template": {"payload": "{sealed}"}},
            oauth("private_key_jwt", bound=True, assertion=ASSERTION),
            key("x-Message-Id"),
            errors={"code": "code", "text": "detail"},
        ),
        NEXT,
    ),
    "bearer": paged(
        kind(
            "bearer",
            "raw_xml",
            oauth("tls"),
            {"header": "X-Request-ID", "format": "uuid", "echo": "checked"},
        ),
        {"header": True},
    ),
    "obie": obie(),
}
# Documents that are packed in JSON as payments are.
PROFILES["json"]["documents"]["fetch"] |= {
    "content": "content",
    "form": "base64",
    "accept": "application/json",
}
PROFILES["xml_base64"]["documents"]["fetch"]["form"] = "base64"

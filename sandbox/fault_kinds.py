"""The kinds of fault that the sandbox bank can commit, by name.

``point`` says where on its way a request or a document meets the fault:

- ``handshake``: the TLS handshake, before anything of a request is read;
- ``before_read``: the request's head has arrived;
- ``before_commit``: the body of a submission has arrived, nothing is stored;
- ``after_commit``: all is stored, nothing is answered;
- ``issue``: a document is put into a customer's mailbox;
- ``notify``: a customer's webhook is called.
"""

from __future__ import annotations

POINTS = ("handshake", "before_read", "before_commit", "after_commit", "issue", "notify")

_STOPS = {
    "drop": "cut the connection",
    "error": "answer with the error `status` (500)",
    "busy": "answer 429 with `Retry-After: retry_after` (1)",
    "delay": "wait for `seconds` (1), then go on",
    "exit": "the bank's process ends on the spot, as by a kill",
}
_ANSWERS = {
    "truncate": "half an answer, then the end of the connection",
    "garbage": "a page in HTML with status 200",
    "digest": "a `Digest` header that does not fit",
    "media_type": "the right answer as text/plain",
    "twice": "the same answer two times on one connection",
    "drip": "the answer byte by byte, over `seconds` (5)",
    "flood": "an endless answer, cut after `bytes` (2 GiB)",
    "other": "what belongs to another request, with that one's X-Request-ID",
    "other_number": "the same, but with this request's own X-Request-ID",
    "list_twice": "a list that names each document two times",
    "list_reversed": "a list from the newest to the oldest",
}
# Over SOAP, where an answer is signed twice: the SOAP body, and the document in it. Those that
# make sense for one signature are also done on REST channels where the bank signs.
_SIGNED = {
    "soap_signature": "a signature of the SOAP body that does not fit",
    "content_signature": "a signature of the ApplicationResponse, or over REST of the answer,"
                         " that does not fit",
    "expired_signer": "both signed with a certificate that has expired",
    "stranger": "both signed with a self-signed certificate of the bank's name",
    "unsigned": "no security header",
    "request_id": "the right answer with another RequestId, well signed",
    "customer_id": "the right answer with another CustomerId, well signed",
    "technical": "code 26, well signed, though all is stored",
}
# Point → action → what it does.
ACTIONS: dict[str, dict[str, str]] = {
    "handshake": {
        "refuse": "end the handshake with an alert",
        "expired": "present a certificate that has expired",
    },
    "before_read": _STOPS,
    "before_commit": _STOPS,
    "after_commit": {**_STOPS, **_ANSWERS, **_SIGNED},
    "issue": {
        "duplicate": "issue it a second time, under another number",
        "hold": "list it only after `seconds` (5) of real time, so behind later ones",
        "contradict": "of a pain.002: issue another that says RJCT of what was settled",
    },
    "notify": {
        "lose": "never call",
        "replay": "call a second time with the very same signature",
        "forge": "sign with another secret or key",
        "alter": "send another body than was signed",
        "stale": "say and sign a time an hour ago",
    },
}

FIELDS = {"point": str, "action": str, "method": str, "path": str, "request_id": str,
          "message_id": str, "document": str, "nth": int, "times": int,
          "probability": (int, float), "seed": int, "status": int, "seconds": (int, float),
          "retry_after": int, "bytes": int, "plan": dict}

# Over SOAP a request's method and path are those of what it does, see soap_service.py.
_MAILBOX = r"^/v1/documents$|^/api/reports$|^/ws/.*/downloadFileList$"
_DOCUMENT = r"^/v1/documents/.|^/ws/.*/downloadFile$"
_SOAP = r"^/ws/"
_CHANNEL = r"^/api/|^/open-banking/"

# What a plan by seed draws from.
KINDS: dict[str, dict] = {
    "refused_connection": {"point": "handshake", "action": "refuse"},
    "expired_certificate": {"point": "handshake", "action": "expired"},
    "reset": {"point": "before_read", "action": "drop"},
    "rate_limit": {"point": "before_read", "action": "busy"},
    "unavailable": {"point": "before_read", "action": "error", "status": 503},
    "drop_before_storing": {"point": "before_commit", "action": "drop"},
    "restart_before_storing": {"point": "before_commit", "action": "exit"},
    "drop_after_storing": {"point": "after_commit", "action": "drop", "method": "POST"},
    "restart_after_storing": {"point": "after_commit", "action": "exit", "method": "POST"},
    "error_after_storing": {"point": "after_commit", "action": "error"},
    "late_answer": {"point": "after_commit", "action": "delay", "seconds": 90},
    "answer_twice": {"point": "after_commit", "action": "twice"},
    "half_answer": {"point": "after_commit", "action": "truncate"},
    "wrong_digest": {"point": "after_commit", "action": "digest", "method": "GET",
                     "path": _DOCUMENT},
    "wrong_media_type": {"point": "after_commit", "action": "media_type"},
    "slow_drip": {"point": "after_commit", "action": "drip"},
    "endless_answer": {"point": "after_commit", "action": "flood"},
    "html": {"point": "after_commit", "action": "garbage"},
    "other_answer": {"point": "after_commit", "action": "other"},
    "mixed_up_receipt": {"point": "after_commit", "action": "other_number", "method": "POST"},
    "listed_twice": {"point": "after_commit", "action": "list_twice", "method": "GET",
                     "path": _MAILBOX},
    "listed_in_reverse": {"point": "after_commit", "action": "list_reversed", "method": "GET",
                          "path": _MAILBOX},
    "wrong_soap_signature": {"point": "after_commit", "action": "soap_signature", "path": _SOAP},
    "wrong_content_signature": {"point": "after_commit", "action": "content_signature",
                                "path": _SOAP},
    "expired_signer": {"point": "after_commit", "action": "expired_signer", "path": _SOAP},
    "strange_signer": {"point": "after_commit", "action": "stranger", "path": _SOAP},
    "unsigned_answer": {"point": "after_commit", "action": "unsigned", "path": _SOAP},
    "wrong_request_id": {"point": "after_commit", "action": "request_id", "path": _SOAP},
    "wrong_customer_id": {"point": "after_commit", "action": "customer_id", "path": _SOAP},
    "technical_error": {"point": "after_commit", "action": "technical", "path": _SOAP},
    "wrong_channel_signature": {"point": "after_commit", "action": "content_signature",
                                "path": _CHANNEL},
    "strange_channel_signer": {"point": "after_commit", "action": "stranger", "path": _CHANNEL},
    "unsigned_channel_answer": {"point": "after_commit", "action": "unsigned",
                                "path": _CHANNEL},
    "issued_twice": {"point": "issue", "action": "duplicate"},
    "issued_late": {"point": "issue", "action": "hold"},
    "contradiction": {"point": "issue", "action": "contradict", "document": "pain.002"},
    "lost_notification": {"point": "notify", "action": "lose"},
    "replayed_notification": {"point": "notify", "action": "replay"},
    "forged_notification": {"point": "notify", "action": "forge"},
    "stale_notification": {"point": "notify", "action": "stale"},
}

"""The audit chain: what is hashed and what is signed.

Plain Python over plain rows, so that a copy of the chain can be checked without Odoo: only the
two functions that sign and verify (:mod:`.keyring`) are handed in.

An event is protected twice. When it happens, its own content is signed (``content_mac``): a row
that is changed or invented by SQL has no valid signature. After its transaction has committed it
gets its place: the hash of each link covers the link before (``hash``), and is signed as well
(``chain_mac``): a row that is removed, inserted or moved breaks every link that follows.

SHA-256: FIPS 180-4; HMAC: FIPS 198-1.
"""

import hashlib
import json

#: What an event says, in the order of nothing: the canonical form is sorted by name.
CONTENT = (
    "id", "kind", "date", "res_model", "res_id", "res_name", "user_number", "user_login",
    "superuser", "origin", "address", "company_number", "company_name", "details",
)
LINK = ("position", "previous_hash", "hash", "chain_mac")
START = "0" * 64  # what the first link follows
EVENT_LABEL, LINK_LABEL, HEAD_LABEL = (
    f"bank-connect-audit/{name}/1\n".encode() for name in ("event", "link", "head")
)


def canonical(event):
    """What an event says, as bytes that are the same on every computer.

    :param dict event: the columns of ``CONTENT``; ``date`` as naive datetime in UTC
    """
    content = {name: event[name] for name in CONTENT}
    content["date"] = f"{event['date']:%Y-%m-%dT%H:%M:%S.%f}Z"
    return json.dumps(
        content, sort_keys=True, ensure_ascii=False, separators=(",", ":")
    ).encode()


def event_message(event):
    """The bytes that ``content_mac`` signs."""
    return EVENT_LABEL + canonical(event)


def link_hash(event, position, previous_hash):
    """The hash of an event at its place, hexadecimal.

    It covers what the event says by a digest, so that the chain can be followed by people who may
    not see every event: of what is not theirs they get that digest alone.
    """
    head = f"{position}\n{previous_hash}\n{content_digest(event)}"
    return hashlib.sha256(head.encode()).hexdigest()


def content_digest(event):
    """The digest of an event, hexadecimal.

    It covers the event's signature or the lack of one: what was recorded without a master key
    can't be given a signature later, nor the other way round. Whoever does not know the signature
    can't find out what the event says by trying.
    """
    head = f"{event['content_mac'] or 'unsigned'}\n"
    return hashlib.sha256(head.encode() + canonical(event)).hexdigest()


def link_message(digest):
    """The bytes that ``chain_mac`` signs."""
    return LINK_LABEL + digest.encode()


def head_message(head):
    """The bytes that the signature of an exported head signs: all of it but the signature."""
    said = {name: value for name, value in head.items() if name != "mac"}
    return HEAD_LABEL + json.dumps(said, sort_keys=True, separators=(",", ":")).encode()

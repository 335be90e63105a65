"""The response codes of Bank Web Services, and the error that is answered with one.

Source: the interbank Web Services description, version 1.05, response codes.
"""

from __future__ import annotations

TEXTS = {
    "00": "OK.",
    "02": "SOAP signature error.",
    "03": "The certificate is not valid for this SenderId.",
    "04": "The certificate is not valid.",
    "05": "Operation unknown.",
    "06": "Operation is restricted.",
    "07": "SenderId not found.",
    "08": "SenderId locked.",
    "09": "Contract locked.",
    "10": "SenderId outdated.",
    "11": "Contract outdated.",
    "12": "Schema validation failed.",
    "13": "CustomerId not found.",
    "14": "CustomerId locked.",
    "15": "CustomerId outdated.",
    "16": "Product contract outdated.",
    "17": "Product contract locked.",
    "18": "Content digital signature not valid.",
    "19": "Content certificate not valid.",
    "20": "Content type not valid.",
    "21": "Deflate error.",
    "22": "Decrypt error.",
    "23": "Content processing error.",
    "24": "Content not found.",
    "25": "Content not allowed.",
    "26": "Technical error.",
    "27": "Cannot be deleted.",
    "29": "Invalid parameters.",
    "30": "Authentication failed.",
    "31": "Duplicate message rejected: RequestId was used.",
    "32": "Duplicate request rejected: Timestamp was used.",
}
# What the desk may set for a contract: whoever it is, everything is refused with this code.
STATES = ("06", "08", "09", "10", "11", "14", "15", "16", "17")
TEXT_LENGTH = 80  # of ResponseText, by the schema


class Refused(Exception):
    """A request that is answered with a code other than 00.

    :ivar detail: what is wrong, added to the code's text as far as there is room.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code} {detail}")
        self.code, self.detail = code, detail


def text(code: str, detail: str = "") -> str:
    """The text for a code, with a detail, at most as long as the schema allows."""
    return f"{TEXTS[code]} {detail}".strip()[:TEXT_LENGTH]

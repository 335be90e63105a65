"""What the response codes of Bank Web Services mean for a message (interbank description 1.05).

Three thoughts decide between the outcomes:

* "Not sent" is only what is said at the door, about the sender and the SOAP layer: the bank has
  not looked at the message, and the same message may be sent again under the same RequestId.
* What is said about the content is a refusal, for good.  The message ends, and a corrected one
  gets a new key: after a refusal of this kind the bank may know the RequestId, and would answer a
  second attempt with 31 although it kept nothing.
* Everything else is uncertain: 26, 601, and each code that the description does not know.
"""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """A response code: what it means for a submission, and the problem that it is."""

    means: str  # a key of MEANINGS
    problem: str  # a key of .problems.PROBLEMS


MEANINGS = ("delivered", "duplicate", "not_sent", "refused", "uncertain")

_DOOR = "bank_access"  # sender, certificate, contract
_CODES = {
    "00": Code("delivered", ""),
    "01": Code("delivered", ""),  # pending: the bank has it
    "02": Code("not_sent", "bank_signature"),
    "03": Code("not_sent", "bank_certificate"),
    "04": Code("not_sent", "bank_certificate"),
    "05": Code("not_sent", "bank_operation"),
    "06": Code("not_sent", "bank_operation"),
    "07": Code("not_sent", _DOOR),
    "08": Code("not_sent", _DOOR),
    "09": Code("not_sent", _DOOR),
    "10": Code("not_sent", _DOOR),
    "11": Code("not_sent", _DOOR),
    "12": Code("refused", "bank_schema"),
    "13": Code("refused", _DOOR),
    "14": Code("refused", _DOOR),
    "15": Code("refused", _DOOR),
    "16": Code("refused", _DOOR),
    "17": Code("refused", _DOOR),
    "18": Code("refused", "bank_signature"),
    "19": Code("refused", "bank_certificate"),
    "20": Code("refused", "bank_content"),
    "21": Code("refused", "bank_packing"),
    "22": Code("refused", "bank_packing"),
    "23": Code("refused", "bank_content"),
    "24": Code("uncertain", "bank_nothing"),  # of an upload; of a list it is the empty list
    "25": Code("refused", "bank_content"),
    "26": Code("uncertain", "bank_technical"),
    "27": Code("uncertain", "bank_kept"),
    "29": Code("refused", "bank_parameters"),
    "30": Code("not_sent", _DOOR),
    "31": Code("duplicate", "bank_duplicate"),
    "32": Code("duplicate", "bank_duplicate"),
    "601": Code("uncertain", "bank_technical"),
}
_UNKNOWN = Code("uncertain", "bank_code")


def normal(code: str) -> str:
    """Return a code with two digits at least: some banks write 0 for 00."""
    return code.zfill(2) if code.isascii() and code.isdigit() else code


def known(code: str) -> bool:
    return code in _CODES


def look_up(code: str) -> Code:
    """Return what a normal code means; an unknown one is uncertain."""
    return _CODES.get(code, _UNKNOWN)

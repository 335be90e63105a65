"""What may be read of a message by whoever reads the log.

Three nets, one behind the other: the secrets that are known; the places where secrets and account
numbers are wont to stand; and whatever looks like a secret, an account number, or packed content
in which either could hide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "***"
LONGEST = 64 * 1024  # characters of a body that are kept
_READ = 4 * LONGEST  # bytes that are looked at; what is cut off is cut after masking
_NAMES = (
    r"[\w.-]*(?:password|passwd|passphrase|secret|token|assertion|authori[sz]ation|api[_-]?key|"
    r"private|credential|cookie|otp|pincode|signature|bban|msisdn|maskedpan|iban|"
    r"account[_-]?(?:number|no|id))[\w.-]*"
)
_PEM = re.compile(r"-----BEGIN [^-]{1,60}-----.*?(?:-----END [^-]{1,60}-----|\Z)", re.S)
_JWT = re.compile(r"\beyJ[\w-]{5,}\.[\w-]*\.[\w-]*(?:\.[\w-]*)*")
# 48 characters or more without a space hold 36 bytes: an IBAN, a key, packed XML.
_PACKED = re.compile(
    r"(?:[A-Za-z0-9+/_=-]|%[0-9A-Fa-f]{2}|\\[nr/]|(?<=[\w+/=])\r?\n(?=[\w+/=])){48,}"
)
_JSON = re.compile(rf'("{_NAMES}"\s*:\s*)(?:"(?:[^"\\]|\\.)*"?|[\d.-]+)', re.I)
_FORM = re.compile(rf"(?<![\w\"<])({_NAMES}=)[^&\s\"<>]+", re.I)
_ELEMENT = re.compile(rf"(<(?:[\w-]+:)?{_NAMES}(?:\s[^<>]*)?>)[^<]+", re.I)
_HEADER = re.compile(rf"^((?:{_NAMES}|x-jws-[\w-]+)[ \t]*:[ \t]*)\S.*$", re.I | re.M)
# ISO 20022: an account that is no IBAN.
_OTHER = re.compile(r"(<(?:[\w-]+:)?Othr>\s*<(?:[\w-]+:)?Id>)[^<]+")
# ISO 13616, as people and programs write it.
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ +]?[A-Za-z0-9]){11,30}")


def masked(content: bytes, secrets: Iterable[str] = ()) -> str:
    """Return ``content`` as text that may be logged; what is no text is told by its size."""
    try:
        text = content[:_READ].decode()
    except UnicodeDecodeError as error:
        if error.start < _READ - 4 or len(content) <= _READ:
            return f"[{len(content)} bytes, not text]" if content else ""
        text = content[: error.start].decode()
    if "\0" in text:
        return f"[{len(content)} bytes, not text]"
    text = masked_text(text, secrets)
    if len(text) > LONGEST or len(content) > _READ:
        return f"{text[:LONGEST]}\n[{len(content)} bytes in all]"
    return text


def masked_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Return ``text`` with secrets, account numbers and packed content blanked out."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, MASK)
    text = _PEM.sub("[PEM]", text)
    text = _JWT.sub(MASK, text)
    for pattern in (_JSON, _FORM, _ELEMENT, _HEADER, _OTHER):
        text = pattern.sub(_after_name, text)
    text = _IBAN.sub(_iban, text)
    return _PACKED.sub(lambda found: f"[{len(found.group())} characters]", text)


def without(content: bytes, secrets: Iterable[str]) -> bytes:
    """Return ``content`` with the named secrets blanked out, and nothing else changed."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        content = content.replace(secret.encode(), MASK.encode())
    return content


def _after_name(found: re.Match[str]) -> str:
    quote = '"' if found.re is _JSON else ""
    return f"{found.group(1)}{quote}{MASK}{quote}"


def _iban(found: re.Match[str]) -> str:
    """Mask the longest beginning that is an IBAN: what follows may be the next word."""
    text = found.group()
    for end in range(len(text), 14, -1):
        number = re.sub(r"[ +]", "", text[:end]).upper()
        if not text[end : end + 1].isalnum() and _is_iban(number):
            return f"{number[:4]}{MASK}{number[-4:]}{text[end:]}"
    return text


def _is_iban(number: str) -> bool:
    """Tell whether the check digits are right (ISO 7064, mod 97-10)."""
    if not 15 <= len(number) <= 34:
        return False
    return int("".join(str(int(char, 36)) for char in number[4:] + number[:4])) % 97 == 1

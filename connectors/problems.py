"""Every way a channel can fail, by stable code: one sentence, a cure, and whether waiting helps.

The codes are the contract with the caller, who may translate by them; the English text is the
fallback.  ``{host}`` and the like are filled in by :func:`build`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from .interface import FetchError, NotSent, Outcome

OutcomeType = TypeVar("OutcomeType", bound=Outcome)


class Problem(NamedTuple):
    message: str
    hint: str = ""
    permanent: bool = False  # trying again without a change cannot help


_LATER = "Nothing needs to be done now: it will be tried again."
_ASK = "Ask the bank what became of the message before doing anything else."
_BANK = "Ask the bank."

PROBLEMS: dict[str, Problem] = {
    # Reaching the bank: before any byte of a request was written.
    "dns": Problem(
        "The name {host} could not be resolved.",
        "Check the bank's address and this server's name resolution (DNS).",
    ),
    "address_refused": Problem(
        "{host} leads to an internal network address, which is not allowed.",
        "Check the bank's address; for a bank on your own network (the sandbox), allow "
        "private addresses on this connection.",
        True,
    ),
    "connect_refused": Problem(
        "{host} refused the connection.",
        "Check the port; ask the bank whether its service is up and knows your IP address.",
    ),
    "connect_timeout": Problem(
        "{host} did not answer the attempt to connect in time.",
        "Check that the firewall lets this server out to the bank's address and port.",
    ),
    "unreachable": Problem(
        "There is no network route to {host}.", "Check this server's network connection."
    ),
    "connect_failed": Problem("The connection to {host} could not be made.", _LATER),
    "proxy_unreachable": Problem(
        "The proxy {proxy} could not be reached.", "Check the proxy's address and that it runs."
    ),
    "proxy_auth": Problem(
        "The proxy {proxy} wants other credentials.", "Check the proxy's user and password.", True
    ),
    "proxy_refused": Problem(
        "The proxy {proxy} refused to connect to {host}.",
        "Have the proxy's administrator allow the bank's address and port.",
    ),
    "tls_untrusted": Problem(
        "The certificate of {host} is not signed by the authority this connection trusts.",
        "Install the bank's current CA certificate on the connection. If the bank did not "
        "announce a change, do not go on before you asked it.",
        True,
    ),
    "tls_expired": Problem(
        "The certificate of {host} has expired.",
        "Check this server's clock; if it is right, the bank must renew its certificate.",
    ),
    "tls_not_yet_valid": Problem(
        "The certificate of {host} is not valid yet.", "Check this server's clock."
    ),
    "tls_hostname": Problem(
        "The certificate presented by {host} was issued for another name.",
        "Check the bank's address.",
        True,
    ),
    "tls_revoked": Problem("The certificate of {host} has been revoked.", _BANK),
    "tls_crl": Problem(
        "The revocation list for {host} is missing or out of date.",
        "Get the present list of the bank's authority, and put it on the connection.",
    ),
    "tls_pin": Problem(
        "The certificate of {host} is not the one pinned on this connection.",
        "Compare the new fingerprint with the bank by telephone before you change the pin.",
        True,
    ),
    "tls_client_rejected": Problem(
        "{host} did not accept our client certificate.",
        "Check that the bank has registered this certificate and that it has not expired.",
        True,
    ),
    "tls_not_spoken": Problem(
        "{host} does not speak TLS on this port.", "Check the address and port.", True
    ),
    "tls_version": Problem(
        "{host} offers no TLS version that is safe enough (1.2 or later).", _BANK, True
    ),
    "tls_handshake": Problem("The TLS handshake with {host} failed.", _BANK),
    "tls_timeout": Problem("{host} did not finish the TLS handshake in time.", _LATER),
    "tls_closed": Problem(
        "{host} closed the connection during the TLS handshake.",
        "Check that the bank has registered our client certificate.",
    ),
    "certificate_expired": Problem(
        "Our client certificate has expired.", "Renew the certificate with the bank.", True
    ),
    "certificate_not_yet_valid": Problem(
        "Our client certificate is not valid yet.", "Check this server's clock."
    ),
    # Reaching the bank over SSH.
    "ssh_untrusted": Problem(
        "{host} showed another host key than the one known for this connection.",
        "Compare the new fingerprint with the bank by telephone before you change it.",
        True,
    ),
    "ssh_algorithms": Problem(
        "{host} and this server have no safe way to encrypt in common, or {host} has no host key "
        "of the known kind.",
        _BANK,
        True,
    ),
    "ssh_not_spoken": Problem(
        "{host} does not speak SSH on this port.", "Check the address and port.", True
    ),
    "ssh_handshake": Problem("The SSH handshake with {host} failed.", _LATER),
    "ssh_timeout": Problem("{host} did not finish the SSH handshake in time.", _LATER),
    "ssh_login": Problem(
        "{host} did not accept our login.",
        "Check the user name with the bank, and that it has registered our public key or knows "
        "our password.",
        True,
    ),
    "ssh_session": Problem("{host} accepted our login and then opened no SFTP session.", _LATER),
    # A request that cannot be made.
    "bad_key": Problem("The message key is not a UUID, which this bank requires.", "", True),
    "empty_content": Problem("The message is empty.", "", True),
    "too_large": Problem(
        "The message has {size} bytes, the bank takes at most {limit}.",
        "Split the batch.",
        True,
    ),
    "no_product": Problem(
        "This bank's profile has no product for {what}.",
        "Choose another payment type, or extend the profile.",
        True,
    ),
    "cannot_recall": Problem(
        "This bank's profile offers no way to recall payments.", "Telephone the bank.", True
    ),
    "no_reference": Problem("The bank's reference of this message is unusable.", _BANK, True),
    "template_value": Problem(
        "This bank's profile needs {what}, which this message does not have.",
        "Correct the profile, or choose another payment type.",
        True,
    ),
    "request_invalid": Problem("The request could not be built.", "See the detail.", True),
    "breaker": Problem("The connection rests after repeated failures.", _LATER),
    # Tokens: the request itself was not made.
    "token_refused": Problem(
        "The authorisation server {host} did not give us a token (HTTP {status}).",
        "Check client id, secret, certificate and scope with the bank.",
        True,
    ),
    "token_later": Problem(
        "The authorisation server {host} could not give us a token now (HTTP {status}).", _LATER
    ),
    "token_unusable": Problem(
        "The authorisation server {host} answered without a usable token.", _BANK
    ),
    "token_unbound": Problem(
        "The token of {host} is bound to another certificate than ours.",
        "Have the bank register this connection's certificate.",
        True,
    ),
    "token_rejected": Problem(
        "The bank does not accept the access token that it has just given us (HTTP {status}).",
        "Have the bank check our registration: certificate, scope and contract.",
        True,
    ),
    "token_busy": Problem("Another process has been fetching a token for too long.", _LATER),
    # Before the order that has the payments executed.
    "not_authorised_yet": Problem(
        "The bank has the file and waits until somebody authorises it.",
        "Authorise the file in the bank's own application.",
    ),
    "step_failed": Problem(
        "The bank did not take the step {step} before the order (HTTP {status}).", _LATER
    ),
    # Folders at the bank.
    "folder_missing": Problem(
        "The bank's server has no {path}.", "Check the folders in the bank's profile.", True
    ),
    "folder_denied": Problem(
        "The bank's server does not let us into {path}.",
        "Ask the bank to allow our login to do this.",
        True,
    ),
    "server_failed": Problem(
        "The bank's server could not do what was asked with {path}.",
        "See the bank's reason; its disk may be full.",
    ),
    "upload_incomplete": Problem(
        "Only {size} of {sent} bytes arrived at the bank's server.", _LATER
    ),
    "rename_unsupported": Problem(
        "The bank's server does not know the rename that the profile asks for.",
        "Set rename to standard in the bank's profile.",
        True,
    ),
    # After the first byte was (perhaps) written.
    "read_timeout": Problem("{host} took the request but did not answer in time.", _ASK),
    "total_timeout": Problem("The exchange with {host} took longer than allowed.", _ASK),
    "reset": Problem("{host} broke the connection before it answered.", _ASK),
    "half_answer": Problem("The answer of {host} broke off in the middle.", _ASK),
    "answer_too_large": Problem("The answer of {host} is larger than {limit} bytes.", _ASK),
    "answer_encoded": Problem("{host} compressed its answer unasked ({encoding}).", _BANK),
    "protocol": Problem("{host} does not answer in proper HTTP.", _ASK),
    # What the answer says.
    "content_type": Problem(
        "{host} answered with {media_type} where {expected} was due.",
        "The address may belong to a web page or a gateway; see the stored answer.",
    ),
    "answer_unreadable": Problem("The answer of {host} cannot be understood.", _ASK),
    "wrong_signature": Problem(
        "The answer of {host} is not signed as agreed with the bank.",
        "Compare the bank's signing certificate on the connection with the bank by telephone.",
    ),
    "wrong_echo": Problem("{host} answered to another request than ours.", _ASK),
    "redirected": Problem(
        "{host} redirects to another address, which is not followed.",
        "Ask the bank for the current address and enter it on the connection.",
    ),
    "in_flight": Problem("The bank is still working on this message.", _ASK),
    "key_conflict": Problem(
        "The bank knows another message under this key.",
        "Do not send it again. Compare with the bank which message it holds.",
    ),
    "rate_limited": Problem("The bank asks to send less often.", _LATER),
    "refused": Problem("The bank refused the message (HTTP {status}).", "See the bank's reason."),
    "not_authorised": Problem(
        "The bank does not accept our credentials for this (HTTP {status}).",
        "Check certificate, contract id and consent with the bank.",
        True,
    ),
    "http_status": Problem("The bank answered with HTTP {status}.", "See the stored answer."),
    # Signed channels: what the bank says by code, and what its signature is worth.
    "bank_access": Problem(
        "The bank does not let this sender or contract in (code {answer}).",
        "Check sender id, customer id and contract with the bank; an entry may be locked or "
        "outdated.",
        True,
    ),
    "bank_certificate": Problem(
        "The bank does not accept our signing certificate (code {answer}).",
        "Check with the bank that this certificate belongs to this sender id and is still valid.",
        True,
    ),
    "bank_signature": Problem(
        "The bank could not verify our signature (code {answer}).",
        "Check that the certificate on the connection is the one that the bank issued or knows.",
        True,
    ),
    "bank_operation": Problem(
        "The bank does not offer this operation to us (code {answer}).",
        "Ask the bank to open it in the contract.",
        True,
    ),
    "bank_schema": Problem(
        "The bank found the request malformed (code {answer}).", "See the bank's reason.", True
    ),
    "bank_content": Problem(
        "The bank does not take this file (code {answer}).",
        "Check file type, message version and accounts with the bank.",
        True,
    ),
    "bank_packing": Problem(
        "The bank could not unpack the file (code {answer}).",
        "Check in the profile whether the bank wants files compressed or encrypted.",
        True,
    ),
    "bank_parameters": Problem(
        "The bank found something missing or wrong in the request (code {answer}).",
        "Check customer id, target id and environment with the bank.",
        True,
    ),
    "bank_nothing": Problem("The bank found no content (code {answer}).", _ASK),
    "bank_kept": Problem("The bank does not delete this file (code {answer}).", _BANK),
    "bank_technical": Problem("The bank had a technical problem (code {answer}).", _ASK),
    "bank_duplicate": Problem("The bank has had this request before (code {answer}).", _BANK),
    "bank_code": Problem(
        "The bank answered with the code {answer}, which is not in its description.", _ASK
    ),
    "soap_fault": Problem("{host} broke the request off with a fault.", _ASK),
    "signature_invalid": Problem(
        "The signature of the bank's answer is missing or wrong; the answer is not believed.",
        "Ask the bank whether it changed its certificates, and about the message.",
    ),
    "signer_untrusted": Problem(
        "The bank's answer is signed with a certificate that this connection does not trust.",
        "Compare the bank's current signing certificate with the one on the connection, by "
        "telephone.",
    ),
    "signer_pin": Problem(
        "The bank's answer is signed with another certificate than the one pinned.",
        "Compare the new fingerprint with the bank by telephone before you change the pin.",
    ),
    "signer_expired": Problem(
        "The certificate that signed the bank's answer has expired.",
        "Check this server's clock; if it is right, the bank must renew its certificate.",
    ),
    "signer_not_yet_valid": Problem(
        "The certificate that signed the bank's answer is not valid yet.",
        "Check this server's clock.",
    ),
    "signer_revoked": Problem(
        "The certificate that signed the bank's answer has been revoked.", _BANK
    ),
    "crl_outdated": Problem(
        "There is no current revocation list for the bank's signing certificate.",
        "Install the bank's current revocation list on the connection.",
    ),
    "wrong_customer": Problem("The bank's answer is meant for another customer.", _ASK),
    "decrypt_failed": Problem(
        "The bank's answer cannot be decrypted.",
        "Check that the bank encrypts for the certificate on this connection.",
    ),
    # Reading.
    "cannot_inquire": Problem(
        "This bank offers no way to ask for a message whose receipt is missing.",
        "Ask the bank by other means and record the answer with evidence.",
        True,
    ),
    "inquiry_mismatch": Problem("The bank holds other content under this key.", _BANK, True),
    "payment_unknown": Problem(
        "The bank gave this message a reference and no longer knows it.", _BANK
    ),
    "not_offered": Problem("This bank's profile offers no {what}.", "", True),
    "listing_unreadable": Problem("The bank's list of documents cannot be understood.", _BANK),
    "listing_endless": Problem("The bank's list of documents does not end.", _BANK),
    "foreign_link": Problem("The bank's answer links to another server.", _BANK, True),
    "size_mismatch": Problem(
        "The document has {size} bytes, the bank announced {announced}.", _LATER
    ),
    "document_too_large": Problem(
        "The document has {size} bytes, more than the {limit} that are taken in.",
        "Raise the limit in the bank's profile if the document is in order.",
        True,
    ),
    "archive_full": Problem(
        "The archive at the bank holds too many files of the same name.", _BANK, True
    ),
    "digest_mismatch": Problem("The document's digest differs from the bank's.", _LATER),
    "document_gone": Problem("The bank no longer has this document.", _BANK, True),
}


def build(
    kind: type[OutcomeType],
    code: str,
    *,
    detail: str = "",
    retry_after: float | None = None,
    content: bytes = b"",
    content_type: str = "",
    http_status: int | None = None,
    reasons: tuple = (),
    bank_reference: Mapping[str, str] | None = None,
    **facts: object,
) -> OutcomeType:
    """Make an outcome with the text of `code`.  A code ``http_<n>`` reads as ``http_status``."""
    key = "http_status" if code.startswith("http_") else code
    problem = PROBLEMS[key]
    # Neither reading nor what was not sent leaves a message in doubt.
    sure = issubclass(kind, FetchError | NotSent)
    hint = _LATER if sure and problem.hint == _ASK else problem.hint
    facts |= {"status": http_status, "media_type": content_type or "no content type"}
    return kind(
        code,
        problem.message.format_map(facts),
        hint=hint,
        detail=detail,
        reasons=reasons,
        retry_after=retry_after,
        content=content,
        content_type=content_type,
        http_status=http_status,
        permanent=problem.permanent,
        facts=facts,
        bank_reference=bank_reference,
    )

"""What can go wrong on a bank's channel, by the connectors' stable codes: see `connector_texts`."""

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

LATER = _lt("Nothing needs to be done now: it will be tried again.")
ASK = _lt("Ask the bank what became of the message before doing anything else.")
BANK = _lt("Ask the bank.")

# code → what happened, and what to do about it
PROBLEMS = {
    "dns": (
        _lt("The name %(host)s could not be resolved."),
        _lt("Check the bank's address and this server's name resolution (DNS)."),
    ),
    "address_refused": (
        _lt("%(host)s leads to an internal network address, which is not allowed."),
        _lt(
            "Check the bank's address; for a bank on your own network (the sandbox), allow "
            "private addresses on this connection."
        ),
    ),
    "connect_refused": (
        _lt("%(host)s refused the connection."),
        _lt("Check the port; ask the bank whether its service is up and knows your IP address."),
    ),
    "connect_timeout": (
        _lt("%(host)s did not answer the attempt to connect in time."),
        _lt("Check that the firewall lets this server out to the bank's address and port."),
    ),
    "unreachable": (
        _lt("There is no network route to %(host)s."),
        _lt("Check this server's network connection."),
    ),
    "connect_failed": (_lt("The connection to %(host)s could not be made."), LATER),
    "proxy_unreachable": (
        _lt("The proxy %(proxy)s could not be reached."),
        _lt("Check the proxy's address and that it runs."),
    ),
    "proxy_auth": (
        _lt("The proxy %(proxy)s wants other credentials."),
        _lt("Check the proxy's user and password."),
    ),
    "proxy_refused": (
        _lt("The proxy %(proxy)s refused to connect to %(host)s."),
        _lt("Have the proxy's administrator allow the bank's address and port."),
    ),
    "tls_untrusted": (
        _lt("The certificate of %(host)s is not signed by the authority this connection trusts."),
        _lt(
            "Install the bank's current CA certificate on the connection. If the bank did not "
            "announce a change, do not go on before you asked it."
        ),
    ),
    "tls_expired": (
        _lt("The certificate of %(host)s has expired."),
        _lt("Check this server's clock; if it is right, the bank must renew its certificate."),
    ),
    "tls_not_yet_valid": (
        _lt("The certificate of %(host)s is not valid yet."),
        _lt("Check this server's clock."),
    ),
    "tls_hostname": (
        _lt("The certificate presented by %(host)s was issued for another name."),
        _lt("Check the bank's address."),
    ),
    "tls_revoked": (_lt("The certificate of %(host)s has been revoked."), BANK),
    "tls_crl": (
        _lt("The revocation list for %(host)s is missing or out of date."),
        _lt("Get the present list of the bank's authority, and put it on the connection."),
    ),
    "tls_pin": (
        _lt("The certificate of %(host)s is not the one pinned on this connection."),
        _lt("Compare the new fingerprint with the bank by telephone before you change the pin."),
    ),
    "tls_client_rejected": (
        _lt("%(host)s did not accept our client certificate."),
        _lt("Check that the bank has registered this certificate and that it has not expired."),
    ),
    "tls_not_spoken": (
        _lt("%(host)s does not speak TLS on this port."),
        _lt("Check the address and port."),
    ),
    "tls_version": (
        _lt("%(host)s offers no TLS version that is safe enough (1.2 or later)."),
        BANK,
    ),
    "tls_handshake": (_lt("The TLS handshake with %(host)s failed."), BANK),
    "tls_timeout": (_lt("%(host)s did not finish the TLS handshake in time."), LATER),
    "tls_closed": (
        _lt("%(host)s closed the connection during the TLS handshake."),
        _lt("Check that the bank has registered our client certificate."),
    ),
    "certificate_expired": (
        _lt("Our client certificate has expired."),
        _lt("Renew the certificate with the bank."),
    ),
    "certificate_not_yet_valid": (
        _lt("Our client certificate is not valid yet."),
        _lt("Check this server's clock."),
    ),
    "bad_key": (_lt("The message key is not a UUID, which this bank requires."), None),
    "empty_content": (_lt("The message is empty."), None),
    "too_large": (
        _lt("The message has %(size)s bytes, the bank takes at most %(limit)s."),
        _lt("Split the batch."),
    ),
    "no_product": (
        _lt("This bank's profile has no product for %(what)s."),
        _lt("Choose another payment type, or extend the profile."),
    ),
    "cannot_recall": (
        _lt("This bank's profile offers no way to recall payments."),
        _lt("Telephone the bank."),
    ),
    "no_reference": (_lt("The bank's reference of this message is unusable."), BANK),
    "template_value": (
        _lt("This bank's profile needs %(what)s, which this message does not have."),
        _lt("Correct the profile, or choose another payment type."),
    ),
    "token_refused": (
        _lt("The authorisation server %(host)s did not give us a token (HTTP %(status)s)."),
        _lt("Check client id, secret, certificate and scope with the bank."),
    ),
    "token_later": (
        _lt("The authorisation server %(host)s could not give us a token now (HTTP %(status)s)."),
        LATER,
    ),
    "token_unusable": (
        _lt("The authorisation server %(host)s answered without a usable token."),
        BANK,
    ),
    "token_unbound": (
        _lt("The token of %(host)s is bound to another certificate than ours."),
        _lt("Have the bank register this connection's certificate."),
    ),
    "token_rejected": (
        _lt(
            "The bank does not accept the access token that it has just given us "
            "(HTTP %(status)s)."
        ),
        _lt("Have the bank check our registration: certificate, scope and contract."),
    ),
    "token_busy": (_lt("Another process has been fetching a token for too long."), LATER),
    "not_authorised_yet": (
        _lt("The bank has the file and waits until somebody authorises it."),
        _lt("Authorise the file in the bank's own application."),
    ),
    "step_failed": (
        _lt("The bank did not take the step %(step)s before the order (HTTP %(status)s)."),
        LATER,
    ),
    "wrong_signature": (
        _lt("The answer of %(host)s is not signed as agreed with the bank."),
        _lt("Compare the bank's signing certificate on the connection with the bank by telephone."),
    ),
    "request_invalid": (_lt("The request could not be built."), _lt("See the detail.")),
    "breaker": (_lt("The connection rests after repeated failures."), LATER),
    "read_timeout": (_lt("%(host)s took the request but did not answer in time."), ASK),
    "total_timeout": (_lt("The exchange with %(host)s took longer than allowed."), ASK),
    "reset": (_lt("%(host)s broke the connection before it answered."), ASK),
    "half_answer": (_lt("The answer of %(host)s broke off in the middle."), ASK),
    "answer_too_large": (_lt("The answer of %(host)s is larger than %(limit)s bytes."), ASK),
    "answer_encoded": (_lt("%(host)s compressed its answer unasked (%(encoding)s)."), BANK),
    "protocol": (_lt("%(host)s does not answer in proper HTTP."), ASK),
    "content_type": (
        _lt("%(host)s answered with %(media_type)s where %(expected)s was due."),
        _lt("The address may belong to a web page or a gateway; see the stored answer."),
    ),
    "answer_unreadable": (_lt("The answer of %(host)s cannot be understood."), ASK),
    "wrong_echo": (_lt("%(host)s answered to another request than ours."), ASK),
    "redirected": (
        _lt("%(host)s redirects to another address, which is not followed."),
        _lt("Ask the bank for the current address and enter it on the connection."),
    ),
    "in_flight": (_lt("The bank is still working on this message."), ASK),
    "key_conflict": (
        _lt("The bank knows another message under this key."),
        _lt("Do not send it again. Compare with the bank which message it holds."),
    ),
    "rate_limited": (_lt("The bank asks to send less often."), LATER),
    "refused": (
        _lt("The bank refused the message (HTTP %(status)s)."),
        _lt("See the bank's reason."),
    ),
    "not_authorised": (
        _lt("The bank does not accept our credentials for this (HTTP %(status)s)."),
        _lt("Check certificate, contract id and consent with the bank."),
    ),
    "http_status": (_lt("The bank answered with HTTP %(status)s."), _lt("See the stored answer.")),
    "bank_access": (
        _lt("The bank does not let this sender or contract in (code %(answer)s)."),
        _lt(
            "Check sender id, customer id and contract with the bank; an entry may be locked "
            "or outdated."
        ),
    ),
    "bank_certificate": (
        _lt("The bank does not accept our signing certificate (code %(answer)s)."),
        _lt(
            "Check with the bank that this certificate belongs to this sender id and is still "
            "valid."
        ),
    ),
    "bank_signature": (
        _lt("The bank could not verify our signature (code %(answer)s)."),
        _lt(
            "Check that the certificate on the connection is the one that the bank issued or knows."
        ),
    ),
    "bank_operation": (
        _lt("The bank does not offer this operation to us (code %(answer)s)."),
        _lt("Ask the bank to open it in the contract."),
    ),
    "bank_schema": (
        _lt("The bank found the request malformed (code %(answer)s)."),
        _lt("See the bank's reason."),
    ),
    "bank_content": (
        _lt("The bank does not take this file (code %(answer)s)."),
        _lt("Check file type, message version and accounts with the bank."),
    ),
    "bank_packing": (
        _lt("The bank could not unpack the file (code %(answer)s)."),
        _lt("Check in the profile whether the bank wants files compressed or encrypted."),
    ),
    "bank_parameters": (
        _lt("The bank found something missing or wrong in the request (code %(answer)s)."),
        _lt("Check customer id, target id and environment with the bank."),
    ),
    "bank_nothing": (_lt("The bank found no content (code %(answer)s)."), ASK),
    "bank_kept": (_lt("The bank does not delete this file (code %(answer)s)."), BANK),
    "bank_technical": (_lt("The bank had a technical problem (code %(answer)s)."), ASK),
    "bank_duplicate": (_lt("The bank has had this request before (code %(answer)s)."), BANK),
    "bank_code": (
        _lt("The bank answered with the code %(answer)s, which is not in its description."),
        ASK,
    ),
    "soap_fault": (_lt("%(host)s broke the request off with a fault."), ASK),
    "signature_invalid": (
        _lt("The signature of the bank's answer is missing or wrong; the answer is not believed."),
        _lt("Ask the bank whether it changed its certificates, and about the message."),
    ),
    "signer_untrusted": (
        _lt("The bank's answer is signed with a certificate that this connection does not trust."),
        _lt(
            "Compare the bank's current signing certificate with the one on the connection, "
            "by telephone."
        ),
    ),
    "signer_pin": (
        _lt("The bank's answer is signed with another certificate than the one pinned."),
        _lt("Compare the new fingerprint with the bank by telephone before you change the pin."),
    ),
    "signer_expired": (
        _lt("The certificate that signed the bank's answer has expired."),
        _lt("Check this server's clock; if it is right, the bank must renew its certificate."),
    ),
    "signer_not_yet_valid": (
        _lt("The certificate that signed the bank's answer is not valid yet."),
        _lt("Check this server's clock."),
    ),
    "signer_revoked": (
        _lt("The certificate that signed the bank's answer has been revoked."),
        BANK,
    ),
    "crl_outdated": (
        _lt("There is no current revocation list for the bank's signing certificate."),
        _lt("Install the bank's current revocation list on the connection."),
    ),
    "wrong_customer": (_lt("The bank's answer is meant for another customer."), ASK),
    "decrypt_failed": (
        _lt("The bank's answer cannot be decrypted."),
        _lt("Check that the bank encrypts for the certificate on this connection."),
    ),
    "ssh_untrusted": (
        _lt("%(host)s showed another host key than the one known for this connection."),
        _lt("Compare the new fingerprint with the bank by telephone before you change it."),
    ),
    "ssh_algorithms": (
        _lt(
            "%(host)s and this server have no safe way to encrypt in common, or %(host)s has no "
            "host key of the known kind."
        ),
        BANK,
    ),
    "ssh_not_spoken": (
        _lt("%(host)s does not speak SSH on this port."),
        _lt("Check the address and port."),
    ),
    "ssh_handshake": (_lt("The SSH handshake with %(host)s failed."), LATER),
    "ssh_timeout": (_lt("%(host)s did not finish the SSH handshake in time."), LATER),
    "ssh_login": (
        _lt("%(host)s did not accept our login."),
        _lt(
            "Check the user name with the bank, and that it has registered our public key or knows "
            "our password."
        ),
    ),
    "ssh_session": (
        _lt("%(host)s accepted our login and then opened no SFTP session."),
        LATER,
    ),
    "folder_missing": (
        _lt("The bank's server has no %(path)s."),
        _lt("Check the folders in the bank's profile."),
    ),
    "folder_denied": (
        _lt("The bank's server does not let us into %(path)s."),
        _lt("Ask the bank to allow our login to do this."),
    ),
    "server_failed": (
        _lt("The bank's server could not do what was asked with %(path)s."),
        _lt("See the bank's reason; its disk may be full."),
    ),
    "upload_incomplete": (
        _lt("Only %(size)s of %(sent)s bytes arrived at the bank's server."),
        LATER,
    ),
    "rename_unsupported": (
        _lt("The bank's server does not know the rename that the profile asks for."),
        _lt("Set rename to standard in the bank's profile."),
    ),
    "document_too_large": (
        _lt("The document has %(size)s bytes, more than the %(limit)s that are taken in."),
        _lt("Raise the limit in the bank's profile if the document is in order."),
    ),
    "archive_full": (
        _lt("The archive at the bank holds too many files of the same name."),
        BANK,
    ),
    "cannot_inquire": (
        _lt("This bank offers no way to ask for a message whose receipt is missing."),
        _lt("Ask the bank by other means and record the answer with evidence."),
    ),
    "inquiry_mismatch": (_lt("The bank holds other content under this key."), BANK),
    "payment_unknown": (
        _lt("The bank gave this message a reference and no longer knows it."),
        BANK,
    ),
    "not_offered": (_lt("This bank's profile offers no %(what)s."), None),
    "listing_unreadable": (_lt("The bank's list of documents cannot be understood."), BANK),
    "listing_endless": (_lt("The bank's list of documents does not end."), BANK),
    "foreign_link": (_lt("The bank's answer links to another server."), BANK),
    "size_mismatch": (
        _lt("The document has %(size)s bytes, the bank announced %(announced)s."),
        LATER,
    ),
    "digest_mismatch": (_lt("The document's digest differs from the bank's."), LATER),
    "document_gone": (_lt("The bank no longer has this document."), BANK),
}

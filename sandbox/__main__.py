"""Command line of the sandbox bank: ``bin/sandbox --help``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from . import clock, iban, kinds, options, soap_contracts, triggers, webhook
from .bank import Bank
from .customers import AccountOrder, add_account


def parser() -> argparse.ArgumentParser:
    """The commands."""
    top = argparse.ArgumentParser(prog="bin/sandbox", description="The sandbox bank.")
    commands = top.add_subparsers(dest="command", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        if name != "iban":
            sub.add_argument("--dir", type=Path, required=True, help="the bank's folder")
        return sub

    init = command("init", "make a bank: certificates and books; again: nothing changes")
    init.add_argument("--seed", type=int, default=0, help="kept as a setting, for fault plans")

    enrol = command("enrol", "make a customer with contract, certificate and accounts")
    enrol.add_argument("--customer", required=True, help="the customer's name")
    enrol.add_argument("--contract", required=True, help="contract id, such as CORP-001")
    enrol.add_argument("--out", type=Path, required=True, help="folder for the customer's files")
    enrol.add_argument("--csr", type=Path, help="PKCS#10 request (PEM); else the bank makes a key")
    enrol.add_argument("--account", action="append", default=[], metavar="IBAN:CUR:AMOUNT",
                       help="an account to open; without IBAN (':EUR:100.00') the bank picks one")
    enrol.add_argument("--camt", choices=("02", "08"), default="08",
                       help="version of statements and notifications")
    enrol.add_argument("--no-empty-statements", action="store_true",
                       help="no statement for a day without movement")

    enrol.add_argument("--receipts", choices=options.CHOICES["receipts"],
                       help="pdf: a receipt for each executed payment")
    enrol.add_argument("--statements", choices=options.CHOICES["statements"],
                       help="mt940: MT940 and MT942 instead of camt.053 and camt.052")

    soap = enrol.add_argument_group("Bank Web Services (SOAP)")
    soap.add_argument("--soap", choices=sorted(soap_contracts.FLAVOURS), metavar="FLAVOUR",
                      help="also reachable over SOAP: iso (file types are message names),"
                           " codes (NDCORPAYS ...) or short (XL ..., three operations)")
    soap.add_argument("--environment", choices=soap_contracts.ENVIRONMENTS, default="TEST")
    soap.add_argument("--compression", choices=soap_contracts.COMPRESSION, default="optional",
                      help="gzip of documents")
    soap.add_argument("--encryption", action="store_true",
                      help="ApplicationRequest and ApplicationResponse are encrypted")
    soap.add_argument("--client-certificate", action="store_true",
                      help="TLS needs the client certificate over SOAP as well")
    soap.add_argument("--transfer-key", choices=soap_contracts.TRANSFER_KEYS, default="",
                      help="no signing key is handed out: the first certificate is fetched with"
                           " a transfer key, by HMAC or by 16 digits with a check digit")

    _channel_options(enrol)

    account = command("account", "open a further account")
    account.add_argument("action", choices=("add",))
    account.add_argument("--contract", required=True)
    account.add_argument("--account", required=True, metavar="IBAN:CUR:AMOUNT")
    account.add_argument("--out", type=Path, help="write contract.json anew into this folder")

    serve = command("serve", "run the bank")
    serve.add_argument("--port", type=int, default=0, help="customers' face; 0 for a free port")
    serve.add_argument("--soap-port", type=int, default=0, help="SOAP face; 0 for a free port")
    serve.add_argument("--admin-port", type=int, default=0, help="the desk; 0 for a free port")
    serve.add_argument("--mailbox", type=Path, metavar="DIR",
                       help="folders of each contract, for files by SFTP or by hand")
    serve.add_argument("--clock", help="'real', or a moment like 2026-11-23T08:00:00 (UTC)")
    serve.add_argument("--parent-pid", type=int, help="stop when this process is gone")

    number = command("iban", "make valid IBANs, with or without a trigger")
    number.add_argument("--country", required=True, choices=sorted(iban.LAYOUTS))
    number.add_argument("--trigger", choices=sorted(triggers.BY_NAME))
    number.add_argument("--index", type=int, default=0)
    number.add_argument("--count", type=int, default=1)
    return top


def _channel_options(enrol: argparse.ArgumentParser) -> None:
    channel = enrol.add_argument_group("another kind of REST channel (README: Kinds of channel)")
    channel.add_argument("--kind", choices=sorted(kinds.KINDS))
    for name, choices in kinds.CHOICES.items():
        channel.add_argument(f"--{name.replace('_', '-')}", choices=choices,
                             help="other than the kind has it")
    channel.add_argument("--bearer-seconds", type=int, help="how long a token is good (300)")
    channel.add_argument("--page-size", type=int, help="items on one page (50)")
    hook = enrol.add_argument_group("webhook: the bank calls when it has issued a document")
    hook.add_argument("--webhook", metavar="URL")
    hook.add_argument("--webhook-form", choices=webhook.FORMS, default="hmac")
    hook.add_argument("--webhook-secret", help="of an HMAC; else the bank makes one")
    hook.add_argument("--webhook-ca", type=Path, help="PEM: who signed the address's certificate")
    hook.add_argument("--webhook-header", action="append", default=[], metavar="NAME:VALUE")


def _channel(arguments: argparse.Namespace) -> kinds.Terms | None:
    names = (*kinds.CHOICES, "bearer_seconds", "page_size")
    wanted = {name: getattr(arguments, name) for name in names}
    if arguments.kind:
        return kinds.make(arguments.kind, wanted)
    if any(value is not None for value in wanted.values()):
        raise ValueError("say --kind as well")
    return None


def _hook(arguments: argparse.Namespace) -> dict | None:
    if not arguments.webhook:
        return None
    pairs = [header.partition(":") for header in arguments.webhook_header]
    return {"url": arguments.webhook, "form": arguments.webhook_form,
            "secret": arguments.webhook_secret,
            "ca": arguments.webhook_ca and arguments.webhook_ca.read_text(),
            "headers": {name.strip(): value.strip() for name, _colon, value in pairs}}


def _options(arguments: argparse.Namespace) -> dict:
    wanted = {name: getattr(arguments, name) for name in options.CHOICES}
    return {name: value for name, value in wanted.items() if value}


def run(arguments: argparse.Namespace) -> None:
    """Carry out a command.

    :raises ValueError: what the user has to change.
    """
    if arguments.command == "iban":
        for index in range(arguments.index, arguments.index + arguments.count):
            print(iban.make(arguments.country, arguments.trigger, index))
        return
    bank = Bank(arguments.dir)
    if arguments.command == "init":
        bank.create(arguments.seed)
        print(f"the bank is in {arguments.dir}")
        return
    bank.require()
    if arguments.command == "enrol":
        orders = [AccountOrder.parse(value) for value in arguments.account]
        csr = arguments.csr.read_bytes() if arguments.csr else None
        terms = arguments.soap and soap_contracts.Terms(
            arguments.soap, arguments.environment, arguments.compression, arguments.encryption,
            arguments.client_certificate, arguments.transfer_key)
        print(json.dumps(bank.enrol(
            arguments.contract, arguments.customer, arguments.out, csr, orders, arguments.camt,
            not arguments.no_empty_statements, terms or None, _channel(arguments),
            _hook(arguments), _options(arguments)), indent=2))
    elif arguments.command == "account":
        order = AccountOrder.parse(arguments.account)
        with bank.store.write() as connection:
            opened = add_account(connection, arguments.contract, order, clock.now(connection))
        if arguments.out:
            bank.write_contract(arguments.contract, arguments.out)
        print(json.dumps(opened, indent=2))
    else:
        # Only the server needs the web framework.
        from .server import serve

        serve(bank, arguments.port, arguments.admin_port, arguments.clock,
              arguments.parent_pid, arguments.soap_port, arguments.mailbox)


def main() -> int:
    """Run the command line; return the exit code."""
    try:
        run(parser().parse_args())
    except (ValueError, OSError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Everything that is wrong with an instruction, in words, before a byte is written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from ..currency import decimals, is_code
from ..model import CreditTransfer, Instruction, PaymentBlock, Problem
from ..references import is_rf
from .fields import Fields
from .versions import Version, version_of

_UETR = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_SEPA_MOST = Decimal("999999999.99")
_NOT_SEPA_BEARERS = ("SHAR", "DEBT", "CRED")
_ISO_DIGITS = 18


@dataclass(slots=True)
class Totals:
    """Count and control sum of a block."""

    count: int = 0
    amount: Decimal = Decimal(0)

    def add(self, amount: Decimal) -> None:
        self.count += 1
        self.amount += amount


def problems(instruction: Instruction, version: str, charset: str = "sepa") -> list[Problem]:
    """All that keeps ``instruction`` from being written in ``version``; empty when it can be.

    Takes what ``write`` takes and finds all that ``write`` would refuse.
    """
    return examine(instruction, version, charset)[0]


def examine(
    instruction: Instruction, version: str, charset: str
) -> tuple[list[Problem], list[Totals]]:
    """The problems, and each block's totals as the message must state them."""
    check = _Check(version_of(version), charset)
    totals = check.instruction(instruction)
    return check.fields.found, totals


class _Check:
    def __init__(self, form: Version, charset: str) -> None:
        self.form = form
        self.fields = Fields(form, charset)
        self.end_to_end_ids: set[str] = set()

    def instruction(self, item: Instruction) -> list[Totals]:
        fields = self.fields
        fields.identifier("message_id", "the message id", item.message_id)
        if not isinstance(item.created, datetime) or item.created.utcoffset() is None:
            fields.add("created", "time_zone", "the time of creation has no time zone")
        fields.party("initiating_party", "the initiating party", item.initiating_party)
        if not item.blocks:
            fields.add("blocks", "empty", "the message has no payments")
        names: set[str] = set()
        totals = []
        for index, block in enumerate(item.blocks):
            if block.id in names:
                fields.add(f"blocks[{index}].id", "duplicate", f"two blocks are called {block.id}")
            names.add(block.id)
            totals.append(self.block(block, f"blocks[{index}]"))
        return totals

    def block(self, item: PaymentBlock, path: str) -> Totals:
        fields = self.fields
        fields.end_to_end_id = None
        fields.identifier(f"{path}.id", "the batch id", item.id)
        if not isinstance(item.execution_date, date) or isinstance(item.execution_date, datetime):
            fields.add(f"{path}.execution_date", "date", "the execution date is not a date")
        fields.party(f"{path}.debtor", "the payer", item.debtor)
        fields.account(f"{path}.debtor_account", "the payer's account", item.debtor_account)
        fields.agent(f"{path}.debtor_agent", "the payer's bank", item.debtor_agent)
        for name, label, most in (
            ("service_level", "the service level", 4),
            ("local_instrument", "the local instrument", 35),
            ("category_purpose", "the category purpose", 4),
        ):
            fields.code(f"{path}.{name}", label, getattr(item, name), most)
        fields.charge_bearer(f"{path}.charge_bearer", item.charge_bearer)
        if item.service_level == "SEPA":
            self._sepa_block(item, path)
        totals = Totals()
        for index, transfer in enumerate(item.transfers):
            self.transfer(transfer, item, f"{path}.transfers[{index}]")
            if isinstance(transfer.amount, Decimal) and transfer.amount.is_finite():
                totals.add(transfer.amount)
            else:
                totals.count += 1
        fields.end_to_end_id = None
        self._totals(item, path, totals)
        return totals

    def _totals(self, item: PaymentBlock, path: str, totals: Totals) -> None:
        add = self.fields.add
        if not totals.count:
            add(f"{path}.transfers", "empty", f"batch {item.id} has no payments")
        stated, control_sum = item.number_of_transactions, item.control_sum
        if stated is not None and stated != totals.count:
            text = f"batch {item.id} should have {stated} payments, it has {totals.count}"
            add(f"{path}.number_of_transactions", "count", text)
        if control_sum is not None and control_sum != totals.amount:
            text = f"batch {item.id} should total {control_sum}, it totals {totals.amount}"
            add(f"{path}.control_sum", "control_sum", text)

    def _sepa_block(self, item: PaymentBlock, path: str) -> None:
        if item.debtor_account.other and not item.debtor_account.iban:
            text = "a SEPA payment needs the IBAN of the payer's account"
            self.fields.add(f"{path}.debtor_account.iban", "iban", text)
        if item.charge_bearer in _NOT_SEPA_BEARERS:
            text = "charges of a SEPA payment are shared by rule: charge bearer SLEV or none"
            self.fields.add(f"{path}.charge_bearer", "charge_bearer", text)

    def transfer(self, item: CreditTransfer, block: PaymentBlock, path: str) -> None:
        fields = self.fields
        fields.end_to_end_id = item.end_to_end_id
        fields.identifier(f"{path}.end_to_end_id", "the end-to-end id", item.end_to_end_id)
        if item.end_to_end_id in self.end_to_end_ids:
            text = f"another payment of this message has the end-to-end id {item.end_to_end_id}"
            fields.add(f"{path}.end_to_end_id", "duplicate", text)
        self.end_to_end_ids.add(item.end_to_end_id)
        if item.instruction_id is not None:
            fields.identifier(f"{path}.instruction_id", "the instruction id", item.instruction_id)
        if item.uetr is not None and not _UETR.fullmatch(item.uetr):
            text = f"{item.uetr!r} is not a UETR (a version 4 UUID in lower case)"
            fields.add(f"{path}.uetr", "uetr", text)
        for code, text in _amount_faults(item, block.service_level == "SEPA"):
            fields.add(f"{path}.amount", code, text)
        fields.party(f"{path}.creditor", "the payee", item.creditor)
        fields.account(f"{path}.creditor_account", "the payee's account", item.creditor_account)
        fields.agent(f"{path}.creditor_agent", "the payee's bank", item.creditor_agent)
        for name, label in (
            ("ultimate_debtor", "the ultimate payer"),
            ("ultimate_creditor", "the ultimate payee"),
        ):
            if getattr(item, name) is not None:
                fields.party(f"{path}.{name}", label, getattr(item, name))
        fields.code(f"{path}.purpose", "the purpose", item.purpose, 4)
        fields.charge_bearer(f"{path}.charge_bearer", item.charge_bearer)
        if item.charge_bearer and block.charge_bearer:
            text = "the charge bearer is given for the batch and for the payment: keep one"
            fields.add(f"{path}.charge_bearer", "charge_bearer", text)
        self._regulatory(item, path)
        self._remittance(item, block, path)
        self._destination(item, block, path)

    def _regulatory(self, item: CreditTransfer, path: str) -> None:
        fields = self.fields
        label = "the regulatory"
        fields.code(f"{path}.regulatory_code", f"{label} code", item.regulatory_code, 10)
        fields.text(f"{path}.regulatory_text", f"{label} text", item.regulatory_text, 35)
        if item.regulatory_country is not None:
            where = f"{path}.regulatory_country"
            fields.country(where, f"{label} country", item.regulatory_country)

    def _remittance(self, item: CreditTransfer, block: PaymentBlock, path: str) -> None:
        remittance, fields = item.remittance, self.fields
        if remittance is None:
            return
        path = f"{path}.remittance"
        fields.text(f"{path}.unstructured", "the text for the payee", remittance.unstructured, 140)
        reference = remittance.creditor_reference
        if reference is None:
            return
        where = f"{path}.creditor_reference"
        fields.identifier(where, "the creditor reference", reference, slashes=False)
        if remittance.creditor_reference_issuer == "ISO" and not is_rf(reference):
            text = f"{reference!r} is not an RF creditor reference: its check digits are wrong"
            fields.add(where, "reference", text)
        for name in ("issuer", "type"):
            value = getattr(remittance, f"creditor_reference_{name}")
            if value is not None:
                fields.identifier(f"{where}_{name}", f"the creditor reference's {name}", value)
        if remittance.unstructured and block.service_level == "SEPA":
            text = "a SEPA payment carries either a text or a creditor reference, not both"
            fields.add(path, "remittance", text)

    def _destination(self, item: CreditTransfer, block: PaymentBlock, path: str) -> None:
        """What the way to the payee's bank asks for."""
        fields = self.fields
        if block.service_level == "SEPA":
            if item.creditor_account.other and not item.creditor_account.iban:
                text = "a SEPA payment needs the IBAN of the payee's account"
                fields.add(f"{path}.creditor_account.iban", "iban", text)
            if item.charge_bearer in _NOT_SEPA_BEARERS:
                text = "charges of a SEPA payment are shared by rule: charge bearer SLEV or none"
                fields.add(f"{path}.charge_bearer", "charge_bearer", text)
            return
        agent = item.creditor_agent
        if not item.creditor_account.iban and (
            agent is None or not (agent.bic or agent.member_id or (agent.name and agent.address))
        ):
            text = "without an IBAN the payee's bank must be given (BIC or clearing number)"
            fields.add(f"{path}.creditor_agent", "bic", text)
        here = _country(block.debtor_account, block.debtor_agent)
        there = _country(item.creditor_account, agent)
        if there is None and item.creditor.address is not None:
            there = item.creditor.address.country
        address = item.creditor.address
        if here != there and (address is None or not (address.country and _has_town(address))):
            text = "a payment to another country needs the payee's town and country"
            fields.add(f"{path}.creditor.address", "address", text)


def _has_town(address) -> bool:
    return bool(address.town or address.lines)


def _country(account, agent) -> str | None:
    if account.iban:
        return account.iban[:2].upper()
    if agent is None:
        return None
    if agent.bic:
        return agent.bic[4:6].upper()
    return agent.address.country if agent.address is not None else None


def _amount_faults(item: CreditTransfer, sepa: bool) -> Iterator[tuple[str, str]]:
    amount, currency = item.amount, item.currency
    if not isinstance(amount, Decimal) or not amount.is_finite():
        yield "amount", f"the amount {amount!r} is not a decimal number"
        return
    if not isinstance(currency, str) or not is_code(currency):
        yield "currency", f"{currency!r} is not a currency code"
        return
    if amount <= 0:
        yield "amount", f"the amount must be above zero, it is {amount} {currency}"
        return
    places = decimals(currency)
    # exact, whatever the precision of the running decimal context
    if amount.as_tuple().exponent < -places and amount.normalize().as_tuple().exponent < -places:
        yield "decimals", f"{amount} has more than the {places} decimals that {currency} has"
    elif amount.adjusted() + 1 + places > _ISO_DIGITS:
        yield "amount", f"the amount {amount} has more than {_ISO_DIGITS} digits"
    if sepa and currency != "EUR":
        yield "currency", f"a SEPA payment is in EUR, not in {currency}"
    elif sepa and amount > _SEPA_MOST:
        yield "amount", f"a SEPA payment is at most {_SEPA_MOST} EUR"

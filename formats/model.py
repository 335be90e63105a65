"""What leaves for the bank: an instruction, its payment blocks and their credit transfers.

Each field names the ISO 20022 element (pain.001.001.09, the 2019 release) that carries it.
Every amount is a ``Decimal`` in units of its currency. What comes back from the bank is
described in ``incoming.py``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address (``PstlAdr``): structured, unstructured, or hybrid when both are given.

    - ``country``: ``Ctry``, ISO 3166-1 alpha-2
    - ``town``: ``TwnNm``, at most 35 characters
    - ``post_code``: ``PstCd``, at most 16
    - ``street``: ``StrtNm``, at most 70
    - ``building``: ``BldgNb``, at most 16
    - ``subdivision``: ``CtrySubDvsn``, at most 35
    - ``lines``: ``AdrLine``, at most 70 each; two beside structured fields, else seven
    """

    country: str | None = None
    town: str | None = None
    post_code: str | None = None
    street: str | None = None
    building: str | None = None
    subdivision: str | None = None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Someone named in a payment (``PartyIdentification``).

    - ``name``: ``Nm``, at most 70 characters (EPC) although ISO allows 140
    - ``address``: ``PstlAdr``
    - ``organisation_id``: ``Id/OrgId/Othr/Id``, at most 35
    - ``organisation_id_scheme``: ``Id/OrgId/Othr/SchmeNm/Cd`` where it is one of ISO's
      four-letter codes (``BANK``, ``CUST``, ``TXID``), else ``SchmeNm/Prtry``
    """

    name: str | None = None
    address: Address | None = None
    organisation_id: str | None = None
    organisation_id_scheme: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A bank account (``CashAccount``), by IBAN or by another number.

    - ``iban``: ``Id/IBAN``, without spaces
    - ``other``: ``Id/Othr/Id``, at most 34 characters
    - ``other_scheme``: ``Id/Othr/SchmeNm/Cd`` (``BBAN``, ``UPIC``...), else ``Prtry``
    - ``currency``: ``Ccy``, ISO 4217
    """

    iban: str | None = None
    other: str | None = None
    other_scheme: str | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A bank (``FinInstnId``), by BIC, by a clearing system's member number or by name.

    - ``bic``: ``BICFI`` (``BIC`` in version .03), 8 or 11 characters
    - ``name``: ``Nm``
    - ``clearing_system``: ``ClrSysMmbId/ClrSysId/Cd`` (``USABA``, ``GBDSC``, ``CNAPS``...)
    - ``member_id``: ``ClrSysMmbId/MmbId``, at most 35 characters
    - ``address``: ``PstlAdr``
    """

    bic: str | None = None
    name: str | None = None
    clearing_system: str | None = None
    member_id: str | None = None
    address: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remittance:
    """What a payment is for (``RmtInf``): free text or a creditor reference, not both in SEPA.

    - ``unstructured``: ``Ustrd``, at most 140 characters
    - ``creditor_reference``: ``Strd/CdtrRefInf/Ref`` with type ``SCOR``, at most 35
    - ``creditor_reference_issuer``: ``Strd/CdtrRefInf/Tp/Issr``: ``ISO`` for an RF reference
      (ISO 11649), else who defines the national form
    - ``creditor_reference_type``: ``Strd/CdtrRefInf/Tp/CdOrPrtry/Prtry`` where a country wants
      its own (``QRR``); ``None`` writes the code ``SCOR``
    """

    unstructured: str | None = None
    creditor_reference: str | None = None
    creditor_reference_issuer: str | None = None
    creditor_reference_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditTransfer:
    """One payment to one payee (``CdtTrfTxInf``).

    - ``end_to_end_id``: ``PmtId/EndToEndId``, at most 35 characters
    - ``amount``: ``Amt/InstdAmt``, above zero, no more decimals than the currency has
    - ``currency``: ``InstdAmt/@Ccy``, ISO 4217
    - ``creditor``: ``Cdtr``
    - ``creditor_account``: ``CdtrAcct``
    - ``instruction_id``: ``PmtId/InstrId``, at most 35
    - ``uetr``: ``PmtId/UETR``, a version 4 UUID in lower case (written from version .09 on)
    - ``creditor_agent``: ``CdtrAgt``
    - ``ultimate_debtor``: ``UltmtDbtr``
    - ``ultimate_creditor``: ``UltmtCdtr``
    - ``purpose``: ``Purp/Cd``, ISO external purpose code
    - ``charge_bearer``: ``ChrgBr``: ``SLEV``, ``SHAR``, ``DEBT`` or ``CRED``
    - ``remittance``: ``RmtInf``
    - ``regulatory_code``: ``RgltryRptg/Dtls/Cd``, the country's code for the reason (at most 10)
    - ``regulatory_text``: ``RgltryRptg/Dtls/Inf``, at most 35
    - ``regulatory_country``: ``RgltryRptg/Authrty/Ctry``
    """

    end_to_end_id: str
    amount: Decimal
    currency: str
    creditor: Party
    creditor_account: Account
    instruction_id: str | None = None
    uetr: str | None = None
    creditor_agent: Agent | None = None
    ultimate_debtor: Party | None = None
    ultimate_creditor: Party | None = None
    purpose: str | None = None
    charge_bearer: str | None = None
    remittance: Remittance | None = None
    regulatory_code: str | None = None
    regulatory_text: str | None = None
    regulatory_country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentBlock:
    """Payments that share a debtor account and a date (``PmtInf``).

    - ``id``: ``PmtInfId``, at most 35 characters
    - ``execution_date``: ``ReqdExctnDt`` (``ReqdExctnDt/Dt`` from .09 on)
    - ``debtor``: ``Dbtr``
    - ``debtor_account``: ``DbtrAcct``
    - ``debtor_agent``: ``DbtrAgt``; ``None`` writes ``Othr/Id`` ``NOTPROVIDED``
    - ``transfers``: ``CdtTrfTxInf``, iterated again for each pass over the block, so
      a list or an object whose ``__iter__`` starts afresh; never a generator
    - ``number_of_transactions``: ``NbOfTxs``; counted when ``None``, checked when given
    - ``control_sum``: ``CtrlSum``; summed when ``None``, checked when given
    - ``service_level``: ``PmtTpInf/SvcLvl/Cd``: ``SEPA``, ``URGP``, ``NURG``...
    - ``local_instrument``: ``PmtTpInf/LclInstrm/Cd``: ``INST`` for an instant payment
    - ``category_purpose``: ``PmtTpInf/CtgyPurp/Cd``: ``SUPP``, ``SALA``, ``INTC``...
    - ``batch_booking``: ``BtchBookg``: one debit for the whole block
    - ``charge_bearer``: ``ChrgBr`` for every payment of the block
    """

    id: str
    execution_date: date
    debtor: Party
    debtor_account: Account
    debtor_agent: Agent | None = None
    transfers: Iterable[CreditTransfer]
    number_of_transactions: int | None = None
    control_sum: Decimal | None = None
    service_level: str | None = None
    local_instrument: str | None = None
    category_purpose: str | None = None
    batch_booking: bool | None = None
    charge_bearer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One message to the bank (``CstmrCdtTrfInitn``).

    - ``message_id``: ``GrpHdr/MsgId``, at most 35 characters
    - ``created``: ``GrpHdr/CreDtTm``, with its time zone
    - ``initiating_party``: ``GrpHdr/InitgPty``
    - ``blocks``: ``PmtInf``, at least one
    """

    message_id: str
    created: datetime
    initiating_party: Party
    blocks: Sequence[PaymentBlock]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was written: count and control sum as the message states them, and the bytes' digest.

    - ``count``: payments in the message (``GrpHdr/NbOfTxs``)
    - ``control_sum``: sum of the amounts regardless of currency (``GrpHdr/CtrlSum``)
    - ``sha256``: hexadecimal digest of the exact bytes
    - ``size``: bytes written
    """

    count: int
    control_sum: Decimal
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One reason why an instruction can't be written.

    - ``path``: where, in the words of this model: ``blocks[0].transfers[3].creditor.name``
    - ``code``: a short stable name of the fault (``empty``, ``too_long``, ``iban``...)
    - ``message``: what is wrong and what to do, for the person who prepared the payment
    - ``end_to_end_id``: the payment it concerns, ``None`` for the message or the block
    - ``facts``: the values in ``message`` that another language would need: ``length`` and
      ``most`` of ``too_long``, ``characters`` of ``charset``
    """

    path: str
    code: str
    message: str
    end_to_end_id: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)

"""What comes back from the bank: status reports (pain.002) and account reports (camt.05x).

Each field names the ISO 20022 element that carries it. Every amount is a ``Decimal`` in units
of its currency; amounts of entries and balances carry the account's sign: money in is positive,
money out is negative.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from .model import Account, Agent, Party


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a payment has its status or came back (``StsRsnInf``, ``RtrInf``).

    - ``code``: ``Rsn/Cd``, ISO external code such as ``AC04``
    - ``proprietary``: ``Rsn/Prtry``, the bank's own code or text
    - ``additional``: ``AddtlInf``, the bank's words, one item for each element
    - ``originator``: ``Orgtr``, name or BIC of who gave the reason
    """

    code: str | None = None
    proprietary: str | None = None
    additional: tuple[str, ...] = ()
    originator: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionStatus:
    """The bank's word on one payment (``TxInfAndSts``).

    - ``status``: ``TxSts``, one of ``codes.STATUSES``
    - ``reasons``: ``StsRsnInf``
    - ``original_end_to_end_id``: ``OrgnlEndToEndId``
    - ``original_instruction_id``: ``OrgnlInstrId``
    - ``original_uetr``: ``OrgnlUETR``
    - ``bank_reference``: ``AcctSvcrRef``
    - ``clearing_reference``: ``ClrSysRef``
    - ``status_id``: ``StsId``
    - ``amount``, ``currency``: ``OrgnlTxRef/Amt/InstdAmt`` (or ``EqvtAmt/Amt``), unsigned
    - ``creditor_name``: ``OrgnlTxRef/Cdtr/Nm`` (``Cdtr/Pty/Nm`` from .09 on)
    - ``creditor_account``: ``OrgnlTxRef/CdtrAcct``
    - ``accepted_at``: ``AccptncDtTm``
    - ``executed_on``: ``OrgnlTxRef/IntrBkSttlmDt``, the day of settlement between banks
    """

    status: str | None = None
    reasons: tuple[Reason, ...] = ()
    original_end_to_end_id: str | None = None
    original_instruction_id: str | None = None
    original_uetr: str | None = None
    bank_reference: str | None = None
    clearing_reference: str | None = None
    status_id: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    creditor_name: str | None = None
    creditor_account: Account | None = None
    accepted_at: datetime | None = None
    executed_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockStatus:
    """The bank's word on one payment block (``OrgnlPmtInfAndSts``).

    - ``original_id``: ``OrgnlPmtInfId``; ``None`` where the bank reports payments
      without naming their block
    - ``status``: ``PmtInfSts``; ``None`` when only the payments carry one
    - ``reasons``: ``StsRsnInf``
    - ``number_of_transactions``: ``OrgnlNbOfTxs``
    - ``control_sum``: ``OrgnlCtrlSum``
    - ``transactions``: ``TxInfAndSts``
    """

    original_id: str | None = None
    status: str | None = None
    reasons: tuple[Reason, ...] = ()
    number_of_transactions: int | None = None
    control_sum: Decimal | None = None
    transactions: tuple[TransactionStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """One pain.002 (``CstmrPmtStsRpt``).

    - ``message_name``: from the namespace, such as ``pain.002.001.10``
    - ``message_id``: ``GrpHdr/MsgId``
    - ``created``: ``GrpHdr/CreDtTm``; without a time zone where the bank gives none
    - ``original_message_id``: ``OrgnlGrpInfAndSts/OrgnlMsgId``
    - ``original_message_name``: ``OrgnlMsgNmId``, as the bank writes it
    - ``group_status``: ``GrpSts``; ``None`` when only blocks or payments carry one
    - ``reasons``: ``OrgnlGrpInfAndSts/StsRsnInf``
    - ``number_of_transactions``: ``OrgnlNbOfTxs``
    - ``control_sum``: ``OrgnlCtrlSum``
    - ``blocks``: ``OrgnlPmtInfAndSts``
    - ``notes``: faults of the document that were tolerated, in words
    """

    message_name: str
    message_id: str | None = None
    created: datetime | None = None
    original_message_id: str | None = None
    original_message_name: str | None = None
    group_status: str | None = None
    reasons: tuple[Reason, ...] = ()
    number_of_transactions: int | None = None
    control_sum: Decimal | None = None
    blocks: tuple[BlockStatus, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """A balance of the account (``Bal``).

    - ``type``: ``Tp/CdOrPrtry/Cd`` (``OPBD``, ``CLBD``, ``PRCD``, ``CLAV``, ``ITBD``...),
      else the bank's own name from ``Prtry``
    - ``amount``: ``Amt`` with the sign of ``CdtDbtInd``: an overdraft is negative
    - ``currency``: ``Amt/@Ccy``
    - ``date``: ``Dt``, the day (of a ``DtTm`` too)
    - ``subtype``: ``Tp/SubTp``, ``INTM`` for the balance of one page
    """

    type: str
    amount: Decimal
    currency: str
    date: date
    subtype: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A fee the bank took (``Chrgs``).

    - ``amount``: ``Amt``, negative when it lessens the account, positive when given back
    - ``currency``: ``Amt/@Ccy``
    - ``bearer``: ``Br``
    - ``type``: ``Tp/Cd``, else ``Tp/Prtry/Id``
    - ``included``: ``ChrgInclInd``: the entry's amount already contains it
    """

    amount: Decimal
    currency: str
    bearer: str | None = None
    type: str | None = None
    included: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A conversion between currencies (``CcyXchg``).

    - ``rate``: ``XchgRate``: units of the quoted currency for one of ``unit``
    - ``source``: ``SrcCcy``, ``target``: ``TrgtCcy``, ``unit``: ``UnitCcy``
    - ``contract``: ``CtrctId``
    """

    rate: Decimal
    source: str | None = None
    target: str | None = None
    unit: str | None = None
    contract: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionCode:
    """What kind of booking it is (``BkTxCd``).

    - ``domain``: ``Domn/Cd`` (``PMNT``), ``family``: ``Domn/Fmly/Cd`` (``ICDT``),
      ``subfamily``: ``Domn/Fmly/SubFmlyCd`` (``ESCT``, ``RRTN`` for a return)
    - ``proprietary``: ``Prtry/Cd``, the bank's or the country's own code
    - ``issuer``: ``Prtry/Issr``
    """

    domain: str | None = None
    family: str | None = None
    subfamily: str | None = None
    proprietary: str | None = None
    issuer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One booking for many payments (``NtryDtls/Btch``).

    - ``message_id``: ``MsgId``, ``payment_information_id``: ``PmtInfId``
    - ``count``: ``NbOfTxs``
    - ``total``: ``TtlAmt``, unsigned, ``currency``: ``TtlAmt/@Ccy``
    """

    message_id: str | None = None
    payment_information_id: str | None = None
    count: int | None = None
    total: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionDetails:
    """One payment inside an entry (``NtryDtls/TxDtls``).

    - ``end_to_end_id``: ``Refs/EndToEndId``; ``None`` for ``NOTPROVIDED``
    - ``uetr``, ``instruction_id``, ``message_id``, ``payment_information_id``,
      ``transaction_id``: ``Refs/UETR InstrId MsgId PmtInfId TxId``
    - ``bank_reference``: ``Refs/AcctSvcrRef``, ``clearing_reference``: ``Refs/ClrSysRef``
    - ``mandate_id``: ``Refs/MndtId``, ``cheque_number``: ``Refs/ChqNb``
    - ``amount``, ``currency``: in the account's currency and with its sign where the bank
      gives it (``Amt``, else ``AmtDtls/TxAmt``, else ``AmtDtls/CntrValAmt``); ``None``
      where it gives none
    - ``instructed_amount``, ``instructed_currency``: ``AmtDtls/InstdAmt``, unsigned
    - ``exchange``: ``CcyXchg`` of the amount that carries one
    - ``charges``: ``Chrgs``
    - ``debtor``, ``creditor``, ``ultimate_debtor``, ``ultimate_creditor``: ``RltdPties``
    - ``debtor_account``, ``creditor_account``: ``RltdPties/DbtrAcct CdtrAcct``
    - ``debtor_agent``, ``creditor_agent``: ``RltdAgts/DbtrAgt CdtrAgt``
    - ``remittance_unstructured``: ``RmtInf/Ustrd``, one item for each element
    - ``creditor_reference``: ``RmtInf/Strd/CdtrRefInf/Ref``, the first
    - ``creditor_references``: all of them
    - ``referred_documents``: ``RmtInf/Strd/RfrdDocInf/Nb``
    - ``return_reason``: ``RtrInf``
    - ``purpose``: ``Purp/Cd`` (or ``Prtry``)
    - ``transaction_code``: ``BkTxCd`` where it differs from its entry's
    - ``additional_information``: ``AddtlTxInf``
    """

    end_to_end_id: str | None = None
    uetr: str | None = None
    instruction_id: str | None = None
    message_id: str | None = None
    payment_information_id: str | None = None
    transaction_id: str | None = None
    bank_reference: str | None = None
    clearing_reference: str | None = None
    mandate_id: str | None = None
    cheque_number: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    instructed_amount: Decimal | None = None
    instructed_currency: str | None = None
    exchange: Exchange | None = None
    charges: tuple[Charge, ...] = ()
    debtor: Party | None = None
    debtor_account: Account | None = None
    debtor_agent: Agent | None = None
    creditor: Party | None = None
    creditor_account: Account | None = None
    creditor_agent: Agent | None = None
    ultimate_debtor: Party | None = None
    ultimate_creditor: Party | None = None
    remittance_unstructured: tuple[str, ...] = ()
    creditor_reference: str | None = None
    creditor_references: tuple[str, ...] = ()
    referred_documents: tuple[str, ...] = ()
    return_reason: Reason | None = None
    purpose: str | None = None
    transaction_code: TransactionCode | None = None
    additional_information: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the account (``Ntry``).

    - ``amount``: ``Amt`` with the sign of ``CdtDbtInd``: what the entry does to the account,
      reversal or not (ISO: the indicator is that of the booking, ``RvslInd`` only says that
      it undoes an earlier one)
    - ``currency``: ``Amt/@Ccy``
    - ``credit_debit``: ``CdtDbtInd``: ``CRDT`` or ``DBIT``
    - ``status``: ``Sts`` (``Sts/Cd`` from .07 on): ``BOOK``, ``PDNG``, ``INFO`` or ``FUTR``
    - ``reversal``: ``RvslInd``
    - ``booking_date``: ``BookgDt``, ``value_date``: ``ValDt``; the day of a ``DtTm`` too
    - ``reference``: ``NtryRef``
    - ``bank_reference``: ``AcctSvcrRef``
    - ``transaction_code``: ``BkTxCd``
    - ``batch``: ``NtryDtls/Btch``, the first; ``further_batches``: the others
    - ``charges``: ``Chrgs``
    - ``instructed_amount``, ``instructed_currency``, ``exchange``: ``AmtDtls`` of the entry
    - ``additional_information``: ``AddtlNtryInf``
    - ``details``: ``NtryDtls/TxDtls`` of every ``NtryDtls``
    - ``position``: 1 for the first entry of its report
    - ``path``: where it stands in the document
    """

    amount: Decimal
    currency: str
    credit_debit: str
    status: str
    reversal: bool = False
    booking_date: date | None = None
    value_date: date | None = None
    reference: str | None = None
    bank_reference: str | None = None
    transaction_code: TransactionCode | None = None
    batch: Batch | None = None
    further_batches: tuple[Batch, ...] = ()
    charges: tuple[Charge, ...] = ()
    instructed_amount: Decimal | None = None
    instructed_currency: str | None = None
    exchange: Exchange | None = None
    additional_information: str | None = None
    details: tuple[TransactionDetails, ...] = ()
    position: int = 0
    path: str | None = None

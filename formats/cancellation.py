"""A recall as plain dataclasses: the request to cancel (camt.055) and the bank's answer (camt.029).

Each field names the ISO 20022 element (camt.055.001.08 and camt.029.001.09, the 2019 release)
that carries it. Every amount is a ``Decimal`` in units of its currency.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from .incoming import Reason
from .model import Agent, Party

# What the bank says of a cancellation (``CancellationIndividualStatus1Code`` and, for the whole
# of several payments, ``GroupCancellationStatus1Code``).
CANCELLATION_STATUSES: dict[str, str] = {
    "ACCR": "cancelled",
    "RJCR": "not cancelled",
    "PDCR": "still being looked at",
    "PACR": "cancelled in part",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelledTransfer:
    """One payment that is to be cancelled (``TxInf``).

    - ``end_to_end_id``: ``OrgnlEndToEndId``
    - ``amount``: ``OrgnlInstdAmt``, above zero
    - ``currency``: ``OrgnlInstdAmt/@Ccy``, ISO 4217
    - ``execution_date``: ``OrgnlReqdExctnDt/Dt``
    - ``id``: ``CxlId``, ours for this cancellation, at most 35 characters
    - ``instruction_id``: ``OrgnlInstrId``
    - ``uetr``: ``OrgnlUETR``
    """

    end_to_end_id: str
    amount: Decimal
    currency: str
    execution_date: date
    id: str | None = None
    instruction_id: str | None = None
    uetr: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelledBlock:
    """Payments of one original payment block (``OrgnlPmtInfAndCxl``).

    - ``original_id``: ``OrgnlPmtInfId``
    - ``transfers``: ``TxInf``, iterated again for each pass, so a list or an object whose
      ``__iter__`` starts afresh; never a generator
    """

    original_id: str
    transfers: Iterable[CancelledTransfer]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationRequest:
    """A request to cancel payments that the bank has not executed (``CstmrPmtCxlReq``).

    - ``id``: ``Assgnmt/Id``, at most 35 characters
    - ``created``: ``Assgnmt/CreDtTm``, with its time zone
    - ``requester``: ``Assgnmt/Assgnr/Pty``
    - ``agent``: ``Assgnmt/Assgne/Agt``; ``None`` writes ``Othr/Id`` ``NOTPROVIDED``
    - ``original_message_id``, ``original_message_name``: ``OrgnlGrpInfAndCxl/OrgnlMsgId`` and
      ``OrgnlMsgNmId``, such as ``pain.001.001.09``
    - ``reason``: ``CxlRsnInf/Rsn/Cd``, ISO external code (``camt055.REASONS``)
    - ``note``: ``CxlRsnInf/AddtlInf``, in elements of 105 characters
    - ``blocks``: ``OrgnlPmtInfAndCxl`` for single payments; empty: the whole message (``GrpCxl``)
    - ``number_of_transactions``, ``control_sum``: of the whole message (``NbOfTxs``, ``CtrlSum``);
      counted from the blocks where there are any
    """

    id: str
    created: datetime
    requester: Party
    original_message_id: str
    original_message_name: str
    reason: str
    agent: Agent | None = None
    note: str | None = None
    blocks: Sequence[CancelledBlock] = ()
    number_of_transactions: int | None = None
    control_sum: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationStatus:
    """What became of the cancellation of one payment (``TxInfAndSts``).

    - ``status``: ``TxCxlSts``, one of ``CANCELLATION_STATUSES`` but ``PACR``
    - ``reasons``: ``CxlStsRsnInf``
    - ``original_end_to_end_id``: ``OrgnlEndToEndId``
    - ``original_instruction_id``: ``OrgnlInstrId``
    - ``original_uetr``: ``OrgnlUETR``, or ``UETR`` below a block
    """

    status: str | None = None
    reasons: tuple[Reason, ...] = ()
    original_end_to_end_id: str | None = None
    original_instruction_id: str | None = None
    original_uetr: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockCancellation:
    """What became of the cancellation of one payment block (``OrgnlPmtInfAndSts``).

    - ``original_id``: ``OrgnlPmtInfId``
    - ``original_message_id``: ``OrgnlGrpInf/OrgnlMsgId``
    - ``status``: ``PmtInfCxlSts``, one of ``CANCELLATION_STATUSES``
    - ``reasons``: ``CxlStsRsnInf``
    - ``transactions``: ``TxInfAndSts``
    """

    original_id: str | None = None
    original_message_id: str | None = None
    status: str | None = None
    reasons: tuple[Reason, ...] = ()
    transactions: tuple[CancellationStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationDetails:
    """What became of the cancellation in one original message (``CxlDtls``).

    - ``original_message_id``: ``OrgnlGrpInfAndSts/OrgnlMsgId``, else that of a block or payment
    - ``status``: ``GrpCxlSts``, one of ``CANCELLATION_STATUSES``
    - ``reasons``: ``OrgnlGrpInfAndSts/CxlStsRsnInf``
    - ``blocks``: ``OrgnlPmtInfAndSts``
    - ``transactions``: ``TxInfAndSts`` that stand under no block
    """

    original_message_id: str | None = None
    status: str | None = None
    reasons: tuple[Reason, ...] = ()
    blocks: tuple[BlockCancellation, ...] = ()
    transactions: tuple[CancellationStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """One camt.029 (``RsltnOfInvstgtn``).

    - ``message_name``: from the namespace, such as ``camt.029.001.09``
    - ``id``: ``Assgnmt/Id``
    - ``created``: ``Assgnmt/CreDtTm``; without a time zone where the bank gives none
    - ``case_id``: ``RslvdCase/Id``
    - ``confirmation``: ``Sts/Conf``, ISO external code: ``CNCL`` cancelled, ``RJCR`` not
      cancelled, ``PDCR`` pending, ``PECR`` cancelled in part...
    - ``details``: ``CxlDtls``
    - ``notes``: faults of the document that were tolerated, in words
    """

    message_name: str
    id: str | None = None
    created: datetime | None = None
    case_id: str | None = None
    confirmation: str | None = None
    details: tuple[CancellationDetails, ...] = ()
    notes: tuple[str, ...] = ()

"""Documents as a bank writes them: status reports (pain.002) and statements (camt.05x)."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import count
from xml.sax.saxutils import escape

from .common import OUR_IBAN

_numbers = count(1)
_BODIES = {
    "camt.052": ("BkToCstmrAcctRpt", "Rpt"),
    "camt.053": ("BkToCstmrStmt", "Stmt"),
    "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
}


def tag(name, content, **attributes):
    """An element, or nothing where it would be empty."""
    if content in (None, ""):
        return ""
    given = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<{name}{given}>{content}</{name}>"


def _document(version, body):
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{version}">{body}</Document>'
    ).encode()


def _reason(code, text=None):
    return tag("StsRsnInf", tag("Rsn", tag("Cd", code)) + tag("AddtlInf", text)) if code else ""


def pain002(
    original,
    payments=(),
    *,
    group=None,
    block=None,
    reason=None,
    text=None,
    version="pain.002.001.10",
):
    """A status report.

    :param original: number of the message it answers
    :param payments: (end-to-end number, status, reason code or None), one for each payment
    :param group: status of the whole message
    :param block: status of its payment information block
    :param reason: reason code of the group or, where a block status is given, of the block
    """
    named = "".join(
        tag(
            "TxInfAndSts",
            tag("OrgnlEndToEndId", reference) + tag("TxSts", status) + _reason(why, text),
        )
        for reference, status, why in payments
    )
    inside = ""
    if named or block:
        inside = tag(
            "OrgnlPmtInfAndSts",
            tag("OrgnlPmtInfId", f"{original}-1")
            + tag("PmtInfSts", block)
            + (_reason(reason, text) if block else "")
            + named,
        )
    head = tag(
        "GrpHdr", tag("MsgId", f"ST-{next(_numbers)}") + tag("CreDtTm", "2026-11-23T09:00:00")
    )
    group_level = tag(
        "OrgnlGrpInfAndSts",
        tag("OrgnlMsgId", original)
        + tag("OrgnlMsgNmId", "pain.001.001.09")
        + tag("GrpSts", group)
        + ("" if block else _reason(reason, text)),
    )
    return _document(version, tag("CstmrPmtStsRpt", head + group_level + inside))


def camt029(original=None, payments=(), *, confirmation="CNCL", group=None, reason=None, text=None,
            case=None, version="camt.029.001.09"):
    """A bank's decision about a recall.

    :param original: number of the message that was to be cancelled
    :param payments: (end-to-end number, status, reason code or None), one for each payment
    :param group: status of the whole message, with ``reason`` and ``text``
    :param case: number of the recall
    """
    def why(code, words=None):
        inside = tag("Rsn", tag("Cd", code)) + tag("AddtlInf", words)
        return tag("CxlStsRsnInf", inside)

    named = "".join(
        tag("TxInfAndSts", tag("OrgnlEndToEndId", reference) + tag("TxCxlSts", status) + why(code))
        for reference, status, code in payments
    )
    head = tag(
        "Assgnmt",
        tag("Id", f"RS-{next(_numbers)}")
        + "<Assgnr><Agt><FinInstnId><BICFI>COBADEFFXXX</BICFI></FinInstnId></Agt></Assgnr>"
        + tag("Assgne", tag("Pty", tag("Nm", "Payer GmbH")))
        + tag("CreDtTm", "2026-11-23T09:00:00"),
    )
    cretr = tag("Cretr", tag("Pty", tag("Nm", "Payer GmbH")))
    message = tag("OrgnlMsgId", original) + tag("OrgnlMsgNmId", "pain.001.001.09")
    details = ""
    if original:
        details = tag(
            "CxlDtls",
            tag("OrgnlGrpInfAndSts", message + tag("GrpCxlSts", group) + why(reason, text))
            + (tag("OrgnlPmtInfAndSts", tag("OrgnlPmtInfId", f"{original}-1") + named)
               if named else ""),
        )
    return _document(version, tag(
        "RsltnOfInvstgtn",
        head
        + (tag("RslvdCase", tag("Id", case) + cretr) if case else "")
        + tag("Sts", tag("Conf", confirmation))
        + details,
    ))


@dataclass
class Detail:
    """One payment inside a booking; ``amount`` without sign."""

    end_to_end_id: str | None = None
    amount: str | None = None
    uetr: str | None = None
    payee: str | None = None
    text: str | None = None
    returned: str | None = None  # reason code of a return
    account: str | None = None  # IBAN of the other side
    creditor_reference: str | None = None
    charges: str | None = None  # contained in the amount, without sign
    instructed: tuple | None = None  # (amount, currency) that was ordered
    sign: str | None = None  # where it is not the booking's

    def xml(self, sign, currency, modern):
        sign = self.sign or sign
        name = tag("Nm", self.payee and escape(self.payee))
        ordered = self.instructed and tag("Amt", self.instructed[0], Ccy=self.instructed[1])
        fee = self.charges and tag(
            "Rcrd",
            tag("Amt", self.charges, Ccy=currency)
            + tag("CdtDbtInd", "DBIT")
            + tag("ChrgInclInd", "true"),
        )
        return tag(
            "TxDtls",
            tag("Refs", tag("EndToEndId", self.end_to_end_id) + tag("UETR", self.uetr))
            + (
                tag("Amt", self.amount, Ccy=currency) + tag("CdtDbtInd", sign)
                if self.amount and modern
                else ""
            )
            + tag("AmtDtls", tag("InstdAmt", ordered))
            + tag("Chrgs", fee)
            + tag("RltdPties", self._parties(sign, tag("Pty", name) if modern else name))
            + tag(
                "RmtInf",
                tag("Ustrd", self.text and escape(self.text))
                + tag("Strd", tag("CdtrRefInf", tag("Ref", self.creditor_reference))),
            )
            + tag("RtrInf", tag("Rsn", tag("Cd", self.returned))),
        )

    def _parties(self, sign, name):
        # The other side of money that comes in is the debtor.
        side = "Cdtr" if sign == "DBIT" or self.returned else "Dbtr"
        number = tag("Id", tag("IBAN", self.account))
        return tag(side, name) + (tag(f"{side}Acct", number) if self.account else "")


@dataclass
class Booking:
    """One entry on the account; ``amount`` negative for money that left."""

    amount: str
    details: list = field(default_factory=list)
    reference: str | None = None  # the bank's own number of the booking
    day: date | None = None
    status: str = "BOOK"
    batch: str | None = None  # number of the payment block it books as one
    message: str | None = None  # or of its message
    count: int | None = None  # payments in it, as the bank says
    further: tuple[str, ...] = ()  # blocks that it books as well
    currency: str = "EUR"
    text: str | None = None
    reversal: bool = False

    def xml(self, modern, day):
        sign = "DBIT" if self.amount.startswith("-") else "CRDT"
        day = tag("Dt", (self.day or day).isoformat())
        family = ("RCDT", "RRTN") if any(d.returned for d in self.details) else ("ICDT", "ESCT")
        return tag(
            "Ntry",
            tag("Amt", self.amount.lstrip("-"), Ccy=self.currency)
            + tag("CdtDbtInd", sign)
            + tag("RvslInd", "true" if self.reversal else None)
            + tag("Sts", tag("Cd", self.status) if modern else self.status)
            + tag("BookgDt", day)
            + tag("ValDt", day)
            + tag("AcctSvcrRef", self.reference)
            + tag(
                "BkTxCd",
                tag(
                    "Domn",
                    tag("Cd", "PMNT")
                    + tag("Fmly", tag("Cd", family[0]) + tag("SubFmlyCd", family[1])),
                ),
            )
            + tag(
                "NtryDtls",
                tag(
                    "Btch",
                    tag("MsgId", self.message)
                    + tag("PmtInfId", self.batch)
                    + tag("NbOfTxs", self.count),
                )
                + "".join(d.xml(sign, self.currency, modern) for d in self.details),
            )
            + "".join(tag("NtryDtls", tag("Btch", tag("PmtInfId", no))) for no in self.further)
            + tag("AddtlNtryInf", self.text),
        )


def paid(payment, reference=None, **values):
    """The booking of one payment, told by its end-to-end number."""
    amount = f"{payment.amount:.2f}"
    detail = Detail(payment.end_to_end_id, amount, payee=payment.partner_id.name)
    return Booking(f"-{amount}", [detail], reference or f"B{next(_numbers)}", **values)


def returned(payment, code="AC04", reference=None, **values):
    """The booking by which one payment comes back."""
    amount = f"{payment.amount:.2f}"
    detail = Detail(payment.end_to_end_id, amount, returned=code)
    return Booking(amount, [detail], reference or f"B{next(_numbers)}", **values)


def camt(
    *bookings,
    opening="1000.00",
    closing=None,
    version="camt.053.001.08",
    number=None,
    iban=OUR_IBAN,
    currency="EUR",
    day=None,
    copy=None,
    page=None,
    last=None,
    sides=("OPBD", "CLBD"),
):
    """A report on one account; its closing balance adds up unless it is given.

    :param day: of the balances, and of bookings without one of their own; today by default
    :param copy: ``COPY``, ``DUPL`` or ``CODU``
    :param page: its number, of a statement in several pages; ``last``: whether it is the last
    :param sides: which balances it has
    """
    day = day or date.today()
    kind = version[:8]
    body, report = _BODIES[kind]
    modern = int(version[-2:]) >= 7
    booked = sum(Decimal(item.amount) for item in bookings if item.status == "BOOK")
    closing = closing or str(Decimal(opening) + booked)
    number = number or next(_numbers)
    balances = ""
    if kind == "camt.053":
        given = {"OPBD": opening, "CLBD": closing}
        balances = "".join(_balance(side, given[side], currency, day) for side in sides)
    return _document(
        version,
        tag(
            body,
            tag("GrpHdr", tag("MsgId", f"M-{number}") + tag("CreDtTm", "2026-11-23T19:00:00"))
            + tag(
                report,
                tag("Id", f"S-{number}")
                + (
                    tag("StmtPgntn", tag("PgNb", page) + tag("LastPgInd", str(last).lower()))
                    if page
                    else ""
                )
                + tag("ElctrncSeqNb", number)
                + tag("CreDtTm", "2026-11-23T19:00:00")
                + tag("CpyDplctInd", copy)
                + tag("Acct", tag("Id", tag("IBAN", iban)) + tag("Ccy", currency))
                + balances
                + "".join(item.xml(modern, day) for item in bookings),
            ),
        ),
    )


def _balance(kind, amount, currency, day):
    return tag(
        "Bal",
        tag("Tp", tag("CdOrPrtry", tag("Cd", kind)))
        + tag("Amt", amount.lstrip("-"), Ccy=currency)
        + tag("CdtDbtInd", "DBIT" if amount.startswith("-") else "CRDT")
        + tag("Dt", tag("Dt", day.isoformat())),
    )

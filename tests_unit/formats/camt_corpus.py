"""Account reports as banks write them, in every version: what each version spells differently."""

BODIES = {
    "camt.052": ("BkToCstmrAcctRpt", "Rpt"),
    "camt.053": ("BkToCstmrStmt", "Stmt"),
    "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
}
VERSIONS = [f"{kind}.001.{number:02}" for kind in BODIES for number in range(1, 15)]
IBAN = "DE89370400440532013000"
UETR = "8a562c67-ca16-48ba-b074-65581be6f001"


def number(name: str) -> int:
    return int(name[-2:])


def namespace(name: str) -> str:
    return f"urn:iso:std:iso:20022:tech:xsd:{name}"


def balance(kind: str, amount: str, *, name: str = "camt.053.001.08", day: str = "2026-03-02"):
    code = f"<Cd>{kind}</Cd>" if number(name) == 1 else f"<CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry>"
    sign = "DBIT" if amount.startswith("-") else "CRDT"
    return (
        f'<Bal><Tp>{code}</Tp><Amt Ccy="EUR">{amount.lstrip("-")}</Amt>'
        f"<CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def status(code: str, name: str) -> str:
    return f"<Sts><Cd>{code}</Cd></Sts>" if number(name) >= 7 else f"<Sts>{code}</Sts>"


def party(tag: str, who: str, name: str) -> str:
    inner = f"<Nm>{who}</Nm>"
    return f"<{tag}><Pty>{inner}</Pty></{tag}>" if number(name) >= 7 else f"<{tag}>{inner}</{tag}>"


def paid_entry(name: str) -> str:
    """A booked debit of 101.50: a payment of 100.00 and a charge of 1.50, with all references."""
    version = number(name)
    bic = "BICFI" if version >= 3 else "BIC"
    charge = '<Amt Ccy="EUR">1.50</Amt>'
    if version >= 3:
        charge = f"<Rcrd>{charge}<CdtDbtInd>DBIT</CdtDbtInd><Br>DEBT</Br></Rcrd>"
    elif version == 2:
        charge += "<CdtDbtInd>DBIT</CdtDbtInd><Br>DEBT</Br>"
    else:
        charge += "<Br>DEBT</Br>"
    refs = "<MsgId>MSG-1</MsgId><AcctSvcrRef>BANK-7</AcctSvcrRef>"
    refs += "<PmtInfId>PMT-1</PmtInfId>" if version >= 2 else ""
    refs += "<InstrId>INS-1</InstrId><EndToEndId>E2E-1</EndToEndId>"
    refs += f"<UETR>{UETR}</UETR>" if version >= 8 else ""
    refs += "<TxId>TX-1</TxId>"
    own = '<Amt Ccy="EUR">100.00</Amt><CdtDbtInd>DBIT</CdtDbtInd>' if version >= 3 else ""
    reference = "<CdtrRefTp><Cd>SCOR</Cd></CdtrRefTp><CdtrRef>RF18539007547034</CdtrRef>"
    documents = "<RfrdDocInf><RfrdDocNb>BILL/7</RfrdDocNb></RfrdDocInf>"
    if version >= 2:
        reference = "<Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp><Ref>RF18539007547034</Ref>"
        documents = "<RfrdDocInf><Nb>BILL/7</Nb></RfrdDocInf>"
    details = (
        f"<TxDtls><Refs>{refs}</Refs>{own}"
        '<AmtDtls><InstdAmt><Amt Ccy="USD">108.00</Amt></InstdAmt>'
        '<TxAmt><Amt Ccy="EUR">100.00</Amt><CcyXchg><SrcCcy>USD</SrcCcy><TrgtCcy>EUR</TrgtCcy>'
        "<UnitCcy>EUR</UnitCcy><XchgRate>1.08</XchgRate></CcyXchg></TxAmt></AmtDtls>"
        f"<Chrgs>{charge}</Chrgs>"
        f"<RltdPties>{party('Dbtr', 'Us Ltd', name)}{party('Cdtr', 'Vendor GmbH', name)}"
        f"<CdtrAcct><Id><IBAN>{IBAN}</IBAN></Id></CdtrAcct></RltdPties>"
        f"<RltdAgts><CdtrAgt><FinInstnId><{bic}>COBADEFFXXX</{bic}></FinInstnId></CdtrAgt>"
        "</RltdAgts><Purp><Cd>SUPP</Cd></Purp>"
        f"<RmtInf><Ustrd>Bill 7</Ustrd><Ustrd>and 8</Ustrd><Strd>{documents}"
        f"<CdtrRefInf>{reference}</CdtrRefInf></Strd></RmtInf>"
        "<AddtlTxInf>thank you</AddtlTxInf></TxDtls>"
    )
    return entry(name, "101.50", "DBIT", details, reference="N-1", bank_reference="BANK-ENTRY-7")


def returned_entry(name: str) -> str:
    """A booked credit of 40.00: an earlier payment that came back, account closed."""
    why = "<Orgtr><Nm>Their Bank</Nm></Orgtr><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed</AddtlInf>"
    if number(name) == 1:
        why = (
            "<RtrOrgtr><Nm>Their Bank</Nm></RtrOrgtr><RtrRsn><Cd>AC04</Cd></RtrRsn>"
            "<AddtlRtrRsnInf>closed</AddtlRtrRsnInf>"
        )
    own = '<Amt Ccy="EUR">40.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>' if number(name) >= 3 else ""
    details = (
        f"<TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>{own}"
        f"<RtrInf>{why}</RtrInf></TxDtls>"
    )
    return entry(name, "40.00", "CRDT", details, family=("RCDT", "RRTN"))


def entry(
    name: str,
    amount: str,
    sign: str,
    details: str = "",
    *,
    state: str = "BOOK",
    reference: str = "",
    bank_reference: str = "",
    reversal: str = "",
    extra: str = "",
    family: tuple[str, str] = ("ICDT", "ESCT"),
    currency: str = "EUR",
) -> str:
    first = number(name) == 1
    ntry_ref = f"<NtryRef>{reference}</NtryRef>" if reference and not first else ""
    svcr = f"<AcctSvcrRef>{bank_reference}</AcctSvcrRef>" if bank_reference else ""
    inside = details if first or not details else f"<NtryDtls>{details}</NtryDtls>"
    return (
        f'<Ntry>{ntry_ref}<Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd>'
        f"{reversal}{status(state, name)}<BookgDt><Dt>2026-03-02</Dt></BookgDt>"
        f"<ValDt><Dt>2026-03-03</Dt></ValDt>{svcr}<BkTxCd><Domn><Cd>PMNT</Cd><Fmly>"
        f"<Cd>{family[0]}</Cd><SubFmlyCd>{family[1]}</SubFmlyCd></Fmly></Domn></BkTxCd>"
        f"{extra}{inside}<AddtlNtryInf>entry text</AddtlNtryInf></Ntry>"
    )


def report(name: str, body: str, *, header: str = "", iban: str = IBAN, identity: str = "S-1"):
    """One report: ``header`` after the account (balances), ``body`` its entries."""
    tag = BODIES[name[:8]][1]
    bic = "BICFI" if number(name) >= 3 else "BIC"
    return (
        f"<{tag}><Id>{identity}</Id><ElctrncSeqNb>17</ElctrncSeqNb><LglSeqNb>3</LglSeqNb>"
        "<CreDtTm>2026-03-03T06:00:00+01:00</CreDtTm>"
        "<FrToDt><FrDtTm>2026-03-02T00:00:00</FrDtTm><ToDtTm>2026-03-02T23:59:59</ToDtTm></FrToDt>"
        f"<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>EUR</Ccy><Ownr><Nm>Us Ltd</Nm></Ownr>"
        f"<Svcr><FinInstnId><{bic}>COBADEFFXXX</{bic}></FinInstnId></Svcr></Acct>"
        f"{header}{body}</{tag}>"
    )


def document(name: str, *reports: str, space: str | None = None) -> bytes:
    """The whole message."""
    root = BODIES[name[:8]][0] + ("V01" if number(name) == 1 else "")
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{space or namespace(name)}">'
        f"<{root}><GrpHdr><MsgId>M-1</MsgId><CreDtTm>2026-03-03T06:00:00+01:00</CreDtTm></GrpHdr>"
        f"{''.join(reports)}</{root}></Document>"
    ).encode()


def statement(*entries: str, opening: str = "1000.00", closing: str, name="camt.053.001.08"):
    """A camt.053 with one statement over these entries."""
    header = balance("OPBD", opening, name=name) + balance("CLBD", closing, name=name)
    return document(name, report(name, "".join(entries), header=header))


def full(name: str) -> bytes:
    """The reference document: a payment with charges and a return, in version ``name``."""
    header = ""
    if not name.startswith("camt.054"):
        opening, closing = ("OPBD", "CLBD") if name.startswith("camt.053") else ("OPBD", "ITBD")
        header = balance(opening, "1000.00", name=name) + balance(closing, "938.50", name=name)
    return document(name, report(name, paid_entry(name) + returned_entry(name), header=header))

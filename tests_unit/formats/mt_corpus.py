"""MT940 and MT942 as banks write them, made by hand: nothing of the module has a part in it."""

from decimal import Decimal

IBAN = "DE89370400440532013000"
OTHER = "NL91ABNA0417164300"


def amount(value: str) -> str:
    """``1000.5`` as SWIFT writes it: a comma, which is there without decimals too."""
    whole, _point, fraction = value.lstrip("-").partition(".")
    return f"{whole},{fraction}"


def balance(tag: str, value: str, day: str = "260302", currency: str = "EUR") -> str:
    mark = "D" if value.startswith("-") else "C"
    return f":{tag}:{mark}{day}{currency}{amount(value)}"


def line(
    value: str,
    *,
    mark: str = "",
    days: str = "2603020302",
    kind: str = "NTRF",
    own: str = "NONREF",
    bank: str = "",
    more: str = "",
) -> str:
    """A field 61; ``mark`` is C or D by the sign unless given."""
    mark = mark or ("D" if value.startswith("-") else "C")
    theirs = f"//{bank}" if bank else ""
    return f":61:{days}{mark}{amount(value)}{kind}{own}{theirs}" + (f"\n{more}" if more else "")


def message(
    *body: str,
    opening: str | None = "1000.00",
    closing: str | None = None,
    number: str = "5/1",
    account: str = IBAN,
    reference: str = "REF-1",
    currency: str = "EUR",
    marks: str = "FF",
) -> str:
    """An MT940 with lines of ``body`` between its balances; ``closing`` is summed if not given."""
    head = [f":20:{reference}", f":25:{account}", f":28C:{number}"]
    if opening is not None:
        head.append(balance(f"60{marks[0]}", opening, currency=currency))
    tail = [] if closing is None else [balance(f"62{marks[1]}", closing, currency=currency)]
    return "\n".join([*head, *body, *tail, "-"]) + "\n"


def of(*values: str, opening: str = "1000.00", **given) -> str:
    """An MT940 of plain entries of these amounts, which adds up."""
    closing = Decimal(opening) + sum(map(Decimal, values))
    return message(*map(line, values), opening=opening, closing=str(closing), **given)


def intraday(*body: str, head: str = ":34F:EURD0,\n:34F:EURC0,\n:13D:2603021200+0100") -> str:
    return "\n".join([":20:REF-1", f":25:{IBAN}", ":28C:7/1", head, *body, "-"]) + "\n"


def swift(text: str, kind: str = "940") -> str:
    """In SWIFT's envelope."""
    bank = "COBADEFFXXXX"
    head = f"{{1:F01{bank}0000000000}}{{2:O{kind}1200260302{bank}00000000002603021200N}}"
    body = text.rstrip().removesuffix("-")
    return f"{head}{{3:{{108:1}}}}{{4:\n{body}-}}{{5:{{CHK:123456789ABC}}}}\n"

"""Who takes part: the company's people and its vendors."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from ..bank import Bank

COMPANY = {
    "name": "Nordwind Instruments GmbH",
    "street": "Lindenstraße 12",
    "zip": "10969",
    "city": "Berlin",
    "country": "DE",
}
CONTRACT = "CORP-001"


@dataclass(frozen=True)
class Account:
    """One of the company's accounts.

    ``booked`` says when Odoo books a payment: at once, against an outstanding account, or not
    before the bank's statement.
    """

    key: str
    journal: str
    code: str
    currency: str
    opening: str
    booked: bool = True


ACCOUNTS = (
    Account("main", "Main account", "EUR1", "EUR", "10000000.00"),
    Account("usd", "Dollar account", "USD1", "USD", "2000000.00"),
    Account("second", "Second account", "EUR2", "EUR", "5000000.00", booked=False),
)

# Key → name and groups. Each has the rights of the job and no more.
PEOPLE = {
    "accountant": ("Anna Weber", ["account_bank_connect.group_preparer"]),
    "manager": ("Marc Dubois", ["account_bank_connect.group_approver"]),
    "treasurer": ("Tessa Lindqvist", ["account_bank_connect.group_admin"]),
    "auditor": ("Aldo Ferri", ["account_bank_connect.group_auditor"]),
}


@dataclass
class Vendor:
    """``trigger`` names what the sandbox bank does to payments to this vendor's account."""

    key: str
    name: str
    street: str
    zip: str
    city: str
    country: str
    trigger: str = ""
    iban: str = ""


def vendors() -> list[Vendor]:
    """The vendors, without account numbers: the special ones, then the ordinary."""
    return [Vendor(*row) for row in _SPECIAL] + [
        Vendor(f"ordinary-{number}", *row) for number, row in enumerate(_ORDINARY)
    ]


def with_accounts(found: list[Vendor], bank: Bank) -> list[dict]:
    """Give each vendor a valid account number in its country, made by the bank's own command."""
    groups: dict[tuple[str, str], list[Vendor]] = {}
    for vendor in found:
        groups.setdefault((vendor.country, vendor.trigger), []).append(vendor)
    for (country, trigger), members in groups.items():
        order = ["iban", "--country", country, "--count", str(len(members))]
        order += ["--trigger", trigger] if trigger else []
        numbers = bank.command(*order).split()
        for vendor, number in zip(members, numbers, strict=True):
            vendor.iban = number
    return [asdict(vendor) for vendor in found]


_SPECIAL = (
    ("rejected", "Ateliers Moreau SARL", "3 rue des Lilas", "69003", "Lyon", "FR", "closed"),
    ("returned", "Officine Bianchi S.r.l.", "Via Roma 41", "20121", "Milano", "IT", "returned"),
    ("pending", "De Vries Logistiek B.V.", "Keizersgracht 7", "1015 CJ", "Amsterdam", "NL",
     "pending"),
    ("grouped", "Papier & Büro Schäfer KG", "Marktplatz 2", "80331", "München", "DE", ""),
    ("netted", "Ferretería Núñez S.L.", "Calle Mayor 9", "28013", "Madrid", "ES", ""),
    ("partial", "Kovač & Söhne Bau GmbH", "Ringstraße 5", "1010", "Wien", "AT", ""),
    ("discount", "Imprimerie Lefèvre SA", "Rue Neuve 88", "1000", "Bruxelles", "BE", ""),
    ("dollars", "Harbour Data Services Ltd", "4 Quay Street", "D02 XY45", "Dublin", "IE", ""),
    ("unbooked", "Sähkö Virtanen Oy", "Mannerheimintie 20", "00100", "Helsinki", "FI", ""),
)
_ORDINARY = (
    ("Elektro Krüger GmbH", "Hafenstraße 3", "20459", "Hamburg", "DE"),
    ("Boulangerie du Pont", "12 quai Saint-Michel", "75005", "Paris", "FR"),
    ("Studio Legale Conti", "Corso Italia 22", "50123", "Firenze", "IT"),
    ("Van den Berg Techniek B.V.", "Coolsingel 40", "3011 AD", "Rotterdam", "NL"),
    ("Grafik Steiner OG", "Getreidegasse 8", "5020", "Salzburg", "AT"),
    ("Transportes Álvarez S.A.", "Avenida del Puerto 15", "46021", "Valencia", "ES"),
    ("Peeters Catering BV", "Meir 31", "2000", "Antwerpen", "BE"),
    ("O’Brien Consulting Ltd", "18 Patrick Street", "T12 W8KP", "Cork", "IE"),
    ("Nieminen Puu Oy", "Hämeenkatu 11", "33100", "Tampere", "FI"),
    ("Łódzka Drukarnia Sp. z o.o.", "ul. Piotrkowska 100", "90-004", "Łódź", "PL"),
    ("Sørensen Design ApS", "Vestergade 6", "8000", "Aarhus", "DK"),
    ("Conceição Têxteis Lda", "Rua das Flores 27", "4050-265", "Porto", "PT"),
    ("Lux Treuhand S.à r.l.", "Grand-Rue 14", "1660", "Luxembourg", "LU"),
    ("Tamm Tarkvara OÜ", "Pikk 3", "10123", "Tallinn", "EE"),
    ("Reinigung Öztürk GmbH", "Königsallee 60", "40212", "Düsseldorf", "DE"),
    ("Hébergement Cloud Ouest SAS", "5 rue Crébillon", "44000", "Nantes", "FR"),
)

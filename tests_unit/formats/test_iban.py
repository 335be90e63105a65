"""The numbers by which banks name an account, and those that only look like it."""

import pytest

from formats.iban import is_account
from formats.model import Account

DE, NL, AT = "DE89370400440532013000", "NL91ABNA0417164300", "AT611904300234573201"


@pytest.mark.parametrize(
    ("account", "number", "same"),
    [
        (Account(iban=DE), DE, True),
        (Account(iban=DE), "DE89 3704 0044 0532 0130 00", True),
        (Account(iban=DE), NL, False),
        (Account(other=DE), DE, True),
        (Account(other="370400440532013000"), DE, True),
        (Account(other="0532013000"), DE, True),
        (Account(other="532013000"), DE, True),
        (Account(other="0417164300"), NL, True),
        (Account(other="04.17.16.43.00"), NL, True),
        (Account(other="ABNA/417164300"), NL, True),
        (Account(other="INGB/417164300"), NL, False),
        (Account(other="19043/00234573201"), AT, True),
        (Account(other="19044/00234573201"), AT, False),
        # the end of a number is another number
        (Account(other="32013000"), DE, False),
        (Account(other="17164300"), NL, False),
        (Account(other="0"), DE, False),
        (Account(other="6214 8301"), "62148301", True),
        (Account(other="6214 8301"), "162148301", False),
        (Account(), DE, False),
        (Account(other="/"), "", False),
        (Account(other="2606000"), "FR1420041010050500013M02606", False),
    ],
)
def test_which_account_is_meant(account, number, same):
    assert is_account(account, number) == same

"""Statuses have one order, and reasons have words."""

import json
from functools import reduce
from importlib import metadata
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats import codes, reasons
from formats.incoming import Reason

statuses = st.sampled_from(list(codes.STATUSES))


@given(
    st.lists(statuses, min_size=1, max_size=8).flatmap(
        lambda found: st.tuples(st.just(found), st.permutations(found))
    )
)
def test_any_order_of_arrival_gives_the_same_result(pair):
    """Late, repeated or swapped receipts change nothing."""
    arrived, shuffled = pair
    assert reduce(codes.furthest, arrived, None) == reduce(codes.furthest, shuffled * 2, None)


@given(statuses, statuses)
def test_a_status_never_goes_backwards(old, new):
    """Of two statuses exactly one advances on the other, and none on itself."""
    assert codes.advances(old, new) + codes.advances(new, old) == (old != new)


@given(statuses, statuses)
def test_what_is_final_stays_final(old, new):
    """After a final status only another final one can follow."""
    if codes.is_final(old) and codes.advances(old, new):
        assert codes.is_final(new)


def test_the_way_of_a_payment():
    """Received, checked, accepted, held, executed, settled, credited: in this order."""
    way = ["RCVD", "ACTC", "ACCP", "PDNG", "ACSP", "ACSC", "ACCC"]
    for arrival in permutations(way, 3):
        assert reduce(codes.furthest, arrival, None) == max(arrival, key=way.index)


def test_rejection_and_settlement():
    """A rejection ends what was accepted; where the money moved, it moved."""
    assert codes.furthest("ACSP", "RJCT") == "RJCT"
    assert codes.furthest("PART", "RJCT") == "RJCT"
    assert codes.furthest("ACSC", "RJCT") == "ACSC"
    assert codes.furthest("RJCT", "ACSC") == "ACSC"
    assert not codes.is_final(None)
    assert not codes.is_final("ACSP")


def test_unknown_statuses_are_refused():
    """What ISO 20022 doesn't know has no place in the order."""
    for old, new in ((None, "DONE"), ("DONE", "RCVD"), ("RCVD", "")):
        with pytest.raises(ValueError, match="not an ISO 20022 payment status"):
            codes.advances(old, new)


def test_reasons_in_words():
    """Meaning, code and the bank's own words; an unknown code stands for itself."""
    known = Reason(code="AC04", additional=("closed in May", "ask the payee"))
    assert reasons.in_words(known) == "Account closed (AC04): closed in May ask the payee"
    assert reasons.in_words(Reason(code="ZZ99")) == "ZZ99"
    assert reasons.in_words(Reason(proprietary="X-7", additional=("no",))) == "X-7: no"
    assert reasons.in_words(Reason()) == "no reason given"


def test_every_code_is_one_of_the_official_lists():
    """No code here is invented, and every official payment status is known."""
    try:
        found = metadata.distribution("pain001")
    except metadata.PackageNotFoundError:
        pytest.skip("the package with the external code lists is not installed")
    path = found.locate_file("pain001/corpus/data/external_codes/2Q2026_v3.json")
    lists = json.loads(path.read_text())["definitions"]
    official = {
        code
        for name in ("ExternalStatusReason1Code", "ExternalReturnReason1Code")
        for code in lists[name]["enum"]
    }
    assert set(reasons.REASONS) <= official
    payment = {
        code
        for name in ("ExternalPaymentTransactionStatus1Code", "ExternalPaymentGroupStatus1Code")
        for code in lists[name]["enum"]
    }
    assert payment == set(codes.STATUSES)

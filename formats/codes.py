"""Payment statuses of ISO 20022 (external code sets, 2nd quarter 2026) and their order.

A receipt may come late, twice or before an earlier one. Because the order below is total, the
furthest status reached is the same whatever the order of arrival.
"""

# From first to furthest. A rejection overrides any acceptance for execution, and settlement
# overrides a rejection: when a bank says both, the money has moved, and that is what counts.
# Banks hold a payment (PDNG) also after they accepted the order, for lack of funds or a sanctions
# check: it ranks above every acceptance that moves no money yet, so that a hold is never hidden.
STATUSES: dict[str, str] = {
    "RCVD": "received by the bank",
    "RVNC": "payee's name being checked",
    "RVNA": "payee's name could not be checked",
    "RVNM": "payee's name does not match the account",
    "RVMC": "payee's name nearly matches the account",
    "RVCM": "payees' names checked, some do not match",
    "RCVC": "payee's name matches the account",
    "PRES": "presented to the payer",
    "PATC": "waiting for further authorisation at the bank",
    "ACTC": "signature and format accepted",
    "ACCP": "accepted after the bank's customer checks",
    "ACFW": "funds checked, waiting for confirmation",
    "ACFC": "funds checked",
    "ACWC": "accepted with a change by the bank",
    "PDNG": "pending further checks by the bank",
    "ACSP": "accepted for execution",
    "ACIS": "cheque issued",
    "ACPD": "accepted by the clearing system",
    "PART": "accepted in part",
    "ACWP": "at the payee's bank, not yet credited",
    "RJCT": "rejected",
    "CANC": "cancelled",
    "ACSC": "settled",
    "BLCK": "blocked at the payee's bank",
    "CPUC": "cash collected by the payee",
    "ACCC": "credited to the payee's account",
}
FINAL = frozenset({"RJCT", "CANC", "ACSC", "BLCK", "CPUC", "ACCC"})

_RANK = {status: rank for rank, status in enumerate(STATUSES)}


def is_final(status: str | None) -> bool:
    """No further answer need be awaited: rejected, cancelled or settled."""
    return status in FINAL


def advances(old: str | None, new: str) -> bool:
    """Whether ``new`` takes a payment further than ``old`` (None: no status yet).

    Raises ``ValueError`` for a status that ISO 20022 doesn't know.
    """
    for status in (old, new):
        if status is not None and status not in _RANK:
            raise ValueError(f"{status!r} is not an ISO 20022 payment status")
    return old is None or _RANK[new] > _RANK[old]


def furthest(old: str | None, new: str) -> str:
    """``new`` where it advances, else ``old``: the same for any order of arrival."""
    return new if advances(old, new) or old is None else old


def in_words(status: str) -> str:
    """The status as an accountant would say it; an unknown one as it stands."""
    return STATUSES.get(status, status)

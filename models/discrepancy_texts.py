"""What a discrepancy says: each code's kind, its weight, its sentence, and the cure.

The sentence takes the values of a discrepancy's evidence; it is made when somebody reads it, in
their language. Codes are never renamed: discrepancies and the audit trail hold them.
"""

from collections import namedtuple

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

KINDS = [
    ("unknown_debit", "Debit that nobody ordered"),
    ("booked_twice", "Booked twice"),
    ("after_rejection", "Executed after rejection"),
    ("differs", "Amount or currency differs"),
    ("answer_overdue", "Bank's answer overdue"),
    ("booking_overdue", "Booking overdue"),
    ("not_at_bank", "In the ledger, not at the bank"),
    ("not_in_ledger", "At the bank, not in the ledger"),
    ("statement_missing", "Missing from the bank's statements"),
    ("balance_off", "Balances of bank and ledger differ"),
]
SEVERITIES = [("high", "At once"), ("medium", "Within days"), ("note", "When there is time")]
VERDICTS = [
    ("ours", "It is ours"),
    ("put_right", "Put right"),
    ("claimed", "Claimed from bank or payee"),
    ("accepted", "Stays as it is"),
]
# Business days until somebody should have dealt with it.
DEADLINES = {"high": 0, "medium": 3, "note": 10}

#: ``money_out``: whoever prepared the payments does not decide that all is well.
Entry = namedtuple("Entry", "kind severity money_out sentence cure")

CATALOGUE = {
    "unknown_debit": Entry(
        "unknown_debit", "high", True,
        _lt("The bank took %(amount)s from %(account)s on %(date)s, for %(payee)s. No payment was "
            "sent from here for it, and it is of no kind that is known."),
        _lt("Find out today who ordered it. If nobody did: call the bank and ask for the money "
            "back, stop payments (Watch ▸ Stop payments) and change the access to the bank. If it "
            "is yours, say so, and let the other side be remembered if it will take money again."),
    ),
    "never_sent": Entry(
        "unknown_debit", "high", True,
        _lt("The bank booked %(amount)s on %(date)s under the number of a payment in %(batch)s, "
            "which never left here."),
        _lt("Somebody else gave the bank this order. Call the bank today, ask where it came from "
            "and for the money back, and stop payments (Watch ▸ Stop payments)."),
    ),
    "booked_twice": Entry(
        "booked_twice", "high", True,
        _lt("The bank booked %(amount)s on %(date)s for %(payee)s, and had booked this payment "
            "before, on %(earlier)s."),
        _lt("Ask the bank to take the second booking back, or the payee to return the money. Don't "
            "match the second booking with another bill."),
    ),
    "after_rejection": Entry(
        "after_rejection", "high", True,
        _lt("The bank had rejected or cancelled the payment of %(amount)s to %(payee)s, and "
            "executed it all the same."),
        _lt("Make sure that the bill is not paid again; stop another payment of it that is on its "
            "way, or ask for the money back. Ask the bank what happened."),
    ),
    "differs_booking": Entry(
        "differs", "high", True,
        _lt("The bank booked %(amount)s on %(date)s where %(approved)s had been approved."),
        _lt("Look at the booking's charges and exchange first. What neither explains has to be "
            "explained by the bank. Then book the difference on the statement line."),
    ),
    "differs_ledger": Entry(
        "differs", "high", True,
        _lt("The payment to %(payee)s says something else in Odoo than what was approved and "
            "sent: %(approved)s."),
        _lt("Somebody changed the payment or its entry after it was approved. Compare the three "
            "columns, ask who did it, and correct the ledger to what was sent."),
    ),
    "seal_altered": Entry(
        "differs", "high", True,
        _lt("What was approved of %(batch)s can't be shown any more: its sealed copy was altered "
            "in the database."),
        _lt("Stop payments (Watch ▸ Stop payments) and find out who writes to the database. The "
            "message that was sent still says what left."),
    ),
    "answer_overdue": Entry(
        "answer_overdue", "medium", True,
        _lt("The bank has not said what becomes of %(count)s of the payments in %(batch)s, sent on "
            "%(date)s."),
        _lt("Ask the bank. Don't send the payments again: the bank may still execute them."),
    ),
    "booking_overdue": Entry(
        "booking_overdue", "medium", True,
        _lt("%(count)s payments of %(batch)s, due on %(date)s, are on no statement yet."),
        _lt("See whether the statements since then are here. If they are, ask the bank what became "
            "of the payments. Don't pay again."),
    ),
    "paid_not_booked": Entry(
        "not_at_bank", "medium", True,
        _lt("The ledger counts the payment of %(amount)s to %(payee)s as booked by the bank, but "
            "no statement of the bank shows it."),
        _lt("Look what the payment's entry is matched with, undo that match, and wait for the "
            "bank's statement."),
    ),
    "rejected_but_paid": Entry(
        "not_at_bank", "medium", True,
        _lt("The bank did not execute the payment of %(amount)s to %(payee)s, or sent it back, but "
            "the ledger still counts it as paid."),
        _lt("Reject the payment in Odoo, so that its bill is open again, or find out who made it "
            "valid again and why."),
    ),
    "manual_line": Entry(
        "not_at_bank", "medium", False,
        _lt("A booking of %(amount)s on %(date)s was entered by hand on %(account)s, and the "
            "bank's statements for these days do not show it."),
        _lt("Remove the booking if it is a mistake or stands there twice. Otherwise ask the bank "
            "for the document that shows it."),
    ),
    "manual_entry": Entry(
        "not_at_bank", "medium", False,
        _lt("Entry %(entry)s of %(date)s changes the ledger account of %(account)s by %(amount)s "
            "without a booking of the bank."),
        _lt("Only the bank's statement should change this account. Correct the entry, or say why "
            "it is right: an opening balance, for example."),
    ),
    "transit_old": Entry(
        "not_at_bank", "note", False,
        _lt("%(count)s payments entered in Odoo on %(account)s, %(amount)s together, have waited "
            "for the bank's booking since %(date)s."),
        _lt("Cancel those that were never handed to the bank. Ask for what is still out: cheques "
            "not cashed, transfers not executed."),
    ),
    "open_lines": Entry(
        "not_in_ledger", "medium", False,
        _lt("%(count)s bookings on %(account)s, the oldest of %(date)s, are not accounted for: "
            "they wait on the suspense account."),
        _lt("Match them with bills and payments, or book them on the accounts they belong to."),
    ),
    "line_open": Entry(
        "not_in_ledger", "medium", True,
        _lt("The bank booked the payment of %(amount)s to %(payee)s on %(date)s, but in the ledger "
            "the booking is not matched with it."),
        _lt("Match the booking with the payment. If somebody undid the match, ask why."),
    ),
    "line_unposted": Entry(
        "not_in_ledger", "medium", True,
        _lt("The bank booked %(amount)s on %(date)s, but the entry of this booking is not posted."),
        _lt("Post the entry again: what the bank booked has to be in the ledger."),
    ),
    "statement_gap": Entry(
        "statement_missing", "medium", False,
        _lt("The statements of %(account)s do not join: the one of %(before)s closes with "
            "%(expected)s, the next one, of %(after)s, opens with %(found)s."),
        _lt("Ask the bank for the statement that is missing, or have it sent again, and fetch it. "
            "Don't enter its bookings by hand to make the balance fit."),
    ),
    "statement_number": Entry(
        "statement_missing", "note", False,
        _lt("Between the statements of %(account)s of %(before)s and %(after)s a number is left "
            "out, though the balances join."),
        _lt("Ask the bank whether it made a statement that is not here."),
    ),
    "statement_page": Entry(
        "statement_missing", "medium", False,
        _lt("The statement of %(account)s of %(before)s goes on behind the page that closes with "
            "%(expected)s, but the next page is not here."),
        _lt("Ask the bank for the page that is missing, or have it sent again, and fetch it."),
    ),
    "statement_corrected": Entry(
        "statement_missing", "medium", False,
        _lt("The bank corrected its statement of %(account)s of %(before)s: it closed with "
            "%(expected)s, and closes with %(found)s now. Bookings that only the first version "
            "tells: %(count)s."),
        _lt("Check these bookings, and remove what did not happen."),
    ),
    "statement_unconfirmed": Entry(
        "statement_missing", "medium", False,
        _lt("An advice told bookings on %(account)s of %(before)s, together %(found)s, which no "
            "statement tells."),
        _lt("Ask the bank whether it took them back, or fetch the statement that tells them."),
    ),
    "balance_off": Entry(
        "balance_off", "medium", False,
        _lt("On %(date)s the bank's balance of %(account)s is %(bank)s, the ledger's %(ledger)s: "
            "the difference is %(difference)s."),
        _lt("Look for entries on the ledger account that are no booking of the bank, for missing "
            "statements, and for an opening balance that was never booked."),
    ),
}

WHAT = {
    "amount": _lt("Amount"),
    "payee": _lt("Other side"),
    "account": _lt("Account of the other side"),
    "date": _lt("Day"),
    "status": _lt("How it stands"),
    "reference": _lt("Reference"),
    "text": _lt("Booking text"),
    "people": _lt("Who"),
    "count": _lt("How many"),
    "balance": _lt("Balance"),
    "change": _lt("Entered last by"),
}


def say(env, text, values=None):
    """A text of the catalogue in the reader's language, with its values."""
    # A lazy text takes no values of its own.
    return env._(text) % (values or {})  # pylint: disable=translation-not-lazy

"""What bank codes mean, in plain words that an accountant can act on.

Sources: ISO 20022 External Code Sets, ExternalPaymentTransactionStatus1Code and
ExternalStatusReason1Code / ExternalReturnReason1Code (June 2025). The wording is ours: it says
what to do, not how the standard puts it.
"""

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

STATUS = [
    ("RCVD", "Received by the bank"),
    ("RVNC", "Payee's name is being checked"),
    ("RVNA", "Payee's name could not be checked"),
    ("RVNM", "Payee's name does not fit the account"),
    ("RVMC", "Payee's name nearly fits the account"),
    ("RVCM", "Some payees' names do not fit"),
    ("RCVC", "Payee's name fits the account"),
    ("PRES", "Presented to the payer"),
    ("PDNG", "Pending at the bank"),
    ("PATC", "Waits for a signature at the bank"),
    ("ACTC", "Checked by the bank"),
    ("ACCP", "Accepted by the bank"),
    ("ACFW", "Funds checked, waits for confirmation"),
    ("ACFC", "Funds checked"),
    ("ACWC", "Accepted with a change"),
    ("ACSP", "Being executed"),
    ("ACIS", "Cheque issued"),
    ("ACPD", "With the clearing system"),
    ("PART", "Partly accepted"),
    ("ACWP", "At the payee's bank, not yet credited"),
    ("RJCT", "Rejected by the bank"),
    ("CANC", "Cancelled"),
    ("ACSC", "Executed"),
    ("BLCK", "Blocked at the payee's bank"),
    ("CPUC", "Paid out in cash"),
    ("ACCC", "Credited to the payee"),
]

REASONS = {
    "AC01": _lt("The payee's account number is wrong. Ask the payee for the right one."),
    "AC02": _lt("Our own account number is wrong. Check the journal's bank account."),
    "AC03": _lt("The payee's account number is not valid. Ask the payee for the right one."),
    "AC04": _lt("The payee's account is closed. Ask the payee for a new account."),
    "AC05": _lt("Our own account is closed. Ask the bank."),
    "AC06": _lt("The account is blocked. Ask the payee or the bank."),
    "AC07": _lt("The payee's account is closed. Ask the payee for a new account."),
    "AC13": _lt("The kind of account is wrong for this payment."),
    "AG01": _lt("This payment is not allowed on this account. Ask the bank."),
    "AG02": _lt("The bank does not know this kind of payment. Ask the bank administrator."),
    "AM01": _lt("The amount is zero."),
    "AM02": _lt("The amount is above what the bank allows."),
    "AM03": _lt("The bank does not process this currency here."),
    "AM04": _lt("Not enough money on our account on the execution date."),
    "AM05": _lt("The bank has seen this payment before."),
    "AM09": _lt("The amount is not what was agreed."),
    "AM10": _lt("The totals of the message do not add up. Ask the bank administrator."),
    "AM11": _lt("The currency is not valid."),
    "AM12": _lt("The amount is not valid."),
    "AM14": _lt("The amount is above the limit agreed with the bank."),
    "AM18": _lt("The number of payments in the message is wrong. Ask the bank administrator."),
    "BE01": _lt("The payee's name does not fit the account. Check it with the payee."),
    "BE04": _lt("The payee's address is missing or incomplete."),
    "BE06": _lt("The payee's bank does not know the payee. Check name and account."),
    "BE07": _lt("Our own address is missing or incomplete."),
    "CNOR": _lt("The payee's bank is not reachable on this route. Check the BIC."),
    "CUST": _lt("The payee asked for the payment to be sent back."),
    "DNOR": _lt("Our bank is not reachable on this route. Ask the bank."),
    "DS02": _lt("The order was stopped by an authorised person."),
    "DT01": _lt("The execution date is not valid. Choose another day."),
    "DU01": _lt("The bank has already received a message of this number."),
    "DU02": _lt("The bank has already received a payment group of this number."),
    "DU03": _lt("The bank has already received this transaction."),
    "DU04": _lt("The bank has already received a payment of this end-to-end number."),
    "DUPL": _lt("The payment was made twice."),
    "ED05": _lt("Settlement between the banks failed. Ask the bank."),
    "FF01": _lt("The bank can't read the message. Ask the bank administrator."),
    "FOCR": _lt("Sent back after a recall."),
    "FRAD": _lt("Stopped on suspicion of fraud. Ask the bank."),
    "MD07": _lt("The payee has died."),
    "MS02": _lt("Refused by the payee without a reason."),
    "MS03": _lt("Refused by the bank without a reason. Ask the bank."),
    "NARR": _lt("The bank gave its reason in its own words."),
    "NOAS": _lt("No answer from the payee."),
    "NOOR": _lt("The original payment was never received."),
    "RC01": _lt("The BIC of the payee's bank is wrong."),
    "RC03": _lt("Our bank's number is wrong."),
    "RC04": _lt("The number of the payee's bank is wrong."),
    "RF01": _lt("The reference of the payment was used before."),
    "RR01": _lt("Our account or its owner is missing: needed by law."),
    "RR02": _lt("Our name or address is missing: needed by law."),
    "RR03": _lt("The payee's name or address is missing: needed by law."),
    "RR04": _lt("Stopped for legal reasons. Ask the bank."),
    "TECH": _lt("A technical fault at the bank. Ask the bank."),
    "TM01": _lt("The payment arrived after the bank's cut-off time."),
}


def explain(env, code, additional=None):
    """A sentence for a reason code, with the bank's own words where it gave any.

    :param code: ISO external code such as ``AC04``, or the bank's own code, or nothing
    :return: text in the user's language; empty without code and words
    """
    known = REASONS.get(code or "")
    sentence = env._(known) if known else ""
    if not sentence and code:
        sentence = env._("The bank gave the code %s.", code)
    return " ".join(part for part in (sentence, additional) if part)

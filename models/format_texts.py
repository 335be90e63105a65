"""Why a document can't be written or read, by the stable codes of ``formats``, translated.

The formats' own English sentences are the most exact, so English readers get those. A reader of
another language gets the sentence of the code, with the name of the field.
"""

import re

from odoo.tools.translate import LazyTranslate

from ..formats.notes import Note

_lt = LazyTranslate(__name__)

PROBLEMS = {
    "account": _lt("give one account number: an IBAN, or another one."),
    "address": _lt("a payment to another country needs the payee's town and country."),
    "amount": _lt("the amount must be above zero and not more than the bank can carry."),
    "bic": _lt("the BIC or clearing number of the bank is missing or not valid."),
    "charge_bearer": _lt("this sharing of the charges is not possible for this payment."),
    "charset": _lt(
        "has characters that the bank does not take (%(characters)s). Write it in Latin letters."
    ),
    "code": _lt("is not a valid code."),
    "control_sum": _lt("the sum is not that of the payments."),
    "count": _lt("the number is not that of the payments."),
    "country": _lt("the country is missing, or is not a code of two letters."),
    "currency": _lt("this currency is not possible here; a SEPA payment is in euro."),
    "date": _lt("is not a date."),
    "decimals": _lt("the amount has more decimals than the currency."),
    "duplicate": _lt("is used twice in this message."),
    "empty": _lt("is empty."),
    "iban": _lt("a valid IBAN is needed."),
    "reference": _lt("the check digits of the creditor reference are wrong."),
    "remittance": _lt("give either a text or a creditor reference, not both."),
    "slash": _lt("must not begin or end with a slash, or have two in a row."),
    "time_zone": _lt("has no time zone."),
    "too_long": _lt("is too long: %(length)s, and %(most)s are allowed."),
    "town": _lt("the address has no town."),
    "uetr": _lt("is not a UETR (a version 4 UUID in lower case)."),
}

# Why a document of the bank's can't be read.
READING = {
    "amount": _lt("an amount is missing, or can't be told for certain"),
    "balance": _lt("a balance is incomplete"),
    "currency": _lt("an amount has no currency"),
    "day": _lt("a date is missing, or is none"),
    "decimals": _lt("an amount has more decimals than its currency"),
    "encoding": _lt("its characters can't be read"),
    "kind": _lt("it is not a document of the expected kind"),
    "limits": _lt("it is larger or more deeply nested than is accepted"),
    "malformed": _lt("it is damaged or incomplete"),
    "no_account": _lt("it does not name the account"),
    "no_reader": _lt("no reader for PDFs can be started on this server"),
    "order": _lt("a part of it is not where it belongs"),
    "sign": _lt("it can't be told whether money came in or went out"),
    "status": _lt("a status is missing or not known"),
    "too_large": _lt("an amount is too large to be kept to the cent"),
    "too_slow": _lt("it can't be read in reasonable time"),
    "twice": _lt("something is given twice in one place"),
    "unanswered": _lt("it does not say which message it answers"),
    "unsafe": _lt("it declares a document type, as no bank's document does"),
}

# What does not add up in a statement.
FAULTS = {
    "balance_currency": _lt("the account is kept in %(ours)s, a balance is given in %(theirs)s"),
    "count_all": _lt("it states %(stated)s entries, it has %(found)s"),
    "count_credit": _lt("it states %(stated)s credit entries, it has %(found)s"),
    "count_debit": _lt("it states %(stated)s debit entries, it has %(found)s"),
    "entry_currency": _lt("entries are booked in %(theirs)s, unlike the balances"),
    "no_closing": _lt("it has no closing balance"),
    "no_opening": _lt("it has no opening balance"),
    "sum": _lt(
        "opening balance %(opening)s plus booked entries %(booked)s make %(expected)s "
        "%(currency)s, the closing balance is %(closing)s: a difference of %(difference)s"
    ),
    "sum_of_pages": _lt(
        "opening balance %(opening)s plus booked entries %(booked)s on pages 1 to %(pages)s make "
        "%(expected)s, the closing balance is %(closing)s"
    ),
    "total_all": _lt("it states %(stated)s as sum of its entries, it is %(found)s"),
    "total_credit": _lt("it states %(stated)s as sum of credit entries, it is %(found)s"),
    "total_debit": _lt("it states %(stated)s as sum of debit entries, it is %(found)s"),
    "two_currencies": _lt("it opens in %(first)s and closes in %(last)s"),
}

# What was odd in a document of the bank's, and tolerated.
NOTES = {
    "blank": _lt("blank space before the XML declaration was dropped"),
    "count": _lt("%(text)s is not a count"),
    "details": _lt("%(key)s do not add up to their entry"),
    "encoding": _lt("the document says it is %(encoding)s, which it is not"),
    "field": _lt("field :%(tag)s: was passed over"),
    "gb18030": _lt("bytes that are not UTF-8 were read as GB18030"),
    "moment": _lt("%(text)s is not a date and time"),
    "more": _lt("there is more of this: %(of)s"),
    "namespace": _lt("namespace %(namespace)s does not name the message"),
    "negative": _lt("the amount %(amount)s is negative, which reverses its indicator"),
    "no_booking_date": _lt("a booked entry without a booking date"),
    "no_booking_day": _lt("%(key)s is missing from a booked entry"),
    "no_day": _lt("%(key)s is missing from a balance, which was left out"),
    "no_identification": _lt("the report has no identification"),
    "no_number": _lt("%(text)s is no number of a statement"),
    "no_status": _lt("an entry without a status, taken as booked, being on a statement"),
    "not_text": _lt("%(key)s is not a text"),
    "number": _lt("%(key)s has its amount as a number, not as a text"),
    "padding": _lt("padding behind the document was dropped"),
    "parts": _lt("the entry is %(amount)s, its %(number)s payments make %(total)s"),
    "unknown_field": _lt("a field that is not known was passed over"),
    "windows_1252": _lt("bytes that are not UTF-8 were read as Windows-1252"),
    "zero_without_sign": _lt("an entry of zero without a credit or debit indicator"),
}

# The words of which the places in a payment are made, there and in the approval seal.
WORDS = {
    "account": _lt("account"),
    "address": _lt("address"),
    "agent": _lt("bank"),
    "amount": _lt("amount"),
    "batch_booking": _lt("one debit"),
    "bic": _lt("BIC"),
    "blocks": _lt("payments"),
    "building": _lt("building number"),
    "category_purpose": _lt("category purpose"),
    "charge_bearer": _lt("charges"),
    "clearing_system": _lt("clearing system"),
    "control_sum": _lt("control sum"),
    "country": _lt("country"),
    "created": _lt("time of creation"),
    "creditor": _lt("payee"),
    "creditor_account": _lt("payee's account"),
    "creditor_agent": _lt("payee's bank"),
    "creditor_reference": _lt("creditor reference"),
    "creditor_reference_issuer": _lt("creditor reference's issuer"),
    "creditor_reference_type": _lt("creditor reference's type"),
    "currency": _lt("currency"),
    "debtor": _lt("payer"),
    "debtor_account": _lt("payer's account"),
    "debtor_agent": _lt("payer's bank"),
    "end_to_end_id": _lt("end-to-end number"),
    "execution_date": _lt("execution date"),
    "iban": _lt("IBAN"),
    "id": _lt("number"),
    "initiating_party": _lt("initiating party"),
    "instant": _lt("instant payment"),
    "instruction_id": _lt("instruction number"),
    "lines": _lt("lines"),
    "local_instrument": _lt("local instrument"),
    "member_id": _lt("clearing number"),
    "message_id": _lt("message number"),
    "name": _lt("name"),
    "note": _lt("note"),
    "number_of_transactions": _lt("number of payments"),
    "organisation_id": _lt("identification"),
    "organisation_id_scheme": _lt("identification scheme"),
    "original_id": _lt("batch number"),
    "original_message_id": _lt("number of the payment message"),
    "original_message_name": _lt("kind of the payment message"),
    "other": _lt("number"),
    "other_scheme": _lt("number scheme"),
    "payee": _lt("payee"),
    "post_code": _lt("post code"),
    "purpose": _lt("purpose"),
    "reason": _lt("reason"),
    "reference": _lt("reference"),
    "regulatory_code": _lt("regulatory code"),
    "regulatory_country": _lt("regulatory country"),
    "regulatory_text": _lt("regulatory text"),
    "remittance": _lt("remittance information"),
    "requester": _lt("requester"),
    "service_level": _lt("service level"),
    "street": _lt("street"),
    "subdivision": _lt("state or province"),
    "text": _lt("text for the payee"),
    "town": _lt("town"),
    "transfers": _lt("payments"),
    "uetr": _lt("UETR"),
    "ultimate_creditor": _lt("ultimate payee"),
    "ultimate_debtor": _lt("ultimate payer"),
    "unstructured": _lt("text for the payee"),
}


def problem_text(env, problem):
    """Why a payment can't be written, as a sentence.

    :param problem: a ``formats.model.Problem``
    """
    known = PROBLEMS.get(problem.code)
    if not known or _reads_english(env):
        return problem.message[:1].upper() + problem.message[1:]
    # Where the payment stands in the message says nothing to a person.
    place = re.sub(r"^(blocks\[\d+\]\.)?(transfers\[\d+\]\.)?|\[\d+\]", "", problem.path)
    return env._(
        "%(field)s: %(problem)s",
        field=place_name(env, place.split(".")),
        # A lazy text takes no values of its own.
        problem=env._(known) % problem.facts,  # pylint: disable=translation-not-lazy
    )


def error_text(env, error):
    """Why a message can't be written: every problem, or what the error says of itself.

    :param error: a ``formats.errors.FormatError``
    """
    return " ".join(problem_text(env, problem) for problem in error.problems) or str(error)


def reading_text(env, error):
    """Why a document can't be read, with the place where there is one.

    :param error: a ``formats.errors.FormatError``
    """
    known = READING.get(error.code)
    if not known or _reads_english(env):
        return str(error)
    place = _place(env, error)
    return f"{env._(known)} ({place})" if place else env._(known)


def note_text(env, note):
    """What was odd in a document and tolerated, with the place where there is one.

    :param note: a ``formats.notes.Note``, or what was said in the user's language already
    """
    if not isinstance(note, Note) or _reads_english(env):
        return str(note)
    facts = {name: note_text(env, fact) for name, fact in note.facts.items()}
    said = env._(NOTES[note.code]) % facts  # pylint: disable=translation-not-lazy
    place = _place(env, note)
    return f"{place}: {said}" if place else said


def _place(env, found):
    """Path and line in a document of the bank's."""
    line = env._("line %s", found.line) if found.line else None
    return ", ".join(filter(None, (found.path, line)))


def faults_text(env, faults):
    """What does not add up in a report.

    :param faults: what ``Report.check`` gives
    """
    if _reads_english(env):
        return "; ".join(faults)
    return "; ".join(
        # A lazy text takes no values of its own.
        env._(FAULTS[fault.code]) % fault.facts  # pylint: disable=translation-not-lazy
        for fault in faults
    )


def _reads_english(env):
    return (env.lang or "en_US").startswith("en")


def place_name(env, words):
    """A place in a payment by name: ``payee address town``.

    :param words: keys of ``WORDS``; one that is not known stands for itself
    """
    return " ".join(env._(WORDS[word]) if word in WORDS else word for word in words)

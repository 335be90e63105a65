"""What the connectors say, by their stable codes, in the reader's language.

The connectors' own English is what is shown for a code that this table does not know.
"""

from odoo.tools.translate import LazyTranslate

from ..connectors.interface import FetchError, NotSent
from .connector_problem_texts import ASK, LATER, PROBLEMS

_lt = LazyTranslate(__name__)

# the lines of the connection test
STEPS = {
    "certificate": _lt("Our certificate is valid"),
    "signing": _lt("Our signing certificate is valid"),
    "name": _lt("The bank's name is known"),
    "reach": _lt("The bank can be reached"),
    "tls": _lt("The bank proved its identity"),
    "answer": _lt("The bank answers and accepts our certificate"),
    "host": _lt("The bank's server proved its identity"),
    "login": _lt("The bank accepts our login"),
    "folders": _lt("The agreed folders are there"),
    "peer": _lt("The bank's certificate is valid"),
    "signer": _lt("The bank's signing certificate is valid"),
    "clock": _lt("The clocks agree"),
}

# what the connection test found, and what to do about it
FINDINGS = {
    "expired": (_lt("expired on %(date)s"), _lt("Renew the certificate.")),
    "not_yet_valid": (_lt("valid from %(date)s"), _lt("Check the clock.")),
    "expires_soon": (_lt("expires in %(days)s days"), _lt("Renew it soon.")),
    "valid": (_lt("valid until %(date)s"), None),
    "dates_unreadable": (_lt("its dates cannot be read: %(error)s"), None),
    "no_time": (_lt("the bank does not tell its time"), None),
    "clock_ahead": (_lt("the bank's clock is %(seconds)s s ahead"), None),
    "clock_behind": (_lt("the bank's clock is %(seconds)s s behind"), None),
    "clock_far_ahead": (
        _lt("the bank's clock is %(seconds)s s ahead"),
        _lt("Synchronise this server's clock (NTP)."),
    ),
    "clock_far_behind": (
        _lt("the bank's clock is %(seconds)s s behind"),
        _lt("Synchronise this server's clock (NTP)."),
    ),
    "done": (None, None),
    "not_tried": (_lt("not tried"), None),
}

# settings that can't work; %(error)s is the connector's sentence, which names the place
SETTINGS = {
    "url": _lt("The bank's address must read https://host[:port][/path]."),
    "certificate": _lt("The company's certificate can't be used: %(error)s"),
    "key": _lt("The private key can't be read, or is of a kind that is not supported."),
    "key_password": _lt("The private key's password is missing or wrong."),
    "key_mismatch": _lt("The private key does not belong to the certificate."),
    "trust": _lt("The bank's certificate or its fingerprint can't be used: %(error)s"),
    "proxy": _lt("The proxy's address can't be used: %(error)s"),
    "profile": _lt("The bank profile can't be used: %(error)s"),
    "variable": _lt("A value that this bank needs is missing or not usable: %(error)s"),
    "protocol": _lt("This protocol is not known: %(error)s"),
    "signers": _lt("The bank's signing certificate can't be used: %(error)s"),
    "encryption": _lt("The certificate for encryption can't be used: %(error)s"),
    "wsdl": _lt("The bank's WSDL can't be used: %(error)s"),
}


def message(env, outcome):
    """What happened, in one sentence.

    :param outcome: a ``connectors.interface.Outcome``
    """
    known, _hint = _problem(outcome.code)
    return _say(env, known, outcome.facts) or outcome.message


def hint(env, outcome):
    """What to do about it, or nothing."""
    known, advice = _problem(outcome.code)
    # Neither reading nor what was not sent leaves a message in doubt.
    if advice is ASK and isinstance(outcome, FetchError | NotSent):
        advice = LATER
    return _say(env, advice, {}) if known else outcome.hint


def check(env, found):
    """One line of a connection test: its title, what was found, and a cure.

    :param found: a ``connectors.interface.Check``
    """
    title = _say(env, STEPS.get(found.step), {}) or found.title
    if found.finding in FINDINGS:
        detail, cure = FINDINGS[found.finding]
        return title, _say(env, detail, found.facts), _say(env, cure, {})
    known, advice = _problem(found.finding)
    detail = _say(env, known, found.facts)
    if not detail:
        return title, found.detail, found.cure
    # The technical detail, such as the words of the TLS library, speaks English everywhere.
    detail = " ".join(part for part in (detail, found.facts.get("detail")) if part)
    return title, detail, _say(env, LATER if advice is ASK else advice, {})


def settings_error(env, error):
    """Why the settings of a connection can't work.

    :param error: a ``connectors.interface.SettingsError``
    """
    known = SETTINGS.get(error.code)
    return _say(env, known, {"error": error.message}) or error.message


def _problem(code):
    return PROBLEMS.get("http_status" if code.startswith("http_") else code, (None, None))


def _say(env, sentence, facts):
    """The sentence with its values; empty without one, or where a value is missing."""
    if not sentence:
        return ""
    try:
        # A lazy text takes no values of its own.
        return env._(sentence) % facts  # pylint: disable=translation-not-lazy
    except KeyError:
        return ""

"""What a security review says: each code's weight, its title, its sentence, and the cure.

The sentence takes the facts of a finding; it is made when somebody reads it, in their language.
Codes are never renamed: acceptances hang on them.
"""

from collections import namedtuple

from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

#: ``past``: tells of something that was done, which no later review can find mended.
Entry = namedtuple("Entry", "severity title sentence cure past", defaults=(False,))

SEPARATE = _lt("Give one of the two rights to somebody else.")
READ = _lt("Read what was done, and have it explained by who did it.")

CATALOGUE = {
    # -- people -----------------------------------------------------------------------------
    "rights_prepare_approve": Entry(
        "high", _lt("Prepares and approves"),
        _lt("%(user)s prepares and approves. Nobody approves what they prepared themselves, but "
            "two such people can do it for each other."),
        SEPARATE,
    ),
    "rights_admin_approve": Entry(
        "high", _lt("Administers and approves"),
        _lt("%(user)s is bank administrator and approver, and so writes the rules by which they "
            "approve."),
        SEPARATE,
    ),
    "rights_admin_prepare": Entry(
        "medium", _lt("Administers and prepares"),
        _lt("%(user)s is bank administrator and preparer, and so writes the rules for what they "
            "prepare."),
        SEPARATE,
    ),
    "rights_admin_trust": Entry(
        "medium", _lt("Administers and validates accounts"),
        _lt("%(user)s is bank administrator and may confirm payees' accounts, and so could switch "
            "the control off, or confirm what they let somebody enter."),
        _lt("Take the right to validate bank accounts away; Odoo gives it to everybody who "
            "administers the system."),
    ),
    "rights_prepare_trust": Entry(
        "medium", _lt("Prepares and validates accounts"),
        _lt("%(user)s prepares payments and may confirm payees' accounts that others entered."),
        SEPARATE,
    ),
    "rights_system_approve": Entry(
        "high", _lt("Administers Odoo and approves"),
        _lt("%(user)s administers Odoo and approves. Whoever administers Odoo can give themselves "
            "and others any right."),
        SEPARATE,
    ),
    "rights_auditor_acts": Entry(
        "medium", _lt("Audits their own work"),
        _lt("%(user)s is auditor and has rights to act as well: %(rights)s."),
        SEPARATE,
    ),
    "second_factor": Entry(
        "medium", _lt("No second factor"),
        _lt("%(user)s logs in with a password alone."),
        _lt("Have two-factor authentication or a passkey set up under My Preferences ▸ Security."),
    ),
    "second_factor_missing": Entry(
        "high", _lt("No second factor to be had"),
        _lt("This database offers neither two-factor authentication nor passkeys."),
        _lt("Install the module auth_totp or auth_passkey."),
    ),
    "approver_inactive": Entry(
        "medium", _lt("Approver without log-in"),
        _lt("%(user)s may approve, but has not logged in since %(since)s."),
        _lt("Take the right away; it can be given back."),
    ),
    # -- rules ------------------------------------------------------------------------------
    "rule_gap": Entry(
        "high", _lt("Amounts without a rule"),
        _lt("Nobody can approve: %(text)s"),
        _lt("Add a rule, or widen one, under Set-up ▸ Approval rules."),
    ),
    "rule_people": Entry(
        "high", _lt("Too few approvers"),
        _lt("A rule can't be satisfied: %(text)s"),
        _lt("Make more people approvers, or ask for fewer."),
    ),
    "step_up_off": Entry(
        "medium", _lt("Approval without confirming identity"),
        _lt("In %(company)s an unlocked computer is enough to approve: neither the company nor any "
            "rule asks approvers to confirm who they are."),
        _lt("Set-up ▸ Settings ▸ Confirm identity to approve."),
    ),
    # -- payees' accounts -------------------------------------------------------------------
    "account_control_off": Entry(
        "high", _lt("Accounts are not confirmed"),
        _lt("In %(company)s payments reach changed bank accounts that nobody confirmed."),
        _lt("Set-up ▸ Settings ▸ Confirm payees' bank accounts."),
    ),
    "account_unconfirmed": Entry(
        "medium", _lt("Accounts wait for confirmation"),
        _lt("Accounts that nobody confirmed or refused for a week: %(count)s, the oldest since "
            "%(since)s."),
        _lt("Decide about them under Payments ▸ Accounts to confirm."),
    ),
    # -- connections and keys -----------------------------------------------------------------
    "certificate_ended": Entry(
        "high", _lt("Certificate expired"),
        _lt("Our certificate at %(connection)s expired on %(date)s."),
        _lt("Renew it, and give the new one to the bank."),
    ),
    "certificate_ends": Entry(
        "medium", _lt("Certificate expires"),
        _lt("Our certificate at %(connection)s expires on %(date)s."),
        _lt("Renew it now: banks take weeks."),
    ),
    "trust_ends": Entry(
        "medium", _lt("Bank's certificate expires"),
        _lt("A certificate by which %(connection)s knows the bank expires on %(date)s: %(name)s."),
        _lt("Get the next one from the bank, and compare its fingerprint on the telephone."),
    ),
    "connection_unpinned": Entry(
        "note", _lt("Bank's certificate is not pinned"),
        _lt("%(connection)s trusts whatever certificate the bank's authority issues."),
        _lt("Pin the fingerprint of the bank's certificate, if the bank announces its changes."),
    ),
    "connection_private": Entry(
        "high", _lt("Local address allowed"),
        _lt("%(connection)s is not a practice bank, but may be reached at an address of this "
            "machine or network."),
        _lt("Switch “Allow local addresses” off."),
    ),
    "connection_practice": Entry(
        "medium", _lt("Practice bank beside a real one"),
        _lt("%(connection)s leads to a practice bank, in a company that pays over a real one: a "
            "bill that is “paid” there is not paid."),
        _lt("Suspend it, and practise in a copy of the database."),
    ),
    "connection_queue": Entry(
        "high", _lt("Payments wait at a suspended connection"),
        _lt("%(connection)s is suspended while messages wait to leave: %(count)s."),
        _lt("Resume it, or withdraw the batches."),
    ),
    "webhook_open": Entry(
        "high", _lt("Webhook without secret"),
        _lt("%(connection)s has a webhook address, but no secret to verify what arrives there."),
        _lt("Make a new secret, or close the webhook."),
    ),
    "key_plain": Entry(
        "high", _lt("Private key in the clear"),
        _lt("The private key for %(connection)s is not sealed: whoever copies the server's files "
            "has it."),
        _lt("Make a new key; the old one counts as known to others."),
    ),
    "key_old": Entry(
        "medium", _lt("Old key"),
        _lt("The private key for %(connection)s is in use since %(date)s; policy: %(days)s days."),
        _lt("Make a new key and have it certified."),
    ),
    "master_missing": Entry(
        "high", _lt("No master key"),
        _lt("No master key is configured: approvals can't be signed, and the audit trail proves "
            "nothing."),
        _lt("Set BANK_CONNECT_MASTER_KEY on the server."),
    ),
    "master_unknown": Entry(
        "high", _lt("Secrets that can't be opened"),
        _lt("Sealed or signed under a master key that this server does not have (%(key)s): "
            "%(count)s."),
        _lt("Configure that key as well, or import these secrets anew."),
    ),
    "master_old": Entry(
        "medium", _lt("Secrets under an old master key"),
        _lt("Still sealed under the master key “%(key)s”, which is not the newest: %(count)s."),
        _lt("Seal them anew under Set-up ▸ Master keys; only then can the old key be retired."),
    ),
    "token_old": Entry(
        "medium", _lt("Old monitoring token"),
        _lt("The token “%(token)s” was made on %(date)s, more than a year ago."),
        _lt("Make a new one and remove this one."),
    ),
    "token_unused": Entry(
        "note", _lt("Unused monitoring token"),
        _lt("The token “%(token)s” opens the figures, but was not used since %(date)s."),
        _lt("Remove it."),
    ),
    # -- the server ---------------------------------------------------------------------------
    "server_debug": Entry(
        "high", _lt("Development mode"),
        _lt("The server runs with %(options)s, which is for developers."),
        _lt("Start it without."),
    ),
    "server_plain_http": Entry(
        "medium", _lt("Address without encryption"),
        _lt("People are sent to %(url)s: what they approve can be read and changed on the way."),
        _lt("Serve Odoo over https, and set the system parameter web.base.url."),
    ),
    "server_databases": Entry(
        "medium", _lt("Database manager is open"),
        _lt("Whoever reaches the server sees its databases, and may try to copy them."),
        _lt("Set list_db = False in the configuration."),
    ),
    "server_admin_password": Entry(
        "high", _lt("Database manager with the default password"),
        _lt("The password of the database manager is “admin”: anybody can copy or remove the "
            "database."),
        _lt("Set admin_passwd in the configuration, and list_db = False."),
    ),
    "server_demo": Entry(
        "medium", _lt("Demonstration data"),
        _lt("The database holds demonstration data, with users whose passwords are known, and "
            "leads to a real bank."),
        _lt("Use a database without demonstration data."),
    ),
    # -- the trail ------------------------------------------------------------------------------
    "trail_broken": Entry(
        "high", _lt("Audit trail broken"),
        _lt("The audit trail was altered: see the verification of %(date)s."),
        _lt("Compare with a head that was kept elsewhere, and call the auditor."),
    ),
    "trail_unproven": Entry(
        "medium", _lt("Audit trail not all proven"),
        _lt("Events that could not be proven at the verification of %(date)s: %(count)s."),
        _lt("Configure the master keys that signed them."),
    ),
    "trail_unverified": Entry(
        "high", _lt("Audit trail not verified"),
        _lt("The audit trail was not verified since %(date)s."),
        _lt("See whether the scheduled action “verify the audit trail” runs."),
    ),
    "trail_kept_here": Entry(
        "note", _lt("No head is kept elsewhere"),
        _lt("No head of the audit trail left this server for 90 days: who administers it could cut "
            "off the end."),
        _lt("Set the system parameter account_bank_connect.audit_head_email."),
    ),
    "approval_superuser": Entry(
        "high", _lt("Approval past the user's rights"),
        _lt("%(user)s approved %(batch)s by code that ran with the rights of the system."),
        READ, past=True,
    ),
    "superuser_actions": Entry(
        "medium", _lt("Actions of the superuser"),
        _lt("Done by the superuser, outside scheduled actions: %(count)s (%(kinds)s)."),
        READ, past=True,
    ),
    "override_resolution": Entry(
        "medium", _lt("Decided by two people"),
        _lt("%(proposer)s and %(decider)s decided the fate of %(message)s: %(verdict)s."),
        _lt("Compare their evidence with the bank's statement."), past=True,
    ),
    "login_changed": Entry(
        "high", _lt("Somebody else's log-in changed"),
        _lt("%(by)s set a password, second factor or person of %(user)s, last on %(date)s, and so "
            "could log in and decide as %(user)s."),
        _lt("Ask whether it was asked for. Look at what was decided in this name since."),
        past=True,
    ),
    "step_up_failed": Entry(
        "note", _lt("Failed identity checks"),
        _lt("%(user)s failed to confirm their identity %(count)s times, last on %(date)s."),
        _lt("Ask whether it was them. If not, end their sessions."), past=True,
    ),
    "check_failed": Entry(
        "high", _lt("Not looked at"),
        _lt("A part of this review could not be made (%(name)s); the server's log says why."),
        _lt("Have it mended, and review again."),
    ),
}


def say(env, text, facts=None):
    """A text of the catalogue in the reader's language, with its facts."""
    # A lazy text takes no values of its own.
    return env._(text) % (facts or {})  # pylint: disable=translation-not-lazy

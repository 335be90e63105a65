"""What approval rules ask about a batch: its amounts, and what is known about its payees."""

from dataclasses import dataclass

from odoo import fields
from odoo.exceptions import UserError
from odoo.tools import SQL

# A payment counts as made once its batch was approved, unless the bank did not execute it.
MADE_STATES = ("approved", "sending", "uncertain", "sent", "accepted", "settled")

# What changes an account; that it was held or asked about changes nothing of it.
ACCOUNT_CHANGES = ("created", "changed", "bank", "payee")


@dataclass(frozen=True)
class Payee:
    """What is known about one payee and account, when it is to be paid.

    :ivar first: nobody of this name was paid over the bank before, by this company
    :ivar account_days: whole days since the account was entered or last changed
    :ivar account_changed: paid before, but not to this account as it is now
    :ivar countries: ISO codes of the payee's address and of the account number
    """

    first: bool
    account_days: int
    account_changed: bool
    countries: frozenset


@dataclass(frozen=True)
class Facts:
    """What a rule's conditions are compared with.

    :ivar total: the sum of the batch, in the company's currency
    :ivar largest: its largest payment, in the company's currency
    """

    company: object
    journal: object
    currency: object
    total: float
    largest: float
    urgent: bool
    payees: frozenset


def rate(env, currency, company, day):
    """The exchange rate by which amounts are compared with a company's rules.

    :return: (units of the company's currency for one of ``currency``, the day the rate is of)
    :raises UserError: there is no rate, so nobody knows how much the amount is
    """
    if currency == company.currency_id:
        return 1.0, day
    # sudo: rates are no secret; the preparer may lack the right to read them.
    dates = env["res.currency.rate"].sudo().search(
        [
            ("currency_id", "in", (currency + company.currency_id).ids),
            ("company_id", "in", (False, company.root_id.id)),
        ],
        order="name DESC",
    ).mapped("name")
    if not dates:
        raise UserError(
            env._(
                "There is no exchange rate between %(currency)s and %(own)s, so nobody can say "
                "who has to approve. Enter the rate first.",
                currency=currency.name, own=company.currency_id.name,
            )
        )
    factor = env["res.currency"]._get_conversion_rate(currency, company.currency_id, company, day)
    return factor, next((date for date in dates if date <= day), dates[-1])


def of_payees(env, pairs, company, batch=None):
    """What is known about payees and their accounts, in one query.

    :param pairs: (id of the partner, id of the account) of each payment; the same pair once
    :param batch: the batch that is being prepared; it is no history yet
    :return: frozenset of :class:`Payee`
    """
    pairs = sorted({(partner, account or 0) for partner, account in pairs})
    env.flush_all()
    changes = SQL(
        "SELECT account_id, date FROM bank_account_change WHERE kind IN %s", ACCOUNT_CHANGES
    )
    rows = env.execute_query(
        SQL(
            """
            WITH pair AS (
                SELECT given.account_id,
                       COALESCE(partner.commercial_partner_id, partner.id) AS payee,
                       country.code AS country
                  FROM unnest(%(partners)s::int[], %(accounts)s::int[])
                       AS given(partner_id, account_id)
                  JOIN res_partner partner ON partner.id = given.partner_id
             LEFT JOIN res_country country ON country.id = partner.country_id
            ), made AS (
                SELECT COALESCE(partner.commercial_partner_id, partner.id) AS payee,
                       payment.partner_bank_id AS account_id, max(payment.create_date) AS date
                  FROM account_payment payment
                  JOIN bank_payment_batch batch ON batch.id = payment.bank_batch_id
                  JOIN res_partner partner ON partner.id = payment.partner_id
                 WHERE COALESCE(partner.commercial_partner_id, partner.id)
                       IN (SELECT payee FROM pair)
                   AND batch.company_id = %(company)s
                   AND batch.id <> %(batch)s
                   AND batch.state IN %(states)s
                   AND COALESCE(payment.bank_status, '') NOT IN ('RJCT', 'CANC')
              GROUP BY 1, 2
            ), change AS (
                SELECT account_id, max(date) AS date
                  FROM (%(changes)s) change
                 WHERE account_id = ANY(%(accounts)s)
              GROUP BY account_id
            )
            SELECT NOT EXISTS (SELECT 1 FROM made WHERE made.payee = pair.payee),
                   COALESCE(
                       extract(day FROM now() AT TIME ZONE 'UTC'
                               - GREATEST(account.create_date, change.date))::int,
                       0),
                   to_account.date IS NULL OR change.date > to_account.date,
                   pair.country,
                   CASE WHEN account.sanitized_acc_number ~ '^[A-Z]{2}[0-9]{2}'
                        THEN left(account.sanitized_acc_number, 2) END
              FROM pair
         LEFT JOIN res_partner_bank account ON account.id = pair.account_id
         LEFT JOIN change ON change.account_id = pair.account_id
         LEFT JOIN made to_account ON to_account.payee = pair.payee
                                  AND to_account.account_id = pair.account_id
            """,
            partners=[partner for partner, _account in pairs],
            accounts=[account for _partner, account in pairs],
            company=company.id,
            batch=batch.id if batch else 0,
            states=MADE_STATES,
            changes=changes,
        )
    )
    return frozenset(
        Payee(
            first=first,
            account_days=days,
            account_changed=changed and not first,
            countries=frozenset(filter(None, (country, number))),
        )
        for first, days, changed, country, number in rows
    )


def of_batch(batch):
    """What the rules ask about a batch.

    :param batch: one batch, read as the module itself: all payments count
    :return: (:class:`Facts`, exchange rate, the day it is of)
    :raises UserError: there is no exchange rate
    """
    company, currency = batch.company_id, batch.currency_id
    factor, day = rate(batch.env, currency, company, fields.Date.context_today(batch))
    own = company.currency_id
    payments = batch.payment_ids
    facts = Facts(
        company=company,
        journal=batch.journal_id,
        currency=currency,
        total=own.round(batch.amount_total * factor),
        largest=own.round(max(payments.mapped("amount")) * factor),
        urgent=batch.instant or batch.service_level == "URGP",
        payees=of_payees(
            batch.env,
            [(payment.partner_id.id, payment.partner_bank_id.id) for payment in payments],
            company,
            batch,
        ),
    )
    return facts, factor, day

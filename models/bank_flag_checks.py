"""What deserves an approver's look, as SQL: each check is one SELECT over a whole batch.

The checks share three tables and are run as one statement, so that a batch of 10,000 payments
costs as many queries as one of ten. Each yields ``payment_id``, ``severity`` and ``details``, the
values of the sentence that :mod:`bank_payment_flag` makes of it. Amounts in ``details`` are decimal
texts, days are ISO 8601; account numbers are cut to their last four characters here already.

A *payee* is the commercial partner: a company and its contacts are one. *History* is what the
company paid before, by whatever method, and what the bank did not reject.
"""

from odoo.tools import SQL

CONSTANTS = {
    # How many payments make a habit; below that nothing is usual.
    "usual_least": 5,
    # A habit is made of the latest payments, and forgotten after two years.
    "usual_most": 50,
    "usual_days": 730,
    # Vendors who number from 1 each year reach an old number again.
    "reference_days": 400,
}

TABLES = """
subject AS MATERIALIZED (
    SELECT payment.id,
           payment.bank_batch_id AS batch_id,
           payment.company_id,
           partner.commercial_partner_id AS payee_id,
           payment.currency_id,
           payment.amount,
           ABS(payment.amount_company_currency_signed) AS company_amount,
           payment.date,
           account.id AS account_id,
           account.sanitized_acc_number AS number,
           account.create_date AS account_since
      FROM account_payment payment
      JOIN res_partner partner ON partner.id = payment.partner_id
 LEFT JOIN res_partner_bank account ON account.id = payment.partner_bank_id
     WHERE payment.bank_batch_id IN %(batches)s
),
history AS MATERIALIZED (
    SELECT payment.id,
           payment.name,
           payment.company_id,
           partner.commercial_partner_id AS payee_id,
           payment.currency_id,
           payment.amount,
           ABS(payment.amount_company_currency_signed) AS company_amount,
           payment.date,
           payment.create_date,
           payment.bank_batch_id AS batch_id,
           -- Waits in another batch: not paid yet, but about to be.
           payment.state = 'draft' AS waiting,
           account.id AS account_id,
           account.sanitized_acc_number AS number
      FROM account_payment payment
      JOIN res_partner partner ON partner.id = payment.partner_id
 LEFT JOIN res_partner_bank account ON account.id = payment.partner_bank_id
 LEFT JOIN bank_payment_batch batch ON batch.id = payment.bank_batch_id
     WHERE payment.payment_type = 'outbound'
       AND payment.company_id IN (SELECT company_id FROM subject)
       AND partner.commercial_partner_id IN (SELECT payee_id FROM subject)
       AND (payment.bank_batch_id IS NULL OR payment.bank_batch_id NOT IN %(batches)s)
       AND (
               payment.state IN ('in_process', 'paid')
               OR payment.state = 'draft' AND batch.state = 'to_approve'
           )
),
last_paid AS MATERIALIZED (
    SELECT DISTINCT ON (payee_id, company_id)
           payee_id, company_id, date, number
      FROM history
     WHERE number IS NOT NULL AND NOT waiting
  ORDER BY payee_id, company_id, date DESC, id DESC
)
"""

FIRST_PAYMENT = """
    SELECT subject.id AS payment_id, 'medium' AS severity, jsonb_build_object() AS details
      FROM subject
     WHERE NOT EXISTS (
               SELECT 1 FROM history
                WHERE history.payee_id = subject.payee_id
                  AND history.company_id = subject.company_id
                  AND NOT history.waiting
           )
"""

# An account that was paid to before is a second account, not a new one.
ACCOUNT_CHANGED = """
    SELECT subject.id,
           CASE WHEN known.number IS NULL THEN 'high' ELSE 'note' END,
           jsonb_build_object(
               'date', last_paid.date,
               'old', RIGHT(last_paid.number, 4),
               'new', RIGHT(subject.number, 4),
               'known', known.number IS NOT NULL
           )
      FROM subject
      JOIN last_paid USING (payee_id, company_id)
 LEFT JOIN (
               SELECT DISTINCT payee_id, company_id, number FROM history WHERE NOT waiting
           ) known
           ON known.payee_id = subject.payee_id
          AND known.company_id = subject.company_id
          AND known.number = subject.number
     WHERE subject.number <> last_paid.number
"""

ACCOUNT_NEW = """
    SELECT id, 'medium', jsonb_build_object('date', account_since::date)
      FROM subject
     WHERE account_since > (NOW() AT TIME ZONE 'UTC') - %(account_days)s * INTERVAL '1 day'
"""

# Only vendors whom the company may see are named; the others are counted.
ACCOUNT_SHARED = """
    SELECT subject.id,
           'high',
           jsonb_build_object(
               'names', (ARRAY_AGG(DISTINCT owner.name) FILTER (
                            WHERE owner.company_id IS NULL
                               OR owner.company_id = subject.company_id))[:3],
               'count', COUNT(DISTINCT owner.id)
           )
      FROM subject
      JOIN res_partner_bank other ON other.sanitized_acc_number = subject.number
      JOIN res_partner partner ON partner.id = other.partner_id
      JOIN res_partner owner ON owner.id = partner.commercial_partner_id
     WHERE owner.id <> subject.payee_id
  GROUP BY subject.id
"""

DUPLICATE_AMOUNT = """
    SELECT DISTINCT ON (subject.id)
           subject.id,
           'medium',
           jsonb_build_object('date', history.date, 'batch', batch.name)
      FROM subject
      JOIN history USING (payee_id, company_id, currency_id, amount)
 LEFT JOIN bank_payment_batch batch ON batch.id = history.batch_id
     WHERE ABS(history.date - subject.date) < %(duplicate_days)s
  ORDER BY subject.id, history.date DESC, history.id DESC
"""

DUPLICATE_REFERENCE = """
    SELECT DISTINCT ON (subject.id)
           subject.id,
           'high',
           jsonb_build_object('reference', bill.ref, 'bill', other.name)
      FROM subject
      JOIN bank_payment_instalment instalment ON instalment.payment_id = subject.id
      JOIN account_move bill ON bill.id = instalment.move_id
      JOIN account_move other
           ON other.commercial_partner_id = bill.commercial_partner_id
          AND other.company_id = bill.company_id
          AND other.id <> bill.id
          AND UPPER(REGEXP_REPLACE(other.ref, '[^[:alnum:]]', '', 'g'))
            = UPPER(REGEXP_REPLACE(bill.ref, '[^[:alnum:]]', '', 'g'))
     WHERE bill.move_type IN ('in_invoice', 'in_receipt')
       AND other.move_type IN ('in_invoice', 'in_receipt')
       AND other.state = 'posted'
       AND ABS(other.invoice_date - bill.invoice_date) < %(reference_days)s
       AND REGEXP_REPLACE(bill.ref, '[^[:alnum:]]', '', 'g') <> ''
       AND (
               other.payment_state IN ('paid', 'in_payment', 'partial')
               OR EXISTS (
                      SELECT 1 FROM bank_payment_instalment live
                       WHERE live.move_id = other.id AND live.live
                  )
           )
  ORDER BY subject.id, other.id DESC
"""

SAME_AMOUNT = """
    SELECT id, 'medium', jsonb_build_object('count', times)
      FROM (
               SELECT id, COUNT(*) OVER (PARTITION BY batch_id, payee_id, currency_id, amount) times
                 FROM subject
           ) counted
     WHERE times > 1
"""

# Median and median absolute deviation (MAD) are not moved by the very outlier they are to find.
# 0.6745 x (amount - median) / MAD is the modified z-score of Iglewicz and Hoaglin (1993), who call
# more than 3.5 an outlier. A vendor whose bills are all alike has a MAD of nothing: a tenth of the
# median is the least that is taken.
AMOUNT_UNUSUAL = """
    SELECT subject.id,
           'medium',
           jsonb_build_object('median', middle::text, 'count', number_of)
      FROM subject
      JOIN (
               SELECT payee_id, company_id, middle, number_of,
                      GREATEST(
                          PERCENTILE_DISC(0.5) WITHIN GROUP (
                              ORDER BY ABS(company_amount - middle)
                          ),
                          0.1 * middle
                      ) AS spread
                 FROM (
                          SELECT payee_id, company_id,
                                 PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY company_amount)
                                     AS middle,
                                 COUNT(*) AS number_of,
                                 ARRAY_AGG(company_amount) AS amounts
                            FROM (
                                     SELECT payee_id, company_id, company_amount,
                                            ROW_NUMBER() OVER (
                                                PARTITION BY payee_id, company_id
                                                ORDER BY date DESC, id DESC
                                            ) AS place
                                       FROM history
                                      WHERE NOT waiting AND date > CURRENT_DATE - %(usual_days)s
                                 ) latest
                           WHERE place <= %(usual_most)s
                        GROUP BY payee_id, company_id
                          HAVING COUNT(*) >= %(usual_least)s
                      ) middles
           CROSS JOIN UNNEST(amounts) AS company_amount
             GROUP BY payee_id, company_id, middle, number_of
           ) usual USING (payee_id, company_id)
     WHERE %(unusual_score)s > 0
       AND 0.6745 * (company_amount - middle) > %(unusual_score)s * spread
"""

# Only with the control of payees' accounts, which notes each change of an account.
ACCOUNT_EDITED = """
    SELECT DISTINCT ON (subject.id)
           subject.id,
           'high',
           jsonb_build_object('date', change.date::date, 'user', person.name)
      FROM subject
      JOIN (
               SELECT account_id, company_id, MAX(create_date) AS paid
                 FROM history WHERE NOT waiting GROUP BY account_id, company_id
           ) earlier USING (account_id, company_id)
      JOIN bank_account_change change
           ON change.account_id = subject.account_id AND change.date > earlier.paid
          AND change.kind IN ('changed', 'bank', 'payee')
 LEFT JOIN res_users login ON login.id = change.user_id
 LEFT JOIN res_partner person ON person.id = login.partner_id
  ORDER BY subject.id, change.date DESC
"""

# A document that somebody brought in by hand is worth as much as that person's word: a rejection or
# a return that was never the bank's would have a bill paid twice.
REJECTED_BY_HAND = """
    SELECT DISTINCT ON (subject.id)
           subject.id,
           CASE WHEN connection.by_hand THEN 'medium' ELSE 'high' END,
           jsonb_build_object(
               'batch', batch.name, 'user', person.name, 'date', document.create_date::date
           )
      FROM subject
      JOIN bank_payment_instalment instalment ON instalment.payment_id = subject.id
      JOIN bank_payment_instalment former
           ON former.move_id = instalment.move_id AND NOT former.live
      JOIN account_payment earlier ON earlier.id = former.payment_id
      JOIN bank_payment_batch batch ON batch.id = earlier.bank_batch_id
      JOIN bank_connection connection ON connection.id = batch.connection_id
 LEFT JOIN account_bank_statement_line returned ON returned.id = earlier.bank_return_line_id
      JOIN LATERAL (
                   SELECT * FROM bank_message WHERE batch_id = batch.id
               UNION ALL
                   SELECT * FROM bank_message WHERE id = returned.bank_message_id
           ) document
           ON document.direction = 'in' AND document.uploaded_by_id IS NOT NULL
      JOIN res_users login ON login.id = document.uploaded_by_id
      JOIN res_partner person ON person.id = login.partner_id
     WHERE earlier.id <> subject.id
       AND (earlier.bank_status IN ('RJCT', 'CANC') OR earlier.bank_returned)
  ORDER BY subject.id, document.id DESC
"""

CHECKS = {
    "rejected_by_hand": REJECTED_BY_HAND,
    "first_payment": FIRST_PAYMENT,
    "account_changed": ACCOUNT_CHANGED,
    "account_new": ACCOUNT_NEW,
    "account_shared": ACCOUNT_SHARED,
    "duplicate_amount": DUPLICATE_AMOUNT,
    "duplicate_reference": DUPLICATE_REFERENCE,
    "same_amount": SAME_AMOUNT,
    "amount_unusual": AMOUNT_UNUSUAL,
}


def insert_found(checks, batches, user, settings):
    """The statement that runs checks and notes what they find as ``bank.payment.flag``.

    :param checks: code of a flag -> its SELECT
    :param batches: tuple of ids
    :param user: id of whoever sent the batches to approval
    :param settings: values that the checks take, by name
    """
    found = SQL(" UNION ALL ").join(
        SQL(
            "SELECT %(code)s AS code, found.*"
            " FROM (%(check)s) AS found(payment_id, severity, details)",
            code=code,
            check=part(check, {**CONSTANTS, **settings}),
        )
        for code, check in checks.items()
    )
    return SQL(
        """
        WITH %(tables)s
        INSERT INTO bank_payment_flag
               (batch_id, payment_id, company_id, code, severity, details,
                create_uid, write_uid, create_date, write_date)
        SELECT payment.bank_batch_id, payment.id, payment.company_id,
               found.code, found.severity, found.details,
               %(user)s, %(user)s, NOW() AT TIME ZONE 'UTC', NOW() AT TIME ZONE 'UTC'
          FROM (%(found)s) found
          -- Not "subject": the planner knows no index on it, and compares all with all.
          JOIN account_payment payment ON payment.id = found.payment_id
      ORDER BY found.severity, payment.id, found.code
        """,
        tables=part(TABLES, {"batches": batches}),
        found=found,
        user=user,
    )


def part(text, values):
    """A constant SQL text with those of the values that it names."""
    named = {name: value for name, value in values.items() if f"%({name})s" in text}
    return SQL(text, **named)  # pylint: disable=sql-injection

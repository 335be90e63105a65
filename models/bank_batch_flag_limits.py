"""Flags for what comes near a limit of the approval rules, and for the hour of the preparation."""

from collections import defaultdict
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import babel
from odoo import fields, models
from odoo.tools import SQL

from .bank_flag_checks import TABLES, part

# With one of these conditions, an amount alone does not make a rule apply.
OTHER_CONDITIONS = ("new_payee", "account_days", "account_changed", "country_ids", "urgent")

# What one payee gets in a batch, and in other batches about that day.
PER_PAYEE = """
    SELECT own.batch_id, own.ids, own.amounts,
           COUNT(history.id) AS near_count,
           COALESCE(SUM(history.company_amount), 0) AS near_total,
           COALESCE(MAX(history.company_amount), 0) AS near_largest
      FROM (
               SELECT batch_id, company_id, payee_id, MIN(date) AS date,
                      ARRAY_AGG(id ORDER BY id) AS ids,
                      ARRAY_AGG(company_amount ORDER BY id) AS amounts
                 FROM subject
             GROUP BY batch_id, company_id, payee_id
           ) own
 LEFT JOIN history
           ON history.payee_id = own.payee_id
          AND history.company_id = own.company_id
          AND history.batch_id IS NOT NULL
          AND ABS(history.date - own.date) <= %(split_days)s
  GROUP BY own.batch_id, own.payee_id, own.ids, own.amounts
  ORDER BY own.batch_id, own.payee_id
"""


class BankPaymentBatch(models.Model):
    _inherit = "bank.payment.batch"

    def _flags_of_limits(self, settings):
        """Batches and payments just below a limit of a rule, and payments split below one."""
        if "bank.approval.rule" not in self.env:
            return []
        # sudo: the rules bind whoever prepares, also one who may not read them.
        # All of them: rules are few.
        rules = self.env["bank.approval.rule"].sudo().search([])  # pylint: disable=no-search-all
        limits = {batch.id: batch._amount_limits(rules) for batch in self}
        if not any(totals or singles for totals, singles in limits.values()):
            return []
        self.env.cr.execute(
            SQL(
                "WITH %s %s",
                part(TABLES, {"batches": tuple(self.ids)}),
                part(PER_PAYEE, {"split_days": int(settings["split_days"])}),
            )
        )
        payees = defaultdict(list)
        for batch, *rest in self.env.cr.fetchall():
            payees[batch].append(rest)
        found = []
        share = 1 - settings["below_percent"] / 100
        for batch, rows in payees.items():
            totals, singles = limits[batch]
            total = sum(sum(amounts) for _ids, amounts, *_near in rows)
            found += _just_below(batch, None, total, totals, share)
            for ids, amounts, *near in rows:
                for payment, amount in zip(ids, amounts, strict=True):
                    found += _just_below(batch, payment, amount, singles, share)
                if settings["split_days"]:
                    open_limits = singles + [limit for limit in totals if total < limit[0]]
                    details = _split(amounts, near, open_limits, settings["split_days"])
                    found += [
                        (batch, payment, "split", "high", details) for payment in ids if details
                    ]
        return found

    def _amount_limits(self, rules):
        """From which amounts on a rule asks for more, in the company's currency.

        :return: two lists of (amount, name of the rule): for the batch's total, and for a payment
        """
        applying = rules.filtered(
            lambda rule: (
                rule.company_id in (rule.company_id.browse(), self.company_id)
                and (not rule.journal_ids or self.journal_id in rule.journal_ids)
                and (not rule.currency_ids or self.currency_id in rule.currency_ids)
                and not any(rule[name] for name in OTHER_CONDITIONS)
            )
        )
        return tuple(
            [(_exact(rule[name]), rule.name) for rule in applying if rule[name] > 0]
            for name in ("amount_from", "payment_from")
        )

    def _odd_hours(self, settings):
        """Batches that are sent to approval at night or at the weekend, by the company's clock."""
        found = []
        now = fields.Datetime.now()
        for batch in self:
            zone, local = batch._company_time(now)
            weekend = local.weekday() in batch._weekend()
            start, end = int(settings["night_from"]), int(settings["night_to"])
            night = start != end and (
                start <= local.hour < end
                if start < end
                else local.hour >= start or local.hour < end
            )
            if weekend or night:
                details = {"at": now.isoformat(), "zone": zone, "weekend": weekend}
                found.append((batch.id, None, "odd_hour", "note", details))
        return found

    def _company_time(self, moment):
        """A moment on the company's clock: its own time zone, or that of who prepared.

        :param moment: naive datetime in UTC
        :return: name of the time zone, aware datetime
        """
        utc = moment.replace(tzinfo=ZoneInfo("UTC"))
        for name in (self.company_id.sudo().partner_id.tz, self.preparer_id.sudo().tz):
            try:
                if name:
                    return name, utc.astimezone(ZoneInfo(name))
            except ZoneInfoNotFoundError:
                continue
        return "UTC", utc

    def _weekend(self):
        """Days of the weekend where the company is, Monday being 0."""
        country = self.company_id.sudo().country_id.code
        try:
            locale = babel.Locale.parse(f"und_{country}") if country else None
        except (babel.UnknownLocaleError, ValueError):
            locale = None
        if not locale:
            return {5, 6}
        first, last = locale.weekend_start, locale.weekend_end
        return {(first + step) % 7 for step in range((last - first) % 7 + 1)}


def _exact(amount):
    return Decimal(str(amount))


def _just_below(batch, payment, amount, limits, share):
    """A flag if an amount is within the last percents below the next limit."""
    above = [limit for limit in limits if amount < limit[0]]
    limit, rule = min(above, default=(None, None))
    if limit is None or amount < limit * share:
        return []
    details = {"total": str(amount), "limit": str(limit), "rule": rule}
    return [(batch, payment, "below_limit", "medium", details)]


def _split(amounts, near, limits, days):
    """The highest limit that payments to one payee reach together, and none of them alone."""
    near_count, near_total, near_largest = near
    largest, total = max(*amounts, near_largest), sum(amounts) + near_total
    reached = [limit for limit, _rule in limits if largest < limit <= total]
    if not reached or len(amounts) + near_count < 2:
        return None
    return {
        "count": len(amounts) + near_count,
        "days": int(days),
        "total": str(total),
        "limit": str(max(reached)),
    }

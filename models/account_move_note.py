"""The chatter's note of a bill's change of payment state, for many bills at once.

Odoo posts a message for each bill, one by one. Here the same messages are written as a set, except
where somebody follows a bill to be told: there Odoo posts them.
"""

from contextlib import contextmanager

from odoo import models


class AccountMove(models.Model):
    _inherit = "account.move"

    @contextmanager
    def _bank_noting(self):
        """Note in these bills' chatter what changes meanwhile, if Odoo itself does not track it.

        For a block in whose context ``tracking_disable`` is set.
        """
        if not self.env.context.get("tracking_disable"):
            yield
            return
        bills = self.filtered(lambda move: move.is_invoice(include_receipts=True))
        names = bills._track_get_fields()
        before = {bill.id: {name: bill[name] for name in names} for bill in bills}
        yield
        self.env.flush_all()
        bills.sudo().with_context(tracking_disable=False)._bank_note_changes(names, before)

    def _bank_note_changes(self, names, before):
        fields = self.fields_get(
            names, attributes=("string", "type", "selection", "currency_field")
        )
        tracked, subtypes, answers = {}, {}, {}
        for bill in self:
            changes, values = bill._mail_track(fields, before[bill.id])
            if changes:
                tracked[bill.id] = values
                initial = {name: before[bill.id][name] for name in changes}
                # Bills of one kind that changed alike are told of alike.
                kind = (bill.move_type, *((name, initial[name], bill[name]) for name in changes))
                if kind not in answers:
                    answers[kind] = bill._track_subtype(initial)
                subtypes[bill.id] = answers[kind]
        told = self._bank_followed(subtypes)
        told._message_track(names, before)
        noted = self.browse(tracked) - told
        if not noted:
            return
        messages = noted._message_log_batch(bodies={})
        self.env["mail.tracking.value"].sudo().create(
            [
                {**command[2], "mail_message_id": message.id}
                for message in messages
                for command in tracked[message.res_id]
            ]
        )
        for subtype in self.env["mail.message.subtype"].union(*filter(None, subtypes.values())):
            messages.filtered(
                lambda message, subtype=subtype: subtypes[message.res_id] == subtype
            ).write({"subtype_id": subtype.id, "is_internal": subtype.internal})

    def _bank_followed(self, subtypes):
        """Those with followers who want to be told of the change.

        :param subtypes: id → the subtype of its change, or none
        """
        followers = self.env["mail.followers"].search(
            [("res_model", "=", self._name), ("res_id", "in", list(subtypes))]
        )
        return self.browse(
            {
                follower.res_id
                for follower in followers
                if subtypes[follower.res_id] and subtypes[follower.res_id] in follower.subtype_ids
            }
        )

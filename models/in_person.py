"""Who decides: a person, and in their own name.

A person is a partner, however many logins they have. Decisions are made by whoever called, not in
another's name by code that borrows it (``with_user`` in a server action), and not by a scheduled
action.
"""

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError
from odoo.http import request


def logins_of(users):
    """All logins of the people to whom these belong, also archived ones; with sudo."""
    # sudo: only whose logins they are is looked at.
    users = users.sudo().with_context(active_test=False)
    if not users:
        return users
    return users | users.search([("partner_id", "in", users.partner_id.ids)])


def same_person(one, other):
    """Whether two logins are of one person."""
    # sudo: as above.
    return one == other or one.sudo().partner_id == other.sudo().partner_id


def check_in_person(env):
    """Refuse a decision that its person did not ask for.

    :raises AccessError: the system decides, or somebody acts in the user's name
    """
    if env.uid == SUPERUSER_ID:
        raise AccessError(env._("A person has to decide about this, not the system."))
    caller = env.transaction.default_env  # as whom the call came in
    if request:
        uid = request.session.uid or (caller and caller.uid)
        if uid and uid != env.uid:
            raise AccessError(
                env._("A decision can't be made in %s's name by somebody else.", env.user.name)
            )
    elif caller and caller.context.get("cron_id"):
        raise AccessError(env._("A person has to decide about this, not a scheduled action."))

"""Following the audit chain from its start, event by event, to the first broken link.

Plain Python, like :mod:`.audit_chain`: memory stays the same however long the chain is.
"""

from collections import namedtuple

from . import audit_chain as chain

#: A broken link. ``code``: see :class:`Follower`. ``position``: of the first event that is wrong
#: (None: it is not in the chain yet). ``event_id``, ``date``: the event's own, where there is one.
Break = namedtuple("Break", "code position event_id date")


class Follower:
    """Takes the events of a chain in their order, and says what is wrong with the first bad one.

    Codes of a break: ``missing`` (an event was removed), ``moved`` (it does not follow the one
    before it: moved, or put in), ``edited`` (it says something else than when it was linked),
    ``forged_event`` (its own signature is wrong), ``forged_link`` (the signature of its place is),
    ``rewritten`` (another event stood here when an earlier head was taken), ``truncated`` (the
    chain ends before an earlier head), ``unlinked`` (it was not given a place for too long).

    :param verify: ``verify(message, signature)`` → True, False, or None where the key to check it
        with is not at hand
    :param dict heads: position → hash, of heads that were taken earlier
    :ivar position, hash: of the last good event
    :ivar unsigned: events that were recorded or linked without a master key
    :ivar unchecked: events whose signatures could not be checked
    :ivar first_doubtful: position of the first unsigned or unchecked event
    """

    def __init__(self, verify, heads=None):
        self._verify, self._heads = verify, dict(heads or {})
        self.position, self.hash, self.date = 0, chain.START, None
        self.unsigned = self.unchecked = 0
        self.first_doubtful = None

    def take(self, event):
        """The next event (dict of all columns); :class:`Break` if it is wrong, else None."""
        code = self._fault(event)
        if code == "missing":
            return Break(code, self.position + 1, None, event["date"])
        if code:
            return Break(code, event["position"], event["id"], event["date"])
        self.position, self.hash, self.date = event["position"], event["hash"], event["date"]
        return None

    def _fault(self, event):
        place = self.position + 1
        if event["position"] != place:
            return "missing" if event["position"] > place else "moved"
        if event["previous_hash"] != self.hash:
            return "moved"
        if event["hash"] != chain.link_hash(event, place, self.hash):
            return "edited"
        own = self._signed(chain.event_message(event), event["content_mac"])
        link = self._signed(chain.link_message(event["hash"]), event["chain_mac"])
        if own is False or link is False:
            return "forged_event" if own is False else "forged_link"
        if self._heads.get(place, event["hash"]) != event["hash"]:
            return "rewritten"
        self.unsigned += "unsigned" in (own, link)
        self.unchecked += None in (own, link)
        if (own, link) != (True, True) and self.first_doubtful is None:
            self.first_doubtful = place
        return None

    def take_pending(self, event, late):
        """An event without a place: :class:`Break` if it is forged, or waits too long."""
        own = self._signed(chain.event_message(event), event["content_mac"])
        if own is False or late:
            code = "forged_event" if own is False else "unlinked"
            return Break(code, None, event["id"], event["date"])
        return None

    def end(self):
        """At the end of the chain: :class:`Break` if it was longer once, else None."""
        if max(self._heads, default=0) > self.position:
            return Break("truncated", self.position + 1, None, self.date)
        return None

    def _signed(self, message, signature):
        return self._verify(message, signature) if signature else "unsigned"

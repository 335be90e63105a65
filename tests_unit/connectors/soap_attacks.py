"""What the tests of hostile answers share."""

import pytest
from lxml import etree

from connectors import Uncertain


def edit(change):
    """Return a hook that changes the finished envelope's tree."""

    def tamper(content):
        root = etree.fromstring(content)
        changed = change(root)
        return etree.tostring(root if changed is None else changed)

    return tamper


def refused(dial_soap, document, key):
    """Submit, and return the doubt that it must end in."""
    with pytest.raises(Uncertain) as caught:
        dial_soap().submit(document, key)
    return caught.value

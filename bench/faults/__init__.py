"""``bin/bench faults``: no payment twice, none lost, whatever happens.

The parts, in the order in which they act: ``stage`` (PostgreSQL, bank, two Odoo servers),
``company`` (users, vendors, bills), ``people`` (who press the buttons, at the same time) and
``chaos`` (what breaks meanwhile), ``recovery`` (the faults end, the bank's days go by), ``judge``
(the bank's own ledger against Odoo's), ``report``. ``lanes`` measures how sending grows with
servers.
"""

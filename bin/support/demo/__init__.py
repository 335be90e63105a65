"""``bin/demo``: bills paid through the sandbox bank by real people's rights, then three counts.

The parts, in the order in which they act: ``stage`` (servers, database), ``cast`` and ``bills``
(who is paid what, and how it shall end), ``road`` (the main job, over Odoo's public API),
``verdict`` and ``totals`` (did it end so), ``screenshots``.
"""

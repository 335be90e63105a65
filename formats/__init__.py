"""Bank documents as plain Python: what leaves as pain.001, what comes back as pain.002 and camt.

No module here knows Odoo, a database or a network: streams and dataclasses in,
streams and dataclasses out.
"""

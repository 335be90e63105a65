"""``bin/bench lanes``: how sending grows with Odoo's workers and servers."""

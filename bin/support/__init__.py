"""What the commands in ``bin/`` are made of: settings, processes, PostgreSQL, Odoo, the bank."""

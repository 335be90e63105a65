import logging
import sys

import odoo.modules.registry
from odoo import SUPERUSER_ID, api
from odoo.cli import Command
from odoo.tools import config


class BankReseal(Command):
    """Seal the secrets of Bank Connect under the newest master key, and say what is under which.

    Ends with 0 if everything is under the newest key, with 1 if something can't be opened with the
    keys of this server.
    """

    name = "bank_reseal"

    def run(self, args):
        parser = self.parser
        parser.add_argument("-c", "--config", help="Odoo's configuration file")
        parser.add_argument("-d", "--database", help="the database to work on")
        parser.add_argument("--dry-run", action="store_true", help="only say what is where")
        known, rest = parser.parse_known_args(args)
        options = [f"--config={known.config}"] if known.config else []
        options += [f"--database={known.database}"] if known.database else []
        config.parse_config([*options, *rest], setup_logging=True)
        logging.getLogger().setLevel(logging.ERROR)
        names = config["db_name"]
        if len(names) != 1:
            parser.error("name one database with -d")
        with odoo.modules.registry.Registry(names[0]).cursor() as cr:
            sealed = api.Environment(cr, SUPERUSER_ID, {})["bank.sealed"]
            try:
                if not known.dry_run:
                    sealed._reseal()
            except odoo.exceptions.UserError as error:
                print(error, file=sys.stderr)
                sys.exit(1)
            lines = sealed._standing()
        for line in lines:
            place = "newest" if line["newest"] else "older" if line["known"] else "MISSING"
            print(f"{line['key']:12} {place:8} {line['what']:7} {line['count']:8} {line['model']}")
        sys.exit(any(not line["known"] and line["what"] == "sealed" for line in lines))

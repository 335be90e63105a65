import json
import logging
import sys
from pathlib import Path

import odoo.modules.registry
from odoo import SUPERUSER_ID, api
from odoo.cli import Command
from odoo.tools import config

EXIT = {"intact": 0, "broken": 1, "unproven": 2}


class BankAudit(Command):
    """Verify the audit trail of Bank Connect, and say where it is broken.

    Reads only, unless the head is exported. Ends with 0 if every event is proven, with 1 if the
    trail is broken, and with 2 if nothing is wrong but not everything could be proven.
    """

    name = "bank_audit"

    def run(self, args):
        parser = self.parser
        parser.add_argument("-c", "--config", help="Odoo's configuration file")
        parser.add_argument("-d", "--database", help="the database to look at")
        parser.add_argument(
            "--head", type=Path, help="a head that was exported earlier: is it still in the trail?"
        )
        parser.add_argument("--export", type=Path, help="write the signed head to this file")
        known, rest = parser.parse_known_args(args)
        # What is not ours is Odoo's own: the database's host, the path of add-ons, and so on.
        options = [f"--config={known.config}"] if known.config else []
        options += [f"--database={known.database}"] if known.database else []
        config.parse_config([*options, *rest], setup_logging=True)
        logging.getLogger().setLevel(logging.ERROR)
        names = config["db_name"]
        if len(names) != 1:
            parser.error("name one database with -d")
        sys.exit(self._verify(names[0], known))

    def _verify(self, database, options):
        with odoo.modules.registry.Registry(database).cursor() as cr:
            trail = api.Environment(cr, SUPERUSER_ID, {})["bank.audit.check"]
            try:
                check, head = trail._verify_in_shell(
                    options.head and options.head.read_text(), bool(options.export)
                )
            except odoo.exceptions.UserError as error:
                print(error, file=sys.stderr)
                return EXIT["broken"]
            if options.export:
                options.export.write_text(json.dumps(head, indent=1))
        print(check["summary"])
        return EXIT[check["result"]]

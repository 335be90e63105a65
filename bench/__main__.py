"""``bin/bench pay|receive|faults|lanes``: which measurement, and hand over to it."""

from __future__ import annotations

import importlib
import sys

from support.processes import guarded

# Command → the package whose ``main(arguments)`` does it; the first two share one.
COMMANDS = {
    "pay": "bench.bulk",
    "receive": "bench.bulk",
    "faults": "bench.faults",
    "lanes": "bench.lanes",
}
USAGE = """\
usage: bin/bench COMMAND [options]      (bin/bench COMMAND --help)

  pay       bills to an approved batch, posted payments and the bytes for the bank
  receive   a statement to booked, reconciled payments and paid bills
  faults    batches through faults and crashes; then the bank's own ledger is asked
  lanes     sending with one worker, with more, and with two servers
"""


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        asked = len(sys.argv) > 1 and sys.argv[1] in ("-h", "--help")
        print(USAGE, end="", file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    command = sys.argv[1]
    # Loaded when asked for: each brings what it needs.
    package = importlib.import_module(f"{COMMANDS[command]}.__main__")
    return package.main(sys.argv[1:] if COMMANDS[command] == "bench.bulk" else sys.argv[2:])


guarded(main)

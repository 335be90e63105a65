"""``bin/bench pay|receive|resume|faults|lanes``: which measurement, and hand over to it."""

from __future__ import annotations

import importlib
import sys

from support.processes import guarded

# Command → the module whose ``main(arguments)`` does it; the first two share one.
COMMANDS = {
    "pay": "bench.bulk.__main__",
    "receive": "bench.bulk.__main__",
    "resume": "bench.bulk.resume",
    "faults": "bench.faults.__main__",
    "lanes": "bench.lanes.__main__",
}
USAGE = """\
usage: bin/bench COMMAND [options]      (bin/bench COMMAND --help)

  pay       bills to an approved batch, posted payments and the bytes for the bank
  receive   a statement to booked, reconciled payments and paid bills
  resume    a long statement, its process killed in the middle; what is booked in the end
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
    module = importlib.import_module(COMMANDS[command])
    return module.main(sys.argv[1:] if command in ("pay", "receive") else sys.argv[2:])


guarded(main)

"""A mock bank made from the Berlin Group's own OpenAPI file, for the test of conformance.

``bin/setup`` installs the mock server, prism, where it finds the file; without either the test is
skipped, and says so.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

REPO = Path(__file__).parents[2]
# The file belongs to its publisher, not to this repository: it is kept in a folder beside the
# checkout. Named the same in setup/programs.sh.
BESIDE = "*/spec/*berlin-group*openapi*.yaml"


def openapi(folder: Path = REPO.parent) -> Path | None:
    """Return the OpenAPI file: the one named, or the newest in a ``spec`` beside the checkout."""
    named = os.environ.get("BERLIN_GROUP_OPENAPI")
    found = [Path(named)] if named else sorted(folder.glob(BESIDE), reverse=True)
    return next((path.resolve() for path in found if path.is_file()), None)


def program() -> Path | None:
    """Return prism: the one named, the system's, or the one that bin/setup keeps for itself."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    own = Path(cache).expanduser() / "account_bank_connect/prism/node_modules/.bin/prism"
    named = [os.environ.get("PRISM"), shutil.which("prism"), own]
    return next((Path(one) for one in named if one and Path(one).is_file()), None)

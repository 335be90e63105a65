"""What ``bin/setup`` found, as read from the environment that ``.run/env.sh`` sets."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

MODULE = "account_bank_connect"


@dataclass(frozen=True)
class Settings:
    """Where things are on this machine; every path is absolute."""

    repo: Path
    run: Path  # the repository's ignored folder: clusters, logs, state
    cache: Path
    python: Path  # of the environment with Odoo's dependencies
    odoo_root: Path  # the folder with the package ``odoo``
    odoo_version: str
    addons: Path  # holds the module under its own name
    postgres_bin: Path
    chromium: Path

    @property
    def logs(self) -> Path:
        return self.run / "logs"

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the settings; raise SystemExit with advice when ``bin/setup`` has not run."""
        try:
            return cls(
                repo=Path(os.environ["BC_REPO"]),
                run=Path(os.environ["BC_RUN"]),
                cache=Path(os.environ["BC_CACHE"]),
                python=Path(os.environ["BC_PYTHON"]),
                odoo_root=Path(os.environ["BC_ODOO_ROOT"]),
                odoo_version=os.environ["BC_ODOO_VERSION"],
                addons=Path(os.environ["BC_ADDONS"]),
                postgres_bin=Path(os.environ["BC_POSTGRES_BIN"]),
                chromium=Path(os.environ["BC_CHROMIUM"]),
            )
        except KeyError as missing:
            raise SystemExit(
                f"{missing.args[0]} is not set: run bin/setup, then the command in bin/."
            ) from None

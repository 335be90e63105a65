"""Built-in profiles: one JSON file per bank API, named like the profile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..interface import SettingsError

_FOLDER = Path(__file__).parent


def profile_names() -> list[str]:
    """Return the names of the built-in profiles, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.json"))


def profile(name: str) -> dict[str, Any]:
    """Return a fresh copy of the built-in profile `name` as plain data.

    :raises SettingsError: ``profile``, when there is none of that name
    """
    if name not in profile_names():
        raise SettingsError(
            "profile", f"There is no bank profile {name!r}; there are {', '.join(profile_names())}."
        )
    return json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))

"""A bank without a channel: people carry the files, and nothing calls the bank.

A profile of this protocol has ``protocol`` ("file"), ``name`` and ``title`` only.  There is no
connector for it: what the six methods do is done by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .profile_reader import Reader


@dataclass(frozen=True)
class FileProfile:
    """One bank to which files are carried by hand."""

    name: str
    title: str
    can_recall: bool = False  # the bank is telephoned

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FileProfile:
        """Read a profile.

        :raises SettingsError: ``profile``; the text names the key
        """
        top = Reader(data)
        top.choice("protocol", {"file"})
        profile = cls(name=top.take("name", str), title=top.take("title", str, ""))
        top.end()
        return profile

    def variables(self) -> set[str]:
        """Return the names of the variables that the texts need: none."""
        return set()

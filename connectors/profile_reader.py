"""Reads a profile's plain data, and complains by the full name of the key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .interface import SettingsError
from .templates import FIELD

# Fields that the connector fills itself; any other is a variable of the connection.
OWN = {"service", "product", "payment_id", "key", "key_hex", "id", "account"}


class Reader:
    """Takes values out of a mapping by kind, and complains by the full name of the key."""

    def __init__(self, data: Any, where: str = "") -> None:
        self.where = where
        if not isinstance(data, Mapping):
            raise self.wrong("", "must be an object")
        self.data = dict(data)

    def wrong(self, key: str, what: str) -> SettingsError:
        name = f"{self.where}.{key}".strip(".") or "the profile"
        return SettingsError("profile", f"Bank profile: {name} {what}.")

    def take(self, key: str, kind: type, default: Any = ...) -> Any:
        value = self.data.pop(key, None)
        if value is None:
            if default is ...:
                raise self.wrong(key, "is missing")
            return default
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.wrong(key, f"must be of type {kind.__name__}")
        return value

    def choice(self, key: str, values: Any, default: Any = ...) -> str:
        value = self.take(key, str, default)
        if value not in values:
            raise self.wrong(key, f"must be one of {', '.join(sorted(values))}")
        return value

    def texts(self, key: str, default: Any = ...) -> dict[str, str]:
        value = self.take(key, dict, default)
        if not all(isinstance(item, str) for pair in value.items() for item in pair):
            raise self.wrong(key, "must map texts to texts")
        return value

    def strings(self, key: str) -> tuple[str, ...]:
        value = self.take(key, list, [])
        if not all(isinstance(item, str) for item in value):
            raise self.wrong(key, "must be a list of texts")
        return tuple(value)

    def path(self, key: str, fields: set[str], allowed: set[str] | None = None) -> str:
        """Take a path that must hold `fields` and may hold `allowed` and variables."""
        value = self.take(key, str)
        if not value.startswith("/") or value.startswith("//"):
            raise self.wrong(key, "must start with one slash")
        if missing := fields - set(FIELD.findall(value)):
            raise self.wrong(key, f"must hold {{{'}, {'.join(sorted(missing))}}}")
        if foreign := (OWN - fields - (allowed or set())) & set(FIELD.findall(value)):
            raise self.wrong(key, f"cannot hold {{{'}, {'.join(sorted(foreign))}}}")
        return value

    def sub(self, key: str, default: Any = ...) -> Reader | None:
        value = self.take(key, dict, default)
        return None if value is None else Reader(value, f"{self.where}.{key}".strip("."))

    def items(self, key: str, default: Any = ...) -> list[Reader]:
        value = self.take(key, list, default)
        name = f"{self.where}.{key}".strip(".")
        return [Reader(item, f"{name}[{index}]") for index, item in enumerate(value)]

    def end(self) -> None:
        if self.data:
            raise self.wrong(min(self.data), "is not known")

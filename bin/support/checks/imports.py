"""Which room of the repository may import which: a check of the source, nothing is run.

``formats/`` and ``connectors/`` know neither Odoo nor each other, so that both work without; and
``sandbox/``, the bank, judges the module, so that they must not share a mistake.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..settings import MODULE

_LIBRARIES = ("formats", "connectors")
_BANK = "sandbox"
# Not the project's own source.
_SKIPPED = ("static", "node_modules")


@dataclass(frozen=True)
class _Import:
    line: int
    target: str  # dotted; what is in this repository, from its root
    relative: bool


def problems(repo: Path) -> list[str]:
    """Return what breaks the rules, each as ``path:line: words``."""
    rooms = {path.name for path in repo.iterdir() if path.is_dir()}
    found = []
    for path in sorted(_sources(repo)):
        place = path.relative_to(repo)
        try:
            imports = list(_imports(path.read_bytes(), place))
        except (SyntaxError, ValueError) as error:
            found.append(f"{place}: {error}")
            continue
        for each in imports:
            if words := _objection(place, each, rooms):
                found.append(f"{place}:{each.line}: {words}")
    return found


def _sources(repo: Path) -> Iterator[Path]:
    for path in repo.rglob("*.py"):
        folders = path.relative_to(repo).parts[:-1]
        if not any(part.startswith(".") or part in _SKIPPED for part in folders):
            yield path


def _objection(place: Path, each: _Import, rooms: set[str]) -> str | None:
    room = place.parts[0] if len(place.parts) > 1 else ""
    top = each.target.partition(".")[0]
    if room in _LIBRARIES and top == room and not each.relative:
        return f"imports {each.target} by name: within {room}/ imports are relative"
    if room in (*_LIBRARIES, _BANK):
        barred = top != room and (each.relative or top in {"odoo", "", *rooms})
    elif place.parts[:2] == ("tests_unit", _BANK):
        barred = top in ("odoo", *_LIBRARIES)
    else:
        barred = top == _BANK
    if not barred:
        return None
    return f"imports {each.target or 'the module'}, which {place.parent}/ must not know"


def _imports(source: bytes, place: Path) -> Iterator[_Import]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _Import(node.lineno, _at_home(alias.name), False)
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, place)
            for alias in node.names:
                target = ".".join(part for part in (base, alias.name) if part)
                yield _Import(node.lineno, _at_home(target), node.level > 0)
        elif isinstance(node, ast.Call) and (name := _imported_by_call(node)):
            yield _Import(node.lineno, _at_home(name), False)


def _base(node: ast.ImportFrom, place: Path) -> str:
    """The package that ``from ... import`` names, seen from the repository's root."""
    if not node.level:
        return node.module or ""
    folders = place.parts[:-1]
    if node.level > len(folders) + 1:
        raise ValueError(f"line {node.lineno} imports from above the repository")
    parts = [*folders[: len(folders) + 1 - node.level], *([node.module] if node.module else [])]
    return ".".join(parts)


def _at_home(target: str) -> str:
    """What Odoo calls ``odoo.addons.<module>.x`` is ``x`` here."""
    for name in (f"odoo.addons.{MODULE}", MODULE):
        if target == name or target.startswith(f"{name}."):
            return target[len(name) + 1 :]
    return target


def _imported_by_call(node: ast.Call) -> str | None:
    """The name in ``import_module("x")`` or ``__import__("x")``, if it stands there."""
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    first = node.args[0] if node.args else None
    if name in ("import_module", "__import__") and isinstance(first, ast.Constant):
        return first.value if isinstance(first.value, str) else None
    return None

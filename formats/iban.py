"""Whether an account number is an IBAN (ISO 13616): its country's length and check digits."""

import importlib.machinery
import re
from functools import lru_cache

import stdnum

_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", re.ASCII)


def _find_data_files() -> None:
    # A host may put its own loader around a package that it patches on import, as Odoo does with
    # this one; Python then can't find the data files that lie beside the package's modules.
    if not hasattr(stdnum.__spec__.loader, "get_resource_reader"):
        stdnum.__spec__ = importlib.machinery.PathFinder.find_spec("stdnum") or stdnum.__spec__


_find_data_files()

from stdnum import iban as _stdnum_iban  # noqa: E402 - reads a data file on import


@lru_cache(maxsize=65536)
def is_iban(number: str) -> bool:
    """An IBAN in electronic form: right length for its country, check digits right."""
    return _IBAN.fullmatch(number) is not None and _stdnum_iban.is_valid(
        number, check_country=False
    )

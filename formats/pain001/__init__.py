"""The instruction to the bank: pain.001, customer credit transfer initiation.

::

    faults = pain001.problems(instruction, "pain.001.001.09")     # all of them, before anything
    summary = pain001.write(instruction, stream, "pain.001.001.09")
    message = pain001.read(stream)                                # an independent reading
"""

from .check import problems
from .reader import BlockHeader, Message, read, read_transfers
from .remittance import remittance_text
from .texts import carried
from .versions import VERSIONS
from .writer import write

__all__ = [
    "VERSIONS",
    "BlockHeader",
    "Message",
    "carried",
    "problems",
    "read",
    "read_transfers",
    "remittance_text",
    "write",
]

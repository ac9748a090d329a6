"""Go through the directories of a TIFF before a library does, so that none can be endless.

A directory is a count, its entries, and the offset of the next one (Adobe, "TIFF Revision 6.0",
1992, section 2); in a BigTIFF the same with 64-bit numbers.
"""

from __future__ import annotations

import os
from typing import BinaryIO


def directories_fit(stream: BinaryIO) -> bool:
    """Tell whether the directories of a TIFF, which do not overlap in an honest one, can lie in it.

    In a hostile one they lead in circles, lie in one another, or have billions of entries.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    little = stream.read(1) == b"I"

    def number(at: int, length: int) -> int:
        stream.seek(at)
        return int.from_bytes(stream.read(length), "little" if little else "big")

    big = number(2, 2) == 43
    count, entry, offset = (8, 20, 8) if big else (2, 12, 4)
    total, at = 0, number(8 if big else 4, offset)
    while at and total <= size:
        entries = number(at, count)
        total += count + entries * entry + offset
        at = number(at + count + entries * entry, offset) if total <= size else at
    stream.seek(0)
    return total <= size

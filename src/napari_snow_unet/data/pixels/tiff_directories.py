"""Go through the directories of a TIFF before a library does, so that none can be endless.

References
----------
.. [1] Adobe Developers Association, "TIFF Revision 6.0", 1992, section 2: a directory is a count,
       its entries, and the offset of the next one.
.. [2] The BigTIFF layout: the same with 64-bit numbers, as libtiff documents it.
"""

from __future__ import annotations

import os
from typing import BinaryIO


def directories_fit(stream: BinaryIO) -> bool:
    """Tell whether the directories of a TIFF, one after the other, can lie in the file.

    They do not overlap in an honest file, so together they are smaller than it. In a hostile one
    they lead in circles, lie in one another, or have billions of entries.

    Parameters
    ----------
    stream : binary file
        A TIFF; it is left at its start.

    Returns
    -------
    bool
        False also where the offset of a directory lies beyond the end.
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

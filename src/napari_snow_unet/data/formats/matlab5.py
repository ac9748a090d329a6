"""Read named number arrays of a MATLAB 5 file, and nothing else of it.

SciPy's reader believes what a file says about itself: a few bytes can claim gigabytes. Here a
claim is first checked against the size of the file, data that is not needed is skipped without
being decompressed, and a stream (a member of a zip archive) is only read as far as needed.

SciPy 1.17, reading a single variable, takes 1 GB for a cell array of 176 bytes, 250 MB to pass
a packed megabyte, and dies of cells nested 20,000 times. A guard before it would have to go through
tags, heads and packed data as this module does, and save the few lines that make the array.

References
----------
.. [1] The MathWorks, "MAT-File Format", the layout of level 5 files.
"""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.words import shape_in_words
from napari_snow_unet.data.formats import messages
from napari_snow_unet.data.pixels.messages import damaged

HEADER_SIZE = 128
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
#: zlib never packs better than this (its "technical details" page derives 1032:1).
DEFLATE_LIMIT = 1032
_CUT_SHORT = "it is truncated"
_OTHERS = {  # by their first bytes
    HDF5_SIGNATURE: messages.MATLAB_73,
    b"MATLAB 7.3": messages.MATLAB_73,
    b"# Created by Octave": messages.OCTAVE_TEXT,
    b"Octave-1-": messages.OCTAVE_BINARY,
}
_MATRIX, _COMPRESSED = 14, 15
_MOST_NUMBERS = 1 << 28  # 16,384 x 16,384
_HEAD = 4096  # compressed bytes in which a variable's class, shape and name are found
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"}
_NUMBERS |= {12: "i8", 13: "u8"}
_NUMBER_CLASSES = range(6, 16)  # mxDOUBLE ... mxUINT64


class NotMatlab5Error(InputError):
    """The file has another format."""


def _damaged(detail: str) -> InputError:
    return InputError(damaged(detail))


@dataclass(frozen=True)
class _Head:
    """The part of a variable before its numbers."""

    name: str
    shape: tuple[int, ...]
    numeric: bool
    size: int  # bytes of the head itself


class _Element:
    """One top-level element of the file: its name and shape, its numbers on demand."""

    def __init__(self, stream: BinaryIO, order: str, kind: int, size: int) -> None:
        self._stream, self._order, self._size = stream, order, size
        self._unpack = zlib.decompressobj() if kind == _COMPRESSED else None
        start = _read(stream, min(size, _HEAD))
        self.left = size - len(start)
        if self._unpack is not None:
            start = _unpacked(self._unpack, start, _HEAD)
            kind, inner = _tag(start, order)
            if kind != _MATRIX:
                raise _damaged("it contains an element that is not a variable")
            start, size = start[8:], inner
        self._start, self._claimed = start, size
        self.head = _head(start, order)

    def numbers(self) -> npt.NDArray[np.generic]:
        """Read the variable's numbers, in the type and byte order they are stored in."""
        head = self.head
        if not head.numeric:
            raise InputError(messages.not_real_numbers(head.name))
        count = math.prod(head.shape)
        if count > self._size * (DEFLATE_LIMIT if self._unpack else 1):
            shape = shape_in_words(head.shape)
            raise _damaged(f"{head.name} claims {shape} numbers, more than the file can hold")
        if count > _MOST_NUMBERS:
            raise _damaged(f"{head.name} claims {count:,} numbers, more than {_MOST_NUMBERS:,}")
        most = head.size + 16 + 8 * count
        if self._claimed > most:
            raise _damaged(f"{head.name} claims more bytes than its shape needs")
        body = self._start[: self._claimed] + self._rest(self._claimed - len(self._start))
        kind, size, offset = _subelement(body, head.size, self._order)
        if kind not in _NUMBERS:
            raise _damaged(f"{head.name} has numbers of an unknown type ({kind})")
        dtype = np.dtype(_NUMBERS[kind]).newbyteorder("<" if self._order == "little" else ">")
        if size != count * dtype.itemsize:
            raise _damaged(f"{head.name} holds {size} bytes, which do not fill its shape")
        return np.frombuffer(body, dtype, count, offset).reshape(head.shape, order="F")

    def _rest(self, wanted: int) -> bytes:
        """Read what follows the head, `wanted` bytes once unpacked."""
        packed, self.left = self.left, 0
        if self._unpack is None:
            return _read(self._stream, packed)
        tail = self._unpack.unconsumed_tail + _read(self._stream, packed)
        body = _unpacked(self._unpack, tail, max(wanted, 0) + 1)
        if len(body) != max(wanted, 0) or not self._unpack.eof:
            raise _damaged(f"{self.head.name} does not unpack to the size it claims")
        return body


def read_arrays(
    stream: BinaryIO,
    names: Collection[str],
    if_plain: Collection[str] = (),
    passed: list[str] | None = None,
) -> dict[str, npt.NDArray[np.generic]]:
    """Read the variables `names`, and those of `if_plain` that are plain arrays of real numbers.

    The stream is only read forwards. A file on disk is followed to its end, by its tags alone, so
    that one cut short is noticed; any other stream is left at the last wanted variable. A variable
    that the file lacks is missing from the result; `passed` receives the names of skipped ones.
    Type, byte order and column-major layout are the file's.
    """
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    missing, on_disk = {*names, *if_plain}, _size_on_disk(stream) is not None
    for element in _elements(stream):
        name, plain = element.head.name, element.head.numeric
        if name in missing and (plain or name in names):
            missing.discard(name)
            arrays[name] = element.numbers()
        elif passed is not None:
            size = shape_in_words(element.head.shape)
            passed.append(f"{name} ({size})")
        if not missing and not on_disk:
            break
    return arrays


def is_matlab4(header: bytes) -> bool:
    """Tell whether a file begins as one of MATLAB 4: five numbers that describe a variable."""
    for order in ("little", "big"):
        kind, rows, columns, imaginary, name = (
            _int(header[at : at + 4], order) for at in range(0, 20, 4)
        )
        digits = kind // 1000, kind // 100 % 10, kind // 10 % 10, kind % 10
        valid = digits[0] <= 4 and digits[1] == 0 and digits[2] <= 5 and digits[3] <= 2
        if valid and max(rows, columns) < 1 << 31 and imaginary <= 1 and 1 < name <= 256:
            return True
    return False


def has_variable(stream: BinaryIO, name: str) -> bool:
    """Tell whether the file has a variable called `name`, without reading its numbers."""
    return any(element.head.name == name for element in _elements(stream))


def _elements(stream: BinaryIO) -> Iterator[_Element]:
    """Go through the file's variables; what a caller leaves unread is skipped."""
    order = _byte_order(_read(stream, HEADER_SIZE))
    end, position = _size_on_disk(stream), HEADER_SIZE
    while tag := stream.read(8):
        kind, size = _tag(tag, order)
        position += 8 + size
        if kind not in (_MATRIX, _COMPRESSED) or size == 0:
            raise _damaged("it contains an element that is not a variable")
        if end is not None and position > end:
            raise _damaged(_CUT_SHORT)
        element = _Element(stream, order, kind, size)
        yield element
        _skip(stream, element.left, seek=end is not None)


def _byte_order(header: bytes) -> str:
    """Check the file's header and return 'little' or 'big'."""
    for start, refusal in _OTHERS.items():
        if header.startswith(start):
            raise NotMatlab5Error(refusal)
    if is_matlab4(header):
        raise NotMatlab5Error(messages.MATLAB_4)
    order = {b"IM": "little", b"MI": "big"}.get(header[126:128])
    if order is None or _int(header[124:126], order) != 0x0100:
        raise NotMatlab5Error(messages.NOT_MATLAB_5)
    return order


def _head(data: bytes, order: str) -> _Head:
    """Parse a variable's flags, shape and name."""
    kind, size, at = _subelement(data, 0, order)
    if kind != 6 or size != 8:
        raise _damaged("a variable has no flags")
    flags = _int(data[at : at + 4], order)
    shape: tuple[int, ...] = ()
    name, end = "", at + 8
    if flags & 0xFF != 17:  # an opaque object has no shape here
        kind, size, at = _subelement(data, end, order)
        if kind != 5 or not 8 <= size <= 128 or size % 4:
            raise _damaged("a variable has no shape")
        shape = tuple(_int(data[i : i + 4], order) for i in range(at, at + size, 4))
        kind, length, begin = _subelement(data, _padded(at + size), order)
        if kind not in (1, 2, 16) or begin + length > len(data):
            raise _damaged("a variable has no name")
        name = data[begin : begin + length].decode("latin1")
        end = _padded(begin + length)
    numeric = flags & 0xFF in _NUMBER_CLASSES and not flags & 0x0800  # 0x0800: complex
    return _Head(name, shape, numeric, end)


def _subelement(data: bytes, at: int, order: str) -> tuple[int, int, int]:
    """Return type, byte count and offset of the data of the subelement that starts at `at`."""
    if len(data) < at + 8:
        raise _damaged(_CUT_SHORT)
    kind, size = _tag(data[at : at + 8], order)
    if kind > 0xFFFF:  # the tag itself holds up to four bytes of data
        return kind & 0xFFFF, kind >> 16, at + 4
    if len(data) < at + 8 + size:
        raise _damaged(_CUT_SHORT)
    return kind, size, at + 8


def _tag(data: bytes, order: str) -> tuple[int, int]:
    if len(data) < 8:
        raise _damaged(_CUT_SHORT)
    return _int(data[:4], order), _int(data[4:8], order)


def _int(data: bytes, order: str) -> int:
    return int.from_bytes(data, "little" if order == "little" else "big")


def _padded(offset: int) -> int:
    return -(-offset // 8) * 8


def _unpacked(unpack: zlib._Decompress, data: bytes, most: int) -> bytes:
    try:
        return unpack.decompress(data, most)
    except zlib.error as error:
        raise _damaged("its compressed data are invalid") from error


def _read(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise _damaged(_CUT_SHORT)
    return data


def _skip(stream: BinaryIO, size: int, *, seek: bool) -> None:
    """Move on by `size` bytes; where the end is unknown by reading, since seeking passes it."""
    if seek:
        stream.seek(size, os.SEEK_CUR)
        return
    while size:
        size -= len(_read(stream, min(size, 1 << 16)))


def _size_on_disk(stream: BinaryIO) -> int | None:
    """Return the size of a file on disk, None for any other stream."""
    try:
        return os.fstat(stream.fileno()).st_size
    except (OSError, AttributeError):
        return None

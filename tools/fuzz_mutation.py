"""Damage valid files: bits, lengths, texts; with checksums made right again half of the time."""

from __future__ import annotations

import random
import re
import struct
import zlib
from collections.abc import Callable

_EXTREME = [0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x10000000]
_TEXTS = [
    *(b"-1", b"0", b"1e400", b"NaN", b"-Infinity", b"null", b"true", b"[]", b"{}", b'""', b"\x00"),
    *(
        b"9" * 40,
        b"9" * 5000,
        b"[" * 3000,
        b'{"a":' * 3000,
        b"\xff\xfe",
        b"\xed\xa0\x80",
        b'"\\ud800"',
    ),
    *(
        b"../../x",
        b"/etc/passwd",
        b"C:\\x",
        b"\\\\host\\share",
        b"x" * 200_000,
        b'"',
        b",",
        b"\r",
        b"\n",
    ),
]
_WORD = re.compile(rb"[\w.-]+")
_PNG = b"\x89PNG\r\n\x1a\n"


def mutate(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Return a file damaged in one to four places, and mended at its seams half of the time.

    Parameters
    ----------
    data : bytes
        A valid file.
    other : bytes
        Another, of which parts may be taken.
    chance : random.Random
        Where and how.
    """
    unwrapped = _unwrap(data) if chance.random() < 0.5 else None
    body, wrap = unwrapped or (data, lambda changed: changed)
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        body = chance.choice(_WAYS)(body, other, chance) or b"\0"
    return wrap(body)


def _unwrap(data: bytes) -> tuple[bytes, Callable[[bytes], bytes]] | None:
    """Give the inside of a packed file, and what packs it again."""
    if data.startswith(b"\x1f\x8b"):
        import gzip

        return gzip.decompress(data), lambda body: gzip.compress(body, 1)
    if data.startswith(_PNG):
        return data, _checksums_of_png
    if data.startswith(b"MATLAB 5.0") and data[128:132] == b"\x0f\0\0\0":
        size = int.from_bytes(data[132:136], "little")
        inside, rest = zlib.decompress(data[136 : 136 + size]), data[136 + size :]

        def wrap(body: bytes) -> bytes:
            packed = zlib.compress(body)
            return data[:128] + struct.pack("<II", 15, len(packed)) + packed + rest

        return inside, wrap
    return None


def _checksums_of_png(data: bytes) -> bytes:
    made, at = bytearray(data), len(_PNG)
    while at + 12 <= len(made):
        end = at + 8 + int.from_bytes(made[at : at + 4], "big")
        if end + 4 > len(made):
            break
        made[end : end + 4] = struct.pack(">I", zlib.crc32(made[at + 4 : end]))
        at = end + 4
    return bytes(made)


def _bit(data: bytes, other: bytes, chance: random.Random) -> bytes:
    made, at = bytearray(data), _place(data, chance)
    made[at] ^= 1 << chance.randrange(8)
    return bytes(made)


def _number(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Put an extreme number of 1, 2, 4 or 8 bytes somewhere."""
    size, at = chance.choice([1, 2, 4, 8]), _place(data, chance)
    value = chance.choice(_EXTREME) if chance.random() < 0.7 else chance.getrandbits(64)
    order = chance.choice(["little", "big"])
    return data[:at] + (value % (1 << 8 * size)).to_bytes(size, order) + data[at + size :]


def _text(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Put a hostile text in the place of a few bytes."""
    at = _place(data, chance)
    return data[:at] + chance.choice(_TEXTS) + data[at + chance.randrange(8) :]


def _token(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Put a hostile text in the place of a word or number, as a format of text has them."""
    found = list(_WORD.finditer(data[:100_000]))
    if not found:
        return _text(data, other, chance)
    start, end = chance.choice(found).span()
    return data[:start] + chance.choice(_TEXTS) + data[end:]


def _cut(data: bytes, other: bytes, chance: random.Random) -> bytes:
    return data[: _place(data, chance)]


def _drop(data: bytes, other: bytes, chance: random.Random) -> bytes:
    at = _place(data, chance)
    return data[:at] + data[at + chance.choice([1, 4, 16, 256]) :]


def _repeat(data: bytes, other: bytes, chance: random.Random) -> bytes:
    at, size = _place(data, chance), chance.choice([1, 4, 12, 128, 1024])
    return data[: at + size] + data[at : at + size] * chance.choice([1, 1, 20]) + data[at + size :]


def _graft(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Go on with a part of another file."""
    at, there = _place(data, chance), _place(other, chance)
    part = other[there : there + chance.choice([4, 64, 4096])]
    return data[:at] + part + data[at + len(part) * chance.randrange(2) :]


def _place(data: bytes, chance: random.Random) -> int:
    """Choose a place, near the beginning half of the time: there are the claims."""
    return chance.randrange(min(len(data), 300) if chance.random() < 0.5 else len(data))


_WAYS = [_bit, _bit, _number, _number, _number, _text, _token, _token, _cut, _drop, _repeat, _graft]

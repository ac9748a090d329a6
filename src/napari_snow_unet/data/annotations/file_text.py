"""The text of a file of annotations: unpacked within bounds, in whatever encoding it has."""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path
from typing import BinaryIO

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.annotations import messages
from napari_snow_unet.data.pixels.messages import damaged

GZIP = b"\x1f\x8b"
_LARGEST_TEXT = 1 << 30  # bytes, unpacked
_MOST_PACKED = 60  # bytes of text per gzipped byte; outlines pack to a fifth or a tenth
_ALWAYS_FINE = 1 << 24  # bytes, unpacked
_SNIFFED = 1 << 14  # bytes


def read_text(source: str | os.PathLike[str] | BinaryIO) -> bytes:
    """Read a file, unpacked if gzipped; InputError, OSError or zlib.error if it is damaged."""
    if isinstance(source, (str, os.PathLike)):
        with Path(source).open("rb") as file:
            return _unpacked(file)
    return _unpacked(source)


def start_of_text(start: bytes) -> str:
    """Return the start of a text from the first bytes of its file; empty if it is not text."""
    try:
        if start.startswith(GZIP):
            start = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(start, _SNIFFED)
    except zlib.error:
        return ""
    return start[:_SNIFFED].decode(json.detect_encoding(start), "ignore").lstrip("\ufeff \t\r\n")


def first_bytes(stream: BinaryIO) -> bytes:
    """Read as much of a file as `start_of_text` looks at."""
    return stream.read(_SNIFFED)


def decoded(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Return JSON as text, be it UTF-8, UTF-16 or Windows-1252, and what was assumed."""
    encoding = json.detect_encoding(data)
    try:
        return data.decode(encoding, "surrogatepass"), ()
    except UnicodeDecodeError:
        if not encoding.startswith("utf-8"):
            raise
    try:
        return data.decode("cp1252"), (messages.LEGACY,)
    except UnicodeDecodeError:
        return data.decode("latin-1"), (messages.LEGACY,)


def _unpacked(stream: BinaryIO) -> bytes:
    start = stream.read(2)
    if start == GZIP:
        packed = start + _at_most(_LARGEST_TEXT, stream)
        limit = min(max(_MOST_PACKED * len(packed), _ALWAYS_FINE), _LARGEST_TEXT)
        unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
        text = unpack.decompress(packed, limit + 1)
        if not unpack.eof and len(text) <= limit:
            raise InputError(damaged("the packed file is truncated"))
    else:
        limit = _LARGEST_TEXT
        text = start + _at_most(limit, stream)
    if len(text) > limit:
        raise InputError(messages.too_large(limit))
    return text


def _at_most(size: int, stream: BinaryIO) -> bytes:
    """Read a stream to its end or a little beyond `size`, chunk by chunk."""
    chunks, left = [], size
    while left >= 0 and (chunk := stream.read(1 << 20)):
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)

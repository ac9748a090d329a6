"""PNG (W3C, third edition, 2025) as bytes: recognise one that can be copied, encode quickly."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy.typing as npt

from napari_snow_unet.data.pixels.pixel_size import plausible_um

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">IIBBBBB")
_MOST_CHUNKS = 1 << 16  # that are gone through
#: Chunks of an image that may be copied: no transparency, gamma, profile, animation, text.
_PLAIN_CHUNKS = {b"IHDR", b"IDAT", b"IEND", b"pHYs", b"sRGB"}


@dataclass(frozen=True)
class PlainPng:
    """What the header of a plain PNG says: size in pixels, and pixel size in um if it has one."""

    height: int
    width: int
    um_per_px: float | None


def plain_rgb(data: bytes) -> PlainPng | None:
    """Return the header of a PNG that is whole and as this package would write it, else None."""
    if not data.startswith(_SIGNATURE):
        return None
    view, at, um_per_px, pixels = memoryview(data), len(_SIGNATURE), None, 0
    header: tuple[int, ...] | None = None
    while at + 12 <= len(data):
        (length,), kind = struct.unpack_from(">I", data, at), data[at + 4 : at + 8]
        body, end = at + 8, at + 8 + length
        if kind not in _PLAIN_CHUNKS or end + 4 > len(data):
            return None
        if zlib.crc32(view[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            return None
        if (kind == b"IHDR") != (header is None):
            return None
        if kind == b"IHDR":
            header = _HEADER.unpack_from(data, body) if length == _HEADER.size else None
            if header is None or header[2:] != (8, 2, 0, 0, 0):
                return None
        elif kind == b"pHYs" and length == 9:
            um_per_px = _pixel_size(data[body:end])
        pixels += length if kind == b"IDAT" else 0
        at = end + 4
        if kind == b"IEND":
            break
    if header is None or kind != b"IEND" or at != len(data) or not pixels:
        return None
    width, height = header[:2]
    return PlainPng(height, width, um_per_px) if width and height else None


def ancillary_chunks(stream: BinaryIO) -> dict[bytes, bytes]:
    """Find what a PNG says, in any place, of its bits (sBIT) and of how it is turned (eXIf)."""
    chunks, at = {}, len(_SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        stream.seek(at)
        head = stream.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            break
        length = int.from_bytes(head[:4], "big")
        if head[4:] in (b"sBIT", b"eXIf") and length < 1 << 16:
            chunks[head[4:]] = stream.read(length)
        at += 12 + length
    stream.seek(0)
    return {kind: body for kind, body in chunks.items() if body}


def encode(pixels: npt.NDArray[Any], um_per_px: float | None = None) -> bytes:
    """Encode grey (uint8, uint16) or RGB (uint8) as PNG, quickly rather than tightly."""
    import cv2

    # Of OpenCV and Pillow with their levels, filters and strategies, OpenCV's "up" with run lengths
    # was fastest and smallest on label images: 1.1 ms for 512 x 512 against Pillow's 2.6 ms.
    options = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    if pixels.ndim == 2 and hasattr(cv2, "IMWRITE_PNG_FILTER_UP"):  # OpenCV 4.11
        options += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]
        options += [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    done, data = cv2.imencode(".png", pixels[..., ::-1] if pixels.ndim == 3 else pixels, options)
    if not done:
        raise ValueError(f"OpenCV cannot encode {pixels.dtype} of shape {pixels.shape}")
    return _with_pixel_size(data.tobytes(), um_per_px)


def _pixel_size(body: bytes) -> float | None:
    x, y, unit = struct.unpack(">IIB", body)
    return plausible_um(1e6 / x, 1e6 / y) if x and y and unit == 1 else None


def _with_pixel_size(data: bytes, um_per_px: float | None) -> bytes:
    """Put a pHYs chunk behind the header."""
    if um_per_px is None:
        return data
    per_metre = round(1e6 / um_per_px)
    body = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    chunk = struct.pack(">I", 9) + body + struct.pack(">I", zlib.crc32(body))
    at = len(_SIGNATURE) + 12 + _HEADER.size
    return data[:at] + chunk + data[at:]

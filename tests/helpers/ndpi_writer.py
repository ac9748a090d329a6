"""Small files that OpenSlide takes for NDPI of a Hamamatsu scanner.

After https://openslide.org/formats/hamamatsu and OpenSlide's `openslide-vendor-hamamatsu.c`,
`openslide-decode-tifflike.c` and `misc/imhex/hamamatsu-ndpi.hexpat`.
"""

from __future__ import annotations

import io
import re
import struct
from typing import NamedTuple

import numpy as np
from PIL import Image

FORMATS = {2: "s", 3: "H", 4: "I", 5: "I", 9: "i", 11: "f"}  # by the number of a TIFF's type
ASCII, SHORT, LONG, RATIONAL, SLONG, FLOAT = FORMATS
LARGEST_SIDE = 65_535  # pixels that the header of a JPEG can tell
MACRO, MAP = -1, -2  # in place of the lens


class NdpiImage(NamedTuple):
    """One image of the file; `block` is how many pixels of a row lie between restart markers."""

    pixels: np.ndarray
    lens: float
    focal_plane: int = 0
    block: int | None = None


def write_ndpi(path, images, um=(0.25, 0.25)):
    """Write images as the directories of a TIFF, and return the path.

    A classic TIFF, whose offsets to a directory have 8 bytes; the upper halves of a directory's
    values follow it. A directory lies behind its data. Each image is one strip, a JPEG. Tag 65420
    makes it an NDPI; 65421 is the lens, 65424 the focal plane, 65426 where in the JPEG the data
    behind each restart marker begins. The first image gives the size of pixels, per centimetre.
    """
    out = bytearray(b"II*\0" + bytes(8))
    link = 4  # where the offset of the next directory goes
    for image in images:
        data = jpeg_with_restarts(image.pixels, image.block)
        tags = _tags(image, data, len(out), [side * images[0].lens / image.lens for side in um])
        out += data
        entries = b"".join(_entry(out, *tag) for tag in tags)
        out[link : link + 8] = struct.pack("<Q", len(out))
        link = len(out) + 2 + len(entries)
        out += struct.pack("<H", len(tags)) + entries + bytes(8) + bytes(4 * len(tags))
    path.write_bytes(out)
    return path


def jpeg_with_restarts(pixels, block):
    """Return a JPEG with a restart marker every `block` pixels of a row of blocks.

    Between two markers a JPEG stands for itself, so blocks that were packed one below the other
    are, with another size in the header, the image whose rows they make. A side that the header
    has no room for is 0 in it.
    """
    height, width = pixels.shape[:2]
    block, markers = block or width, 0 if block is None else 1
    stack = pixels.reshape(height // 8, 8, width // block, block, 3).swapaxes(1, 2)
    stream = io.BytesIO()
    how = {"quality": 100, "subsampling": 0, "restart_marker_rows": markers}
    Image.fromarray(stack.reshape(-1, block, 3)).save(stream, "JPEG", **how)
    data = bytearray(stream.getvalue())
    size = data.index(b"\xff\xc0") + 5
    told = [0 if side > LARGEST_SIDE else side for side in (height, width)]
    data[size : size + 4] = struct.pack(">2H", *told)
    return bytes(data)


def _tags(image, data, offset, um):
    """List number, type and values of what describes an image."""
    height, width = image.pixels.shape[:2]
    per_cm = [(10_000_000, round(abs(side) * 1000)) for side in um]
    tags = [
        (256, LONG, [width]),
        (257, LONG, [height]),
        (258, SHORT, [8, 8, 8]),
        (259, SHORT, [7]),  # JPEG
        (262, SHORT, [6]),  # YCbCr
        (271, ASCII, [b"Hamamatsu\0"]),
        (273, LONG, [offset]),
        (277, SHORT, [3]),
        (278, LONG, [height]),
        (279, LONG, [len(data)]),
        (282, RATIONAL, per_cm[1]),
        (283, RATIONAL, per_cm[0]),
        (296, SHORT, [3]),  # centimetres
        (65420, LONG, [1]),
        (65421, FLOAT, [image.lens]),
        (65422, SLONG, [0]),  # where the slide's centre lies
        (65423, SLONG, [0]),
        (65424, SLONG, [image.focal_plane]),
    ]
    return tags if image.block is None else [*tags, (65426, LONG, _restarts(data))]


def _restarts(data):
    """Return where in a JPEG the data begins, and where it goes on behind each marker."""
    scan = data.index(b"\xff\xda") + 2
    start = scan + int.from_bytes(data[scan : scan + 2], "big")
    return [start, *(found.end() for found in re.compile(b"\xff[\xd0-\xd7]").finditer(data, start))]


def _entry(out, tag, kind, values):
    """Return an entry of a directory; values that do not fit into it are added to the file."""
    if kind == ASCII:
        packed, count = values[0], len(values[0])
    else:
        packed = struct.pack(f"<{len(values)}{FORMATS[kind]}", *values)
        count = len(values) // (2 if kind == RATIONAL else 1)
    if len(packed) > 4:
        out += packed
        packed = struct.pack("<I", len(out) - len(packed))
    return struct.pack("<HHI4s", tag, kind, count, packed)

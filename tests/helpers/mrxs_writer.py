"""Small slides that OpenSlide takes for MRXS of a 3DHISTECH scanner.

After https://openslide.org/formats/mirax and OpenSlide's `openslide-vendor-mirax.c` and
`misc/imhex/mirax-index.hexpat`.
"""

from __future__ import annotations

import io
import struct
from configparser import ConfigParser

import numpy as np
from PIL import Image

SIDE = 256  # pixels of a tile
LEVELS = 3
SLIDE = "0123456789ABCDEF" * 2  # its identity, in every file
VERSION = "01.02"
DATA, INDEX = "Data0000.dat", "Index.dat"


def cut(pixels, overlap=0):
    """Cut an image into tiles by row and column, as many as lie in it whole; return their grid too.

    Tiles share `overlap` pixels with the next ones, like the camera's pictures.
    """
    step = SIDE - overlap
    grid = tuple((length - overlap) // step for length in pixels.shape[:2])
    tiles = {
        (row, column): pixels[row * step :, column * step :][:SIDE, :SIDE]
        for row, column in np.ndindex(grid)
    }
    return tiles, grid


def write_mrxs(path, tiles, grid, *, overlap=0, um=(0.25, 0.25), fill="FFFFFF"):
    """Write the tiles that were scanned, of a grid of them, and return the path.

    The file itself says nothing; beside it lies a folder of its name. There `Slidedat.ini` names
    everything, a data file holds JPEG tiles one behind another, and the index tells where those of
    each level lie. Tiles of the next level are four of this one, halved and put together whether
    they overlap or not. The data file also holds where the camera was for each picture.
    """
    folder = path.with_suffix("")
    folder.mkdir()
    path.write_bytes(b"")
    data = bytearray(f"{VERSION}{SLIDE}000".encode() + bytes(256))
    levels = [
        [(row * grid[1] + column, *_add(data, tile)) for (row, column), tile in level.items()]
        for level in _pyramid(tiles)
    ]
    step = SIDE - overlap
    places = [(0, column * step, row * step) for row, column in np.ndindex(grid)]
    positions = len(data), len(places) * 9
    data += b"".join(struct.pack("<bii", *place) for place in places)
    (folder / DATA).write_bytes(data)
    (folder / INDEX).write_bytes(_index(levels, positions))
    with (folder / "Slidedat.ini").open("w", encoding="utf-8") as stream:
        _description(grid, overlap, um, fill).write(stream)
    return path


def _add(data, tile):
    """Add a tile to the data file; return its place, its length and the number of the file."""
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(tile)).save(stream, "JPEG", quality=100, subsampling=0)
    data += stream.getvalue()
    return len(data) - len(stream.getvalue()), len(stream.getvalue()), 0


def _pyramid(tiles):
    """Return the tiles of each level by the row and column of their first one of level 0."""
    levels = [{} for _ in range(LEVELS)]
    for (row, column), pixels in tiles.items():
        for number, level in enumerate(levels):
            factor = 2**number
            part = SIDE // factor
            y, x = row % factor, column % factor
            whole = level.setdefault((row - y, column - x), np.zeros((SIDE, SIDE, 3), np.uint8))
            whole[y * part :, x * part :][:part, :part] = shrunk(pixels, factor)
    return levels


def shrunk(pixels, factor):
    """Return the means of squares of pixels."""
    height, width = (length // factor for length in pixels.shape[:2])
    squares = pixels[: height * factor, : width * factor].reshape(height, factor, width, factor, 3)
    return squares.mean((1, 3)).round().astype(np.uint8)


def _index(levels, positions):
    """Return the index: two tables of records; a record is an empty page and one with entries."""
    index = bytearray(f"{VERSION}{SLIDE}".encode())
    roots = len(index)
    index += bytes(8)

    def add(*numbers):
        index.extend(struct.pack(f"<{len(numbers)}i", *numbers))
        return len(index) - 4 * len(numbers)

    def record(count, entries):
        return add(0, add(count, 0, *entries))

    tiles = [record(len(level), [number for tile in level for number in tile]) for level in levels]
    struct.pack_into("<i", index, roots, add(*tiles))
    struct.pack_into("<i", index, roots + 4, add(record(1, [0, 0, *positions, 0])))
    return index


def _description(grid, overlap, um, fill):
    """Return what `Slidedat.ini` says."""
    parser = ConfigParser()
    parser.optionxform = str
    parser["GENERAL"] = {
        "SLIDE_VERSION": VERSION,
        "SLIDE_ID": SLIDE,
        "IMAGENUMBER_X": grid[1],
        "IMAGENUMBER_Y": grid[0],
        "OBJECTIVE_MAGNIFICATION": 20,
        "CameraImageDivisionsPerSide": 1,
    }
    parser["HIERARCHICAL"] = {
        "HIER_COUNT": 1,
        "NONHIER_COUNT": 1,
        "INDEXFILE": INDEX,
        "HIER_0_NAME": "Slide zoom level",
        "HIER_0_COUNT": LEVELS,
        "NONHIER_0_NAME": "VIMSLIDE_POSITION_BUFFER",
        "NONHIER_0_COUNT": 1,
    }
    parser["DATAFILE"] = {"FILE_COUNT": 1, "FILE_0": DATA}
    for number in range(LEVELS):
        section = f"LAYER_0_LEVEL_{number}_SECTION"
        parser["HIERARCHICAL"][f"HIER_0_VAL_{number}_SECTION"] = section
        parser[section] = {
            "OVERLAP_X": overlap / 2**number,
            "OVERLAP_Y": overlap / 2**number,
            "MICROMETER_PER_PIXEL_X": um[1] * 2**number,
            "MICROMETER_PER_PIXEL_Y": um[0] * 2**number,
            "IMAGE_FILL_COLOR_BGR": int.from_bytes(bytes.fromhex(fill), "little"),
            "IMAGE_FORMAT": "JPEG",
            "IMAGE_CONCAT_FACTOR": int(number > 0),
            "DIGITIZER_WIDTH": SIDE,
            "DIGITIZER_HEIGHT": SIDE,
        }
    return parser

"""What QuPath writes into the names of the tiles it exports, as its TileExporter makes them.

P. Bankhead et al., "QuPath: Open source software for digital pathology image analysis", Scientific
Reports 7:16878, 2017.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil, isfinite

_REGION = re.compile(
    r"(?P<slide>.*) \[(d=(?P<d>[\d.]+),)?x=(?P<x>-?\d+),y=(?P<y>-?\d+),w=(?P<w>\d+),h=(?P<h>\d+)"
    r"(,z=\d+)?(,t=\d+)?\]"
)


@dataclass(frozen=True)
class TileRegion:
    """Where a tile lies in the slide it was exported from, in pixels of the slide."""

    slide: str  # its name, without suffix
    downsample: float  # pixels of the slide per pixel of the tile
    x: int
    y: int
    width: int
    height: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the tile, in its own pixels."""
        return ceil(self.height / self.downsample), ceil(self.width / self.downsample)


def tile_region(name: str) -> TileRegion | None:
    """Read a name without suffix, ``NAME [d=2,x=0,y=512,w=1024,h=1024]``; None for any other."""
    match = _REGION.fullmatch(name.removesuffix("-labelled"))
    if match is None:
        return None
    try:
        # "d" is missing where the tile has the slide's own resolution
        downsample = float(match["d"] or 1)
    except ValueError:
        return None
    if not (isfinite(downsample) and downsample > 0):
        return None
    x, y, width, height = (int(match[key]) for key in "xywh")
    return TileRegion(match["slide"], downsample, x, y, width, height)

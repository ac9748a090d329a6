"""The size of a pixel, from what image files say about it.

Most files carry the resolution of a screen or a printer, which means nothing here: a value is
taken only when a microscope or a slide scanner could have made the image.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from html import unescape
from typing import Any

from tifffile import TiffFile

#: Pixel sizes, in um, between a 100x objective and an overview.
PLAUSIBLE_UM = (0.05, 20.0)
_INCH_UM = 25400.0
_UNIT_UM = {
    "nm": 1e-3,
    "um": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "mm": 1e3,
    "cm": 1e4,
    "m": 1e6,
    "inch": _INCH_UM,
}


def plausible_um(x: float, y: float | None = None) -> float | None:
    """Return `x`, in um, if a microscope could have it and pixels are square to 1 %."""
    if not PLAUSIBLE_UM[0] <= x <= PLAUSIBLE_UM[1]:
        return None
    if y is not None and not 0.99 <= y / x <= 1.01:
        return None
    return x


def from_dots_per_inch(info: Mapping[Any, Any]) -> float | None:
    """Return the pixel size, in um, that a PNG, JPEG or BMP states as dots per inch.

    Parameters
    ----------
    info : mapping
        What Pillow found in the file's header.
    """
    with suppress(KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        x, y = (float(value) for value in info["dpi"])
        return plausible_um(_INCH_UM / x, _INCH_UM / y)
    return None


def from_tiff(tif: TiffFile) -> float | None:
    """Return the pixel size, in um, that a TIFF states.

    Asked in this order: OME-XML, ImageJ's unit, a slide scanner's "MPP" in the description, the
    resolution tags.
    """
    if tif.is_ome and (found := _from_ome(tif.ome_metadata or "")) is not None:
        return found
    page = tif.pages.first
    if tif.is_imagej and (unit := (tif.imagej_metadata or {}).get("unit")):
        return _from_resolution(page, _um(str(unit)))
    if mpp := re.search(r"\bMPP\s*=\s*([0-9.]+)", page.description):
        with suppress(ValueError):
            return plausible_um(float(mpp[1]))
    return _from_resolution(page, {2: _INCH_UM, 3: 1e4}.get(page.resolutionunit))


def _from_ome(xml: str) -> float | None:
    pixels = re.search(r"<(?:\w+:)?Pixels\b[^>]*>", xml)
    if pixels is None:
        return None
    found = re.findall(r"""\b(PhysicalSize[XY](?:Unit)?)\s*=\s*(["'])(.*?)\2""", pixels[0])
    said = {name: unescape(value) for name, _, value in found}
    with suppress(KeyError, ValueError, TypeError, ZeroDivisionError):
        x, y = (
            float(said[axis]) * (_um(said.get(f"{axis}Unit", "um")) or float("nan"))
            for axis in ("PhysicalSizeX", "PhysicalSizeY")
        )
        return plausible_um(x, y)
    return None


def _from_resolution(page: Any, unit_um: float | None) -> float | None:
    with suppress(KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        x, y = (page.tags[tag].value for tag in ("XResolution", "YResolution"))
        if unit_um is not None:
            return plausible_um(unit_um * x[1] / x[0], unit_um * y[1] / y[0])
    return None


def _um(unit: str) -> float | None:
    """Return how many um a unit has; None for pixels and the unknown."""
    unit = unit.strip().lower()
    for micro in ("\\u00b5", "\xb5", "\u03bc"):
        unit = unit.replace(micro, "u")
    return _UNIT_UM.get(unit)

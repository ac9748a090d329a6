"""The size of a pixel, from what image files say about it.

Most files carry the resolution of a screen or a printer, which means nothing here: a value is
taken only when a microscope or a slide scanner could have made the image.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from html import unescape
from typing import Any

from tifffile import TiffFile

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels import messages

#: Pixel sizes, in um, between a 100x objective and an overview.
PLAUSIBLE_UM = (0.05, 20.0)
_INCH_UM = 25400.0
#: Lengths in um, by the names that OME-XML, OME-Zarr, ImageJ, QuPath and napari give them.
_UNIT_UM = {
    **dict.fromkeys(("angstrom", "angström", "ångstrom", "ångström", "å"), 1e-4),
    "pm": 1e-6,
    **dict.fromkeys(("nm", "nanometer"), 1e-3),
    **dict.fromkeys(("um", "micron", "micrometer"), 1.0),
    **dict.fromkeys(("mm", "millimeter"), 1e3),
    **dict.fromkeys(("cm", "centimeter"), 1e4),
    **dict.fromkeys(("m", "meter"), 1e6),
    **dict.fromkeys(("in", "inch", "inche", '"'), _INCH_UM),  # "inches" without its s
    **dict.fromkeys(("thou", "mil"), _INCH_UM / 1000),
}
_LARGEST_NUCLEAR_UM = 2.0  # above it a nucleus is three pixels wide


def check_pixel_size(um: float | None, path: str | os.PathLike[str] | None = None) -> float | None:
    """Return a pixel size that the user gave; InputError if it is not within `PLAUSIBLE_UM`.

    Every command and dock uses this. Callers for which 0 means unknown do not pass it.
    """
    if um is not None and not PLAUSIBLE_UM[0] <= um <= PLAUSIBLE_UM[1]:  # so that NaN is refused
        try:
            number = f"{um:g}"
        except OverflowError:  # of a whole number of hundreds of digits
            number = "more than 1e300"
        raise InputError(messages.pixel_size_out_of_range(number, *PLAUSIBLE_UM), path=path)
    return um


def doubt_pixel_size(um: float | None) -> str | None:
    """Return a doubt about a pixel size that may be a magnification, such as 10 or 20."""
    if um is None or um <= _LARGEST_NUCLEAR_UM:
        return None
    return messages.large_pixel_size(um)


def unit_um(unit: str) -> float | None:
    """Return how many um a unit of length has; None for pixels and the unknown."""
    unit = unit.strip().lower()
    for micro in ("\\u00b5", "\xb5", "\u03bc"):
        unit = unit.replace(micro, "u")
    singular = unit.removesuffix("s").replace("metre", "meter")
    return _UNIT_UM.get(singular, _UNIT_UM.get(unit))


def plausible_um(x: float, y: float | None = None) -> float | None:
    """Return `x`, in um, if a microscope could have it and pixels are square to 1 %."""
    if not PLAUSIBLE_UM[0] <= x <= PLAUSIBLE_UM[1]:
        return None
    if y is not None and not 0.99 <= y / x <= 1.01:
        return None
    return x


def from_dots_per_inch(info: Mapping[Any, Any]) -> float | None:
    """Return the pixel size, in um, that a PNG, JPEG or BMP states; `info` is what Pillow found."""
    with suppress(KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        x, y = (float(value) for value in info["dpi"])
        return plausible_um(_INCH_UM / x, _INCH_UM / y)
    return None


def from_tiff(tif: TiffFile) -> float | None:
    """Return the pixel size, in um, that a TIFF states; OME-XML comes first, its tags last."""
    if tif.is_ome and (side := _from_ome(tif.ome_metadata or "")) is not None:
        return side
    page = tif.pages.first
    if tif.is_imagej and (unit := (tif.imagej_metadata or {}).get("unit")):
        return _from_resolution(page, unit_um(str(unit)))
    if mpp := re.search(r"\bMPP\s*=\s*([0-9.]+)", page.description):
        with suppress(ValueError):
            return plausible_um(float(mpp[1]))
    return _from_resolution(page, {2: _INCH_UM, 3: 1e4}.get(page.resolutionunit))


def _from_ome(xml: str) -> float | None:
    pixels = re.search(r"<(?:\w+:)?Pixels\b[^>]*>", xml)
    if pixels is None:
        return None
    attributes = re.findall(r"""\b(PhysicalSize[XY](?:Unit)?)\s*=\s*(["'])(.*?)\2""", pixels[0])
    values = {name: unescape(value) for name, _, value in attributes}
    with suppress(KeyError, ValueError, TypeError, ZeroDivisionError):
        x, y = (
            float(values[axis]) * (unit_um(values.get(f"{axis}Unit", "um")) or float("nan"))
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

"""Minimum areas of nuclei, in square micrometres or in pixels."""

from __future__ import annotations

from dataclasses import dataclass

from napari_snow_unet.segmentation.plane.nuclei import REFERENCE_PIXEL_UM, SMALLEST_NUCLEUS_UM2

LARGEST_UM2 = 50.0  # larger than any debris


@dataclass(frozen=True)
class AreaUnit:
    """A unit of area for the minimum area of nuclei."""

    option: str  # the field of `Options` in this unit
    per_um2: float  # units in a square micrometre
    decimals: int  # of a value that is entered

    @property
    def default(self) -> float:
        """The default minimum area."""
        return SMALLEST_NUCLEUS_UM2 * self.per_um2

    @property
    def largest(self) -> float:
        """The upper end of the slider."""
        return LARGEST_UM2 * self.per_um2

    def as_option(self, area: float) -> dict[str, float]:
        """Return the fields of `Options` for an area as shown; none for the default."""
        area = round(area, self.decimals)
        return {} if abs(area / self.default - 1) < 1e-6 else {self.option: area}

    def to(self, other: AreaUnit, area: float) -> float:
        """Convert an area to another unit."""
        return area / self.per_um2 * other.per_um2


UM2 = AreaUnit("min_area_um2", 1.0, decimals=1)
# An unknown pixel size is assumed to be 0.25 µm.
PIXELS = AreaUnit("min_area", 1 / REFERENCE_PIXEL_UM**2, decimals=0)

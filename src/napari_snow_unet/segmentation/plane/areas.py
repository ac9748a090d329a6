"""Areas of nuclei in the unit a person can think in: square micrometres, or pixels."""

from __future__ import annotations

from dataclasses import dataclass

from napari_snow_unet.segmentation.plane.nuclei import REFERENCE_PIXEL_UM, SMALLEST_NUCLEUS_UM2

LARGEST_UM2 = 50.0  # beyond any nucleus that is still debris


@dataclass(frozen=True)
class AreaUnit:
    """A unit of area, in which a person may choose the smallest nucleus that is kept."""

    option: str  # the entry of `Options` that is stated in it
    per_um2: float  # how many there are in a square micrometre
    decimals: int  # of what somebody chooses

    @property
    def default(self) -> float:
        """The smallest nucleus that is kept where nothing is chosen."""
        return SMALLEST_NUCLEUS_UM2 * self.per_um2

    @property
    def largest(self) -> float:
        """The end of a scale of smallest areas."""
        return LARGEST_UM2 * self.per_um2

    def as_option(self, area: float) -> dict[str, float]:
        """Return the entries of `Options` for an area as it is shown; none for the default."""
        area = round(area, self.decimals)
        return {} if abs(area / self.default - 1) < 1e-6 else {self.option: area}

    def to(self, other: AreaUnit, area: float) -> float:
        """Return an area of this unit in another one."""
        return area / self.per_um2 * other.per_um2


UM2 = AreaUnit("min_area_um2", 1.0, decimals=1)
# Where the size of a pixel is unknown it is taken for 0.25 µm.
PIXELS = AreaUnit("min_area", 1 / REFERENCE_PIXEL_UM**2, decimals=0)

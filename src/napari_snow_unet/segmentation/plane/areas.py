"""Areas of nuclei in the unit a person can think in: square micrometres, or pixels."""

from __future__ import annotations

from dataclasses import dataclass

from napari_snow_unet.segmentation.plane.nuclei import REFERENCE_PIXEL_UM, SMALLEST_NUCLEUS_UM2

LARGEST_UM2 = 50.0  # beyond any nucleus that is still debris


@dataclass(frozen=True)
class AreaUnit:
    """A unit of area.

    Attributes
    ----------
    name : str
        What people call it.
    option : str
        The entry of `Options` that is stated in it.
    per_um2 : float
        How many there are in a square micrometre.
    decimals : int
        Of a smallest area that somebody chooses.
    """

    name: str
    option: str
    per_um2: float
    decimals: int

    @property
    def default(self) -> float:
        """The smallest nucleus that is kept where nothing is chosen."""
        return SMALLEST_NUCLEUS_UM2 * self.per_um2

    @property
    def largest(self) -> float:
        """The end of a scale of smallest areas."""
        return LARGEST_UM2 * self.per_um2

    def as_option(self, area: float) -> dict[str, float]:
        """Return the entries of `Options` for an area; none for the default."""
        return {} if abs(area / self.default - 1) < 1e-6 else {self.option: area}

    def converted(self, area: float, unit: AreaUnit) -> float:
        """Return an area that is stated in another unit."""
        return area * self.per_um2 / unit.per_um2


UM2 = AreaUnit("µm²", "min_area_um2", 1.0, 1)
# of unknown size, so of 0.25 µm
PIXELS = AreaUnit("pixels", "min_area", 1 / REFERENCE_PIXEL_UM**2, 0)

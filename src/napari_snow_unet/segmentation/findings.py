"""What was found: one record for a plane, a plane of a stack, a stack and a large image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from napari_snow_unet.segmentation.plane.threshold import in_digits

NO_NUCLEI = "No nuclei were found."


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The nuclei that were found, in numbers, and how they were found.

    Attributes
    ----------
    threshold : float
        The probability that was exceeded by nuclei, a multiple of 1/255; of several planes the
        mean.
    nuclei : int
        Number of nuclei; for a mask, of 8-connected components.
    area_fraction : float
        Fraction of what was looked at that is nucleus; of several planes the mean.
    pixels : int
        Pixels that were looked at.
    pixel_size_um : float or None
        Micrometres per pixel, if known.
    messages : tuple of str
        What a person should be told.
    provenance : dict
        Model, options, threshold and versions: plain values that JSON can hold.
    """

    threshold: float
    nuclei: int
    area_fraction: float
    pixels: int
    pixel_size_um: float | None = None
    messages: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def nuclei_per_mm2(self) -> float | None:
        """Density of nuclei; None where the pixel size is unknown."""
        if self.pixel_size_um is None:
            return None
        return self.nuclei / (self.pixels * self.pixel_size_um**2 / 1e6)

    @property
    def summary(self) -> str:
        """One sentence on nuclei, their density, their area and the threshold."""
        return self.in_words(in_digits(self.threshold))

    def in_words(self, threshold: str) -> str:
        """Return the summary with a threshold in words of one's own."""
        return result_in_words(self.nuclei, self.nuclei_per_mm2, self.area_fraction, threshold)


def result_in_words(
    nuclei: int, nuclei_per_mm2: float | None, area_fraction: float, threshold: str
) -> str:
    """Return one sentence on nuclei, their density, their area and the threshold."""
    density = "" if nuclei_per_mm2 is None else f" ({nuclei_per_mm2:,.0f} per mm²)"
    return (
        f"{nuclei:,} {'nucleus' if nuclei == 1 else 'nuclei'}{density}, "
        f"{area_fraction:.1%} of the area, threshold {threshold}"
    )

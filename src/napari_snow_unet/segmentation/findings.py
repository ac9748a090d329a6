"""The numbers of a result: one record for a plane, a stack and a large image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from napari_snow_unet.segmentation import messages
from napari_snow_unet.segmentation.plane.threshold import in_digits


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Count, area and threshold of segmented nuclei, with their provenance.

    Attributes
    ----------
    threshold : float
        Probability above which a pixel is nucleus, a multiple of 1/255; the mean over planes.
    nuclei : int
        Number of nuclei; of 8-connected components for a mask.
    area_fraction : float
        Fraction of the segmented area that is nucleus; the mean over planes.
    pixels : int
        Pixels of the segmented area.
    pixel_size_um : float or None
        Micrometres per pixel; None if unknown.
    messages : tuple of str
        Notes for the user.
    provenance : dict
        Model, options, threshold and versions, as plain values for JSON.
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
        """Density of nuclei; None if the pixel size is unknown."""
        if self.pixel_size_um is None:
            return None
        return self.nuclei / (self.pixels * self.pixel_size_um**2 / 1e6)

    @property
    def summary(self) -> str:
        """Nuclei, their density and area, and the threshold in one line."""
        return self.in_words(in_digits(self.threshold))

    def in_words(self, threshold: str) -> str:
        """Return the summary with the threshold written out."""
        return messages.result_label(
            self.nuclei, self.nuclei_per_mm2, self.area_fraction, threshold
        )

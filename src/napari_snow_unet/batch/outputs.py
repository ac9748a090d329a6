"""The outputs of a run, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from napari_snow_unet.base.options import Option
from napari_snow_unet.data.formats.registry import FORMATS
from napari_snow_unet.data.names.result_names import OVERLAY, PROBABILITY


@dataclass(frozen=True)
class Outputs:
    """The files to write, and whether existing ones may be overwritten."""

    folder: Path
    probability: Annotated[
        bool,
        Option(
            f"Also write the probability map (NAME{PROBABILITY}.png).",
            tip="Also write the probability map of each image.",
            label="Probability maps",
            group="Output",
        ),
    ] = False
    overlay: Annotated[
        bool,
        Option(
            f"Also write the image with its nuclei outlined (NAME{OVERLAY}.png).",
            tip="Also write a copy of each image with its nuclei outlined.",
            label="Images with outlines",
            group="Output",
        ),
    ] = False
    overwrite: Annotated[
        bool,
        Option(
            "Overwrite existing results.",
            tip="Overwrite existing results; otherwise, images that have results fail.",
            label="Overwrite existing results",
            group="Output",
        ),
    ] = False
    # Of `formats.registry.FORMATS`; () is PNG, and OME-Zarr for images too large for memory.
    formats: Annotated[
        tuple[str, ...],
        Option(
            f"Output formats, comma-separated: {', '.join(FORMATS)}.",
            none="png; zarr for very large images",
            flag="--format",
            group="Output",
        ),
    ] = ()
    resume: Annotated[
        bool,
        Option(
            "Continue an interrupted run with its original options; finished images are skipped.",
            group="Output",
        ),
    ] = False

    def formats_of(self, *, large: bool) -> tuple[str, ...]:
        """Return the formats of the labels of an image."""
        return self.formats or (("zarr",) if large else ("png",))

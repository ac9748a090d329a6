"""What a run over a folder is to write, in plain values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from napari_snow_unet.base.options import Option
from napari_snow_unet.data.formats.registry import FORMATS
from napari_snow_unet.data.names.result_names import OVERLAY, PROBABILITY

WHERE_TAKEN = "Choose another folder, or say what shall become of what is there."
HELPS_WHERE_TAKEN = ("overwrite", "resume")


@dataclass(frozen=True)
class Outputs:
    """What to write, and whether existing files may be replaced."""

    folder: Path
    probability: Annotated[
        bool,
        Option(
            f"Also write STEM{PROBABILITY}.png.",
            tip="Also write the probability map of each image.",
            label="Probability maps",
        ),
    ] = False
    overlay: Annotated[
        bool,
        Option(
            f"Also write STEM{OVERLAY}.png, outlines on the image.",
            tip="Also write a copy of each image with its nuclei outlined.",
            label="Outlines on the image",
        ),
    ] = False
    overwrite: Annotated[
        bool,
        Option(
            "Overwrite existing results.",
            tip="Overwrite existing results; without it, images that have results fail.",
            label="Overwrite existing results",
        ),
    ] = False
    # Of `formats.registry.FORMATS`; () is PNG, and OME-Zarr of what is too large to be read whole.
    formats: Annotated[
        tuple[str, ...],
        Option(
            f"Output formats, comma-separated: {', '.join(FORMATS)}.",
            none="png; zarr for very large images",
            flag="--format",
        ),
    ] = ()
    resume: Annotated[
        bool,
        Option(
            "Continue an interrupted run with its original options; finished images are skipped."
        ),
    ] = False

    def formats_of(self, *, large: bool) -> tuple[str, ...]:
        """Return the formats of an image's labels."""
        return self.formats or (("zarr",) if large else ("png",))

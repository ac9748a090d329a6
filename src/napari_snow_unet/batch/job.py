"""A job over images, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from napari_snow_unet.base.options import Option
from napari_snow_unet.base.precision import Precision
from napari_snow_unet.batch.outputs import Outputs
from napari_snow_unet.segmentation.options import Options


@dataclass(frozen=True)
class Job:
    """The settings of a job; they can be sent to another machine."""

    model: Annotated[str, Option("Model name (see `models`) or folder; a+b is the mean of two.")]
    precision: Annotated[
        Precision, Option("Number format of the network; 'fast' is bfloat16 where that is faster.")
    ]
    options: Options
    outputs: Outputs  # in a folder with the same path on every machine
    use_pixel_size: bool = True  # use the pixel size of a file
    pixel_sizes: dict[Path, float] = field(default_factory=dict)  # um, for files without one

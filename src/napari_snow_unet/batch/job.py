"""What is to be done with images, in plain values."""

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
    """What one needs to know to segment images; all of it can be sent to another machine."""

    model: Annotated[str, Option("Model name (see `models`) or folder.")]
    precision: Annotated[
        Precision, Option("Number format of the network; 'fast': bfloat16 where that is faster.")
    ]
    options: Options
    outputs: Outputs  # in a folder that every machine sees under the same path
    use_pixel_size: bool = True  # believe the pixel size that a file states
    pixel_sizes: dict[Path, float] = field(default_factory=dict)  # um, of files that state none

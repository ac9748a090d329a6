"""Read and segment one image of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress, passed_on, run
from napari_snow_unet.batch import messages
from napari_snow_unet.batch.large_file import segment_large_file
from napari_snow_unet.batch.outputs import Outputs
from napari_snow_unet.batch.summary import FileResult
from napari_snow_unet.batch.writing import (
    check_formats,
    planes_of,
    write_results,
)
from napari_snow_unet.data.pixels.images import ImageFile
from napari_snow_unet.data.pixels.value_range import is_rgb
from napari_snow_unet.data.slides.any_image import large_image, read_any_image
from napari_snow_unet.data.slides.slide import Slide, is_slide
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.plan import values_for
from napari_snow_unet.segmentation.prefetch import is_small
from napari_snow_unet.segmentation.stack import predict_stack

Result = TypeVar("Result")
#: Errors that concern one image; the run continues with the others.
OF_ONE_IMAGE = (InputError, OSError, MemoryError)
BIG = 4 * 2**20  # bytes of a file; at most one larger file waits in memory


def segment_one(
    path: Path,
    model: Model,
    options: Options,
    outputs: Outputs,
    *,
    use_pixel_size: bool = True,
    pixel_sizes: Mapping[Path, float] | None = None,
) -> FileResult:
    """Segment one image and write its results, without a table; a failure is in the result."""
    start = time.perf_counter()
    try:
        image = read_input(path, use_pixel_size=use_pixel_size, pixel_sizes=pixel_sizes or {})
        steps = segment_read_image(image, model, options, outputs)
        result = run(steps)()
    except OF_ONE_IMAGE as error:
        result = failed(error, path)
    seconds = round(time.perf_counter() - start, 3)
    return replace(result, seconds=seconds, model=model.name, precision=model.precision)


def is_big(path: Path) -> bool:
    """Return whether a file is too big to be read while another is segmented."""
    try:
        return path.is_dir() or path.stat().st_size > BIG
    except OSError:  # reported when it is read
        return False


def is_one_small_plane(image: ImageFile | Slide, model: Model, options: Options) -> bool:
    """Return whether an image is small enough to segment two at a time."""
    if isinstance(image, Slide):
        return False
    planes = planes_of(image.array)
    plane = (planes.shape[1], planes.shape[2])
    return len(planes) == 1 and is_small(plane, model, options, image.pixel_size_um)


def read_input(
    path: Path, *, use_pixel_size: bool, pixel_sizes: Mapping[Path, float]
) -> ImageFile | Slide:
    """Read an image, or open it if it is too large for memory."""
    large = large_image(path)
    if large is not None:
        return large if use_pixel_size else replace(large, spacing_um=None)
    image = read_any_image(path)
    pixel_size = image.pixel_size_um or pixel_sizes.get(path)
    return replace(image, pixel_size_um=pixel_size if use_pixel_size else None)


def segment_read_image(
    image: ImageFile | Slide, model: Model, options: Options, outputs: Outputs
) -> Generator[Progress, None, Callable[[], FileResult]]:
    """Predict the planes of an image; return a callable that finds the nuclei and writes them."""
    if isinstance(image, Slide):
        return (yield from segment_large_file(image, model, options, outputs))
    check_formats(image, outputs)
    values = values_for(model, image.array, white=image.white)
    find_nuclei = yield from predict_stack(
        image.array,
        model,
        options,
        rgb=is_rgb(image.array.shape),
        pixel_size_um=image.pixel_size_um,
        values=values,
    )

    def write() -> FileResult:
        result = find_nuclei()
        labels = write_results(image, values, result, outputs, mask=options.output == "mask")
        level = {"level": 0} if is_slide(image.path) else {}
        return FileResult.of(image.path, labels, result.overall, image.notes, level)

    return write


def within_file(
    steps: Generator[Progress, None, Result], name: str, done: int, total: int
) -> Generator[Progress, None, Result]:
    """Pass on the progress within a file as progress over all files."""
    return passed_on(steps, lambda step: Progress(done, total, f"{name}, {step.message}"))


def failed(error: Exception, source: Path) -> FileResult:
    """Return the result of an image that failed; the error starts with the name of a file."""
    if isinstance(error, InputError):
        refusal = error if error.path is not None else InputError(error.message, path=source)
    elif isinstance(error, MemoryError):
        refusal = InputError(messages.OUT_OF_MEMORY, path=source)
    else:
        file = getattr(error, "filename", None)
        other = None if file in (None, str(source)) else str(file)
        reason = getattr(error, "strerror", None) or str(error)
        refusal = InputError(messages.file_failed(reason, other), path=source)
    return FileResult(source, error=refusal.text(), helps=refusal.helps)

"""One image of many: read, segmented, and what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress, passed_on, run
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
#: What may be wrong with one image while the others are done.
OF_ONE_IMAGE = (InputError, OSError, MemoryError)
BIG = 4 * 2**20  # bytes of a file; of larger ones no more than one waits in memory


def segment_one(
    path: Path,
    model: Model,
    options: Options,
    outputs: Outputs,
    *,
    use_pixel_size: bool = True,
    pixel_sizes: Mapping[Path, float] | None = None,
) -> FileResult:
    """Segment one image and write its results, without a table; where it fails, say why."""
    start = time.perf_counter()
    try:
        image = read_input(path, use_pixel_size=use_pixel_size, known=pixel_sizes or {})
        steps = segment_read_image(image, model, options, outputs)
        result = run(steps)()
    except OF_ONE_IMAGE as error:
        result = failed(error, path)
    seconds = round(time.perf_counter() - start, 3)
    return replace(result, seconds=seconds, model=model.name, precision=model.precision)


def is_big(path: Path) -> bool:
    """Tell whether a file is too big to be read while another is segmented."""
    try:
        return path.is_dir() or path.stat().st_size > BIG
    except OSError:  # reading it will say why
        return False


def is_one_small_plane(image: ImageFile | Slide, model: Model, options: Options) -> bool:
    """Tell whether an image is so small that two are segmented at a time."""
    if isinstance(image, Slide):
        return False
    planes = planes_of(image.array)
    plane = (planes.shape[1], planes.shape[2])
    return len(planes) == 1 and is_small(plane, model, options, image.pixel_size_um)


def read_input(
    path: Path, *, use_pixel_size: bool, known: Mapping[Path, float]
) -> ImageFile | Slide:
    """Read an image; of one that is too large for that, open it."""
    large = large_image(path)
    if large is not None:
        return large if use_pixel_size else replace(large, spacing_um=None)
    image = read_any_image(path)
    pixel_size = image.pixel_size_um or known.get(path)
    return replace(image, pixel_size_um=pixel_size if use_pixel_size else None)


def segment_read_image(
    image: ImageFile | Slide, model: Model, options: Options, outputs: Outputs
) -> Generator[Progress, None, Callable[[], FileResult]]:
    """Predict the planes of an image; return what finds their nuclei and writes the result."""
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
        found = find_nuclei()
        labels = write_results(image, values, found, outputs, mask=options.output == "mask")
        level = {"level": 0} if is_slide(image.path) else {}
        return FileResult.of(image.path, labels, found.together, image.notes, level)

    return write


def within_file(
    steps: Generator[Progress, None, Result], name: str, done: int, total: int
) -> Generator[Progress, None, Result]:
    """Pass on the progress within a file as that among all files."""
    return passed_on(steps, lambda step: Progress(done, total, f"{name}, {step.message}"))


def failed(error: Exception, source: Path) -> FileResult:
    """Return what became of an image that failed, behind the name of a file."""
    helps: tuple[str, ...] = ()
    if isinstance(error, MemoryError):
        reason = f"{source}: not enough memory; use a smaller tile size or a smaller image."
    elif isinstance(error, OSError) and error.errno is not None:
        other = error.filename not in (None, str(source))
        reason = f"{source}: {f'{error.filename}: ' if other else ''}{error.strerror}."
    elif isinstance(error, InputError):
        reason, helps = error.text(), error.helps
        reason = reason if error.path is not None else f"{source}: {reason}"
    else:
        reason = f"{source}: {error}"
    return FileResult(source, error=reason, helps=helps)

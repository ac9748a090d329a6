"""The work of the segment dock in its thread: plain arrays and values in, results out."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from napari_snow_unet.base.progress import Progress
from napari_snow_unet.base.scratch import moved_to_disk
from napari_snow_unet.batch import FileResult, FoundImages, Outputs, find_images, segment_files
from napari_snow_unet.batch.large_file import segment_large_file
from napari_snow_unet.data.pixels.axes import Index, Region
from napari_snow_unet.data.pixels.value_range import ValueRange
from napari_snow_unet.data.slides.slide import Slide, open_slide
from napari_snow_unet.models import CLASSICAL, open_model
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.plan import values_for
from napari_snow_unet.segmentation.stack import check_stack, relabel_stack, segment_stack
from napari_snow_unet.segmentation.stack_result import Plane, StackSegmentation, was_changed
from napari_snow_unet.widgets.segment import messages

LOADING = Progress(0, 0, messages.LOADING)
FIRST = Progress(0, 0, messages.FIRST_TILE)


def _opened(model: str | os.PathLike[str], precision: str) -> Generator[Progress, None, Model]:
    if model != CLASSICAL:
        yield LOADING
    opened = open_model(model, precision=precision)
    _load_what_labels_need()
    yield FIRST
    return opened


@cache
def _load_what_labels_need() -> None:
    """Make a Labels layer once: napari then loads pandas and SciPy, here without a still window."""
    from napari.layers import Labels

    Labels(np.zeros((1, 1), np.uint8))


@contextmanager
def _released(model: Model) -> Iterator[None]:
    """Release the memory of a network at the end of a run."""
    try:
        yield
    finally:
        model.release_memory()


@dataclass(frozen=True)
class Segmented:
    """Nuclei of an image, and the model and value range for further runs."""

    result: StackSegmentation
    model: Model
    values: ValueRange
    changed: bool = False


def segment_layer(
    image: Any,
    model: str | os.PathLike[str],
    options: Options,
    *,
    rgb: bool,
    planes: Sequence[Index] | None,
    pixel_size_um: float | None,
    values: ValueRange | None,
    whole: Any = None,
    white: float | None = None,
    earlier: tuple[Any, dict[Index, Plane]] | None = None,
    precision: str = "float32",
    region: Region | None = None,
) -> Generator[Progress, None, Segmented]:
    """Open a model and segment planes of an image with it, as `segmentation.stack.segment_stack`.

    `image` may be a region of `whole`, from which the white value is determined. `earlier` labels,
    with their planes as segmented, may be replaced: the result says whether they were edited.
    """
    check_stack(image.shape, image.dtype, rgb=rgb)
    opened = yield from _opened(model, precision)
    if values is None:
        whole = image if whole is None else whole
        values = values_for(opened, whole, white=white)
    with _released(opened):
        result = yield from segment_stack(
            image,
            opened,
            options,
            rgb=rgb,
            planes=planes,
            pixel_size_um=pixel_size_um,
            values=values,
            region=region,
        )
    changed = earlier is not None and was_changed(*earlier)
    return Segmented(result, opened, values, changed)


def relabel(
    probability: Any,
    earlier: tuple[Any, dict[Index, Plane]],
    options: Options,
    *,
    floor: float,
    pixel_size_um: float | None,
    region: Region | None = None,
) -> Generator[Progress, None, tuple[StackSegmentation, bool]]:
    """Label an earlier result anew, and tell whether its labels were edited."""
    result = yield from relabel_stack(
        probability,
        list(earlier[1]),
        options,
        floor=floor,
        pixel_size_um=pixel_size_um,
        region=region,
    )
    return result, was_changed(*earlier)


def left_out(
    probability: Any,
    planes: Sequence[Index],
    options: Options,
    *,
    floor: float,
    pixel_size_um: float | None,
    region: Region | None = None,
) -> Generator[Progress, None, Any]:
    """Return labels of the nuclei that minimum area and border exclude from a result."""
    everything = replace(options, min_area=0, min_area_um2=None, clear_border=False)
    labels = []
    for each in (everything, options):
        steps = relabel_stack(
            probability, planes, each, floor=floor, pixel_size_um=pixel_size_um, region=region
        )
        labels.append((yield from steps).labels)
    return np.where(labels[1] == 0, labels[0], 0)


@dataclass(frozen=True)
class WrittenResult:
    """Nuclei of a large image, stored in files."""

    result: FileResult
    labels: Path
    levels: tuple[Any, ...]
    model: Model


def segment_to_files(
    slide: Slide,
    model: str | os.PathLike[str],
    options: Options,
    outputs: Outputs,
    *,
    whole: Any,
    precision: str = "float32",
    region: Region | None = None,
) -> Generator[Progress, None, WrittenResult]:
    """Open a model, segment a plane of any size with it, and write the labels block by block.

    The plane is the finest level of a slide whose path names the files. `region` is called with an
    empty index and returns the mask of the region.
    """
    opened = yield from _opened(model, precision)
    inside = None if region is None else moved_to_disk(region(()))
    outputs.folder.mkdir(parents=True, exist_ok=True)
    values = values_for(opened, whole, white=slide.white)
    with _released(opened):
        steps = segment_large_file(slide, opened, options, outputs, inside, values=values)
        write = yield from steps
    yield Progress(0, 0, messages.WRITING)
    result = write()
    assert result.labels is not None
    return WrittenResult(result, result.labels, open_slide(result.labels).levels, opened)


def segment_folder(
    folder: Path,
    model: str | os.PathLike[str],
    options: Options,
    outputs: Outputs,
    precision: str = "float32",
) -> Generator[Progress, None, tuple[FoundImages, list[FileResult]]]:
    """Open a model and segment the images of a folder with it, with a result for each of them."""
    images = find_images([folder])
    opened = yield from _opened(model, precision)
    with _released(opened):
        results = yield from segment_files(
            images.images, opened, options, outputs, pixel_sizes=images.pixel_sizes
        )
    return images, results

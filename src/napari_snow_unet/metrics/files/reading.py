"""The arrays of one tile, read from its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.annotations.annotation_files import is_annotation_path
from napari_snow_unet.data.datasets.messages import favours
from napari_snow_unet.data.datasets.truth_origin import region_of_tile, truth_origin
from napari_snow_unet.data.formats.label_images import read_labels, read_mask_file
from napari_snow_unet.data.formats.labels_of_outlines import REGION_COUNTS, read_outlined_region
from napari_snow_unet.data.masks.judgement import Judgement
from napari_snow_unet.data.masks.label_pictures import looks_like_labels
from napari_snow_unet.data.masks.notes import Note
from napari_snow_unet.data.names.qupath import tile_region
from napari_snow_unet.data.names.result_names import name_of
from napari_snow_unet.data.pixels.axes import Index
from napari_snow_unet.data.pixels.channels import map_divisor, map_of_8_bits
from napari_snow_unet.data.pixels.images import read_header, read_image
from napari_snow_unet.metrics.files import messages
from napari_snow_unet.metrics.files.evaluation_task import EvaluationTask
from napari_snow_unet.metrics.files.matching import is_named_map
from napari_snow_unet.metrics.planes.messages import NO_PIXEL_INSIDE
from napari_snow_unet.metrics.planes.region import region_of_labels


@dataclass(frozen=True)
class ComparedArrays:
    """The arrays of one tile, of the same shape; a region may be one plane for a whole stack."""

    prediction: NDArray[Any]  # an id for every nucleus
    truth: NDArray[Any]  # likewise
    region: NDArray[np.bool_] | None
    notes: tuple[Note, ...] = ()

    @property
    def planes(self) -> list[Index]:
        """Indices of the slices with annotated pixels; ``()`` for a single image."""
        every = list(np.ndindex(*self.truth.shape[:-2]))
        return every if every == [()] else [index for index in every if self._counts(index)]

    def plane(self, index: Index) -> ComparedArrays:
        """Return one plane."""
        return ComparedArrays(self.prediction[index], self.truth[index], self._region(index))

    def _region(self, index: Index) -> NDArray[np.bool_] | None:
        if self.region is None:
            return None
        return region_of_labels(self.region, self.truth.shape)(index)

    def _counts(self, index: Index) -> bool:
        region = self._region(index)
        return region is None or bool(region.any())


def read_tile(task: EvaluationTask, name: str) -> ComparedArrays:
    """Read prediction, truth and region of one tile, an image or a stack."""
    files = [task.predictions[name], task.truths[name].labels]
    sides = dict(zip(files, (task.predictions_are, task.truths_are), strict=False))
    judged = {
        file: read_mask_file(file, stack=True, masks_are=masks_are)
        for file, masks_are in sides.items()
        if not is_annotation_path(file)
    }
    judged = _as_shown(task.truths[name].image, judged)
    shape = _common_shape(task, name, files, {file: each.labels for file, each in judged.items()})
    for file in sides.keys() - judged.keys():
        image = _image_of(task, name, file)
        judged[file] = read_mask_file(file, (shape[-2], shape[-1]), image=image)
    for file, each in judged.items():
        if each.labels.shape != shape:
            there = [other for other in files if judged[other].labels.shape == shape]
            other = files[1] if files[1] in there or not there else there[0]
            raise _other_size(file, each.labels.shape, shape, str(other))
    prediction, truth = (judged[file] for file in files)
    region = _region(task, name, shape)
    tile = ComparedArrays(
        prediction.nuclei(),
        truth.nuclei(),
        truth.region if region is None else region,
        tuple(_notes(task, name, prediction, truth)),
    )
    if not tile.planes:
        raise InputError(NO_PIXEL_INSIDE)
    return tile


def _region(task: EvaluationTask, name: str, shape: tuple[int, ...]) -> NDArray[np.bool_] | None:
    """Read the annotated region, None if there is no file of it."""
    file = _region_file(task, name)
    if file is None:
        return None
    if is_annotation_path(file):
        image = _image_of(task, name, file)
        return read_outlined_region(file, (shape[-2], shape[-1]), image)
    region = read_labels(file, stack=True)
    if region.shape not in (shape, shape[-2:]):
        raise _other_size(file, region.shape, shape, "the ground truth")
    return region != 0


def _other_size(file: Path, shape: tuple[int, ...], wanted: tuple[int, ...], of: str) -> InputError:
    return InputError(messages.other_size(shape, wanted, of), path=file)


def _image_of(task: EvaluationTask, name: str, file: Path) -> str | Path:
    """Return the image, or its name, to which the outlines of a file belong."""
    truth = task.truths[name]
    if file == truth.labels and truth.image is not None:
        return truth.image
    return file.name if tile_region(name_of(file)) is not None else f"{name}.png"


def _notes(
    task: EvaluationTask, name: str, prediction: Judgement, truth: Judgement
) -> Iterator[Note]:
    """Return notes on masks, outlines, the region of a dataset and the origin of the truth."""
    for side, judged in (("prediction", prediction), ("ground truth", truth)):
        yield from (replace(note, gist=f"{side}: {note.gist}") for note in judged.notes)
    if task.regions is None and _region_file(task, name) is not None:
        yield Note(f"ground truth: {REGION_COUNTS}, as the dataset's regions say")
    if model := truth_origin(task.truths[name].labels).model:
        yield Note(favours(model))


def _as_shown(image: Path | None, masks: dict[Path, Judgement]) -> dict[Path, Judgement]:
    """Rotate masks stored like their image if the image file asks for a rotation."""
    if image is None or len({mask.labels.shape for mask in masks.values()}) < 2:
        return masks
    header = read_header(image)
    return {file: mask.as_shown(header.size, header.orientation) for file, mask in masks.items()}


def _region_file(task: EvaluationTask, name: str) -> Path | None:
    """Return the file of the annotated region: the user's, or that of a prepared dataset."""
    regions = task.regions
    if regions is None:
        return region_of_tile(task.truths[name].labels)
    if isinstance(regions, Path):
        return regions
    if name in regions:
        return regions[name]
    raise InputError(messages.NO_REGION_OF_TILE)


def _common_shape(
    task: EvaluationTask, name: str, files: list[Path], images: Mapping[Path, NDArray[Any]]
) -> tuple[int, ...]:
    """Return the shape that all files must have; outlines adopt that of the others."""
    truth = task.truths[name]
    if truth.labels in images:
        return images[truth.labels].shape
    if truth.image is not None:
        return read_header(truth.image).size
    if images:
        return next(iter(images.values())).shape
    shapes = [read_labels(file, image=_image_of(task, name, file)).shape for file in files]
    return tuple(int(side) for side in np.max(shapes, axis=0))


def read_map(path: Path, shape: tuple[int, ...]) -> tuple[NDArray[np.uint8], str]:
    """Read a probability map as 8 bits, and return the assumption about its values."""
    array = read_image(path).array
    if array.shape != shape:
        raise InputError(messages.map_of_other_size(array.shape, shape), path=path)
    if not is_named_map(path) and np.unique(array).size > 2 and _holds_labels(array):
        raise InputError(messages.MAP_HOLDS_LABELS, path=path)
    try:
        divisor, assumed = map_divisor(array)
    except InputError as error:
        raise InputError(messages.unusable_map(error.message.problem), path=path) from None
    return map_of_8_bits(array, divisor), assumed


def _holds_labels(array: NDArray[Any]) -> bool:
    """Return whether every plane that is not empty looks like labels."""
    planes = [array[index] for index in np.ndindex(*array.shape[:-2])]
    return all(looks_like_labels(plane) for plane in planes if plane.any())

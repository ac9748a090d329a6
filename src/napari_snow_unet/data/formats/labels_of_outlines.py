"""Nuclei from outlines, on the pixels of the image they belong to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.annotations.annotation_files import read_annotations
from napari_snow_unet.data.annotations.drawing import (
    draw_area,
    draw_labels,
    extent,
    is_too_much,
    lies_outside,
)
from napari_snow_unet.data.annotations.frames import SortedOutlines, sort_outlines
from napari_snow_unet.data.annotations.messages import OVERLAPPING
from napari_snow_unet.data.annotations.outlines import ONE, Annotations, Outline
from napari_snow_unet.data.formats import messages
from napari_snow_unet.data.names.file_names import tile_name
from napari_snow_unet.data.names.qupath import TileRegion, tile_region
from napari_snow_unet.data.pairs.partner import partner_of
from napari_snow_unet.data.pixels.images import read_header
from napari_snow_unet.data.pixels.opening import Source, path_errors, source_name

_LARGEST_CANVAS = 1 << 28  # pixels
_WHOLE_IMAGE = 0.9  # of its pixels: no nucleus has so many
REGION_COUNTS = messages.REGION_COUNTS.removesuffix(".")  # in the note of a tile that has one


@dataclass(frozen=True)
class OutlinedNuclei:
    """Nuclei drawn from outlines."""

    labels: npt.NDArray[np.int32]  # (Y, X): the number of the outline, from 1
    classes: list[str]  # of every outline, '' where it has none: that of id 1 is the first
    types: list[int] | None = None  # HoVer-Net's number of the type of each
    region: npt.NDArray[np.bool_] | None = None  # (Y, X): what was annotated; None: all
    notes: list[str] = field(default_factory=list)  # what was left out, and what was assumed


def read_outlined_nuclei(
    source: Source,
    shape: tuple[int, int] | None = None,
    image: str | os.PathLike[str] | None = None,
) -> OutlinedNuclei:
    """Read outlines in any format and draw them on the pixels of their image.

    By default its shape is read from the image that belongs to the file by name; without one it is
    what the file says, that of the tile in its name, or else the smallest that holds all outlines.
    If `image` is called as a tile that QuPath exported, they are those in its part of the slide.
    """
    canvas = _canvas(source, shape, image)
    nuclei = canvas.sorted.nuclei
    if canvas.of_image:
        nuclei, whole = _without_whole_image(canvas)
        canvas.sorted.regions.extend(whole)
    labels, drawn = draw_labels(nuclei, canvas.shape, canvas.region)
    region, about_region = _region(canvas)
    notes = [*canvas.annotations.notes, *canvas.sorted.notes, *about_region]
    notes += _about_nuclei(canvas, nuclei, labels, drawn)
    types = [nucleus.type for nucleus in nuclei]
    classes = [nucleus.class_name for nucleus in nuclei]
    return OutlinedNuclei(labels, classes, types if any(types) else None, region, notes)


def read_outlined_region(
    source: Source,
    shape: tuple[int, int] | None = None,
    image: str | os.PathLike[str] | None = None,
) -> npt.NDArray[np.bool_]:
    """Read the region that a file outlines: its regions, or all there is if it has none."""
    canvas = _canvas(source, shape, image)
    sorted_ = canvas.sorted
    inside = draw_area(sorted_.regions or sorted_.nuclei, canvas.shape, canvas.region)
    return inside & ~draw_area(sorted_.excluded, canvas.shape, canvas.region)


@dataclass(frozen=True)
class _Canvas:
    """What is to be drawn, and on what."""

    path: Path
    annotations: Annotations
    sorted: SortedOutlines
    shape: tuple[int, int]
    region: TileRegion | None
    of_image: bool  # whether the shape is that of an image, and not made for the outlines


def _canvas(
    source: Source, shape: tuple[int, int] | None, image: str | os.PathLike[str] | None
) -> _Canvas:
    path = source_name(source)
    if image is None and isinstance(source, (str, os.PathLike)):
        image = partner_of(path)
    annotations = read_annotations(source, None if image is None else PurePath(image).name)
    region = tile_region(tile_name(PurePath(image or path)))
    if shape is None and image is not None and Path(image).is_file():
        shape = read_header(image).size
    stated = annotations.size if region is None else region.size
    of_image = shape is not None or stated is not None
    if shape is None:
        shape = stated or extent(annotations.outlines)
    elif region is None and annotations.size is not None and annotations.size != tuple(shape):
        raise InputError(messages.of_other_size(annotations.size, shape), path=path)
    if shape[0] * shape[1] > _LARGEST_CANVAS:
        raise InputError(messages.too_large_image(shape, _LARGEST_CANVAS), path=path)
    with path_errors(path):
        if is_too_much(annotations.outlines, shape, region):
            raise InputError(OVERLAPPING)
        by_kind = sort_outlines(annotations.outlines)
    return _Canvas(path, annotations, by_kind, shape, region, of_image)


def _without_whole_image(canvas: _Canvas) -> tuple[list[Outline], list[Outline]]:
    """Take out what covers the image, which is a frame though it holds nothing."""
    height, width = canvas.shape
    nuclei: list[Outline] = []
    whole: list[Outline] = []
    for nucleus in canvas.sorted.nuclei:
        covers = nucleus.kind != ONE and nucleus.area >= _WHOLE_IMAGE * height * width
        if covers and canvas.region is None:
            inside = draw_area([nucleus], canvas.shape).mean()
            (whole if inside >= _WHOLE_IMAGE else nuclei).append(nucleus)
        else:
            nuclei.append(nucleus)
    return nuclei, whole


def _region(canvas: _Canvas) -> tuple[npt.NDArray[np.bool_] | None, list[str]]:
    """Draw the annotated region, and return notes on it."""
    sorted_, notes = canvas.sorted, []
    counts = np.ones(canvas.shape, bool)
    if sorted_.regions:
        notes.append(messages.regions(len(sorted_.regions)))
        if sorted_.outside:
            notes.append(messages.nuclei_outside(sorted_.outside))
        else:
            counts = draw_area(sorted_.regions, canvas.shape, canvas.region)
    counts &= ~draw_area(sorted_.excluded, canvas.shape, canvas.region)
    if counts.all():
        return None, notes
    return counts, [*notes, messages.region_counts(float(counts.mean()))]


def _about_nuclei(
    canvas: _Canvas,
    nuclei: Sequence[Outline],
    labels: npt.NDArray[np.int32],
    drawn: npt.NDArray[np.int64],
) -> list[str]:
    """Return notes on nuclei that are not visible; refuse a file in which none is."""
    if not nuclei:
        return []
    notes = []
    if canvas.region is None:
        outside = sum(lies_outside(nucleus, canvas.shape) for nucleus in nuclei)
        if outside == len(nuclei):
            raise _all_outside(canvas, nuclei)
        if outside:
            notes.append(messages.outlines_outside(outside, len(nuclei)))
        if not drawn.any():
            raise InputError(messages.ALL_OUTLINES_TINY, path=canvas.path)
    seen = np.bincount(labels.ravel(), minlength=len(nuclei) + 1)[1:]
    hidden = int(np.count_nonzero((drawn > 0) & (2 * seen < drawn)))
    if hidden:
        notes.append(messages.outlines_hidden(hidden, len(nuclei)))
    return notes


def _all_outside(canvas: _Canvas, nuclei: Sequence[Outline]) -> InputError:
    boxes = np.array([nucleus.box for nucleus in nuclei])
    (left, top), (right, bottom) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    height, width = canvas.shape
    corner = f"x={max(left, 0):.0f},y={max(top, 0):.0f},w={width},h={height}"
    name = f"{canvas.path.name.split('.')[0]} [{corner}].png"
    text = messages.all_outside(len(nuclei), (left, right), (top, bottom), name)
    return InputError(text, path=canvas.path)

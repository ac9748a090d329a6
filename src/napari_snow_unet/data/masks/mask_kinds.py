"""Decide what the numbers of a mask mean, for every command and dock alike.

Label images, binary masks and class maps are accepted. A note names each assumption. Masks that
would be counted or trained on wrongly are refused. The user can overrule all of it.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import Message
from napari_snow_unet.data.masks import messages, notes
from napari_snow_unet.data.masks.components import (
    Components,
    components_of,
    hollow,
    surrounding_value,
)
from napari_snow_unet.data.masks.greys import has_hard_edges, refusal_of_greys
from napari_snow_unet.data.masks.judgement import MOSTLY, Judgement, Labels, MasksAre
from napari_snow_unet.data.masks.labels import as_labels
from napari_snow_unet.data.masks.notes import Note, values_in_words

_CLASSES = 32  # values below may be classes
_MOST_CLASSES = 12  # of a class map that was resampled; more values are ids that are used again
_LAST = (255, 65535)  # of 8 and 16 bits: often "not annotated", or all ids above
_NO_NUCLEUS = 10  # times as large as the median is the value 255 or 65535, if it is not annotated
_FAR_LARGER = 20  # times as large as the median: no nucleus beside others
_MOST_OF_FRAME = 0.3  # of the pixels: what is more around the nuclei is a background
_SMALLEST = 256  # pixels: what is smaller shows no grey levels
_THICK = 0.8  # share of the components that are thick where values are no rings around others
_SOLID = 0.5  # share of the components that are more than edges, in what is no grey image


def judge_mask(
    values: npt.NDArray[Any],
    masks_are: MasksAre | None = None,
    *,
    path: str | os.PathLike[str] | None = None,
) -> Judgement:
    """Decide what the numbers of a mask mean.

    Parameters
    ----------
    values : ndarray, shape (Y, X), or (N, Y, X) of a stack
        Numbers of any type, palettes and transparency resolved. Planes are judged by themselves.
    masks_are : {"labels", "binary", "classes"}, optional
        What the user declares it to be: one ID per nucleus; nucleus or not; the class of every
        pixel. In the last two the lowest value is background.
    path : path-like, optional
        The file, for the error.

    Returns
    -------
    Judgement
        Kind and labels, with notes or a refusal.

    Raises
    ------
    InputError
        If `values` cannot be a mask of any kind, see `as_labels`.
    """
    if values.ndim > 2 and values.size:
        return _of_stack([judge_mask(plane, masks_are, path=path) for plane in values])
    if _has_fractions(values):
        return _judge_fractions(values, masks_are)
    labels = as_labels(values, path=path)
    components = components_of(labels)
    return _judge(labels, components) if masks_are is None else _obey(labels, components, masks_are)


def _judge(labels: Labels, components: Components) -> Judgement:
    count, without_zero = components.values.size, components.areas[0] == 0
    if count == 0:
        return Judgement("nothing", labels, (notes.NOTHING,))
    if count == 1:
        if without_zero:
            return Judgement("everything", labels, (notes.EVERYTHING,))
        white = notes.about_white(components.foreground, MOSTLY)
        return Judgement("binary", labels, (*white, *_about_outlines(labels)))
    if not without_zero and _is_void(labels, components):
        return _without(labels, int(components.values[-1]))
    if not without_zero and components.clearly_ids:
        return _as_ids(labels, components, components.places(components.loose) > 1)
    if not without_zero and (bordered := _judge_ring(labels, components)) is not None:
        return bordered
    if labels.size >= _SMALLEST and (
        (components.solid.mean() < _SOLID and not _are_outlines_of_ids(labels, components))
        or (not without_zero and components.is_one_value_with_edges() and has_hard_edges(labels))
    ):
        return _judge_greys(labels, components)
    if without_zero:
        likely = surrounding_value(labels) or int(components.values[components.areas[1:].argmax()])
        return _refused(labels, _no_background(labels, likely))
    return _labels_or_classes(labels, components)


def _is_void(labels: Labels, components: Components) -> bool:
    """Tell whether the greatest value is a frame or an area that was not annotated."""
    last = int(components.values[-1])
    if last not in _LAST or not components.stands_alone or components.solid.mean() < _SOLID:
        return False
    if surrounding_value(labels) == last:
        return bool(components.areas[-1] <= _MOST_OF_FRAME * labels.size)
    mine = components.owners == components.values.size
    if (~mine).sum() <= 3 or components.inside[mine].any():
        return False
    usual = np.median(components.sizes[~mine])
    return bool(components.sizes[mine].max() > max(_NO_NUCLEUS * usual, 0.05 * labels.size))


def _without(labels: Labels, void: int) -> Judgement:
    rest = np.where(labels == void, 0, labels)
    judged = _judge(rest, components_of(rest))
    return replace(judged, notes=(notes.void(void), *judged.notes))


def _are_outlines_of_ids(labels: Labels, components: Components) -> bool:
    return components.sizes.size < 3 * components.values.size and hollow(labels)


def _labels_or_classes(labels: Labels, components: Components) -> Judgement:
    """Tell ids from classes by how many places of the image each value lies in."""
    values, areas = components.values, components.areas[1:]
    apart = components.places(components.parts > 1) > 1
    many = apart.sum() > 1 or components.parts.sum() > 2 * values.size
    if many and 2 * areas[apart].sum() >= areas.sum():
        return _classes(labels, components)
    return _as_ids(labels, components, apart if apart.any() else components.parts > 1)


def _as_ids(labels: Labels, components: Components, torn: npt.NDArray[np.bool_]) -> Judgement:
    values, areas = components.values, components.areas[1:]
    likely = surrounding_value(labels)
    if likely and values.size > 3 and areas[values == likely].sum() > 0.3 * labels.size:
        return _refused(labels, _no_background(labels, likely))
    noted = _about_outlines(labels)
    last = int(values[-1])
    if last in _LAST and values[-2:].tolist() == [last - 1, last]:
        if (parts := _parts(labels == last)).max() > 2:
            labels = np.where(parts > 0, parts + (last - 1), labels)
            return Judgement("labels", labels, (*noted, notes.clipped(last)))
    elif last in _LAST and torn[-1] and components.stands_alone:
        labels = np.where(labels == last, 0, labels)
        noted, torn = (*noted, notes.void(last)), torn & (values < last)
    if values.size > 3 and areas.max() > max(0.25 * labels.size, _FAR_LARGER * np.median(areas)):
        share = float(areas.max() / labels.size)
        noted = (*noted, notes.far_larger(int(values[areas.argmax()]), share))
    if torn.any():
        noted = (*noted, notes.in_parts(values[torn]))
    return Judgement("labels", labels, noted)


def _parts(mask: npt.NDArray[np.bool_]) -> Labels:
    from scipy import ndimage

    parts: Labels = ndimage.label(mask, np.ones((3, 3)))[0].astype(np.int32)
    return parts


def _about_outlines(labels: Labels) -> tuple[Note, ...]:
    return (notes.OUTLINES,) if hollow(labels) else ()


def _classes(labels: Labels, components: Components) -> Judgement:
    values, areas = components.values, components.areas[1:]
    within = 3 * components.sizes[components.inside].sum() > areas.sum()
    if values.size <= _MOST_CLASSES and within and components.thick.mean() < _THICK:
        return _refused(labels, messages.nested_classes(values_in_words(values)))
    noted: tuple[Note, ...] = ()
    if values[-1] in _LAST and values[-2] < _CLASSES and 2 * areas[-1] < areas.sum():
        labels = np.where(labels == values[-1], 0, labels)
        noted = (notes.void(int(values[-1])),)
        values = values[:-1]
    about = notes.classes(values) if values.size < _CLASSES else notes.ids_again(values)
    return Judgement("classes", labels, (about, *noted))


def _judge_ring(labels: Labels, components: Components) -> Judgement | None:
    """Judge a mask in which one value is the border of the others; None for any other mask."""
    rank = components.border()
    if not rank:
        return None
    inside = components.inside
    border, others = int(components.values[rank - 1]), components.owners != rank
    within = components.sizes[inside].sum()
    if within < max(0.8 * components.sizes[others].sum(), 0.2 * components.areas[rank]):
        return None
    if border in _LAST and rank == components.values.size:
        return _without(labels, border)
    if components.values.size > 3:
        return None
    inner_values = components.values[components.values != border]
    if inside.sum() < 2 and tuple(components.values) not in ((127, 255), (128, 255)):
        return Judgement("labels", labels, (notes.nested(border, inner_values),))
    return _refused(labels, messages.border(border, values_in_words(inner_values)))


def _judge_greys(values: npt.NDArray[Any], components: Components) -> Judgement:
    """Judge grey levels: a binary mask with soft edges, or none at all."""
    if has_hard_edges(values):
        cut = _cut_at_half(values)
        share = float(np.count_nonzero(cut) / cut.size)
        noted = (notes.soft_edges(components.values), *notes.about_white(share, MOSTLY))
        return Judgement("soft binary", cut, noted)
    return _refused(np.zeros(values.shape, np.int32), refusal_of_greys(values, components))


def _judge_fractions(values: npt.NDArray[Any], masks_are: MasksAre | None) -> Judgement:
    """Judge numbers with fractions: two values, soft edges, or a map."""
    components = components_of(values)
    if masks_are == "binary" or (components.values.size == 1 and masks_are is None):
        noted = (notes.CUT,) if components.values.size > 1 else ()
        return Judgement("binary", _cut_at_half(values), noted)
    if masks_are is None:
        return _judge_greys(values, components)
    return _refused(np.zeros(values.shape, np.int32), messages.FRACTIONS)


def _obey(labels: Labels, components: Components, masks_are: MasksAre) -> Judgement:
    """Read a mask as the kind that the user declares."""
    if masks_are == "labels" or not components.values.size:
        return Judgement("labels", labels)
    if masks_are == "binary" and components.values.size > 3 and components.solid.mean() < _SOLID:
        return Judgement("binary", _cut_at_half(labels), (notes.CUT,))
    noted: tuple[Note, ...] = ()
    if components.areas[0] == 0 and components.values.size > 1:
        lowest = int(components.values[0])
        labels = np.where(labels == lowest, 0, labels)
        noted = (notes.lowest(lowest),)
    if masks_are == "binary" and components.values.size > 1:
        labels = (labels > 0).astype(np.int32)
    return Judgement(masks_are, labels, noted)


def _of_stack(planes: list[Judgement]) -> Judgement:
    """Join the judgements of planes; the first refusal counts for all."""
    noted = dict.fromkeys(note for plane in planes for note in plane.notes)
    if any(plane.labels.any() for plane in planes):
        noted.pop(notes.NOTHING, None)  # in some slices of a stack there is nothing
    labels = np.stack([plane.labels for plane in planes])
    refusals = [messages.in_slice(n, p.refusal) for n, p in enumerate(planes) if p.refusal]
    refusal = refusals[0] if refusals else None
    return Judgement("stack", labels, tuple(noted), refusal, planes=tuple(planes))


def _refused(labels: Labels, refusal: Message) -> Judgement:
    return Judgement("no mask", labels, refusal=refusal)


def _no_background(labels: Labels, likely: int) -> Message:
    zero, share = (float((labels == value).mean()) for value in (0, likely))
    return messages.no_background(zero, likely, share)


def _has_fractions(values: npt.NDArray[Any]) -> bool:
    if values.dtype.kind != "f" or values.size == 0 or not np.isfinite(values).all():
        return False
    return bool(values.min() >= 0 and (np.rint(values) != values).any())


def _cut_at_half(values: npt.NDArray[Any]) -> Labels:
    return (values > values.max() / 2).astype(np.int32)

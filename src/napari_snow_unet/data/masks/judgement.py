"""The judgement of a mask: its kind, its labels, what was assumed or is doubtful."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError, Message
from napari_snow_unet.base.options import Option
from napari_snow_unet.data.masks import notes
from napari_snow_unet.data.masks.notes import Note, note_of
from napari_snow_unet.data.pixels.orientation import mask_as_shown

MasksAre = Literal["labels", "binary", "classes"]
MASKS = Option(
    "What the values of PNG, TIFF and BMP masks are: an ID per nucleus, one for all, or the class "
    "of every pixel.",
    tip="What the values of PNG, TIFF and BMP masks are. Choose it if the detection is wrong.",
    none="detected from their values",
    label="Masks are",
    group="Advanced",
)
MASKS_ARE: tuple[MasksAre, ...] = get_args(MasksAre)
Kind: TypeAlias = Literal[
    "nothing", "everything", "binary", "labels", "classes", "soft binary", "no mask", "stack"
]
MOSTLY = 0.6  # of a mask that is nucleus: above this it may be inverted
Labels: TypeAlias = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a mask is, and the labels in it."""

    kind: Kind
    # (Y, X), or (N, Y, X) of a stack: the values as they are, but for what a note says
    labels: Labels
    notes: tuple[Note, ...] = ()  # what is assumed
    refusal: Message | None = None  # why it cannot be used
    planes: tuple[Judgement, ...] = field(default=(), repr=False)  # those of a stack
    region: npt.NDArray[np.bool_] | None = None  # what was annotated; None is the whole image

    def taken(self, path: str | os.PathLike[str] | None = None) -> Judgement:
        """Return this judgement, or raise an InputError if the mask is refused."""
        if self.refusal:
            raise InputError(self.refusal, path=path)
        return self

    def as_shown(self, size: tuple[int, int], orientation: int) -> Judgement:
        """Lay the mask on an image that is shown turned, see `pixels.orientation.mask_as_shown`."""
        labels, texts = mask_as_shown(self.labels, size, orientation)
        if not texts:
            return self
        return replace(self, labels=labels, notes=(*self.notes, *map(note_of, texts)))

    def nuclei(self) -> Labels:
        """Return a label image with an id for every nucleus.

        Of a binary mask and of a class map these are the 8-connected components, numbered from 1; a
        single component keeps its value.
        """
        if self.planes:
            return np.stack([plane.nuclei() for plane in self.planes])
        if self.kind not in ("binary", "soft binary", "classes"):
            return self.labels
        if self.kind == "classes":
            from skimage.measure import label

            numbers, count = label(self.labels, background=0, return_num=True)
        else:
            from scipy import ndimage

            numbers, count = ndimage.label(self.labels, np.ones((3, 3)))
        return numbers.astype(np.int32, copy=False) if count > 1 else self.labels


def labels_by_definition(
    labels: Labels, texts: Sequence[str] = (), region: npt.NDArray[np.bool_] | None = None
) -> Judgement:
    """Take the IDs of a file whose format holds IDs, with notes on how it was read."""
    nothing = () if labels.any() else (notes.NOTHING,)
    return Judgement("labels", labels, (*map(note_of, texts), *nothing), region=region)

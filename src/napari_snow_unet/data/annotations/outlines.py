"""Outlines in an image, whatever program the file comes from.

Coordinates are pixels of the image, or of the slide at full resolution, x to the right and y down,
with the origin in the corner of the first pixel (not in its centre).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.annotations import messages
from napari_snow_unet.data.annotations.polygons import Polygon, area
from napari_snow_unet.data.pixels.messages import damaged

_FARTHEST = 1e9  # pixels
_POINTS = 180  # of an ellipse
#: A thing that does not count: Aperio's negative regions, COCO's crowds.
EXCLUDED = "excluded"
#: A thing that is one nucleus whatever its parts are.
ONE = "detection"


@dataclass(frozen=True)
class Outline:
    """One outlined thing: a nucleus, or the region that was annotated."""

    polygons: tuple[Polygon, ...]  # its parts, usually one
    class_name: str = ""
    kind: str = ""  # 'cell', 'annotation' and so on as QuPath calls it; `EXCLUDED`; or unknown
    type: int = 0  # HoVer-Net's number of its type, 0 if it has none
    # corners are centres of pixels, which belong to it, as OpenCV traces contours
    centred: bool = False

    @cached_property
    def area(self) -> float:
        """Area in square pixels."""
        return sum(map(area, self.polygons))

    @cached_property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom."""
        rings = [ring for polygon in self.polygons for ring in polygon]
        corners = rings[0] if len(rings) == 1 else np.concatenate(rings)
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        return float(left), float(top), float(right), float(bottom)


@dataclass(frozen=True)
class Annotations:
    """The outlines of one image in a file."""

    outlines: list[Outline]  # in the order of the file
    # height and width of the image in pixels, where the file says them
    size: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()  # what was assumed, or left out


def without_outline(
    ignored: int, outlined: int, things: str, kind: str = "points or lines"
) -> list[str]:
    """Return the note on things of a file that have no outline; InputError if none has one."""
    if ignored and not outlined:
        raise InputError(messages.only_others(ignored, things, kind))
    of = ignored + outlined
    return [messages.others_ignored(ignored, of, things, kind)] if ignored else []


def ring_of(points: Iterable[Sequence[Any]]) -> npt.NDArray[np.float64]:
    """Return points as a ring, (N, 2) x and y; InputError if one is not within a billion."""
    ring = np.array([point[:2] for point in points], np.float64)
    if ring.ndim != 2 or ring.shape[1] != 2 or not (np.abs(ring) < _FARTHEST).all():
        raise InputError(damaged("an outline has points that are not pairs of numbers"))
    return ring


def rectangle(first: Sequence[Any], second: Sequence[Any]) -> npt.NDArray[np.float64]:
    """Return the ring of an upright rectangle from two opposite corners."""
    (x0, y0), (x1, y1) = ring_of([first, second])
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])


def ellipse(centre: Sequence[Any], radii: Sequence[Any]) -> npt.NDArray[np.float64]:
    """Return the ring of an upright ellipse."""
    middle, half = ring_of([centre, radii])
    angle = np.linspace(0, 2 * np.pi, _POINTS, endpoint=False)[:, None]
    return middle + half * np.concatenate([np.cos(angle), np.sin(angle)], axis=1)

"""Which outlines are nuclei, and which are the annotated region.

QuPath's cores, tiles and roots, classes named Region and classes that end in ``*`` are not
nuclei. Neither are annotations in a file with detections or cells. Of other outlines one is a
frame when it holds several of at most a quarter of its area each, an eighth at the median. For an
upright rectangle any median will do, and one alone of at most a twentieth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.annotations import messages
from napari_snow_unet.data.annotations.outlines import EXCLUDED, Outline
from napari_snow_unet.data.annotations.polygons import area

_NUCLEI = {"detection", "cell"}
_NEITHER = {"tile", "root"}
_EXCLUDED_CLASSES = {"ignore", "ambiguous"}  # QuPath's and MoNuSAC's
_LARGEST_SHARE = 0.25  # of a frame's area, for each that it holds
_USUAL_SHARE = 0.125  # at their median
_LARGEST_ALONE = 0.05  # of a rectangle's area, for one that it holds
_MAIN_PART = 0.8  # of the area of a nucleus, for one of several parts
_MOST_TESTS = 1 << 28  # corners times points


@dataclass(frozen=True)
class SortedOutlines:
    """Outlines by what they are."""

    nuclei: list[Outline]  # one each, in the order of the file
    regions: list[Outline] = field(default_factory=list)  # the annotated area
    excluded: list[Outline] = field(default_factory=list)  # areas that do not count
    outside: int = 0  # how many nuclei lie in no region
    notes: list[str] = field(default_factory=list)


def sort_outlines(outlines: Sequence[Outline]) -> SortedOutlines:
    """Separate nuclei from regions; InputError if so many are nested that it would not end."""
    others: list[Outline] = []
    result = SortedOutlines([], [], [], 0, [])
    detected = any(outline.kind in _NUCLEI for outline in outlines)
    regions, passed = {"tmacore", *(("annotation",) if detected else ())}, 0
    for outline in outlines:
        name = outline.class_name.split(":")[0].strip().lower()
        starred, name = name.endswith("*"), name.rstrip("*").strip()
        if outline.kind == EXCLUDED or name in _EXCLUDED_CLASSES:
            result.excluded.append(outline)
        elif outline.kind in _NEITHER or (starred and not name.startswith("region")):
            passed += 1
        elif outline.kind in regions or name.startswith("region"):
            result.regions.append(outline)
        else:
            others.append(outline)
    if passed:
        result.notes.append(messages.starred(passed))
    nuclei, notes = _single(others)
    frames = _frames(nuclei)
    result.regions.extend(nuclei[number] for number in sorted(frames))
    result.nuclei.extend(nucleus for n, nucleus in enumerate(nuclei) if n not in frames)
    result.notes.extend(notes)
    if result.excluded:
        result.notes.append(messages.excluded(len(result.excluded)))
    return replace(result, outside=_outside(result.nuclei, result.regions))


def holes_into(outlines: Sequence[Outline]) -> list[Outline]:
    """Cut what is excluded out of the smallest outline of its class around it, if there is one."""
    holes = [outline for outline in outlines if outline.kind == EXCLUDED]
    others = [outline for outline in outlines if outline.kind != EXCLUDED]
    if not holes:
        return others
    boxes, sizes = _boxes(others), np.array([other.area for other in others])
    cut: dict[int, list[npt.NDArray[np.float64]]] = {}
    left = []
    for hole in holes:
        around = _around(hole, others, boxes)
        if around:
            cut.setdefault(min(around, key=sizes.__getitem__), []).append(hole.polygons[0][0])
        else:
            left.append(hole)
    done = [
        replace(other, polygons=([*other.polygons[0], *cut[number]],)) if number in cut else other
        for number, other in enumerate(others)
    ]
    return [*done, *left]


def _around(hole: Outline, others: Sequence[Outline], boxes: npt.NDArray[np.float64]) -> list[int]:
    """Return the numbers of the outlines of a class that hold all corners of another."""
    left, top, right, bottom = hole.box
    near = (boxes[:, 0] <= left) & (boxes[:, 1] <= top)
    near &= (boxes[:, 2] >= right) & (boxes[:, 3] >= bottom)
    return [
        number
        for number in np.flatnonzero(near).tolist()
        if others[number].class_name == hole.class_name
        and _inside(others[number], hole.polygons[0][0]).mean() > 0.5
    ]


def _single(outlines: Sequence[Outline]) -> tuple[list[Outline], list[str]]:
    """Take every polygon of a merged class for a nucleus; crumbs stay with what they are of."""
    single: list[Outline] = []
    merged = polygons = 0
    for outline in outlines:
        sizes = list(map(area, outline.polygons))
        if len(sizes) == 1 or outline.kind in _NUCLEI or max(sizes) >= _MAIN_PART * sum(sizes):
            single.append(outline)
            continue
        single += [replace(outline, polygons=(polygon,)) for polygon in outline.polygons]
        merged, polygons = merged + 1, polygons + len(sizes)
    if not merged:
        return single, []
    return single, [messages.several_polygons(merged, polygons)]


def _frames(outlines: Sequence[Outline]) -> set[int]:
    """Return the numbers of the outlines that hold others, found within a bound of effort."""
    from scipy.spatial import cKDTree

    if len(outlines) < 2:
        return set()
    centres, sizes = _centres(outlines), np.array([outline.area for outline in outlines])
    boxes, left = _boxes(outlines), _MOST_TESTS
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    reach = np.hypot(*(boxes[:, 2:] - boxes[:, :2]).T) / 2
    tree, frames = cKDTree(centres), set()
    near = tree.query_ball_point(middles, reach, return_length=True)
    for number in np.flatnonzero(near > 1).tolist():
        outline = outlines[number]
        if outline.kind in _NUCLEI:
            continue
        held = np.array(tree.query_ball_point(middles[number], reach[number]))
        held = held[sizes[held] <= _LARGEST_SHARE * sizes[number]]
        if not len(held):
            continue
        left -= len(held) * _corners(outline)
        if left < 0:
            raise InputError(messages.OVERLAPPING)
        shares = sizes[held[_inside(outline, centres[held])]] / sizes[number]
        if _is_around(outline, shares):
            frames.add(number)
    return frames


def _is_around(outline: Outline, shares: npt.NDArray[np.float64]) -> bool:
    """Tell a frame by the areas of what it holds, as parts of its own."""
    if len(shares) > 1:
        return bool(np.median(shares) <= _USUAL_SHARE) or _is_rectangle(outline)
    return bool((shares <= _LARGEST_ALONE).any()) and _is_rectangle(outline)


def _outside(nuclei: Sequence[Outline], regions: Sequence[Outline]) -> int:
    """Count the nuclei whose centre lies in no region."""
    if not regions or not nuclei:
        return 0
    centres = _centres(nuclei)
    if len(centres) * sum(map(_corners, regions)) > 8 * _MOST_TESTS:
        raise InputError(messages.OVERLAPPING)
    outside = np.ones(len(centres), bool)
    for region in regions:
        outside[outside] = ~_inside(region, centres[outside])
    return int(np.count_nonzero(outside))


def _inside(outline: Outline, points: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Tell which points lie in an outline, but not in its holes."""
    from skimage.measure import points_in_poly

    within = np.zeros(len(points), bool)
    for polygon in outline.polygons:
        parity = np.zeros(len(points), bool)
        for ring in polygon:
            parity ^= points_in_poly(points, ring)
        within |= parity
    return within


def _is_rectangle(outline: Outline) -> bool:
    """Tell whether an outline is an upright rectangle."""
    if len(outline.polygons) > 1 or len(outline.polygons[0]) > 1:
        return False
    corners = np.unique(outline.polygons[0][0], axis=0)
    return len(corners) == 4 and all(len(np.unique(axis)) == 2 for axis in corners.T)


def _corners(outline: Outline) -> int:
    return sum(len(ring) for polygon in outline.polygons for ring in polygon)


def _centres(outlines: Sequence[Outline]) -> npt.NDArray[np.float64]:
    return np.array([outline.polygons[0][0].mean(axis=0) for outline in outlines])


def _boxes(outlines: Sequence[Outline]) -> npt.NDArray[np.float64]:
    return np.array([outline.box for outline in outlines]).reshape(-1, 4)

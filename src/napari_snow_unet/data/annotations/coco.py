"""Objects from COCO's JSON and LabelMe's.

References
----------
.. [1] T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014; the file and its
       run lengths as cocodataset.org and pycocotools have them.
.. [2] B. C. Russell et al., "LabelMe", International Journal of Computer Vision 77, 2008; the
       file as the Python program of that name writes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.annotations import messages
from napari_snow_unet.data.annotations.outlines import (
    EXCLUDED,
    ONE,
    Annotations,
    Outline,
    ellipse,
    rectangle,
    ring_of,
    without_outline,
)
from napari_snow_unet.data.annotations.polygons import Polygon
from napari_snow_unet.data.annotations.tracing import trace_outlines
from napari_snow_unet.data.pixels.messages import damaged

_MOST_PIXELS = 1 << 26  # of all masks of a file, each within its own box


def is_coco(content: Any) -> bool:
    """Tell COCO's JSON by its structure."""
    return isinstance(content, dict) and all(
        isinstance(content.get(name), list) for name in ("images", "annotations")
    )


def image_names(content: dict[str, Any]) -> list[str]:
    """Return the images' names with forward slashes, those in addresses of the web decoded."""
    # Label Studio writes data/local-files/?d=folder/my%20image.png.
    return [_path(str(image["file_name"])) for image in content["images"]]


def _path(name: str) -> str:
    if "://" not in name and "?d=" not in name:
        return name.replace("\\", "/")
    address = urlsplit(name)
    return parse_qs(address.query).get("d", [unquote(address.path)])[0]


def read_coco(content: dict[str, Any], image: str | None = None) -> Annotations:
    """Return the objects of one image, which need not be named where the file has but one."""
    wanted = content["images"][_chosen(image_names(content), image)]
    classes = {entry["id"]: str(entry["name"]) for entry in content.get("categories") or []}
    size = _size(wanted.get("height"), wanted.get("width"))
    mine, notes = _of_image(content, str(wanted["id"]))
    outlines, left = [], [_MOST_PIXELS]
    for entry in mine:
        if polygons := tuple(_polygons(entry.get("segmentation"), left)):
            kind = EXCLUDED if entry.get("iscrowd") else ONE if len(polygons) > 1 else ""
            outlines.append(Outline(polygons, classes.get(entry.get("category_id"), ""), kind))
    notes += without_outline(len(mine) - len(outlines), len(outlines), "objects", "boxes")
    return Annotations(outlines, size, tuple(notes))


def _of_image(content: dict[str, Any], image: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the objects of an image, and what is assumed of them.

    CVAT calls what is painted a crowd, and the VGG Image Annotator writes ids as text.
    """
    entries = content["annotations"]
    ids = {str(entry["id"]) for entry in content["images"]}
    if entries and not any(str(entry["image_id"]) in ids for entry in entries):
        raise InputError(messages.OBJECTS_WITHOUT_IMAGE)
    mine = [entry for entry in entries if str(entry["image_id"]) == image]
    if not mine or not all(entry.get("iscrowd") for entry in entries):
        return mine, []
    return [dict(entry, iscrowd=0) for entry in mine], [messages.CROWDS]


def is_labelme(content: Any) -> bool:
    """Tell LabelMe's JSON by its structure."""
    return isinstance(content, dict) and isinstance(content.get("shapes"), list)


def read_labelme(content: dict[str, Any]) -> Annotations:
    """Return the shapes of a file that LabelMe wrote; those of one group are one object."""
    grouped: dict[Any, list[tuple[Polygon, str]]] = {}
    passed = 0
    for number, shape in enumerate(content["shapes"]):
        group, label = shape.get("group_id"), str(shape.get("label") or "")
        if ring := _shape(shape.get("shape_type") or "polygon", shape["points"]):
            key = ("alone", number) if group is None else ("group", str(group), label)
            grouped.setdefault(key, []).append((ring, label))
        else:
            passed += 1
    outlines = [
        Outline(tuple(ring for ring, _ in parts), parts[0][1], ONE if len(parts) > 1 else "")
        for parts in grouped.values()
    ]
    size = _size(content.get("imageHeight"), content.get("imageWidth"))
    return Annotations(outlines, size, tuple(without_outline(passed, len(outlines), "shapes")))


def _size(height: Any, width: Any) -> tuple[int, int] | None:
    return (int(height), int(width)) if height and width else None


def _shape(kind: str, points: Sequence[Any]) -> Polygon | None:
    if kind == "polygon":
        return [ring_of(points)]
    if kind == "rectangle":
        return [rectangle(points[0], points[-1 if len(points) == 2 else 2])]
    if kind == "circle":
        centre, edge = ring_of(points[:2])
        radius = float(np.hypot(*(edge - centre)))
        return [ellipse(centre, (radius, radius))]
    if kind == "mask":
        raise InputError(messages.MASKS_AS_PIXELS)
    return None  # points and lines


def _chosen(names: Sequence[str], image: str | None) -> int:
    """Return which image is meant; a single one is, whatever its name is."""
    if len(names) == 1:
        return 0
    wanted = PurePosixPath(image or "")
    paths = [PurePosixPath(name) for name in names]
    for same in (
        [path.name == wanted.name for path in paths],
        [path.stem in (wanted.name, wanted.stem) for path in paths],
    ):
        matches = [number for number, is_same in enumerate(same) if is_same]
        if len(matches) == 1:
            return matches[0]
    raise InputError(messages.which_image(tuple(names), wanted.stem))


def _polygons(segmentation: Any, left: list[int]) -> Iterator[Polygon]:
    """Go through the parts of an object, however deep its numbers lie in lists.

    The VGG Image Annotator writes one list of numbers, others pairs, or run lengths in a list.
    """
    if isinstance(segmentation, dict):
        yield from _traced(segmentation["counts"], segmentation["size"], left)
    elif not segmentation:
        return
    elif not isinstance(segmentation[0], (list, dict)):
        yield [ring_of(np.reshape(segmentation, (-1, 2)))]
    elif len(segmentation) > 2 and all(_is_point(part) for part in segmentation):
        yield [ring_of(segmentation)]
    else:
        for part in segmentation:
            yield from _polygons(part, left)


def _is_point(part: Any) -> bool:
    return isinstance(part, list) and len(part) == 2 and not isinstance(part[0], (list, dict))


def _traced(
    counts: str | Sequence[int], size: Sequence[int], left: list[int]
) -> tuple[Polygon, ...]:
    """Trace the pixels of a run-length encoded mask, which is stored column by column.

    `left` holds how many pixels may still be looked at in all masks of the file.
    """
    height, width = (int(side) for side in size)
    runs = np.asarray(_run_lengths(counts) if isinstance(counts, str) else counts, np.int64)
    if min(height, width) < 1 or (
        runs.size and (runs.min() < 0 or max(runs.max(), runs.sum()) > height * width)
    ):
        raise InputError(damaged("the run lengths of a mask do not fit its size"))
    ends = np.cumsum(runs)
    first, last = ends[:-1:2], ends[1::2]  # runs of background come first
    first, last = (edge[: len(last)][first[: len(last)] < last] for edge in (first, last))
    if not len(first):
        return ()
    columns, rows = np.divmod(np.stack([first, last - 1]), height)
    spans = columns[1] - columns[0] + 1  # a run continues at the top of the next column
    top, bottom = (int(rows.min()), int(rows.max()) + 1) if (spans == 1).all() else (0, height)
    begin, wide = int(columns.min()), int(np.ptp(columns)) + 1
    left[0] -= wide * (bottom - top)
    if left[0] < 0:
        raise InputError(messages.MASKS_TOO_LARGE)
    run = np.repeat(np.arange(len(spans)), spans)
    piece = np.arange(len(run)) - np.repeat(np.cumsum(spans) - spans, spans)
    column = columns[0][run] + piece - begin
    start = np.where(piece == 0, rows[0][run], 0) - top
    stop = np.where(piece == spans[run] - 1, rows[1][run] + 1, height) - top
    steps = np.zeros((wide, bottom - top + 1), np.int8)
    np.add.at(steps, (column, start), 1)
    np.add.at(steps, (column, stop), -1)
    mask = np.cumsum(steps, axis=1, dtype=np.int8)[:, :-1].T
    (traced,) = trace_outlines(mask)
    corner = np.array([begin, top])
    return tuple([ring + corner for ring in polygon] for polygon in traced.polygons)


def _run_lengths(text: str) -> npt.NDArray[np.int64]:
    """Decode pycocotools' text: five bits a letter, differences to the run before the last."""
    runs: list[int] = []
    value = shift = 0
    for letter in text.encode("latin-1"):
        bits = letter - 48
        if not 0 <= bits < 64 or shift > 60:
            raise InputError(damaged("the run lengths of a mask are invalid"))
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:
                value -= 1 << shift
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    return np.array(runs, np.int64)

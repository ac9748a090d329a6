"""What is written for one image: labels in the formats asked for, probability map, overlay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.batch.outputs import HELPS_WHERE_TAKEN, WHERE_TAKEN, Outputs
from napari_snow_unet.batch.summary import SUMMARY
from napari_snow_unet.data.formats.nuclei_file import Nuclei, write_nuclei, write_stack
from napari_snow_unet.data.formats.registry import check_format, format_of
from napari_snow_unet.data.names.file_names import tile_name
from napari_snow_unet.data.names.qupath import tile_region
from napari_snow_unet.data.names.result_names import DERIVED, OVERLAY, PROBABILITY
from napari_snow_unet.data.pixels.channels import to_rgb8
from napari_snow_unet.data.pixels.images import ImageFile, write_image
from napari_snow_unet.data.pixels.value_range import ValueRange, is_rgb
from napari_snow_unet.data.slides.any_image import large_image
from napari_snow_unet.segmentation.overlay import draw_outlines
from napari_snow_unet.segmentation.plane.preprocess import plane_axes
from napari_snow_unet.segmentation.stack_result import StackSegmentation

Array = np.ndarray[Any, Any]


def planes_of(image: Array) -> Array:
    """Return the planes of an image behind each other, shape (N, Y, X) or (N, Y, X, C)."""
    rgb = is_rgb(image.shape)
    plane_axes(image.shape, rgb=rgb)
    return image.reshape(-1, *image.shape[-3 if rgb else -2 :])


def write_results(
    image: ImageFile,
    values: ValueRange,
    found: StackSegmentation,
    outputs: Outputs,
    *,
    mask: bool,
) -> Path:
    """Write what was found in an image; return the path of the labels' first format.

    With `mask` the labels are one mask, which is 0 and 255 as an image.
    """
    planes, stem = planes_of(image.array), outputs.folder / image.path.stem
    shape = planes.shape[:3]
    labels, maps = found.labels.reshape(shape), found.probability.reshape(shape)
    about = file_facts(image.path, found.provenance, found.threshold)
    if outputs.probability:
        _write_planes(_named(stem, f"{PROBABILITY}.png"), maps, outputs.overwrite)
    if outputs.overlay:
        drawn = [
            draw_outlines(to_rgb8(plane, values), nuclei)
            for plane, nuclei in zip(planes, labels, strict=True)
        ]
        _write_planes(_named(stem, f"{OVERLAY}.png"), np.stack(drawn), outputs.overwrite)
    nuclei = nuclei_for_file(image.path, _single(labels), _single(planes), _single(maps), about)
    targets = [_named(stem, f".{name}") for name in outputs.formats_of(large=False)]
    written = [
        write_found(target, nuclei, mask=mask, overwrite=outputs.overwrite) for target in targets
    ]
    return written[0]


def write_found(target: Path, nuclei: Nuclei, *, mask: bool, overwrite: bool) -> Path:
    """Write labels in the format of the file's name; one mask is 0 and 255 as an image."""
    if not mask or format_of(target) not in ("png", "tif"):
        return write_nuclei(target, nuclei, overwrite=overwrite)
    white = (nuclei.labels > 0) * np.uint8(255)
    planes = white if white.ndim > 2 else white[None]
    return _write_planes(target, planes, overwrite, nuclei.about)


def nuclei_for_file(
    source: Path | None, labels: Array, pixels: Array, maps: Array, about: Mapping[str, Any]
) -> Nuclei:
    """Return what files hold of an image's nuclei; a tile of QuPath keeps its place."""
    side = about.get("pixel_size_um")
    region = None if source is None else tile_region(tile_name(source))
    return Nuclei(
        labels=labels,
        image=pixels,
        probability=maps,
        spacing_um=None if side is None else (side, side),
        downsample=1.0 if region is None else region.downsample,
        origin=(0.0, 0.0) if region is None else (region.x, region.y),
        provenance=about,
    )


def file_facts(source: Path, provenance: Mapping[str, Any], threshold: float) -> dict[str, Any]:
    """Return what the files of an image's labels say of them; of its path only the name."""
    return {"image": tile_name(source), **provenance, "threshold": threshold}


def _single(planes: Array) -> Array:
    """Return the plane itself where there is only one."""
    return planes[0] if len(planes) == 1 else planes


def _named(stem: Path, ending: str) -> Path:
    return stem.with_name(stem.name + ending)


def _write_planes(
    target: Path,
    planes: Array,
    overwrite: bool,
    about: Mapping[str, Any] | None = None,
) -> Path:
    """Write one plane as an image, several as a TIFF stack of the same stem."""
    if len(planes) == 1:
        return write_image(target, planes[0], about=about, overwrite=overwrite)
    return write_stack(target, planes, about=about, overwrite=overwrite)


def check_formats(image: ImageFile, outputs: Outputs) -> None:
    """Refuse an image that a format asked for cannot hold, before any work."""
    axes = 2 if len(planes_of(image.array)) == 1 else 3
    for name in outputs.formats_of(large=False):
        check_format(name, axes, image.path)


def refuse_clash(
    source: Path, outputs: Outputs, sources: set[Path], taken: dict[str, Path]
) -> None:
    """Refuse an image whose results would take the place of something else.

    `sources` are all images to be segmented, resolved; `taken` says whose results a stem has.
    """
    if source.stem in taken:
        raise InputError(
            f"its results would have the names of those of {taken[source.stem]}",
            expected="images of different names",
            remedy="Segment them into different folders.",
            path=source,
        )
    for target in _targets(source, outputs):
        if target.resolve() in sources or target.name == SUMMARY:
            what = "the summary" if target.name == SUMMARY else "an image that is to be segmented"
            raise InputError(
                f"the result would replace {what}",
                expected="an output folder other than the images' own",
                remedy="Choose another folder or another name.",
                path=target,
            )
        refuse_taken(target, outputs)


def refuse_taken(target: Path, outputs: Outputs) -> None:
    """Refuse a result that is there already and may not be replaced, before any work."""
    if target.exists() and not outputs.overwrite:
        raise InputError(
            "the result exists already",
            expected="a free name",
            remedy=WHERE_TAKEN,
            helps=HELPS_WHERE_TAKEN,
            path=target,
        )


def _targets(source: Path, outputs: Outputs) -> Iterator[Path]:
    """Name all files that may be written for an image; what a PNG cannot hold goes to a TIFF."""
    try:
        large = large_image(source) is not None
    except (InputError, OSError):  # whoever reads it will say why
        large = False
    endings = [f".{name}" for name in outputs.formats_of(large=large)]
    for flag, name in zip((outputs.probability, outputs.overlay), DERIVED, strict=True):
        endings += [f"{name}.png"] if flag else []
    for ending in endings:
        yield outputs.folder / f"{source.stem}{ending}"
        if ending.endswith(".png"):
            yield outputs.folder / f"{source.stem}{ending.removesuffix('.png')}.tif"

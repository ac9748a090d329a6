"""Write the results of one image: labels, probability map, overlay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.batch import messages
from napari_snow_unet.batch.outputs import Outputs
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
    """Return the planes of an image as one axis, shape (N, Y, X) or (N, Y, X, C)."""
    rgb = is_rgb(image.shape)
    plane_axes(image.shape, rgb=rgb)
    return image.reshape(-1, *image.shape[-3 if rgb else -2 :])


def write_results(
    image: ImageFile,
    values: ValueRange,
    result: StackSegmentation,
    outputs: Outputs,
    *,
    mask: bool,
) -> Path:
    """Write the result of an image; return the path of its labels in the first format.

    With `mask` the labels are a binary mask, 0 and 255 in images.
    """
    planes, stem = planes_of(image.array), outputs.folder / image.path.stem
    shape = planes.shape[:3]
    labels, maps = result.labels.reshape(shape), result.probability.reshape(shape)
    about = file_facts(image.path, result.provenance, result.threshold)
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
    """Return the provenance for label files, with the name of the image but not its path."""
    return {"image": tile_name(source), **provenance, "threshold": threshold}


def _single(planes: Array) -> Array:
    """Return a single plane without the axis of planes."""
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
    """Raise `InputError` for an image that one of the formats cannot hold."""
    axes = 2 if len(planes_of(image.array)) == 1 else 3
    for name in outputs.formats_of(large=False):
        check_format(name, axes, image.path)


def refuse_clash(
    source: Path, outputs: Outputs, sources: set[Path], taken: dict[str, Path]
) -> None:
    """Raise `InputError` if the results of an image would overwrite something else.

    `sources` are the resolved paths of all images; `taken` maps stems to their images.
    """
    if source.stem in taken:
        raise InputError(messages.same_names(str(taken[source.stem])), path=source)
    for target in _targets(source, outputs):
        if target.name == SUMMARY:
            raise InputError(messages.WOULD_REPLACE_SUMMARY, path=target)
        if target.resolve() in sources:
            raise InputError(messages.WOULD_REPLACE_IMAGE, path=target)
        refuse_taken(target, outputs)


def refuse_taken(target: Path, outputs: Outputs) -> None:
    """Raise `InputError` for an existing result that may not be overwritten."""
    if target.exists() and not outputs.overwrite:
        raise InputError(messages.RESULT_EXISTS, path=target)


def _targets(source: Path, outputs: Outputs) -> Iterator[Path]:
    """Yield all files that may be written for an image; a PNG may become a TIFF."""
    try:
        large = large_image(source) is not None
    except (InputError, OSError):  # reported when it is read
        large = False
    endings = [f".{name}" for name in outputs.formats_of(large=large)]
    for flag, name in zip((outputs.probability, outputs.overlay), DERIVED, strict=True):
        endings += [f"{name}.png"] if flag else []
    for ending in endings:
        yield outputs.folder / f"{source.stem}{ending}"
        if ending.endswith(".png"):
            yield outputs.folder / f"{source.stem}{ending.removesuffix('.png')}.tif"

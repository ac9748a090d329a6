"""Segment a file larger than memory, writing its results block by block."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.batch import messages
from napari_snow_unet.batch.outputs import Outputs
from napari_snow_unet.batch.summary import FileResult
from napari_snow_unet.batch.writing import file_facts, refuse_taken
from napari_snow_unet.data.formats.ome_zarr import ome_zarr_labels
from napari_snow_unet.data.formats.origin import facts_for_file
from napari_snow_unet.data.formats.registry import FORMATS
from napari_snow_unet.data.formats.tiled_tiff import write_tiled_tiff
from napari_snow_unet.data.names.result_names import PROBABILITY
from napari_snow_unet.data.pixels.orientation import notes_on_turning
from napari_snow_unet.data.pixels.pixel_size import plausible_um
from napari_snow_unet.data.pixels.value_range import ValueRange
from napari_snow_unet.data.slides.slide import Slide
from napari_snow_unet.segmentation.large import segment_large
from napari_snow_unet.segmentation.large.windows import ComputeAll
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.plan import values_for
from napari_snow_unet.segmentation.plane.resample import Resampling, scale_factor
from napari_snow_unet.segmentation.plane.tiling import cheapest_window

CHUNK = 1024  # pixels
WINDOW = 2048  # default for large images, in pixels: the halo adds a fifth, not a half


def segment_large_file(
    slide: Slide,
    model: Model,
    options: Options,
    outputs: Outputs,
    inside: NDArray[np.bool_] | None = None,
    compute_all: ComputeAll | None = None,
    values: ValueRange | None = None,
) -> Generator[Progress, None, Callable[[], FileResult]]:
    """Segment a slide at full resolution; return a callable that completes and names the files.

    Labels are written as OME-Zarr or tiled BigTIFF, the probability as tiled TIFF.
    """
    _check_outputs(slide, outputs)
    side = None if slide.spacing_um is None else plausible_um(*slide.spacing_um[::-1])
    side = options.effective_pixel_size(side)
    if options.tile == Options().tile:
        at_scale = Resampling.by(scale_factor(side, model.pixel_size_um), slide.size).new
        options = replace(options, tile=cheapest_window(at_scale, model.halo, WINDOW))
    spacing = None if side is None else (side, side)
    stem = slide.path.name.removesuffix(slide.path.suffix)
    targets = {name: outputs.folder / f"{stem}.{name}" for name in outputs.formats_of(large=True)}
    map_path = outputs.folder / f"{stem}{PROBABILITY}.tif"
    for target in (*targets.values(), *([map_path] if outputs.probability else [])):
        refuse_taken(target, outputs)
    with ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix=".writing-", dir=outputs.folder)
        scratch = Path(stack.enter_context(temporary))
        probability = _on_disk(scratch / "probability", slide.size, np.uint8)
        preliminary = _on_disk(scratch / "preliminary", slide.size, np.int32)
        target = targets.get("zarr", scratch / f"{stem}.zarr")
        written = stack.enter_context(
            ome_zarr_labels(target, slide.size, spacing_um=spacing, overwrite=outputs.overwrite)
        )
        result = yield from segment_large(
            slide.levels[0],
            model,
            options,
            probability,
            preliminary,
            written.write,
            lambda shape: _on_disk(scratch / "at-scale", shape, np.uint8),
            pixel_size_um=side,
            values=values or values_for(model, slide.levels[0], white=slide.white),
            inside=inside,
            compute_all=compute_all,
        )
        unnamed = stack.pop_all()

    def write() -> FileResult:
        provenance = file_facts(slide.path, result.provenance, result.threshold)
        about = facts_for_file(provenance, spacing)
        with unnamed:  # the OME-Zarr gets its name at the end
            written.say(about)
            for path, array in (
                (targets.get("tif"), written.levels[0]),
                (map_path if outputs.probability else None, probability),
            ):
                if path is not None:
                    facts = None if path == map_path else about
                    overwrite = outputs.overwrite
                    write_tiled_tiff(path, array, spacing, about=facts, overwrite=overwrite)
        labels, turned = next(iter(targets.values())), notes_on_turning(slide.orientation)
        return FileResult.of(slide.path, labels, result, turned, {"level": 0})

    return write


def _check_outputs(slide: Slide, outputs: Outputs) -> None:
    others = [name for name in outputs.formats_of(large=True) if not FORMATS[name].any_size]
    if others or outputs.overlay:
        height, width = slide.size
        refused = (*others, *(["an overlay"] if outputs.overlay else []))
        raise InputError(messages.too_large(refused, width, height), path=slide.path)


def _on_disk(path: Path, shape: tuple[int, int], kind: Any) -> Any:
    """Create an array of zeros on disk; chunks that are never written take no space."""
    import zarr

    chunks = tuple(min(CHUNK, length) for length in shape)
    return zarr.create_array(path, shape=shape, chunks=chunks, dtype=kind, compressors=None)

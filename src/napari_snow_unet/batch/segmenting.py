"""Segment images one after the other."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_snow_unet.batch.summary import (
    SUMMARY,
    FileDone,
    FileResult,
    append_to_summary,
    start_summary,
)
from napari_snow_unet.batch.writing import (
    Outputs,
    check_formats,
    planes_of,
    refuse_clash,
    write_results,
)
from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.images import ImageFile, read_image
from napari_snow_unet.data.progress import Progress
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options, check_options
from napari_snow_unet.segmentation.pipeline import Segmentation, segment
from napari_snow_unet.segmentation.preprocess import unit_divisor


def segment_files(
    files: Sequence[Path],
    model: Model,
    options: Options,
    outputs: Outputs,
    *,
    use_pixel_size: bool = True,
) -> Generator[Progress, None, list[FileResult]]:
    """Segment images one after the other and write their labels.

    A file that cannot be used is reported in its result and the others are done. What is written
    is whole at any moment, so stopping between two steps leaves nothing half.

    Parameters
    ----------
    files : sequence of Path
        Images; a stack is segmented plane by plane.
    model : Model
        The network or the classical method.
    options : Options
        What the person chose.
    outputs : Outputs
        Where to, and what else.
    use_pixel_size : bool, default: True
        Believe the pixel size that a file states; otherwise it counts as unknown.

    Yields
    ------
    Progress
        After every window of the network; `done` counts files. After every file a `FileDone`.

    Returns
    -------
    list of FileResult
        In the order of `files`.

    Raises
    ------
    InputError
        If an option cannot be used for any image.
    """
    results: list[FileResult] = []
    sources = {path.resolve() for path in files}
    taken: dict[str, Path] = {}
    check_options(options, model)
    start_summary(outputs.folder / SUMMARY, files)
    for done, source in enumerate(files):
        yield Progress(done, len(files), source.name)
        start = time.perf_counter()
        try:
            refuse_clash(source, outputs, sources, taken)
            taken[source.stem] = source
            image = read_image(source)
            if not use_pixel_size:
                image = replace(image, pixel_size_um=None)
            steps = _segment_image(image, model, options, outputs)
            result = yield from _within(steps, source.name, done, len(files))
        except (InputError, OSError, MemoryError) as error:
            result = FileResult(source, error=_reason(error, source))
        results.append(replace(result, seconds=round(time.perf_counter() - start, 3)))
        append_to_summary(outputs.folder / SUMMARY, results[-1], model.name)
        yield FileDone(done + 1, len(files), source.name, results[-1])
    yield Progress(len(files), len(files), f"{len(files)} of {len(files)} images")
    return results


def _segment_image(
    image: ImageFile, model: Model, options: Options, outputs: Outputs
) -> Generator[Progress, None, FileResult]:
    check_formats(image, outputs)
    divisor = unit_divisor(image.array)
    parts: list[Segmentation] = []
    for plane in planes_of(image.array):
        steps = segment(plane, model, options, pixel_size_um=image.pixel_size_um, divisor=divisor)
        parts.append((yield from steps))
    labels = write_results(image, divisor, parts, outputs, mask=options.output == "mask")
    return _result(image.path, labels, parts)


def _within(
    steps: Generator[Progress, None, FileResult], name: str, done: int, total: int
) -> Generator[Progress, None, FileResult]:
    """Pass on the progress within a file as that among all files."""
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            result: FileResult = end.value
            return result
        yield Progress(done, total, f"{name}, {step.message}")


def _result(source: Path, labels: Path, parts: Sequence[Segmentation]) -> FileResult:
    threshold = float(np.mean([part.threshold for part in parts]))
    densities = [part.nuclei_per_mm2 for part in parts if part.nuclei_per_mm2 is not None]
    return FileResult(
        source=source,
        labels=labels,
        nuclei=sum(part.nuclei for part in parts),
        area_fraction=float(np.mean([part.area_fraction for part in parts])),
        nuclei_per_mm2=float(np.mean(densities)) if densities else None,
        threshold=threshold,
        pixel_size_um=parts[0].provenance["pixel_size_um"],
        provenance=parts[0].provenance | {"threshold": threshold, "source": str(source)},
        messages=tuple(dict.fromkeys(message for part in parts for message in part.messages)),
    )


def _reason(error: Exception, source: Path) -> str:
    if isinstance(error, MemoryError):
        return f"{source}: not enough memory; use a smaller tile size or a smaller image."
    return str(error) if isinstance(error, InputError) else f"{source}: {error}"

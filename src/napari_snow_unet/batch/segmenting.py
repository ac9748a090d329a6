"""Segment images one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

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
from napari_snow_unet.data.any_image import read_any_image
from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.images import ImageFile
from napari_snow_unet.data.progress import Progress
from napari_snow_unet.data.slides import is_slide
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options, check_options
from napari_snow_unet.segmentation.pipeline import Segmentation, segment
from napari_snow_unet.segmentation.preprocess import unit_divisor

Result = TypeVar("Result")


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
        Images; a stack is segmented plane by plane, a slide at its full resolution.
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
        After every window of the network; `done` counts files. After every file a `FileDone`,
        once its results are written, which goes on while the next one is computed.

    Returns
    -------
    list of FileResult
        In the order of `files`.

    Raises
    ------
    InputError
        If an option cannot be used for any image.
    """
    check_options(options, model)
    summary = outputs.folder / SUMMARY
    start_summary(summary, files)
    sources = {path.resolve() for path in files}
    taken: dict[str, Path] = {}
    results: list[FileResult] = []
    being_written: Future[FileResult] | None = None

    def finished(written: Future[FileResult]) -> FileDone:
        results.append(written.result())
        append_to_summary(summary, results[-1], model.name)
        return FileDone(len(results), len(files), results[-1].source.name, results[-1])

    # One thread reads the next image and one writes the last result while this one is computed.
    with _Threads() as threads:
        images = threads.read_ahead(files, use_pixel_size=use_pixel_size)
        try:
            for done, (source, read) in enumerate(images):
                yield Progress(done, len(files), source.name)
                start = time.perf_counter()
                try:
                    refuse_clash(source, outputs, sources, taken)
                    taken[source.stem] = source
                    steps = _segment_image(read.result(), model, options, outputs)
                    write = yield from _within(steps, source.name, done, len(files))
                except (InputError, OSError, MemoryError) as error:
                    write = partial(FileResult, source, error=_reason(error, source))
                last, being_written = being_written, threads.write(source, write, start)
                if last is not None:
                    yield finished(last)
            last, being_written = being_written, None
            if last is not None:
                yield finished(last)
        finally:
            if being_written is not None:
                finished(being_written)
    yield Progress(len(files), len(files), f"{len(files)} of {len(files)} images")
    return results


class _Threads:
    """Reads images ahead and writes results behind; what is begun ends before the block does."""

    def __init__(self) -> None:
        self._reading = ThreadPoolExecutor(1, "reading")
        self._writing = ThreadPoolExecutor(1, "writing")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for pool in (self._reading, self._writing):
            pool.shutdown(cancel_futures=True)

    def read_ahead(
        self, files: Sequence[Path], *, use_pixel_size: bool
    ) -> Iterator[tuple[Path, Future[ImageFile]]]:
        """Pair each file with its image, which is read while its predecessor is in work."""
        upcoming = [self._reading.submit(_read, path, use_pixel_size) for path in files[:1]]
        for number, path in enumerate(files):
            upcoming += [
                self._reading.submit(_read, following, use_pixel_size)
                for following in files[number + 1 : number + 2]
            ]
            yield path, upcoming.pop(0)

    def write(
        self, source: Path, write: Callable[[], FileResult], start: float
    ) -> Future[FileResult]:
        """Write the result of an image whose computing began at `start`."""
        return self._writing.submit(_written, source, write, start)


def _written(source: Path, write: Callable[[], FileResult], start: float) -> FileResult:
    """Write a result; say why if it cannot be written."""
    try:
        result = write()
    except (InputError, OSError, MemoryError) as error:
        result = FileResult(source, error=_reason(error, source))
    return replace(result, seconds=round(time.perf_counter() - start, 3))


def _read(path: Path, use_pixel_size: bool) -> ImageFile:
    image = read_any_image(path)
    return image if use_pixel_size else replace(image, pixel_size_um=None)


def _segment_image(
    image: ImageFile, model: Model, options: Options, outputs: Outputs
) -> Generator[Progress, None, Callable[[], FileResult]]:
    """Segment the planes of an image; return what writes the result."""
    check_formats(image, outputs)
    divisor = unit_divisor(image.array)
    parts: list[Segmentation] = []
    for plane in planes_of(image.array):
        steps = segment(plane, model, options, pixel_size_um=image.pixel_size_um, divisor=divisor)
        parts.append((yield from steps))

    def write() -> FileResult:
        labels = write_results(image, divisor, parts, outputs, mask=options.output == "mask")
        return _result(image.path, labels, parts)

    return write


def _within(
    steps: Generator[Progress, None, Result], name: str, done: int, total: int
) -> Generator[Progress, None, Result]:
    """Pass on the progress within a file as that among all files."""
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
        yield Progress(done, total, f"{name}, {step.message}")


def _result(source: Path, labels: Path, parts: Sequence[Segmentation]) -> FileResult:
    threshold = float(np.mean([part.threshold for part in parts]))
    origin = {"source": str(source)} | ({"level": 0} if is_slide(source) else {})
    densities = [part.nuclei_per_mm2 for part in parts if part.nuclei_per_mm2 is not None]
    return FileResult(
        source=source,
        labels=labels,
        nuclei=sum(part.nuclei for part in parts),
        area_fraction=float(np.mean([part.area_fraction for part in parts])),
        nuclei_per_mm2=float(np.mean(densities)) if densities else None,
        threshold=threshold,
        pixel_size_um=parts[0].provenance["pixel_size_um"],
        provenance=parts[0].provenance | {"threshold": threshold} | origin,
        messages=tuple(dict.fromkeys(message for part in parts for message in part.messages)),
    )


def _reason(error: Exception, source: Path) -> str:
    if isinstance(error, MemoryError):
        return f"{source}: not enough memory; use a smaller tile size or a smaller image."
    return str(error) if isinstance(error, InputError) else f"{source}: {error}"

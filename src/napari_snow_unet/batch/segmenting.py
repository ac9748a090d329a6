"""Segment images in their order, small ones two at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Self, TypeVar

import numpy as np

from napari_snow_unet.batch.asked import note_asked, what_is_asked
from napari_snow_unet.batch.begun import Begun
from napari_snow_unet.batch.large import segment_large_file
from napari_snow_unet.batch.summary import (
    SUMMARY,
    FileDone,
    FileResult,
    append_to_summary,
    require_summary,
    start_summary,
)
from napari_snow_unet.batch.writing import (
    Outputs,
    check_formats,
    mean_threshold,
    planes_of,
    refuse_clash,
    write_results,
)
from napari_snow_unet.data.any_image import large_image, read_any_image
from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.folder_lock import locked
from napari_snow_unet.data.images import ImageFile
from napari_snow_unet.data.progress import Progress, done_at_once, run
from napari_snow_unet.data.slides import Slide, is_slide
from napari_snow_unet.segmentation.ahead import in_order, is_small
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options, check_options
from napari_snow_unet.segmentation.pipeline import Segmentation, predict
from napari_snow_unet.segmentation.preprocess import value_range
from napari_snow_unet.segmentation.provenance import TRAINED_ON

Result = TypeVar("Result")
#: Seconds that an image has taken so far, and the steps of its computing.
_Read = tuple[float, Generator[Progress, None, Callable[[], FileResult]]]
BIG = 4 * 2**20  # bytes of a file; of larger ones no more than one waits in memory


def segment_files(
    files: Sequence[Path],
    model: Model,
    options: Options,
    outputs: Outputs,
    *,
    use_pixel_size: bool = True,
    pixel_sizes: Mapping[Path, float] | None = None,
) -> Generator[Progress, None, list[FileResult]]:
    """Segment images in their order and write their labels.

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
    pixel_sizes : mapping from Path to float, optional
        Micrometres per pixel of files that do not state any.

    Yields
    ------
    Progress
        After every window, of small images once they are computed; `done` counts files. After every
        file a `FileDone`, once its results are written, which goes on while others are computed.

    Returns
    -------
    list of FileResult
        In the order of `files`.

    Raises
    ------
    InputError
        If an option cannot be used for any image, another program writes to the folder, or its
        results are to be gone on with and were made with another model.
    """
    check_options(options, model)
    outputs.folder.mkdir(parents=True, exist_ok=True)
    with locked(outputs.folder):
        sources = {path.resolve() for path in files}
        _refuse_own_folder(files, outputs, sources)
        begun = Begun(outputs)
        table = outputs.folder / SUMMARY
        kept = begin_table(table, files, model, outputs, begun)
        asked = what_is_asked(model, options, outputs, use_pixel_size=use_pixel_size)
        note_asked(asked, outputs, there=bool(kept))
        there = {Path(image) for image in kept}
        results = [kept[str(path)] for path in files if outputs.resume and path in there]
        todo = [path for path in files if not (outputs.resume and path in there)]
        taken = {result.source.stem: result.source for result in results}
        for done, result in enumerate(results, start=1):
            yield FileDone(done, len(files), result.source.name, result)

        def finished(written: Future[FileResult]) -> FileDone:
            results.append(written.result())
            return FileDone(len(results), len(files), results[-1].source.name, results[-1])

        def allowed() -> Iterator[tuple[Path, Outputs | InputError]]:
            for source in todo:
                try:
                    may = begun.outputs_for(source)
                    refuse_clash(source, may, sources, taken)
                except InputError as error:
                    yield source, error
                else:
                    taken[source.stem] = source
                    yield source, may

        def ahead(item: tuple[Path, Outputs | InputError]) -> _Read | Exception:
            source, may = item
            try:
                if isinstance(may, InputError):
                    return may
                start = time.perf_counter()
                image = _read(source, use_pixel_size=use_pixel_size, known=pixel_sizes or {})
                steps = _segment_image(image, model, options, may)
                if _is_one_small_plane(image, model, options):
                    steps = done_at_once(steps)
                return time.perf_counter() - start, steps
            except (InputError, OSError, MemoryError) as error:
                return error

        # Small images are read and computed side by side in threads, and of others the next is read
        # while the network is at one; another thread finds and writes the nuclei behind.
        last: Future[FileResult] | None = None
        at_once = model.calls_at_once
        images = in_order(allowed(), ahead, at_once, is_large=lambda item: _is_big(item[0]))
        if todo:
            yield Progress(len(results), len(files), todo[0].name)
        with _Writing(begun, table, there, model.name) as writing, closing(images):
            for (source, _), read in images:
                yield Progress(len(results), len(files), source.name)
                start = time.perf_counter()
                try:
                    if isinstance(read, Exception):
                        raise read
                    spent, steps = read
                    start -= spent
                    write = yield from within_file(steps, source.name, len(results), len(files))
                except (InputError, OSError, MemoryError) as error:
                    failed = FileResult(source, error=reason_of(error, source))
                    before, last = last, writing.enter(failed, start)
                else:
                    before, last = last, writing.write(source, write, start)
                if before is not None:
                    yield finished(before)
            if last is not None:
                yield finished(last)
        begun.forget(result.source for result in results if not result.error)
    yield Progress(len(files), len(files), f"{len(files)} of {len(files)} images")
    order = {path: number for number, path in enumerate(files)}
    return sorted(results, key=lambda result: order[result.source])


def segment_one(
    path: Path,
    model: Model,
    options: Options,
    outputs: Outputs,
    *,
    use_pixel_size: bool = True,
    pixel_sizes: Mapping[Path, float] | None = None,
) -> FileResult:
    """Segment one image and write its results, without a table.

    Parameters
    ----------
    path, model, options, outputs, use_pixel_size, pixel_sizes
        See `segment_files`.

    Returns
    -------
    FileResult
        With the reason where it failed.
    """
    start = time.perf_counter()
    try:
        image = _read(path, use_pixel_size=use_pixel_size, known=pixel_sizes or {})
        steps = _segment_image(image, model, options, outputs)
        result = run(steps)()
    except (InputError, OSError, MemoryError) as error:
        result = FileResult(path, error=reason_of(error, path))
    return replace(result, seconds=round(time.perf_counter() - start, 3), model=model.name)


def _refuse_own_folder(files: Sequence[Path], outputs: Outputs, sources: set[Path]) -> None:
    """Write nothing at all into the images' own folder where every image would be refused."""
    own = {path.resolve().parent for path in files} == {outputs.folder.resolve()}
    if outputs.resume or not own:
        return
    reasons = []
    for path in files:
        try:
            refuse_clash(path, outputs, sources, {})
        except InputError as error:
            reasons.append(error)
    if len(reasons) == len(files):
        raise reasons[0]


def begin_table(
    table: Path, files: Sequence[Path], model: Model, outputs: Outputs, begun: Begun
) -> dict[str, FileResult]:
    """Begin or go on with the table; return the results of images whose rows stay in it.

    Raises
    ------
    InputError
        If it is another table, or results are to be gone on with that another model has made.
    """
    require_summary(table)
    if outputs.overwrite:
        begun.replaces(files)
    kept = start_summary(table, files, overwrite=outputs.overwrite)
    for result in kept.values() if outputs.resume else ():
        if result.model != model.name:
            raise InputError(
                f"{result.source.name} was segmented with {result.model!r}",
                expected=f"results of {model.name!r} to go on with",
                remedy="Choose the same model, or another folder for the results.",
                path=table,
            )
    return kept


class _Writing:
    """Writes results behind in a thread; what is begun ends before the block does.

    Parameters
    ----------
    begun : Begun
        Is told whose results are being written.
    table : Path
        Takes a row for every image but those in `there`.
    there : set of Path
        Images whose row is there and stays.
    model : str
        Name of the model.
    """

    def __init__(self, begun: Begun, table: Path, there: set[Path], model: str) -> None:
        self._begun, self._table, self._there, self._model = begun, table, there, model
        self._writing = ThreadPoolExecutor(1, "writing")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._writing.shutdown(cancel_futures=True)

    def write(
        self, source: Path, write: Callable[[], FileResult], start: float
    ) -> Future[FileResult]:
        """Write the result of an image whose computing began at `start`, and its row."""
        return self._writing.submit(self._write, source, write, start)

    def enter(self, result: FileResult, start: float) -> Future[FileResult]:
        """Write the row of an image of which there is nothing else to write."""
        return self._writing.submit(self._enter, result, start)

    def _write(self, source: Path, write: Callable[[], FileResult], start: float) -> FileResult:
        self._begun.begins(source)
        try:
            result = write()
        except (InputError, OSError, MemoryError) as error:
            return self._enter(FileResult(source, error=reason_of(error, source)), start)
        result = self._enter(result, start)
        self._begun.ends(source)
        return result

    def _enter(self, result: FileResult, start: float) -> FileResult:
        seconds = round(time.perf_counter() - start, 3)
        result = replace(result, seconds=seconds, model=self._model)
        if result.source not in self._there:  # else the row of what is there stays
            append_to_summary(self._table, result)
        return result


def _is_big(path: Path) -> bool:
    try:
        return path.is_dir() or path.stat().st_size > BIG
    except OSError:  # reading it will say why
        return False


def _is_one_small_plane(image: ImageFile | Slide, model: Model, options: Options) -> bool:
    if isinstance(image, Slide):
        return False
    first, *others = planes_of(image.array)
    return not others and is_small(first.shape[:2], model, options, image.pixel_size_um)


def _read(path: Path, *, use_pixel_size: bool, known: Mapping[Path, float]) -> ImageFile | Slide:
    """Read an image; of one that is too large for that, open it."""
    large = large_image(path)
    if large is not None:
        return large if use_pixel_size else replace(large, spacing_um=None)
    image = read_any_image(path)
    pixel_size = image.pixel_size_um or known.get(path)
    return replace(image, pixel_size_um=pixel_size if use_pixel_size else None)


def _segment_image(
    image: ImageFile | Slide, model: Model, options: Options, outputs: Outputs
) -> Generator[Progress, None, Callable[[], FileResult]]:
    """Predict the planes of an image; return what finds their nuclei and writes the result."""
    if isinstance(image, Slide):
        return (yield from segment_large_file(image, model, options, outputs))
    check_formats(image, outputs)
    values = value_range(image.array, white=image.white, known=model.white, of=TRAINED_ON)
    unfinished: list[Callable[[], Segmentation]] = []
    for plane in planes_of(image.array):
        steps = predict(plane, model, options, pixel_size_um=image.pixel_size_um, values=values)
        unfinished.append((yield from steps))

    def write() -> FileResult:
        parts = [find_nuclei() for find_nuclei in unfinished]
        labels = write_results(image, values, parts, outputs, mask=options.output == "mask")
        return _result(image, labels, parts)

    return write


def within_file(
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


def _result(image: ImageFile, labels: Path, parts: Sequence[Segmentation]) -> FileResult:
    source, threshold = image.path, mean_threshold(parts)
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
        messages=tuple(
            dict.fromkeys([*image.notes, *(m for part in parts for m in part.messages)])
        ),
    )


def reason_of(error: Exception, source: Path) -> str:
    """Say why an image failed, behind the name of a file: its own where the error names none."""
    if isinstance(error, MemoryError):
        return f"{source}: not enough memory; use a smaller tile size or a smaller image."
    if isinstance(error, OSError) and error.errno is not None:
        other = error.filename not in (None, str(source))
        return f"{source}: {f'{error.filename}: ' if other else ''}{error.strerror}."
    named = isinstance(error, InputError) and error.path is not None
    return str(error) if named else f"{source}: {error}"

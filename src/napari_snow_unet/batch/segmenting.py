"""Segment images in their order, small ones two at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Self

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.folder_lock import folder_locked
from napari_snow_unet.base.progress import Progress, done_at_once
from napari_snow_unet.batch.journal import Begun
from napari_snow_unet.batch.one_file import (
    ReadImage,
    begin_table,
    failed,
    is_big,
    is_one_small_plane,
    read_input,
    refuse_own_folder,
    segment_read_image,
    within_file,
)
from napari_snow_unet.batch.run_options import note_asked, what_is_asked
from napari_snow_unet.batch.summary import SUMMARY, FileDone, FileResult, append_to_summary
from napari_snow_unet.batch.writing import Outputs, refuse_clash
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options, check_options
from napari_snow_unet.segmentation.prefetch import in_order


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
    with folder_locked(outputs.folder):
        sources = {path.resolve() for path in files}
        refuse_own_folder(files, outputs, sources)
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

        def ahead(item: tuple[Path, Outputs | InputError]) -> ReadImage | Exception:
            source, may = item
            try:
                if isinstance(may, InputError):
                    return may
                start = time.perf_counter()
                image = read_input(source, use_pixel_size=use_pixel_size, known=pixel_sizes or {})
                steps = segment_read_image(image, model, options, may)
                if is_one_small_plane(image, model, options):
                    steps = done_at_once(steps)
                return time.perf_counter() - start, steps
            except (InputError, OSError, MemoryError) as error:
                return error

        # Small images are read and computed side by side in threads, and of others the next is read
        # while the network is at one; another thread finds and writes the nuclei behind.
        last: Future[FileResult] | None = None
        at_once = model.calls_at_once
        images = in_order(allowed(), ahead, at_once, is_large=lambda item: is_big(item[0]))
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
                    failure = failed(error, source)
                    before, last = last, writing.enter(failure, start)
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
            return self._enter(failed(error, source), start)
        result = self._enter(result, start)
        self._begun.ends(source)
        return result

    def _enter(self, result: FileResult, start: float) -> FileResult:
        seconds = round(time.perf_counter() - start, 3)
        result = replace(result, seconds=seconds, model=self._model)
        if result.source not in self._there:  # else the row of what is there stays
            append_to_summary(self._table, result)
        return result

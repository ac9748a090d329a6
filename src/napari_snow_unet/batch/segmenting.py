"""Segment images in order, small ones two at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from napari_snow_unet.base.progress import Progress, done_at_once
from napari_snow_unet.batch import messages
from napari_snow_unet.batch.folder_run import FolderRun, Planned, folder_run
from napari_snow_unet.batch.one_file import (
    OF_ONE_IMAGE,
    failed,
    is_big,
    is_one_small_plane,
    read_input,
    segment_read_image,
    within_file,
)
from napari_snow_unet.batch.outputs import Outputs
from napari_snow_unet.batch.summary import FileResult
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.prefetch import in_order


@dataclass(frozen=True)
class _Opened:
    """An image that was read in advance: the steps that compute it, and the seconds so far."""

    steps: Generator[Progress, None, Callable[[], FileResult]]
    seconds: float


def segment_files(
    files: Sequence[Path],
    model: Model,
    options: Options,
    outputs: Outputs,
    *,
    use_pixel_size: bool = True,
    pixel_sizes: Mapping[Path, float] | None = None,
) -> Generator[Progress, None, list[FileResult]]:
    """Segment images in order and write their labels.

    A file that cannot be used is reported in its result, and the run continues. Files are written
    completely or not at all, so the generator may be closed at any step.

    Parameters
    ----------
    files : sequence of Path
        Images; a stack is segmented plane by plane, a slide at full resolution.
    model : Model
        The network or the classical method.
    options : Options
        Threshold, output and so on, for all images.
    outputs : Outputs
        Folder, formats and further outputs.
    use_pixel_size : bool, default: True
        Use the pixel size of a file; otherwise it is unknown.
    pixel_sizes : mapping from Path to float, optional
        Micrometres per pixel, for files without one.

    Yields
    ------
    Progress
        After every window, or after every small image; `done` counts files. A `FileDone` follows
        when the results of a file are written, in parallel to the next files.

    Returns
    -------
    list of FileResult
        In the order of `files`.

    Raises
    ------
    InputError
        If an option cannot be used for any image, another program writes to the folder, or a
        resumed run has used another model or other options.
    """
    with folder_run(files, model, options, outputs, use_pixel_size=use_pixel_size) as run:
        yield from run.report_kept()
        if run.left:
            yield run.progress(run.left[0].name)
        read = partial(
            _read,
            model=model,
            options=options,
            use_pixel_size=use_pixel_size,
            pixel_sizes=pixel_sizes or {},
        )
        # Small images are read and computed in parallel; of larger ones the next is read while the
        # network computes. Another thread finds and writes the nuclei.
        images = in_order(
            run.planned(),
            read,
            model.calls_at_once,
            is_large=lambda planned: is_big(planned.source),
        )
        behind: Future[FileResult] | None = None
        with ExitStack() as stack:
            writer = ThreadPoolExecutor(1, "writing")
            stack.callback(writer.shutdown, cancel_futures=True)
            stack.enter_context(closing(images))
            for planned, image in images:
                source = planned.source
                yield run.progress(source.name)
                start = time.perf_counter() - image.seconds
                done, total = len(run.results), len(run.files)
                try:
                    write = yield from within_file(image.steps, source.name, done, total)
                except OF_ONE_IMAGE as error:  # nothing was written
                    spent = time.perf_counter() - start
                    written = writer.submit(run.record, failed(error, source), spent)
                else:
                    written = writer.submit(_write, run, source, write, start)
                before, behind = behind, written
                if before is not None:
                    yield run.report(before.result())
            if behind is not None:
                yield run.report(behind.result())
        results = run.end()
    yield Progress(len(files), len(files), messages.images_label(len(files), len(files)))
    return results


def _read(
    planned: Planned,
    *,
    model: Model,
    options: Options,
    use_pixel_size: bool,
    pixel_sizes: Mapping[Path, float],
) -> _Opened:
    """Read an image, and compute it if it is small; errors are raised by its steps."""
    start = time.perf_counter()
    try:
        if planned.refusal is not None:
            raise planned.refusal
        image = read_input(planned.source, use_pixel_size=use_pixel_size, pixel_sizes=pixel_sizes)
        steps = segment_read_image(image, model, options, planned.outputs)
        if is_one_small_plane(image, model, options):
            steps = done_at_once(steps)
    except OF_ONE_IMAGE as error:
        steps = _failing(error)
    return _Opened(steps, time.perf_counter() - start)


def _failing(error: Exception) -> Generator[Progress, None, Callable[[], FileResult]]:
    raise error
    yield  # makes this a generator


def _write(
    run: FolderRun, source: Path, write: Callable[[], FileResult], start: float
) -> FileResult:
    """Write the results of an image whose computation started at `start`, and its row."""
    run.start(source)
    try:
        result = write()
    except OF_ONE_IMAGE as error:
        result = failed(error, source)
    return run.record(result, time.perf_counter() - start)

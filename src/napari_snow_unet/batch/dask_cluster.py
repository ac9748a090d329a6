"""Segment images on other machines, through a running dask.distributed scheduler."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, cast

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.precision import Precision
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.batch import messages
from napari_snow_unet.batch.folder_run import folder_run
from napari_snow_unet.batch.job import Job
from napari_snow_unet.batch.journal import remove_temporary
from napari_snow_unet.batch.large_file import segment_large_file
from napari_snow_unet.batch.one_file import OF_ONE_IMAGE, failed, segment_one, within_file
from napari_snow_unet.batch.summary import FileResult
from napari_snow_unet.data.slides.any_image import large_image
from napari_snow_unet.data.slides.slide import Slide, open_slide
from napari_snow_unet.models import open_model
from napari_snow_unet.segmentation.large.glass import read_with_glass
from napari_snow_unet.segmentation.large.windows import Computed, WindowPlan, compute_window
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.plane.tiling import PlannedWindow
from napari_snow_unet.segmentation.test_time_augmentation import augmented

REACHED_WITHIN = 20  # seconds
SENT_AHEAD = 2  # windows per worker thread: one computing, one waiting


def segment_files_on(
    address: str, files: Sequence[Path], job: Job
) -> Generator[Progress, None, list[FileResult]]:
    """Segment images on the workers of a scheduler, such as ``tcp://10.0.0.1:8786``.

    Workers compute whole images and write their results; images, results and models must have the
    same paths on every machine. If there are fewer files than workers, the windows of large images
    are distributed instead, and this process labels and writes. The work of a worker that dies is
    given to another one, up to three times. Yields a `FileDone` for every file; the results are in
    the order of `files`.
    """
    files = [path.absolute() for path in files]  # links keep their names
    job = replace(job, outputs=replace(job.outputs, folder=job.outputs.folder.resolve()))
    pixel_sizes = {path.absolute(): size for path, size in job.pixel_sizes.items()}
    model = open_model(job.model, precision=job.precision)
    job = replace(job, model=model.folder or job.model)
    # All machines use the number format of this one.
    job = replace(job, precision=cast(Precision, model.precision))
    run_over = folder_run(files, model, job.options, job.outputs, use_pixel_size=job.use_pixel_size)
    with _connected(address) as client, run_over as run:
        workers = len(client.nthreads())
        yield Progress(0, len(files), messages.workers_label(workers))
        yield from run.report_kept()
        few = len(run.left) < workers
        waiting: dict[Any, Path] = {}
        divided: list[tuple[Slide, Job]] = []  # else some workers would idle
        for planned in run.planned():
            path = planned.source
            if planned.refusal is not None:
                yield run.report(run.record(failed(planned.refusal, path)))
                continue
            run.start(path)
            slide = _too_large(path, job) if few else None
            if slide is not None:
                divided.append((slide, replace(job, outputs=planned.outputs)))
                continue
            size = {path: pixel_sizes[path]} if path in pixel_sizes else {}
            own = replace(job, pixel_sizes=size)
            waiting[client.submit(segment_on_worker, str(path), own, pure=False)] = path
        try:
            for slide, own in divided:
                steps = _segment_divided(client, slide, model, own, len(run.results), len(files))
                yield run.report(run.record((yield from steps)))
            for future in _as_completed(client, list(waiting)):
                yield run.report(run.record(_result_of(future, waiting[future])))
            remove_temporary(job.outputs.folder)  # of workers that died
            results = run.end()
        finally:
            client.cancel(list(waiting))
    return results


def segment_on_worker(path: str, job: Job) -> FileResult:
    """Segment one image on a worker, and write its results."""
    _read_in_threads()
    model = open_model(job.model, precision=job.precision)
    # Overwrites what a worker that died has left; the client has checked for other files.
    outputs = replace(job.outputs, overwrite=True)
    return segment_one(
        Path(path),
        model,
        job.options,
        outputs,
        use_pixel_size=job.use_pixel_size,
        pixel_sizes=job.pixel_sizes,
    )


def _too_large(path: Path, job: Job) -> Slide | None:
    try:
        slide = large_image(path)
    except (InputError, OSError):  # the worker reports it
        return None
    return slide if slide is None or job.use_pixel_size else replace(slide, spacing_um=None)


def _segment_divided(
    client: Any, slide: Slide, model: Model, job: Job, done: int, total: int
) -> Generator[Progress, None, FileResult]:
    """Segment an image on the windows of the workers, and write its results."""
    start, path = time.perf_counter(), slide.path
    compute_all = partial(_compute_on_workers, client, path, job)
    steps = segment_large_file(slide, model, job.options, job.outputs, compute_all=compute_all)
    try:
        result = (yield from within_file(steps, path.name, done, total))()
    except Exception as error:  # here or on a worker
        result = _failed(error, path)
    return replace(result, seconds=round(time.perf_counter() - start, 3))


def _compute_on_workers(
    client: Any, path: Path, job: Job, plan: WindowPlan, tiles: list[PlannedWindow]
) -> Generator[Computed, None, None]:
    """Yield the windows of an image in any order; only a few are submitted at a time."""
    todo = iter(tiles)

    def submit(count: int) -> list[Any]:
        return [
            client.submit(window_on_worker, str(path), job, plan, tile, pure=False)
            for tile in islice(todo, count)
        ]

    sent = set(submit(SENT_AHEAD * sum(client.nthreads().values())))
    finished = _as_completed(client, list(sent))
    try:
        for future in finished:
            sent.remove(future)
            more = submit(1)
            sent.update(more)
            finished.update(more)
            yield future.result()
    finally:
        client.cancel(list(sent))


def window_on_worker(path: str, job: Job, plan: WindowPlan, planned: PlannedWindow) -> Computed:
    """Compute one window of an image on a worker."""
    _read_in_threads()
    model, image = open_model(job.model, precision=job.precision), open_slide(path).levels[0]
    pixels, glass = read_with_glass(image, planned, plan.grid, plan.values)
    return compute_window(planned, pixels, glass, augmented(model, job.options), plan)


def _read_in_threads() -> None:
    """Read images in the worker; dask would send the tasks to the scheduler."""
    import dask

    dask.config.set(scheduler="threads")


def _result_of(future: Any, path: Path) -> FileResult:
    try:
        result: FileResult = future.result()
    except Exception as error:  # of the worker, such as a missing package
        return _failed(error, path)
    return result


def _failed(error: Exception, path: Path) -> FileResult:
    if isinstance(error, OF_ONE_IMAGE):
        return failed(error, path)
    if isinstance(error, import_module("distributed").KilledWorker):
        return failed(InputError(messages.WORKERS_DIED), path)
    reason = f"{type(error).__name__}, {error}"
    return failed(InputError(messages.worker_failed(reason)), path)


def _as_completed(client: Any, futures: list[Any]) -> Any:
    return import_module("distributed").as_completed(futures, loop=client.loop)


def _connected(address: str) -> Any:
    try:
        connect = import_module("distributed").Client  # an optional dependency
    except ImportError as error:
        raise InputError(messages.NO_DASK) from error
    try:
        return connect(address, timeout=REACHED_WITHIN, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(messages.no_scheduler(address, str(error)[:200])) from error

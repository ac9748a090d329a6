"""Segment images on other machines, through a scheduler of dask.distributed that is running."""

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
from napari_snow_unet.batch.folder_run import folder_run
from napari_snow_unet.batch.job import Job
from napari_snow_unet.batch.journal import remove_halves
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
SENT_AHEAD = 2  # windows per thread of a worker: one is computed, one waits


def segment_files_on(
    address: str, files: Sequence[Path], job: Job
) -> Generator[Progress, None, list[FileResult]]:
    """Segment images on the workers of a scheduler, such as ``tcp://10.0.0.1:8786``.

    Every worker computes whole images and writes what it has found: every machine sees images,
    results and models under the same paths. Images too large to be read as a whole are divided,
    where there are fewer files than workers: workers compute windows, and this process labels and
    writes. What was on a worker that dies is given to another one, and given up after three deaths.
    A `FileDone` comes when a file is finished, results in the order of `files`.
    """
    files = [path.absolute() for path in files]  # a link keeps its name
    job = replace(job, outputs=replace(job.outputs, folder=job.outputs.folder.resolve()))
    known = {path.absolute(): size for path, size in job.pixel_sizes.items()}
    model = open_model(job.model, precision=job.precision)
    job = replace(job, model=model.folder or job.model)
    # Every machine computes in the number format of this one.
    job = replace(job, precision=cast(Precision, model.precision))
    run_over = folder_run(files, model, job.options, job.outputs, use_pixel_size=job.use_pixel_size)
    with _connected(address) as client, run_over as run:
        workers = len(client.nthreads())
        yield Progress(0, len(files), f"{workers} workers")
        yield from run.tell_kept()
        few = len(run.left) < workers
        waiting: dict[Any, Path] = {}
        divided: list[tuple[Slide, Job]] = []  # beside a few, workers would wait for the largest
        for planned in run.planned():
            path = planned.source
            if planned.refusal is not None:
                yield run.tell(run.enter(failed(planned.refusal, path)))
                continue
            run.begin(path)
            slide = _too_large(path, job) if few else None
            if slide is not None:
                divided.append((slide, replace(job, outputs=planned.outputs)))
                continue
            own = replace(job, pixel_sizes={path: known[path]} if path in known else {})
            waiting[client.submit(segment_on_worker, str(path), own, pure=False)] = path
        try:
            for slide, own in divided:
                steps = _segment_divided(client, slide, model, own, len(run.results), len(files))
                yield run.tell(run.enter((yield from steps)))
            for future in _as_completed(client, list(waiting)):
                yield run.tell(run.enter(_result_of(future, waiting[future])))
            remove_halves(job.outputs.folder)  # left by workers that died; nothing writes any more
            results = run.end()
        finally:
            client.cancel(list(waiting))
    return results


def segment_on_worker(path: str, job: Job) -> FileResult:
    """Segment one image, on whatever machine this runs, and write its results."""
    _read_in_threads()
    model = open_model(job.model, precision=job.precision)
    # What a worker that died has left of this image is replaced; others' files were looked for.
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
    except (InputError, OSError):  # a worker will say why
        return None
    return slide if slide is None or job.use_pixel_size else replace(slide, spacing_um=None)


def _segment_divided(
    client: Any, slide: Slide, model: Model, job: Job, done: int, total: int
) -> Generator[Progress, None, FileResult]:
    """Segment an image whose windows the workers compute, and write its results."""
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
    """Compute the windows of an image, in any order; few of them wait to be taken."""
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
    """Compute one window of an image, on whatever machine this runs."""
    _read_in_threads()
    model, image = open_model(job.model, precision=job.precision), open_slide(path).levels[0]
    pixels, glass = read_with_glass(image, planned, plan.grid, plan.values)
    return compute_window(planned, pixels, glass, augmented(model, job.options), plan)


def _read_in_threads() -> None:
    """Let a worker read parts of an image itself: dask would give that to the scheduler."""
    import dask

    dask.config.set(scheduler="threads")


def _result_of(future: Any, path: Path) -> FileResult:
    try:
        result: FileResult = future.result()
    except Exception as error:  # of the worker: another version, a missing package
        return _failed(error, path)
    return result


def _failed(error: Exception, path: Path) -> FileResult:
    if isinstance(error, OF_ONE_IMAGE):
        return failed(error, path)
    if isinstance(error, import_module("distributed").KilledWorker):
        reason = "every worker that took it died; is its memory enough?"
        return FileResult(path, error=f"{path}: {reason}")
    return FileResult(path, error=f"{path}: {type(error).__name__}: {error}")


def _as_completed(client: Any, futures: list[Any]) -> Any:
    return import_module("distributed").as_completed(futures, loop=client.loop)


def _connected(address: str) -> Any:
    try:
        connect = import_module("distributed").Client  # an extra: not everybody has it
    except ImportError as error:
        raise InputError(
            "dask.distributed is not installed",
            expected="the extra [cluster], with which other machines are reached",
            remedy='Install it: pip install "napari-snow-unet[cluster]".',
        ) from error
    try:
        return connect(address, timeout=REACHED_WITHIN, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"the scheduler at {address} cannot be reached ({str(error)[:200]})",
            expected="the address of a scheduler that is running, such as tcp://10.0.0.1:8786",
            remedy="Start one with `dask scheduler`, and workers with `dask worker ADDRESS`.",
        ) from error

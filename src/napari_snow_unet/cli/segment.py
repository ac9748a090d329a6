"""``napari-snow-unet segment``: label the nuclei of any number of images."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_snow_unet.base.errors import with_ways
from napari_snow_unet.base.options import declared
from napari_snow_unet.base.precision import PRECISIONS, Precision, precision_of
from napari_snow_unet.batch.job import Job
from napari_snow_unet.batch.messages import several_label
from napari_snow_unet.batch.outputs import Outputs
from napari_snow_unet.cli import messages
from napari_snow_unet.cli.options import takes
from napari_snow_unet.cli.progress import follow, table
from napari_snow_unet.cli.usage import (
    DeviceOption,
    OldSubsetOption,
    SubsetOption,
    as_wrong_usage,
    flags_of,
    on_command_line,
    subset_of,
)
from napari_snow_unet.data.formats.messages import CONTAIN_NAMES
from napari_snow_unet.data.formats.registry import known_formats
from napari_snow_unet.segmentation.options import Options

if TYPE_CHECKING:
    from napari_snow_unet.batch import FileResult

_JOB = declared(Job)


@takes(options=Options, files=Outputs)
def segment(
    *,
    context: typer.Context,
    image: Annotated[
        list[str],
        typer.Argument(
            help="Images, folders, patterns such as '*.tif', or prepared datasets.",
            show_default=False,
        ),
    ],
    output_folder: Annotated[
        Path,
        typer.Option(
            "-o",
            "--out",
            help="Folder for the results.",
            show_default=False,
            rich_help_panel="Output",
        ),
    ],
    model: Annotated[
        str, typer.Option(help=_JOB["model"].option.help, rich_help_panel="Model")
    ] = "default",
    options: dict[str, Any],
    precision: Annotated[
        str,
        typer.Option(
            help=_JOB["precision"].option.help,
            metavar=f"[{'|'.join(PRECISIONS)}]",
            rich_help_panel="Speed",
        ),
    ] = "float32",
    device: DeviceOption = "auto",
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Address of a dask.distributed scheduler whose workers compute.",
            show_default=False,
            rich_help_panel="Advanced",
        ),
    ] = None,
    subset: SubsetOption = None,
    was_split: OldSubsetOption = None,
    files: dict[str, Any],
) -> None:
    """Label the nuclei in images. Writes NAME.png (16-bit labels) for each, and summary.csv.

    Subfolders are not searched. If an input is missing, nothing is segmented. Files that cannot be
    read are listed at the end; the rest are processed, and the exit code is 1.
    """
    from napari_snow_unet.batch import find_images, messages_of, segment_files
    from napari_snow_unet.models import UnknownModelError, open_model
    from napari_snow_unet.segmentation.options import check_options, check_options_alone
    from napari_snow_unet.segmentation.plane.threshold import in_digits

    if files["overwrite"] and files["resume"]:
        raise typer.BadParameter(messages.OVERWRITE_OR_RESUME)
    if scheduler is not None and device != "auto":
        raise typer.BadParameter(messages.DEVICE_OF_WORKERS)
    if options["min_area"] is not None and options["min_area_um2"] is not None:
        raise typer.BadParameter(messages.TWO_AREAS)
    with as_wrong_usage(hint="--format"):
        files["formats"] = known_formats(files["formats"])
    use_pixel_size = options["pixel_size_um"] != 0
    chosen = Options(**options | {"pixel_size_um": options["pixel_size_um"] or None})
    outputs = Outputs(output_folder, **files)
    job = Job(model, _precision(precision), chosen, outputs, use_pixel_size)
    if job.outputs.resume:
        job = _resumed(job, on_command_line(context))
    with as_wrong_usage():
        check_options_alone(job.options)
    inputs = find_images(image, subset_of(subset, was_split))
    with as_wrong_usage(UnknownModelError):
        network = open_model(job.model, precision=job.precision, device=device)
    with as_wrong_usage():
        check_options(job.options, network)
    if scheduler is None:
        steps = segment_files(
            inputs.images,
            network,
            job.options,
            job.outputs,
            use_pixel_size=job.use_pixel_size,
            pixel_sizes=inputs.pixel_sizes,
        )
    else:
        from napari_snow_unet.batch.dask_cluster import segment_files_on

        job = replace(job, pixel_sizes=inputs.pixel_sizes)
        steps = segment_files_on(scheduler, inputs.images, job)
    results = follow(steps, "Segmenting", stopped=messages.SEGMENT_STOPPED)
    failed = [result for result in results if result.error]
    table(
        ["image", "nuclei", "area", "threshold", "per mm²"],
        [
            (
                result.source.name,
                f"{result.nuclei:,}",
                f"{result.area_fraction:.1%}",
                in_digits(result.threshold),
                "" if result.nuclei_per_mm2 is None else f"{result.nuclei_per_mm2:,.0f}",
            )
            for result in results
            if not result.error
        ],
    )
    for note in messages_of(results):
        typer.echo(note)
    _list(messages.SKIPPED_FILES_LABEL, inputs.skipped)
    _list(messages.SKIPPED_FOLDERS_LABEL, inputs.folders_but(output_folder))
    before = sum(not (result.error or result.provenance) for result in results)
    done = len(results) - len(failed)
    typer.echo(messages.segmented(done, len(results), output_folder, before))
    if done:
        typer.echo(CONTAIN_NAMES)
    for reason in _reasons(failed):
        typer.echo(f"{messages.FAILED_LABEL}: {reason}", err=True)
    if failed:
        raise typer.Exit(1)


def _list(label: str, paths: Iterable[Path]) -> None:
    if names := ", ".join(path.name for path in paths):
        typer.echo(f"{label}: {names}")


def _resumed(job: Job, given: Iterable[str]) -> Job:
    """Complete a job with the options of the interrupted run, and print them."""
    from napari_snow_unet.batch.run_options import (
        OPTIONS_FILE,
        continued_job,
        entries_of,
        entry_as_words,
        renamed_entries,
    )

    path = job.outputs.folder / OPTIONS_FILE
    for old, new in renamed_entries(path).items():
        typer.echo(messages.renamed_entry(path, old, new), err=True)
    names = {name.removeprefix("was_") for name in given}  # flags of 0.1, too
    job, taken = continued_job(job, entries_of(names))
    words = [word for entry in taken.items() for word in entry_as_words(*entry)]
    if words:
        typer.echo(f"{messages.continued_label(path)}: {shlex.join(words)}")
    return job


def _reasons(failed: list[FileResult]) -> Iterator[str]:
    """Yield each reason once, after the first of its files."""
    files: dict[str, list[str]] = {}
    for result in failed:
        error = with_ways(result.error, flags_of(result.helps))
        file, separator, reason = error.partition(": ")
        if not separator:
            file, reason = str(result.source), error
        files.setdefault(reason, []).append(file)
    for reason, (first, *others) in files.items():
        yield f"{several_label(first, len(others))}: {reason}"


def _precision(name: str) -> Precision:
    """Return a number format; names of 0.1 are accepted with a hint."""
    precision = precision_of(name)
    if precision is None:
        raise typer.BadParameter(
            messages.not_one_of(name, tuple(PRECISIONS)), param_hint="--precision"
        )
    if precision != name:
        typer.echo(messages.renamed_value("--precision", name, precision), err=True)
    return precision

"""``napari-snow-unet segment``: label the nuclei of any number of images."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from napari_snow_unet.cli.progress import follow, table
from napari_snow_unet.cli.usage import as_wrong_usage, on_command_line
from napari_snow_unet.data.formats.registry import FORMATS

if TYPE_CHECKING:
    from napari_snow_unet.batch import FileResult
    from napari_snow_unet.batch.job import Job

STOPPED = "Stopped. What was finished is kept; the same command goes on with --resume."

#: What a parameter decides in the record of a run, where that is not called as it is.
_DECIDES = {
    "min_area": ("min_area", "min_area_um2"),
    "min_area_um2": ("min_area", "min_area_um2"),
    "no_split": ("split",),
    "no_fill_holes": ("fill_holes",),
    "pixel_size": ("pixel_size_um", "file_pixel_size"),
    "split": (),
}

Channel = Literal["red", "green", "blue", "grey", "hematoxylin"]


def segment(
    context: typer.Context,
    image: Annotated[
        list[str],
        typer.Argument(help="Images, folders, patterns or prepared datasets.", show_default=False),
    ],
    output_folder: Annotated[
        Path, typer.Option("-o", "--out", help="Folder for the results.", show_default=False)
    ],
    model: Annotated[
        str, typer.Option(help="Name of a model (see `models`) or the folder of one.")
    ] = "default",
    threshold: Annotated[
        str, typer.Option(help="'otsu', or the probability from 0 to 1 above which is nucleus.")
    ] = "otsu",
    output: Annotated[
        Literal["nuclei", "mask"],
        typer.Option(help="'nuclei': each its own label; 'mask': 0 and 255."),
    ] = "nuclei",
    min_area: Annotated[
        float | None,
        typer.Option(help="Smallest nucleus in pixels. (default: 5 µm²)", show_default=False),
    ] = None,
    min_area_um2: Annotated[
        float | None, typer.Option(help="Smallest nucleus in µm².", show_default=False)
    ] = None,
    no_split: Annotated[
        bool, typer.Option("--no-split", help="Do not separate touching nuclei.")
    ] = False,
    no_fill_holes: Annotated[
        bool, typer.Option("--no-fill-holes", help="Leave holes in nuclei open.")
    ] = False,
    clear_border: Annotated[
        bool, typer.Option("--clear-border", help="Drop nuclei cut by the image's border.")
    ] = False,
    channel: Annotated[
        Channel | None,
        typer.Option(help="Channel to use. (default: the model's own)", show_default=False),
    ] = None,
    pixel_size: Annotated[
        float | None,
        typer.Option(
            help="Micrometres per pixel; 0: unknown. (default: the file's)", show_default=False
        ),
    ] = None,
    tile: Annotated[
        int,
        typer.Option(
            help="Edge of the windows the network sees, in pixels; about 2048 for large images."
        ),
    ] = 1024,
    test_time_augmentation: Annotated[
        bool,
        typer.Option(
            "--test-time-augmentation",
            "--tta",
            help="Average over four mirror images of a tile: usually better, four times as long.",
        ),
    ] = False,
    precision: Annotated[
        Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"],
        typer.Option(help="Number format of the network; 'auto': bfloat16 where that is fast."),
    ] = "auto",
    device: Annotated[Literal["auto", "cpu", "gpu"], typer.Option(help="What computes.")] = "auto",
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Address of a dask.distributed scheduler whose workers compute.",
            show_default=False,
        ),
    ] = None,
    split: Annotated[
        Literal["train", "val", "test"] | None,
        typer.Option(help="Take only this part of a prepared dataset.", show_default=False),
    ] = None,
    formats: Annotated[
        list[str],
        typer.Option(
            "--format",
            help=f"Of {', '.join(FORMATS)}, one, or several with commas between; png, and zarr for "
            "what is too large, if left out.",
            show_default=False,
        ),
    ] = [],  # noqa: B006 (typer copies it)
    probability: Annotated[
        bool, typer.Option("--probability", help="Also write STEM_probability.png.")
    ] = False,
    overlay: Annotated[
        bool, typer.Option("--overlay", help="Also write STEM_overlay.png, outlines on the image.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results that exist.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with a run that was ended, with its options: leave what it finished.",
        ),
    ] = False,
) -> None:
    """Label the nuclei of images: STEM.png with 16-bit labels, and summary.csv.

    More than 65,535 nuclei go to a 32-bit STEM.tif, images of more than 67 million pixels to an
    OME-Zarr. Other formats: HoVer-Net's .mat, .geojson for QuPath, OME-Zarr, and a .csv with the
    measurements of every nucleus. Folders in a folder are not looked into. What is not there ends
    the command before it begins; a file that cannot be used is named at the end, the others are
    done, and the exit code is 1.
    """
    from napari_snow_unet.batch import Outputs, find_images, messages_of, segment_files
    from napari_snow_unet.batch.job import Job
    from napari_snow_unet.models import CLASSICAL, UnknownModelError, open_model
    from napari_snow_unet.segmentation.options import Options, check_options, check_options_alone
    from napari_snow_unet.segmentation.plane.threshold import in_digits
    from napari_snow_unet.unet.engine.selection import select_device

    options = Options(
        threshold=_threshold(threshold),
        output=output,
        split=not no_split,
        min_area=min_area,
        min_area_um2=min_area_um2,
        fill_holes=not no_fill_holes,
        clear_border=clear_border,
        channel=channel,
        pixel_size_um=pixel_size or None,
        tile=tile,
        test_time_augmentation=test_time_augmentation,
    )
    if overwrite and resume:
        raise typer.BadParameter("--overwrite begins again, --resume goes on: choose one of them.")
    if scheduler is not None and device != "auto":
        raise typer.BadParameter("--device is of this machine: with --scheduler, workers compute.")
    if min_area is not None and min_area_um2 is not None:
        raise typer.BadParameter(
            "--min-area is in pixels, --min-area-um2 in µm²: give one of them."
        )
    outputs = Outputs(output_folder, probability, overlay, overwrite, _formats(formats), resume)
    job = Job(model, precision, options, outputs, pixel_size != 0)
    if resume:
        job = _as_begun(job, on_command_line(context))
    with as_wrong_usage():
        check_options_alone(job.options)
    found = find_images(image, split)
    if job.model != CLASSICAL:
        select_device(device=device)
    with as_wrong_usage(UnknownModelError):
        network = open_model(job.model, precision=job.precision)
    with as_wrong_usage():
        check_options(job.options, network)
    if scheduler is None:
        steps = segment_files(
            found.images,
            network,
            job.options,
            job.outputs,
            use_pixel_size=job.use_pixel_size,
            pixel_sizes=found.pixel_sizes,
        )
    else:
        from napari_snow_unet.batch.dask_cluster import segment_files_on

        job = replace(job, pixel_sizes=found.pixel_sizes)
        steps = segment_files_on(scheduler, found.images, job)
    results = follow(steps, "Segmenting", stopped=STOPPED)
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
    for told in messages_of(results):
        typer.echo(told)
    if found.skipped:
        typer.echo("Skipped, no images: " + ", ".join(path.name for path in found.skipped))
    if folders := found.folders_but(output_folder):
        typer.echo("Skipped, folders: " + ", ".join(path.name for path in folders))
    before = sum(not (result.error or result.provenance) for result in results)
    typer.echo(
        f"{len(results) - len(failed)} of {len(results)} images segmented to {output_folder}"
        + (f", {before} of them before" if before else "")
    )
    for told in _reasons(failed):
        typer.echo(f"Failed: {told}", err=True)
    if failed:
        raise typer.Exit(1)


def _as_begun(job: Job, given: Iterable[str]) -> Job:
    """Go on with the options that a run was begun with, and say which they are."""
    from napari_snow_unet.batch.run_options import OPTIONS_FILE, continued_job, entry_as_words

    decided = {entry for name in given for entry in _DECIDES.get(name, (name,))}
    job, taken = continued_job(job, decided)
    words = [word for entry in taken.items() for word in entry_as_words(*entry)]
    if words:
        typer.echo(f"As begun ({job.outputs.folder / OPTIONS_FILE}): {shlex.join(words)}")
    return job


def _reasons(failed: list[FileResult]) -> Iterator[str]:
    """Tell a reason that several files share once, behind the first of them."""
    files: dict[str, list[str]] = {}
    for result in failed:
        file, parted, reason = result.error.partition(": ")
        if not parted:
            file, reason = str(result.source), result.error
        files.setdefault(reason, []).append(file)
    for reason, (first, *others) in files.items():
        yield f"{first}{f' and {len(others)} more' if others else ''}: {reason}"


def _formats(given: list[str]) -> tuple[str, ...]:
    names = [name.strip().lower().removeprefix(".") for text in given for name in text.split(",")]
    for name in names:
        if name not in FORMATS:
            raise typer.BadParameter(
                f"{name!r} is none of {', '.join(FORMATS)}.", param_hint="--format"
            )
    return tuple(dict.fromkeys(names))


def _threshold(text: str) -> float | Literal["otsu"]:
    if text == "otsu":
        return "otsu"
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is neither 'otsu' nor a number from 0 to 1.", param_hint="--threshold"
        ) from None

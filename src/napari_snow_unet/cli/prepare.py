"""``napari-snow-unet prepare``: a compact, checked dataset from SNOW or one's own files."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.words import counted
from napari_snow_unet.cli.progress import follow
from napari_snow_unet.cli.usage import MasksAreOption, as_wrong_usage
from napari_snow_unet.data.datasets.prepare.ledger import Prepared
from napari_snow_unet.data.datasets.splits import Share, SplitPlan, parse_share, usual_size

GO_ON = "Run the same command again to continue."
NAMED = 20  # problems on the screen; all of them stand in problems.csv


def _size(part: str, what: str) -> Any:
    text = f"{what} (default: {usual_size(part)})"
    return typer.Option(help=text, show_default=False)


TrainingTiles = Annotated[str | None, _size("train", "Training tiles: a number, or a fraction.")]
ValidationTiles = Annotated[str | None, _size("val", "Validation tiles.")]
TestTiles = Annotated[str | None, _size("test", "Test tiles.")]


def prepare(
    source: Annotated[
        list[Path],
        typer.Argument(help="Folders and zip archives, in any mix.", show_default=False),
    ],
    output_folder: Annotated[
        Path, typer.Option("-o", "--out", help="Folder for the dataset.", show_default=False)
    ],
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Take only so many pairs, the first ones.", show_default=False),
    ] = None,
    shard: Annotated[
        int | None,
        typer.Option(min=1, help="Tiles per folder. (default: one folder)", show_default=False),
    ] = None,
    binary: Annotated[
        bool, typer.Option("--binary", help="Masks of 0 and 255 in place of ids.")
    ] = False,
    train: TrainingTiles = None,
    val: ValidationTiles = None,
    test: TestTiles = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the split. (default: 0)", show_default=False)
    ] = None,
    group_by: Annotated[
        str | None,
        typer.Option(help="Regular expression; what it matches stays together."),
    ] = None,
    pixel_size: Annotated[
        float | None,
        typer.Option(
            help="Micrometres per pixel where images do not say; 0: unknown again.",
            show_default=False,
        ),
    ] = None,
    masks_are: MasksAreOption = None,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Read masks in archives to their end, for the checksum."),
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes. (default: all cores)", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Make a dataset of PNG images and masks with a manifest, from SNOW or any image/mask folders.

    Archives are read where they lie. Where one of --train, --val and --test is given, those that
    are not take nothing. Run it again to go on after a stop. What cannot be used is listed at the
    end and in problems.csv, and the exit code is 1.
    """
    from napari_snow_unet.data.datasets.prepare.dataset import prepare as prepare_dataset
    from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
    from napari_snow_unet.data.pixels.pixel_size import check_pixel_size

    with as_wrong_usage():
        check_pixel_size(pixel_size or None)  # 0: unknown again
    options = PrepareOptions(
        limit=limit,
        shard=shard,
        binary=binary or None,
        split=split_plan(train, val, test, seed, group_by),
        um_per_px=pixel_size,
        verify=verify,
        workers=workers,
        masks_are=masks_are,
    )
    steps = prepare_dataset(source, output_folder, options)
    prepared = follow(steps, "Preparing", stopped=partial(_stopped, output_folder))
    if as_json:
        typer.echo(json.dumps(_summary(prepared), indent=2))
    else:
        _tell(prepared)
    if prepared.problems:
        raise typer.Exit(1)


def split_plan(
    train: str | None, val: str | None, test: str | None, seed: int | None, group_by: str | None
) -> SplitPlan | None:
    """Return the split a person asked for, None if they left it open.

    Raises
    ------
    typer.BadParameter
        If a part is neither a number nor a fraction.
    """
    if {train, val, test, seed, group_by} == {None}:
        return None
    return SplitPlan(
        _share("--train", train), _share("--val", val), _share("--test", test), seed or 0, group_by
    )


def _stopped(folder: Path, total: int) -> str:
    """Say how much is done, as the manifest has it."""
    from napari_snow_unet.data.datasets.manifest import is_dataset, read_manifest

    done = len(read_manifest(folder)) if is_dataset(folder) else 0
    of = f" of {total:,}" if total > done else ""
    return f"Stopped: {done:,}{of} tiles done. {GO_ON}"


def _share(option: str, text: str | None) -> Share | None:
    try:
        return None if text is None else parse_share(text)
    except InputError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def parts_line(parts: dict[str, int]) -> str:
    """Return ``train 72, val 8, test 20``; unused only where there are such tiles."""
    return ", ".join(
        f"{part} {count:,}" for part, count in parts.items() if count or part != "unused"
    )


def _summary(prepared: Prepared) -> dict[str, Any]:
    return {
        "folder": str(prepared.folder),
        "tiles": len(prepared.tiles),
        "new": prepared.new,
        "split": prepared.parts,
        "nuclei": sum(tile.nuclei for tile in prepared.tiles),
        "problems": [
            {"name": problem.name, "reason": problem.reason} for problem in prepared.problems
        ],
        "messages": prepared.messages,
    }


def _tell(prepared: Prepared) -> None:
    kept = len(prepared.tiles) - prepared.new
    there = f", {kept:,} were there" if kept else ""
    typer.echo(f"{counted(prepared.new, 'tile')} prepared in {prepared.folder}{there}")
    typer.echo(parts_line(prepared.parts))
    for message in prepared.messages:
        typer.echo(message)
    for problem in prepared.problems[:NAMED]:
        typer.echo(f"Not used: {problem}", err=True)
    if len(prepared.problems) > NAMED:
        more = len(prepared.problems) - NAMED
        typer.echo(f"... and {more:,} more, see {prepared.folder / 'problems.csv'}", err=True)

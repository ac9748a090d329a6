"""``napari-snow-unet train``: train a network on a dataset, or resume a training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.options import Declared, declared
from napari_snow_unet.cli import messages
from napari_snow_unet.cli.options import takes_given
from napari_snow_unet.cli.usage import (
    BackendOption,
    DeviceOption,
    as_wrong_usage,
    on_command_line,
    sentence,
)
from napari_snow_unet.unet.runs.options import Preset, TrainingOptions, make_options, whole_tiles

if TYPE_CHECKING:
    from napari_snow_unet.unet.runs.folder import RunDirectory
    from napari_snow_unet.unet.runs.progress import StopRequest

# Options that are allowed when a training is resumed; it keeps all others.
_WITH_RESUME = frozenset(
    {
        "resume",
        "epochs",
        "device",
        "backend",
        "workers",
        "parallel",
        "stop_after",
        "stop_with_parent",
    }
)
_OPTIONS = declared(TrainingOptions)


def _option(help_text: str, heading: str, metavar: str | None = None) -> Any:
    return typer.Option(
        help=help_text, show_default=False, rich_help_panel=heading, metavar=metavar
    )


def _default(one: Declared) -> str:
    """Return the default in words, and that of the preset 'paper' if it differs."""
    ours, papers = (getattr(make_options(preset), one.name) for preset in ("default", "paper"))
    words = [one.option.none if value is None else str(value) for value in (ours, papers)]
    return words[0] if ours == papers else f"{words[0]}, paper: {words[1]}"


@takes_given(_default, without=("preset", "fold"), options=TrainingOptions)
def train(
    *,
    context: typer.Context,
    dataset: Annotated[
        Path | None,
        typer.Argument(
            help="Folder from `prepare`, or one with images/ and masks/.", show_default=False
        ),
    ] = None,
    run_folder: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="Run folder, new or empty.",
            show_default=False,
            rich_help_panel="Output",
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        _option("Continue the training in this run folder, with its options.", heading="Output"),
    ] = None,
    preset: Annotated[
        Preset, typer.Option(help=_OPTIONS["preset"].option.help, rich_help_panel="Training")
    ] = "default",
    options: dict[str, Any],
    fold: Annotated[
        str | None, _option(_OPTIONS["fold"].option.help, heading="Input", metavar="[all|INTEGER]")
    ] = None,
    parallel: Annotated[
        int | None,
        _option(
            "Number of folds trained at once with --fold all. (default: one per core; one on a "
            "GPU)",
            heading="Speed",
        ),
    ] = None,
    fine_tune: Annotated[
        str | None,
        _option(
            "Start from this model (name or folder) and keep its architecture. (default: random "
            "weights)",
            heading="Model",
        ),
    ] = None,
    device: DeviceOption = "auto",
    backend: BackendOption = "auto",
    workers: Annotated[
        int | None,
        _option("Threads for loading batches (does not affect the result).", heading="Advanced"),
    ] = None,
    stop_after: Annotated[
        float | None,
        _option("Stop after this many seconds; continue later with --resume.", heading="Advanced"),
    ] = None,
    stop_with_parent: Annotated[
        bool, typer.Option("--stop-with-parent", hidden=True, help="Stop when input ends.")
    ] = False,
) -> None:
    """Train a network. Ctrl-C stops after the current batch; finished epochs are kept.

    The run folder contains the best and the last model, the training history and its curves, and
    the state for --resume. `segment --model FOLDER` uses the best model.
    """
    from napari_snow_unet.unet.engine.selection import select_device
    from napari_snow_unet.unet.runs.folder import STOP
    from napari_snow_unet.unet.runs.progress import StopRequest

    given = _given(context) | options
    folder = resume or run_folder
    if folder is None or (dataset is None and resume is None):
        raise typer.BadParameter(messages.NAME_DATASET_AND_RUN)
    _forget_old_stop(folder)
    stop = StopRequest(folder / STOP, stop_after)
    if stop_with_parent:
        from napari_snow_unet.unet.runs.stopping import stop_when_input_ends

        stop_when_input_ends(stop)
    select_device(backend, device)
    threads = training_threads(workers)
    if fold == "all" and fine_tune is not None:
        raise typer.BadParameter(messages.FOLDS_START_FROM_SCRATCH)
    if fold == "all" or (resume is not None and _is_cross_validation(resume)):
        _cross_validate(given, folder, stop, threads, parallel)
        return
    if parallel is not None:
        raise typer.BadParameter(messages.PARALLEL_NEEDS_FOLDS, param_hint="--parallel")
    run = _resumed(given) if resume is not None else _started(given)
    _follow(run, stop, threads)


def _given(context: typer.Context) -> dict[str, Any]:
    """Return the options on the command line; with --resume, only some are allowed."""
    given = on_command_line(context)
    if "resume" in given and (kept := sorted(set(given) - _WITH_RESUME)):
        words = ("-o" if name == "run_folder" else name.replace("_", "-") for name in kept)
        raise typer.BadParameter(messages.kept_when_resumed(tuple(words)))
    return given


def _forget_old_stop(folder: Path) -> None:
    from napari_snow_unet.unet.runs.folder import STOP, is_run

    if is_run(folder) or _is_cross_validation(folder):
        (folder / STOP).unlink(missing_ok=True)


def _is_cross_validation(folder: Path) -> bool:
    from napari_snow_unet.crossvalidation import is_cross_validation

    return is_cross_validation(folder)


def training_threads(workers: int | None) -> int:
    """Return the number of threads that load batches; by default one less than cores, at most 8."""
    from napari_snow_unet.base.processes import usable_cores

    return max(1, min(usable_cores() - 1, 8)) if workers is None else max(workers, 0)


def _options(given: dict[str, Any]) -> Any:
    """Return the options; a value beyond its limits is wrong usage."""
    values = {name: value for name, value in given.items() if name in _OPTIONS}
    whole = values.get("crop", 0) is None
    for name in ("preset", "fold"):
        values.pop(name, None)
    try:
        fold = given.get("fold", "all")
        if fold != "all":
            values["fold"] = int(fold)
        options = make_options(given.get("preset", "default"), **values)
    except ValueError as error:
        if isinstance(error, InputError):
            raise typer.BadParameter(sentence(error)) from None
        raise typer.BadParameter(messages.FOLD_OR_ALL, param_hint="--fold") from None
    return whole_tiles(options) if whole else options


def _started(given: dict[str, Any]) -> RunDirectory:
    from napari_snow_unet.models import UnknownModelError, find_model
    from napari_snow_unet.unet.training.start import begin_training

    with as_wrong_usage(UnknownModelError):
        model = find_model(given["fine_tune"]) if "fine_tune" in given else None
    run, notes = begin_training(
        given["dataset"], given["run_folder"], _options(given), fine_tune=model
    )
    for note in notes:
        typer.echo(note)
    return run


def _resumed(given: dict[str, Any]) -> RunDirectory:
    from napari_snow_unet.unet.runs.folder import open_run
    from napari_snow_unet.unet.training.start import extend

    run = open_run(given["resume"])
    if "epochs" in given:
        extend(run, given["epochs"])
    return run


def _follow(run: RunDirectory, stop: StopRequest, threads: int) -> None:
    from napari_snow_unet.cli.training_display import training_display
    from napari_snow_unet.unet.runs.stopping import signals_ask, watched
    from napari_snow_unet.unet.training.loop import train as train_in

    listed = not _is_cross_validation(run.folder.parent)
    try:
        with signals_ask(stop), watched(run, stop), training_display() as (listen, run.echo):
            state = train_in(run, stop=stop, listen=listen, workers=threads, listed=listed)
    except InputError:
        if any(run.checkpoints.glob("[0-9]*")):
            typer.echo(messages.resume_training(run.folder), err=True)
        raise
    if state.epoch:
        typer.echo(messages.use_model(run.folder))
    _report_stop(stop, run.folder)


def _cross_validate(
    given: dict[str, Any], folder: Path, stop: StopRequest, threads: int, at_once: int | None
) -> None:
    from napari_snow_unet.cli.progress import table
    from napari_snow_unet.cli.training_display import training_display
    from napari_snow_unet.crossvalidation import SHOWN, begin_folds, cross_validate
    from napari_snow_unet.unet.runs.folder import RunDirectory
    from napari_snow_unet.unet.runs.stopping import signals_ask, watched

    if "resume" in given and "epochs" in given:
        raise typer.BadParameter(messages.FOLDS_KEEP_EPOCHS, param_hint="--epochs")
    if "resume" not in given:
        begin_folds(given["dataset"], folder, _options(given))
    with (
        signals_ask(stop),
        watched(RunDirectory(folder), stop),
        training_display() as (listen, echo),
    ):
        rows = cross_validate(
            folder, stop=stop, listen=listen, echo=echo, workers=threads, at_once=at_once
        )
    table(SHOWN, [[row[name] for name in SHOWN] for row in rows])
    _report_stop(stop, folder)


def _report_stop(stop: StopRequest, folder: Path) -> None:
    from napari_snow_unet.unet.runs.stopping import EXIT_CODE, INTERRUPTED

    if stop.reason():
        typer.echo(messages.resume_training(folder))
    if stop.reason() == INTERRUPTED:
        raise typer.Exit(EXIT_CODE)

"""``napari-snow-unet reproduce``: the paper's experiment, from the release to its figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from napari_snow_unet.cli.prepare import subsets_line
from napari_snow_unet.cli.progress import follow, table
from napari_snow_unet.cli.train import training_threads
from napari_snow_unet.cli.usage import BackendOption, DeviceOption

if TYPE_CHECKING:
    from napari_snow_unet.data.datasets.prepare.ledger import Prepared
    from napari_snow_unet.metrics.files.evaluation import Evaluation
    from napari_snow_unet.paper.experiment import Experiment
    from napari_snow_unet.paper.steps import Method

GO_ON = "Run the same command again to go on."


def reproduce(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCE...", help="SNOW's archives or folders, in any mix.", show_default=False
        ),
    ],
    output_folder: Annotated[
        Path,
        typer.Option(
            "-o",
            "--out",
            help="Folder for the experiment.",
            show_default=False,
            rich_help_panel="Output",
        ),
    ],
    limit: Annotated[
        int, typer.Option(min=1, help="Tiles to use, the first ones.", rich_help_panel="Input")
    ] = 5000,
    epochs: Annotated[
        int, typer.Option(min=1, help="Passes over the training tiles.", rich_help_panel="Training")
    ] = 50,
    seed: Annotated[
        int,
        typer.Option(
            min=0, help="Of the division and of the training.", rich_help_panel="Training"
        ),
    ] = 0,
    device: DeviceOption = "auto",
    backend: BackendOption = "auto",
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Processes that prepare, threads that make batches. (default: all cores)",
            show_default=False,
            rich_help_panel="Speed",
        ),
    ] = None,
) -> None:
    """Do what the paper does, in its order: prepare, train, segment the test tiles, measure, draw.

    Of 5,000 tiles 3,600 train, 400 validate and 1,000 test; of fewer 72, 8 and 20 %. The folder
    holds dataset, training, predictions, table.csv with the paper's numbers beside ours, figures
    and methods.md. Stopped at any point, the same command goes on.
    """
    from napari_snow_unet.paper import steps
    from napari_snow_unet.paper.experiment import begin_experiment
    from napari_snow_unet.paper.reproduction import table_rows, write_reproduction
    from napari_snow_unet.unet.engine.selection import select_device

    select_device(backend, device)
    experiment = begin_experiment(output_folder, limit=limit, epochs=epochs, seed=seed)
    prepared = follow(
        steps.prepare_tiles(experiment, sources, workers=workers), "Preparing", stopped=GO_ON
    )
    _tell(prepared)
    _train(experiment, training_threads(workers))
    results = [_apply(experiment, method) for method in steps.methods(experiment)]
    rows = write_reproduction(experiment, sources, prepared, results)
    table(*table_rows(rows))
    for path in (experiment.table, experiment.methods, experiment.evaluation, experiment.figures):
        typer.echo(f"Wrote {path}")


def _tell(prepared: Prepared) -> None:
    typer.echo(
        f"{len(prepared.tiles):,} tiles in {prepared.folder}: {subsets_line(prepared.subsets)}"
    )
    for problem in prepared.problems:
        typer.echo(f"Not used: {problem}", err=True)


def _train(experiment: Experiment, threads: int) -> None:
    from napari_snow_unet.cli.training_display import training_display
    from napari_snow_unet.paper.steps import train_network
    from napari_snow_unet.unet.runs.folder import STOP, RunDirectory
    from napari_snow_unet.unet.runs.progress import StopRequest
    from napari_snow_unet.unet.runs.stopping import signals_ask, watched

    stop_file = experiment.training / STOP
    stop_file.unlink(missing_ok=True)
    stop = StopRequest(stop_file)
    run = RunDirectory(experiment.training)
    with signals_ask(stop), watched(run, stop), training_display() as (listen, echo):
        done = train_network(experiment, stop=stop, listen=listen, echo=echo, workers=threads)
    if not done:
        typer.echo(f"Stopped{stop.ending()} {GO_ON}", err=True)
        raise typer.Exit(130)


def _apply(experiment: Experiment, method: Method) -> tuple[Method, Evaluation]:
    from napari_snow_unet.paper.steps import measure_tiles, segment_tiles

    follow(segment_tiles(experiment, method), f"Segmenting: {method.title}", stopped=GO_ON)
    steps = measure_tiles(experiment, method)
    return method, follow(steps, f"Measuring: {method.title}", stopped=GO_ON)

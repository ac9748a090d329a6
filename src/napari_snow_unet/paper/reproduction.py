"""The results of an experiment: table, paragraph, report and figures."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from napari_snow_unet.base.files import write_table, written_whole
from napari_snow_unet.data.datasets.prepare.ledger import Prepared
from napari_snow_unet.metrics.files.evaluation import Evaluation
from napari_snow_unet.metrics.report.files import write_reports
from napari_snow_unet.paper.experiment import Experiment
from napari_snow_unet.paper.figures import draw_figures
from napari_snow_unet.paper.methods_text import methods_text
from napari_snow_unet.paper.steps import Method
from napari_snow_unet.paper.table import COLUMNS, SCORES, rows_of_table
from napari_snow_unet.unet.runs.folder import open_run
from napari_snow_unet.unet.runs.progress import read_progress


def write_reproduction(
    experiment: Experiment,
    sources: Sequence[str | os.PathLike[str]],
    prepared: Prepared,
    results: Sequence[tuple[Method, Evaluation]],
) -> list[dict[str, str]]:
    """Write table, paragraph, report and figures, overwriting existing ones; return the table.

    `results` are in the order of `steps.methods`; figures show the first one.
    """
    run = open_run(experiment.training)
    config, history = run.config(), run.history()
    rows = rows_of_table(results, history)
    cells = ([row[name] for name in COLUMNS] for row in rows)
    write_table(experiment.table, [COLUMNS, *cells], overwrite=True, end="\r\n")
    text = methods_text(experiment, prepared, config, history, rows, _device(run.folder))
    with written_whole(experiment.methods, overwrite=True) as temporary:
        temporary.write_text(text, encoding="utf-8")
    evaluations = [evaluation for _, evaluation in results]
    write_reports(experiment.evaluation, evaluations, overwrite=True)
    draw_figures(experiment, sources, results[0], history, config.network)
    return rows


def table_rows(rows: Sequence[Mapping[str, str]]) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the pooled scores, as shown in the shell."""
    pooled = [row for row in rows if row["over"] != "mean of tiles"]
    names = ("method", "threshold", *SCORES)
    return [*names], [[row[name] for name in names] for row in pooled]


def _device(folder: Path) -> str:
    progress = read_progress(folder)
    if progress is None or not progress.device:
        return "an unknown device"
    return f"{progress.device} ({progress.device_kind}, {progress.backend}, {progress.precision})"

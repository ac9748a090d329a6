"""Reports on disk: CSV for spreadsheets, JSON for programs, HTML for people."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.metrics.files.evaluation import Evaluation
from napari_snow_unet.metrics.report import messages
from napari_snow_unet.metrics.report.html_page import page
from napari_snow_unet.metrics.report.values import document

CSV, JSON, HTML = "scores.csv", "scores.json", "report.html"


def require_free(folder: Path) -> None:
    """Refuse a folder that already contains a report."""
    for name in (CSV, JSON, HTML):
        if (folder / name).exists():
            raise InputError(messages.FILE_EXISTS, path=folder / name)


def write_reports(
    folder: Path, evaluations: Sequence[Evaluation], *, overwrite: bool = False
) -> list[Path]:
    """Write evaluations as CSV, JSON and HTML; the first is compared with the others."""
    texts = {JSON: json.dumps(document(evaluations), indent=1), HTML: page(evaluations)}
    write_rows(folder / CSV, score_rows(evaluations), overwrite=overwrite)
    for name, text in texts.items():
        with written_whole(folder / name, overwrite=overwrite) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return [folder / name for name in (CSV, JSON, HTML)]


def score_rows(evaluations: Sequence[Evaluation]) -> Iterator[list[Any]]:
    """Return a header and the scores of each prediction and tile; empty if undefined."""
    yield ["prediction", "name", *next(iter(evaluations[0].tiles.values()))]
    for evaluation in evaluations:
        for name, scores in evaluation.tiles.items():
            cells = ("" if value is None else value for value in scores.values())
            yield [evaluation.task.name, name, *cells]


def write_rows(path: Path, rows: Iterable[Sequence[Any]], *, overwrite: bool = False) -> None:
    """Write rows of cells, the header first, as CSV."""
    with (
        written_whole(path, overwrite=overwrite) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        csv.writer(file).writerows(rows)

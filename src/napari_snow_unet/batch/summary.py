"""What became of every image, and the table of it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_snow_unet.data.files import InputError, written_whole
from napari_snow_unet.data.progress import Progress

SUMMARY = "summary.csv"
COLUMNS = (
    "image",
    "labels",
    "nuclei",
    "area_fraction",
    "nuclei_per_mm2",
    "threshold",
    "pixel_size_um",
    "seconds",
    "model",
    "error",
)


@dataclass(frozen=True)
class FileResult:
    """What became of one image.

    Attributes
    ----------
    source : Path
        The image.
    labels : Path or None
        Where its labels stand, in the first of several formats; None if it failed.
    nuclei : int
        Number of nuclei over all planes.
    area_fraction : float
        Part of the area that is nucleus, 0..1.
    nuclei_per_mm2 : float or None
        None where the pixel size is unknown.
    threshold : float
        Probability exceeded by nuclei; the mean over planes.
    pixel_size_um : float or None
        Micrometres per pixel, if known.
    seconds : float
        Time it took, reading and writing included.
    messages : tuple of str
        What a person should be told.
    error : str
        Why it failed; empty if it did not.
    provenance : dict
        Model, options, thresholds, versions and source.
    """

    source: Path
    labels: Path | None = None
    nuclei: int = 0
    area_fraction: float = 0.0
    nuclei_per_mm2: float | None = None
    threshold: float = 0.0
    pixel_size_um: float | None = None
    seconds: float = 0.0
    messages: tuple[str, ...] = field(default=())
    error: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FileDone(Progress):
    """Progress that tells at once what became of an image."""

    result: FileResult | None = None


def start_summary(path: Path, sources: Sequence[Path]) -> None:
    """Begin a CSV table of one row per image, or go on with one that is there.

    Rows of images that are about to be segmented again are taken out; all others stay.

    Parameters
    ----------
    path : Path
        The table.
    sources : sequence of Path
        The images whose rows will come.

    Raises
    ------
    InputError
        If a file of this name is some other table.
    """
    rows: list[dict[str, str]] = []
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise InputError(
                    "the file is another table",
                    expected="the columns " + ", ".join(COLUMNS),
                    remedy="Choose another folder for the results.",
                    path=path,
                )
            again = {str(source) for source in sources}
            # A row cut short by a crash lacks its last columns.
            rows = [row for row in reader if row["image"] not in again and None not in row.values()]
    with (
        written_whole(path, overwrite=True) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def append_to_summary(path: Path, result: FileResult, model: str) -> None:
    """Append one row to a table that `start_summary` began.

    Parameters
    ----------
    path : Path
        The table.
    result : FileResult
        What became of one image.
    model : str
        Name of the model.
    """
    row = {name: getattr(result, name, "") for name in COLUMNS}
    row |= {"image": str(result.source), "labels": str(result.labels or ""), "model": model}
    with path.open("a", newline="", encoding="utf-8") as file:
        csv.DictWriter(file, COLUMNS).writerow(
            {key: "" if value is None else value for key, value in row.items()}
        )

"""What became of every image, and the table of it."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, TextIO

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import naming, written_whole
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.segmentation.findings import Findings, result_in_words
from napari_snow_unet.segmentation.plane.threshold import in_digits

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
    "notes",
    "precision",
)
_OF_EARLIER = COLUMNS[:-2]  # of 0.1


@dataclass(frozen=True, slots=True)
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
    helps : tuple of str
        Names of the options that would help.
    provenance : dict
        Model, options, thresholds, versions and source.
    model : str
        Name of the model.
    precision : str
        Number format that its network computed in; empty if it is none.
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
    helps: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)
    model: str = ""
    precision: str = ""

    @classmethod
    def of(
        cls,
        source: Path,
        labels: Path,
        found: Findings,
        notes: Iterable[str],
        level: Mapping[str, int],
    ) -> Self:
        """Return what became of an image from what was found in it; `notes` are said first."""
        return cls(
            source=source,
            labels=labels,
            nuclei=found.nuclei,
            area_fraction=found.area_fraction,
            nuclei_per_mm2=found.nuclei_per_mm2,
            threshold=found.threshold,
            pixel_size_um=found.pixel_size_um,
            provenance={**found.provenance, "source": str(source), **level},
            messages=tuple(dict.fromkeys([*notes, *found.messages])),
        )

    @property
    def summary(self) -> str:
        """One sentence on nuclei, area and threshold."""
        threshold = in_digits(self.threshold)
        return result_in_words(self.nuclei, self.nuclei_per_mm2, self.area_fraction, threshold)


@dataclass(frozen=True)
class FileDone(Progress):
    """Progress that tells at once what became of an image."""

    result: FileResult | None = None


def messages_of(results: Sequence[FileResult]) -> list[str]:
    """Return what a person should be told, once, behind the names of the images it is about."""
    told: dict[str, list[str]] = {}
    for result in results:
        for message in result.messages:
            told.setdefault(message, []).append(result.source.name)
    return [
        f"{first}{f' and {len(others)} more' if others else ''}: {message}"
        for message, (first, *others) in told.items()
    ]


def start_summary(path: Path, sources: Sequence[Path], *, overwrite: bool) -> dict[str, FileResult]:
    """Begin a CSV table of one row per image, or go on with one that is there.

    Rows of images that are about to be segmented again are taken out; all others stay, and so do
    those of images whose labels are there and not to be replaced: their results are returned.
    """
    again = {str(source) for source in sources}
    rows = _whole_rows(path) if path.exists() else []
    kept = {} if overwrite else {row["image"]: row for row in rows if row["image"] in again}
    results = {image: found for image, row in kept.items() if (found := _result_of(row))}
    with (
        written_whole(path, overwrite=True) as temporary,
        _opened(temporary, "w") as file,
    ):
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(row for row in rows if row["image"] not in again - set(results))
    return results


def require_summary(path: Path) -> None:
    """Refuse a file of this name that is some other table."""
    if path.exists():
        _whole_rows(path)


def _whole_rows(path: Path) -> list[dict[str, str]]:
    with _opened(path, "r") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) not in (COLUMNS, _OF_EARLIER):
            raise InputError(
                "the file is another table",
                expected="the columns " + ", ".join(COLUMNS),
                remedy="Choose another folder for the results.",
                path=path,
            )
        # A row cut short by a crash lacks its last columns.
        return [row for row in reader if None not in row.values()]


def _result_of(row: dict[str, str]) -> FileResult | None:
    """Read a row of the table; None if it tells of an error or its labels are gone."""
    labels = Path(row["labels"])
    if row["error"] or not row["labels"] or not labels.exists():
        return None
    try:
        return FileResult(
            source=Path(row["image"]),
            labels=labels,
            nuclei=int(row["nuclei"]),
            area_fraction=float(row["area_fraction"]),
            nuclei_per_mm2=float(row["nuclei_per_mm2"]) if row["nuclei_per_mm2"] else None,
            threshold=float(row["threshold"]),
            pixel_size_um=float(row["pixel_size_um"]) if row["pixel_size_um"] else None,
            seconds=float(row["seconds"]),
            model=row["model"],
            precision=row.get("precision") or "",
        )
    except ValueError:
        return None


def append_to_summary(path: Path, result: FileResult) -> None:
    """Append one row to a table that `start_summary` began."""
    row = {name: getattr(result, name, "") for name in COLUMNS}
    row |= {"image": str(result.source), "labels": str(result.labels or "")}
    row["notes"] = " ".join(result.messages)
    if result.error:  # nothing was measured
        row |= dict.fromkeys(("nuclei", "area_fraction", "threshold"))
    with naming(path), _opened(path, "a") as file:
        csv.DictWriter(file, COLUMNS).writerow(
            {key: "" if value is None else value for key, value in row.items()}
        )


def _opened(path: Path, mode: Literal["r", "w", "a"]) -> TextIO:
    """Open a table; names that are no UTF-8, which Linux allows, keep their bytes."""
    return path.open(mode, newline="", encoding="utf-8", errors="surrogateescape")

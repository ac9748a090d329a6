"""The result of every image, and the table of results."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self, TextIO

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import naming, written_whole
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.base.shown import Shown
from napari_snow_unet.batch import messages
from napari_snow_unet.segmentation.findings import Findings
from napari_snow_unet.segmentation.messages import result_label
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
_OF_0_1 = COLUMNS[:-2]


@dataclass(frozen=True, slots=True, repr=False)
class FileResult(Shown):
    """The result of one image.

    Attributes
    ----------
    source : Path
        The image.
    labels : Path or None
        Its labels, in the first of several formats; None if it failed.
    nuclei : int
        Number of nuclei over all planes.
    area_fraction : float
        Fraction of the area that is nucleus, 0..1.
    nuclei_per_mm2 : float or None
        None if the pixel size is unknown.
    threshold : float
        Probability above which a pixel is nucleus; the mean over planes.
    pixel_size_um : float or None
        Micrometres per pixel; None if unknown.
    seconds : float
        Duration, including reading and writing.
    messages : tuple of str
        Notes for the user.
    error : str
        Why it failed, after the name of a file; empty if it succeeded.
    helps : tuple of str
        Names of the options that would help.
    provenance : dict
        Model, options, thresholds, versions and source.
    model : str
        Name of the model.
    precision : str
        Number format of the network; empty for the classical method.
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
        findings: Findings,
        notes: Iterable[str],
        level: Mapping[str, int],
    ) -> Self:
        """Return the result of an image; `notes` come before those of the findings."""
        return cls(
            source=source,
            labels=labels,
            nuclei=findings.nuclei,
            area_fraction=findings.area_fraction,
            nuclei_per_mm2=findings.nuclei_per_mm2,
            threshold=findings.threshold,
            pixel_size_um=findings.pixel_size_um,
            provenance={**findings.provenance, "source": str(source), **level},
            messages=tuple(dict.fromkeys([*notes, *findings.messages])),
        )

    @property
    def summary(self) -> str:
        """Nuclei, area and threshold in one line."""
        threshold = in_digits(self.threshold)
        return result_label(self.nuclei, self.nuclei_per_mm2, self.area_fraction, threshold)

    def one_line(self) -> str:
        """Return the line that a prompt shows."""
        return f"{self.source.name}: {self.error or self.summary}"


@dataclass(frozen=True)
class FileDone(Progress):
    """Progress with the result of an image."""

    result: FileResult | None = None


def messages_of(results: Sequence[FileResult]) -> list[str]:
    """Return each note for the user once, after the names of its images."""
    images: dict[str, list[str]] = {}
    for result in results:
        for message in result.messages:
            images.setdefault(message, []).append(result.source.name)
    return [
        f"{messages.several_label(first, len(others))}: {message}"
        for message, (first, *others) in images.items()
    ]


def start_summary(path: Path, sources: Sequence[Path], *, overwrite: bool) -> dict[str, FileResult]:
    """Start a CSV table of one row per image, or continue an existing one.

    Rows of images that are to be segmented again are removed. The others are kept; without
    `overwrite` also those of `sources` whose labels exist, and their results are returned.
    """
    again = {str(source) for source in sources}
    rows = _whole_rows(path) if path.exists() else []
    kept = {} if overwrite else {row["image"]: row for row in rows if row["image"] in again}
    results = {image: result for image, row in kept.items() if (result := _result_of(row))}
    with (
        written_whole(path, overwrite=True) as temporary,
        _opened(temporary, "w") as file,
    ):
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(row for row in rows if row["image"] not in again - set(results))
    return results


def require_summary(path: Path) -> None:
    """Raise `InputError` for a file of this name that is another table."""
    if path.exists():
        _whole_rows(path)


def _whole_rows(path: Path) -> list[dict[str, str]]:
    with _opened(path, "r") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) not in (COLUMNS, _OF_0_1):
            raise InputError(messages.OTHER_TABLE, path=path)
        # A row cut short by a crash lacks its last columns.
        return [row for row in reader if None not in row.values()]


def _result_of(row: dict[str, str]) -> FileResult | None:
    """Read a row of the table; None for a failed image or missing labels."""
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
    """Append one row to the table of `start_summary`."""
    row = {name: getattr(result, name, "") for name in COLUMNS}
    row |= {"image": str(result.source), "labels": str(result.labels or "")}
    row["notes"] = " ".join(result.messages)
    if result.error:  # no measurements
        row |= dict.fromkeys(("nuclei", "area_fraction", "threshold"))
    with naming(path), _opened(path, "a") as file:
        csv.DictWriter(file, COLUMNS).writerow(
            {key: "" if value is None else value for key, value in row.items()}
        )


def _opened(path: Path, mode: Literal["r", "w", "a"]) -> TextIO:
    """Open a table; file names that are not UTF-8 keep their bytes."""
    return path.open(mode, newline="", encoding="utf-8", errors="surrogateescape")

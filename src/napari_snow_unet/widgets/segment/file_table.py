"""The table of files that were segmented; a click on a row opens image and labels."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from napari_snow_unet.base.errors import with_ways
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.batch import FileResult
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.pixels.images import ImageFile, read_image
from napari_snow_unet.data.slides.any_image import large_image, read_any_image
from napari_snow_unet.data.slides.slide import Slide, open_slide
from napari_snow_unet.widgets.common.fields import fields_that_help

COLUMNS = ("Image", "Nuclei", "Area", "Result")


def reason_of(result: FileResult) -> str:
    """Return why an image failed, without its path, and which field would help."""
    reason = result.error.split(": ", 1)[-1]
    return with_ways(reason, fields_that_help(result.helps))


class FileTable(QTableWidget):
    """One row for each image, in the order in which they are done.

    Parameters
    ----------
    on_open : callable
        Called with the result of a row that is clicked, unless it failed.
    """

    def __init__(self, on_open: Callable[[FileResult], None]) -> None:
        super().__init__(0, len(COLUMNS))
        self.results: list[FileResult] = []
        self._on_open = on_open
        self.setHorizontalHeaderLabels(COLUMNS)
        self.setToolTip("Click a row to open the image and its labels.")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(len(COLUMNS) - 1, QHeaderView.ResizeMode.Stretch)
        self.setMinimumHeight(90)
        self.cellClicked.connect(self._clicked)

    def clear_results(self) -> None:
        """Empty the table."""
        self.results = []
        self.setRowCount(0)

    def add(self, result: FileResult) -> None:
        """Append a row."""
        self.results.append(result)
        row = self.rowCount()
        self.insertRow(row)
        numbers = (
            ("", "") if result.error else (f"{result.nuclei:,}", f"{result.area_fraction:.1%}")
        )
        # the row names the file, the tooltip its path
        done = f"failed: {reason_of(result)}" if result.error else "done"
        for column, text in enumerate((result.source.name, *numbers, done)):
            item = QTableWidgetItem(text)
            item.setToolTip(result.error or str(result.source))
            if column in (1, 2):
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.setItem(row, column, item)
        self.scrollToBottom()

    def _clicked(self, row: int, column: int) -> None:
        if not self.results[row].error:
            self._on_open(self.results[row])


@dataclass(frozen=True)
class Opened:
    """An image file or slide, and its labels.

    Attributes
    ----------
    image : ImageFile or Slide
        The image.
    labels : array or sequence of arrays
        Of a slide the levels of a pyramid.
    path : Path
        Where the labels stand.
    modified : tuple of int
        When the files of both were written, in nanoseconds.
    provenance : dict
        How they came about.
    """

    image: ImageFile | Slide
    labels: Any
    path: Path
    modified: tuple[int, int]
    provenance: dict[str, Any]


def open_files(result: FileResult) -> Generator[Progress, None, Opened]:
    """Read an image and the labels that were written for it.

    Parameters
    ----------
    result : FileResult
        What became of the image.

    Yields
    ------
    Progress
        Of no known length.

    Returns
    -------
    Opened
        Both.
    """
    path = result.labels
    assert path is not None
    yield Progress(0, 0, f"Opening {result.source.name}…")
    modified = _modified(result.source), _modified(path)
    slide = large_image(result.source)
    if slide is not None:
        labels = open_slide(path).levels
        return Opened(slide, labels, path, modified, result.provenance)
    image = read_any_image(result.source)
    # Stacks of labels, which stand in a TIFF, are images to `read_image` and nothing else.
    labels = read_image(path).array if path.suffix == ".tif" else read_labels(path)
    return Opened(image, labels, path, modified, result.provenance)


def _modified(path: Path) -> int:
    """Return when a file was written; 0 if it is gone, which whoever reads it says."""
    return path.stat().st_mtime_ns if path.exists() else 0

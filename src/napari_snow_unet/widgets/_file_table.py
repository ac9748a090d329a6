"""The table of files that were segmented; a click on a row opens image and labels."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from napari_snow_unet.batch import FileResult
from napari_snow_unet.widgets._existing import reason

COLUMNS = ("Image", "Nuclei", "Area", "Result")


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
        done = f"failed: {reason(result.error)}" if result.error else "done"
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

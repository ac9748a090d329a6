"""The table of what preparing or checking a dataset has found."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

from qtpy.QtWidgets import QHeaderView

from napari_snow_unet.widgets.common.table import Column, TableView

TITLES = ("", "About", "File", "Found")
MOST_ROWS = 5000  # more cannot be read; all of them stand in the files and in the check's output
MOST_HIGH_ROWS = 200  # of these the whole text is seen, of more rows its beginning
WIDEST = 120  # pixels
FindingRow = tuple[str, str, str, str]


class FindingsTable(TableView):
    """One row for each finding: severity, kind, file, text."""

    def __init__(self) -> None:
        super().__init__(
            Column(title, itemgetter(place), tip=_whole) for place, title in enumerate(TITLES)
        )
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(len(TITLES) - 1, QHeaderView.ResizeMode.Stretch)
        self.setMinimumHeight(70)
        self.hide()

    def show_findings(self, rows: Iterable[FindingRow]) -> None:
        """Replace what is shown; without rows the table hides."""
        rows = list(rows)
        if (more := len(rows) - MOST_ROWS) > 0:
            rows[MOST_ROWS:] = [("", "", "", f"and {more:,} more")]
        self.contents.show(rows)
        self.resizeColumnsToContents()
        for column in range(len(TITLES) - 1):
            self.setColumnWidth(column, min(self.columnWidth(column), WIDEST))
        self.setVisible(bool(rows))
        if len(rows) <= MOST_HIGH_ROWS:  # measuring every text takes its time
            self.resizeRowsToContents()


def _whole(row: FindingRow) -> str:
    return f"{row[2]}: {row[3]}" if row[2] else row[3]

"""The table of findings after preparing or checking a dataset."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter

from qtpy.QtWidgets import QHeaderView

from napari_snow_unet.widgets.common.table import Column, TableView
from napari_snow_unet.widgets.prepare import messages

TITLES = ("", "Kind", "File", "Finding")
MOST_ROWS = 5000  # the files and the command line have all findings
MOST_HIGH_ROWS = 200  # with more rows only the start of each text is visible
WIDEST = 120  # pixels
FindingRow = tuple[str, str, str, str]


class FindingsTable(TableView):
    """A row per finding: severity, kind, file, text."""

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
        """Replace the rows; without rows the table is hidden."""
        rows = list(rows)
        if (more := len(rows) - MOST_ROWS) > 0:
            rows[MOST_ROWS:] = [("", "", "", messages.more_findings(more))]
        self.contents.show(rows)
        self.resizeColumnsToContents()
        for column in range(len(TITLES) - 1):
            self.setColumnWidth(column, min(self.columnWidth(column), WIDEST))
        self.setVisible(bool(rows))
        if len(rows) <= MOST_HIGH_ROWS:  # measuring every text is slow
            self.resizeRowsToContents()


def _whole(row: FindingRow) -> str:
    return f"{row[2]}: {row[3]}" if row[2] else row[3]

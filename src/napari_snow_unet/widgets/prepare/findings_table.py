"""The table of what preparing or checking a dataset has found."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

COLUMNS = ("", "About", "File", "Found")
MOST_ROWS = 5000  # more cannot be read; all of them stand in the files and in the check's output
MOST_HIGH_ROWS = 200  # of these the whole text is seen, of more rows its beginning
WIDEST = 120  # pixels
FindingRow = tuple[str, str, str, str]


class FindingsTable(QTableWidget):
    """One row for each finding: severity, kind, file, text."""

    def __init__(self) -> None:
        super().__init__(0, len(COLUMNS))
        self.setHorizontalHeaderLabels(COLUMNS)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.verticalHeader().hide()
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(len(COLUMNS) - 1, QHeaderView.ResizeMode.Stretch)
        self.setMinimumHeight(70)
        self.hide()

    def show_findings(self, rows: Iterable[FindingRow]) -> None:
        """Replace what is shown; without rows the table hides."""
        rows = list(rows)
        if (more := len(rows) - MOST_ROWS) > 0:
            rows[MOST_ROWS:] = [("", "", "", f"and {more:,} more")]
        self.setRowCount(0)
        self.setRowCount(len(rows))
        for number, row in enumerate(rows):
            for column, text in enumerate(row):
                item = QTableWidgetItem(text)
                item.setToolTip(f"{row[2]}: {row[3]}" if row[2] else row[3])
                self.setItem(number, column, item)
        self.resizeColumnsToContents()
        for column in range(len(COLUMNS) - 1):
            self.setColumnWidth(column, min(self.columnWidth(column), WIDEST))
        self.setVisible(bool(rows))
        if len(rows) <= MOST_HIGH_ROWS:  # measuring every text takes its time
            self.resizeRowsToContents()

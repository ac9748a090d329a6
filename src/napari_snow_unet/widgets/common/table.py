"""The tables of the docks: columns define what they show of a row, whatever a row is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtWidgets import QAbstractItemView, QTableView

ROLE = Qt.ItemDataRole
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True)
class Column:
    """A column; all its functions take a row."""

    title: str
    text: Callable[[Any], str]
    meaning: str = ""  # tooltip of the title
    tip: Callable[[Any], str] | None = None  # tooltip of a cell
    number: bool = False  # aligned right
    value: Callable[[Any], Any] | None = None  # sort key, if not the text

    def shown(self, row: Any, role: int) -> Any:
        """Return the value of a cell for a role of Qt."""
        if role == ROLE.DisplayRole:
            return self.text(row)
        if role == ROLE.ToolTipRole and self.tip is not None:
            return self.tip(row)
        return RIGHT if role == ROLE.TextAlignmentRole and self.number else None


class TableModel(QAbstractTableModel):
    """Rows and columns; `heading` is the column at the left that does not scroll."""

    def __init__(self, columns: Iterable[Column] = ()) -> None:
        super().__init__()
        self.columns = list(columns)
        self.heading: Column | None = None
        self.rows: list[Any] = []

    def show(
        self,
        rows: Iterable[Any],
        columns: Iterable[Column] | None = None,
        heading: Column | None = None,
    ) -> None:
        """Replace the rows, and the columns if some are given."""
        self.beginResetModel()
        self.rows = list(rows)
        if columns is not None:
            self.columns, self.heading = list(columns), heading
        self.endResetModel()

    def append(self, row: Any) -> None:
        """Add a row at the end."""
        end = len(self.rows)
        self.beginInsertRows(QModelIndex(), end, end)
        self.rows.append(row)
        self.endInsertRows()
        # Columns that fit their contents are resized for changed cells, not for new rows.
        self.dataChanged.emit(self.index(end, 0), self.index(end, len(self.columns) - 1))

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Return the number of rows."""
        return len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Return the number of columns."""
        return len(self.columns)

    def data(self, index: QModelIndex, role: int = ROLE.DisplayRole) -> Any:
        """Return the value of a cell."""
        return self.columns[index.column()].shown(self.rows[index.row()], role)

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = ROLE.DisplayRole
    ) -> Any:
        """Return the title or tooltip of a column, or the heading of a row."""
        if orientation == Qt.Orientation.Vertical:
            return self.heading.shown(self.rows[section], role) if self.heading else None
        column = self.columns[section]
        return {ROLE.DisplayRole: column.title, ROLE.ToolTipRole: column.meaning}.get(role)

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort the rows by the values of a column."""
        if 0 <= column < len(self.columns):
            by = self.columns[column].value or self.columns[column].text
            self.layoutAboutToBeChanged.emit()
            self.rows.sort(key=by, reverse=order == Qt.SortOrder.DescendingOrder)
            self.layoutChanged.emit()


class TableView(QTableView):
    """A compact table that selects whole rows; Ctrl+C copies the cell, as usual in Qt."""

    def __init__(self, columns: Iterable[Column] = ()) -> None:
        super().__init__()
        self.contents = TableModel(columns)
        self.setModel(self.contents)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)

    def on_click(self, chosen: Callable[[Any], None]) -> None:
        """Call a function with the row that is clicked."""
        self.clicked.connect(lambda index: chosen(self.contents.rows[index.row()]))

"""The table of nuclei: what became of each; a click on a row goes there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QTableView,
    QVBoxLayout,
    QWidget,
)

STATUSES = ("missed", "spurious", "merged", "split", "matched")
EVERYTHING, ERRORS = "all nuclei", "all errors"
PIXELS = "pixels"
#: Lets all columns fit into the dock.
NARROW = "QHeaderView { font-size: 8pt; } QHeaderView::section { padding: 1px; }"
COLUMNS = ("status", "id", "layer", "iou", "area", "plane")
TITLES = {"status": "Status", "id": "Id", "layer": "Layer", "iou": "IoU", "plane": "Slice"}
HELP = {
    "status": "matched: IoU above 0.5. missed: no prediction with an IoU above 0.5. spurious: no "
    "true nucleus with an IoU above 0.5. split: one true nucleus, several predictions. merged: one "
    "prediction, several true nuclei.",
    "id": "The label, in the layer of the next column.",
    "layer": "Whether the label is that of the truth or of the prediction.",
    "iou": "Intersection over union with the nucleus of the other layer that it overlaps most.",
    "area": "Area of the nucleus, in pixels or square micrometres (µm²).",
    "plane": "Slice of the stack, as the slider under the image counts.",
}
Objects = dict[str, Any]


class ObjectModel(QAbstractTableModel):
    """Nuclei as rows, in the order and choice of the moment."""

    def __init__(self) -> None:
        super().__init__()
        self.objects: Objects = {}
        self.columns: tuple[str, ...] = ()
        self.shown = np.empty(0, np.intp)
        self._unit = ""

    def show(self, objects: Objects, unit: str) -> None:
        """Take other nuclei: errors first, then the worst matches."""
        self.objects, self._unit = objects, unit
        self.choose(EVERYTHING)

    def choose(self, which: str) -> None:
        """Show the nuclei of one status, or those of several."""
        statuses = {EVERYTHING: STATUSES, ERRORS: STATUSES[:-1]}.get(which, (which,))
        self.beginResetModel()
        self.columns = COLUMNS if self.objects["plane"].shape[1] else COLUMNS[:-1]
        rows = np.flatnonzero(np.isin(self.objects["status"], statuses))
        rank = np.array([STATUSES.index(name) for name in self.objects["status"][rows]], int)
        self.shown = rows[np.lexsort((self.objects["iou"][rows], rank))]
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Return the number of nuclei shown."""
        return len(self.shown)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Return the number of columns."""
        return len(self.columns)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell says."""
        column = self.columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            value = self.objects[column][self.shown[index.row()]]
            return f"{value:,.0f}" if self._in_pixels(column) else _said(column, value)
        if role == Qt.ItemDataRole.TextAlignmentRole and column not in ("status", "layer"):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def _in_pixels(self, column: str) -> bool:
        return column == "area" and self._unit == PIXELS

    def headerData(  # noqa: N802
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        """Return the name of a column and what it means."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return TITLES.get(column, f"Area ({self._unit})")
        return HELP[column] if role == Qt.ItemDataRole.ToolTipRole else None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort the rows by a column."""
        if not 0 <= column < len(self.columns):
            return
        values = self.objects[self.columns[column]][self.shown]
        keys = values.T[::-1] if values.ndim == 2 else (values,)
        self.layoutAboutToBeChanged.emit()
        ascending = np.lexsort(keys)
        down = order == Qt.SortOrder.DescendingOrder
        self.shown = self.shown[ascending[::-1] if down else ascending]
        self.layoutChanged.emit()


class ObjectTable(QWidget):
    """Nuclei with their status, IoU and area; tells the number of the one gone to."""

    def __init__(self, on_chosen: Callable[[int], None]) -> None:
        super().__init__()
        self._on_chosen = on_chosen
        self.model = ObjectModel()
        self.which = QComboBox()
        self.which.setToolTip("Which nuclei to list.")
        self.view = QTableView()
        self.view.setModel(self.model)
        self.view.setToolTip("Click a row to go to the nucleus, a column's title to sort.")
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        self.view.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.view.horizontalHeader().setStyleSheet(NARROW)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.which)
        layout.addWidget(self.view)
        self.which.currentIndexChanged.connect(self._choose)
        self.view.clicked.connect(lambda index: self._go(index.row()))
        self.view.selectionModel().currentRowChanged.connect(self._moved)

    def show_objects(self, objects: Objects, unit: str) -> None:
        """List nuclei of `planes.measuring.measure_planes`, with the unit of their areas."""
        self.view.setSortingEnabled(False)
        self.model.show(objects, unit)
        self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.view.setSortingEnabled(True)
        self._fill_choices()

    def rows(self) -> Iterator[list[Any]]:
        """List all nuclei under a header, as they were found."""
        objects = self.model.objects
        yield ["slice", "layer", "id", "status", "partner", "iou", "area", "y", "x"]
        for row in range(len(objects["id"])):
            plane = _said("plane", objects["plane"][row])
            named = [
                objects[name][row] for name in ("layer", "id", "status", "partner", "iou", "area")
            ]
            yield [plane, *(value.item() for value in named), *objects["centroid"][row].tolist()]

    def _fill_choices(self) -> None:
        counts = Counter(self.model.objects["status"].tolist())
        errors = sum(counts[status] for status in STATUSES[:-1])
        self.which.blockSignals(True)
        self.which.clear()
        for name in (EVERYTHING, ERRORS, *STATUSES):
            number = {EVERYTHING: counts.total(), ERRORS: errors}.get(name, counts[name])
            self.which.addItem(f"{name} ({number:,})", name)
        self.which.blockSignals(False)

    def _choose(self) -> None:
        self.view.clearSelection()
        self.model.choose(self.which.currentData())
        self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)

    def _moved(self, current: QModelIndex, previous: QModelIndex) -> None:
        if current.isValid() and previous.isValid():
            self._go(current.row())

    def _go(self, row: int) -> None:
        self._on_chosen(int(self.model.shown[row]))


def _said(column: str, value: Any) -> str:
    if column == "plane":
        return ", ".join(str(number) for number in value)
    if column == "iou":
        return f"{value:.3f}"
    return f"{value:,.1f}" if column == "area" else str(value)

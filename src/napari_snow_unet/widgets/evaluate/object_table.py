"""The table of nuclei and their status; a click on a row goes to the nucleus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from qtpy.QtCore import QModelIndex, Qt
from qtpy.QtWidgets import QAbstractItemView, QComboBox, QHeaderView, QVBoxLayout, QWidget

from napari_snow_unet.widgets.common.table import Column, TableView
from napari_snow_unet.widgets.evaluate import messages

STATUSES = ("missed", "spurious", "merged", "split", "matched")
EVERYTHING, ERRORS = "all nuclei", "all errors"
PIXELS = "pixels"
#: Makes all columns fit into the dock.
NARROW = "QHeaderView { font-size: 8pt; } QHeaderView::section { padding: 1px; }"
Objects = dict[str, Any]


class ObjectTable(QWidget):
    """Nuclei with their status, IoU and area; reports the row that is chosen."""

    def __init__(self, on_chosen: Callable[[int], None]) -> None:
        super().__init__()
        self._on_chosen = on_chosen
        self.objects: Objects = {}
        self.which = QComboBox()
        self.which.setToolTip(messages.WHICH_NUCLEI_TIP)
        self.view = TableView()
        self.view.setToolTip(messages.NUCLEI_TIP)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.view.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.view.horizontalHeader().setStyleSheet(NARROW)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.which)
        layout.addWidget(self.view)
        self.which.currentIndexChanged.connect(self._choose)
        self.view.on_click(on_chosen)
        self.view.selectionModel().currentRowChanged.connect(self._moved)

    def show_objects(self, objects: Objects, unit: str) -> None:
        """List the nuclei of `planes.scoring.score_planes`, with the unit of their areas."""
        self.objects = objects
        self.view.setSortingEnabled(False)
        self.view.contents.show([], _columns(objects, unit))
        self._fill_choices()
        self._choose()
        self.view.setSortingEnabled(True)

    def rows(self) -> Iterator[list[Any]]:
        """Return a header and a row for every nucleus, unsorted."""
        objects = self.objects
        yield ["slice", "layer", "id", "status", "partner", "iou", "area", "y", "x"]
        for row in range(len(objects["id"])):
            named = [
                objects[name][row] for name in ("layer", "id", "status", "partner", "iou", "area")
            ]
            yield [
                _slice_name(objects["plane"][row]),
                *(value.item() for value in named),
                *objects["centroid"][row].tolist(),
            ]

    def _fill_choices(self) -> None:
        counts = Counter(self.objects["status"].tolist())
        errors = sum(counts[status] for status in STATUSES[:-1])
        self.which.blockSignals(True)
        self.which.clear()
        for name in (EVERYTHING, ERRORS, *STATUSES):
            number = {EVERYTHING: counts.total(), ERRORS: errors}.get(name, counts[name])
            self.which.addItem(f"{name} ({number:,})", name)
        self.which.blockSignals(False)

    def _choose(self) -> None:
        """List the nuclei with the chosen status: errors first, then the worst matches."""
        which = self.which.currentData()
        statuses = {EVERYTHING: STATUSES, ERRORS: STATUSES[:-1]}.get(which, (which,))
        rows = np.flatnonzero(np.isin(self.objects["status"], statuses))
        rank = np.array([STATUSES.index(name) for name in self.objects["status"][rows]], int)
        self.view.clearSelection()
        self.view.contents.show(rows[np.lexsort((self.objects["iou"][rows], rank))].tolist())
        self.view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)

    def _moved(self, current: QModelIndex, previous: QModelIndex) -> None:
        """Go to the nucleus selected with the keyboard."""
        if current.isValid() and previous.isValid():
            self._on_chosen(self.view.contents.rows[current.row()])


def _columns(objects: Objects, unit: str) -> list[Column]:
    """Return the columns; the rows are indices of nuclei."""

    def column(name: str, title: str, shown: Callable[[Any], str], **facts: Any) -> Column:
        values = objects[name].tolist()
        return Column(
            title,
            lambda row: shown(values[row]),
            messages.COLUMN_TIPS[name],
            value=lambda row: values[row],
            **facts,
        )

    area = "{:,.0f}" if unit == PIXELS else "{:,.1f}"
    columns = [
        column("status", "Status", str),
        column("id", "ID", str, number=True),
        column("layer", "Layer", str),
        column("iou", "IoU", "{:.3f}".format, number=True),
        column("area", f"Area ({unit})", area.format, number=True),
    ]
    if objects["plane"].shape[1]:
        columns.append(column("plane", "Slice", _slice_name, number=True))
    return columns


def _slice_name(plane: Any) -> str:
    return ", ".join(str(number) for number in plane)

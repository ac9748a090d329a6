"""The table of scores: one column for an image or a slice, one row for each of several slices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtWidgets import QTableView

from napari_snow_unet.metrics.report.values import score_in_words
from napari_snow_unet.metrics.scores.score_names import KEYS, MEANINGS, TITLES
from napari_snow_unet.metrics.scores.tile import Scores

ROLE = Qt.ItemDataRole
NO_AUC = "The ROC-AUC needs a probability map as the prediction, nuclei and background."
UNDEFINED = "Undefined: there is nothing to divide by."
NOT_OF_SEVERAL = "Distances of several slices do not add up."


class ScoreModel(QAbstractTableModel):
    """Sets of scores by name, as columns or as rows."""

    def __init__(self) -> None:
        super().__init__()
        self.sets: dict[str, Scores] = {}
        self.names: list[str] = []
        self.as_rows = False
        self._titles: list[str] = []

    def show(self, sets: Mapping[str, Scores], unit: str, *, as_rows: bool) -> None:
        """Take other scores."""
        self.beginResetModel()
        self.sets, self.names, self.as_rows = dict(sets), list(sets), as_rows
        self._titles = [
            f"{TITLES[key]} ({unit})" if key == "average_hausdorff" else TITLES[key] for key in KEYS
        ]
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Return the number of rows."""
        return len(self.names if self.as_rows else self._titles)

    def columnCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Return the number of columns."""
        return len(self._titles if self.as_rows else self.names)

    def data(self, index: QModelIndex, role: int = ROLE.DisplayRole) -> Any:
        """Return what a cell says."""
        places = (index.row(), index.column())
        name, key = places if self.as_rows else places[::-1]
        name, key = self.names[name], KEYS[key]
        value = self.sets[name][key]
        if role == ROLE.DisplayRole:
            return score_in_words(key, value)
        if role == ROLE.ToolTipRole:
            return repr(value) if value is not None else _why_undefined(name, key)
        if role == ROLE.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = ROLE.DisplayRole
    ) -> Any:
        """Return the name of a score or of a set, and what a score is."""
        of_sets = (orientation == Qt.Orientation.Vertical) == self.as_rows
        if role == ROLE.ToolTipRole and not of_sets:
            return MEANINGS[KEYS[section]]
        if role != ROLE.DisplayRole:
            return None
        return (self.names if of_sets else self._titles)[section]


class ScoreTable(QTableView):
    """Named sets of scores.

    Parameters
    ----------
    on_chosen : callable
        Called with the name of a set when its row is clicked.
    """

    def __init__(self, on_chosen: Callable[[str], None]) -> None:
        super().__init__()
        self._on_chosen = on_chosen
        self.scores = ScoreModel()
        self.setModel(self.scores)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        self.clicked.connect(lambda index: self._go(index.row()))
        self.verticalHeader().sectionClicked.connect(self._go)

    def show_scores(self, sets: Mapping[str, Scores], unit: str, *, as_rows: bool) -> None:
        """Show scores.

        Parameters
        ----------
        sets : mapping of str to dict
            From `planes.measuring.score_sets`.
        unit : str
            Unit of the distance.
        as_rows : bool
            One row for each set, as for several slices, not one column.
        """
        self.scores.show(sets, unit, as_rows=as_rows)
        self.resizeColumnsToContents()

    def _go(self, row: int) -> None:
        if self.scores.as_rows:
            self._on_chosen(self.scores.names[row])


def _why_undefined(name: str, key: str) -> str:
    if key == "auc":
        return NO_AUC
    return NOT_OF_SEVERAL if key == "average_hausdorff" and "pooled" in name else UNDEFINED

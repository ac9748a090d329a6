"""The table of scores: one column for an image or a slice, one row for each of several slices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from napari_snow_unet.metrics.report.values import score_in_words
from napari_snow_unet.metrics.scores.score_names import KEYS, MEANINGS, TITLES
from napari_snow_unet.metrics.scores.tile import Scores
from napari_snow_unet.widgets.common.table import Column, TableView

NO_AUC = "The ROC-AUC needs a probability map as the prediction, nuclei and background."
UNDEFINED = "Undefined: there is nothing to divide by."
NOT_OF_SEVERAL = "Distances of several slices do not add up."


class ScoreTable(TableView):
    """Named sets of scores; where each is a row, tells the name of one that is clicked."""

    def __init__(self, on_chosen: Callable[[str], None]) -> None:
        super().__init__()
        self._on_chosen = on_chosen
        self.sets: dict[str, Scores] = {}
        self._as_rows = False
        self.on_click(self._go)
        self.verticalHeader().show()
        self.verticalHeader().sectionClicked.connect(lambda row: self._go(self.contents.rows[row]))

    def show_scores(self, sets: Mapping[str, Scores], unit: str, *, as_rows: bool) -> None:
        """Show scores of `planes.measuring.score_sets`, of several slices one row for each."""
        self.sets, self._as_rows = dict(sets), as_rows

        def text(name: str, key: str) -> str:
            return score_in_words(key, sets[name][key])

        def tip(name: str, key: str) -> str:
            value = sets[name][key]
            return repr(value) if value is not None else _why_undefined(name, key)

        def title(key: str) -> str:
            return f"{TITLES[key]} ({unit})" if key == "average_hausdorff" else TITLES[key]

        if as_rows:
            columns = [
                Column(
                    title(key), partial(text, key=key), MEANINGS[key], partial(tip, key=key), True
                )
                for key in KEYS
            ]
            self.contents.show(sets, columns, heading=Column("", str))
        else:
            columns = [
                Column(name, partial(text, name), "", partial(tip, name), True) for name in sets
            ]
            self.contents.show(KEYS, columns, heading=Column("", title, tip=MEANINGS.__getitem__))
        self.resizeColumnsToContents()

    def _go(self, row: str) -> None:
        if self._as_rows:
            self._on_chosen(row)


def _why_undefined(name: str, key: str) -> str:
    if key == "auc":
        return NO_AUC
    return NOT_OF_SEVERAL if key == "average_hausdorff" and "pooled" in name else UNDEFINED

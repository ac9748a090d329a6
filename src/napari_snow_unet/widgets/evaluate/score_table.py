"""The table of scores: a column for a single image or slice, a row for each of several slices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from napari_snow_unet.metrics.report.values import score_in_words
from napari_snow_unet.metrics.scores.score_names import KEYS, MEANINGS, TITLES
from napari_snow_unet.metrics.scores.tile import Scores
from napari_snow_unet.widgets.common.table import Column, TableView
from napari_snow_unet.widgets.evaluate import messages


class ScoreTable(TableView):
    """Named sets of scores; reports the name of a clicked row of several slices."""

    def __init__(self, on_chosen: Callable[[str], None]) -> None:
        super().__init__()
        self._on_chosen = on_chosen
        self.sets: dict[str, Scores] = {}
        self._as_rows = False
        self.on_click(self._go)
        self.verticalHeader().show()
        self.verticalHeader().sectionClicked.connect(lambda row: self._go(self.contents.rows[row]))

    def show_scores(self, sets: Mapping[str, Scores], unit: str, *, as_rows: bool) -> None:
        """Show the scores of `planes.scoring.score_sets`, a row for each of several slices."""
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
        return messages.NO_AUC
    pooled = key == "average_hausdorff" and "pooled" in name
    return messages.DISTANCE_NOT_POOLED if pooled else messages.UNDEFINED

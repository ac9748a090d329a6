"""Scores and nuclei behind two tabs, copied to the clipboard or saved as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_snow_unet.data.names.file_names import valid_file_name
from napari_snow_unet.metrics.files.evaluation import Evaluation
from napari_snow_unet.metrics.files.evaluation_task import EvaluationTask
from napari_snow_unet.metrics.planes.scoring import ScoredPlanes
from napari_snow_unet.metrics.report.files import score_rows, write_rows
from napari_snow_unet.metrics.scores.objects import (
    ERROR_COLOURS,
    FALSE_NEGATIVE,
    FALSE_POSITIVE,
    TRUE_POSITIVE,
)
from napari_snow_unet.metrics.scores.tile import Scores
from napari_snow_unet.widgets.common.form import Note
from napari_snow_unet.widgets.evaluate import messages
from napari_snow_unet.widgets.evaluate.object_table import ObjectTable
from napari_snow_unet.widgets.evaluate.score_table import ScoreTable

LOWEST = 70
MEANING = {
    TRUE_POSITIVE: messages.AGREEMENT_LABEL,
    FALSE_POSITIVE: messages.PREDICTION_ONLY_LABEL,
    FALSE_NEGATIVE: messages.TRUTH_ONLY_LABEL,
}


class ResultTabs(QWidget):
    """The results of a comparison; reports the nucleus or slice that is chosen."""

    def __init__(
        self,
        on_nucleus: Callable[[int], None],
        on_scores: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._say = say
        self._prediction = ""
        self.caption, self.legend = Note(), Note()
        self.legend.setText(_legend())
        self.scores, self.nuclei = ScoreTable(on_scores), ObjectTable(on_nucleus)
        self.tabs = QTabWidget()
        self.tabs.addTab(self.scores, "Scores")
        self.tabs.addTab(self.nuclei, "Nuclei")
        self.tabs.setMinimumHeight(LOWEST)
        self.copy_button = QPushButton("Copy")
        self.copy_button.setToolTip(messages.COPY_TIP)
        self.save_button = QPushButton("Save CSV…")
        self.save_button.setToolTip(messages.SAVE_TIP)
        self.dialog: QFileDialog | None = None
        self.copy_button.clicked.connect(lambda: self.copy())
        self.save_button.clicked.connect(lambda: self.ask_for_file())
        self._lay_out()
        self.hide()

    def show_results(
        self,
        scored: ScoredPlanes,
        sets: Mapping[str, Scores],
        *,
        prediction: str,
        in_um: bool,
    ) -> None:
        """Show a comparison and its scores by name, with distances in micrometres or pixels."""
        self._prediction = prediction
        several = len(scored.counts) > 1
        self.scores.show_scores(sets, "µm" if in_um else "pixels", as_rows=several)
        self.nuclei.show_objects(scored.objects, "µm²" if in_um else "pixels")
        self.show()

    def rows(self) -> Iterable[Sequence[Any]]:
        """Return the header and rows of the current table, with all decimals."""
        if self.tabs.currentWidget() is self.nuclei:
            return self.nuclei.rows()
        sets = self.scores.sets
        return score_rows([Evaluation(EvaluationTask(self._prediction, {}, {}), tiles=sets)])

    def copy(self) -> None:
        """Copy the current table to the clipboard, separated by tabs."""
        text = io.StringIO()
        csv.writer(text, delimiter="\t", lineterminator="\n").writerows(self.rows())
        QGuiApplication.clipboard().setText(text.getvalue())
        self._say(messages.COPIED)

    def ask_for_file(self) -> None:
        """Ask where to save the current table; the dialog confirms before overwriting."""
        title = self.tabs.tabText(self.tabs.currentIndex()).lower()
        self.dialog = QFileDialog(self, f"Save {title}", "", "CSV (*.csv)")
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        self.dialog.setDefaultSuffix("csv")
        self.dialog.selectFile(valid_file_name(f"{self._prediction} {title}.csv"))
        rows = list(self.rows())
        self.dialog.fileSelected.connect(lambda path: self._save(Path(path), rows))
        self.dialog.open()

    def _save(self, path: Path, rows: Iterable[Sequence[Any]]) -> None:
        try:
            write_rows(path, rows, overwrite=True)
        except OSError as error:
            self._say(messages.not_saved(path, error.strerror or str(error)))
        else:
            self._say(messages.saved(path))

    def _lay_out(self) -> None:
        self.caption.setTextFormat(Qt.TextFormat.PlainText)
        buttons = QHBoxLayout()
        buttons.addWidget(self.copy_button)
        buttons.addWidget(self.save_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.caption)
        layout.addWidget(self.tabs, 1)
        layout.addLayout(buttons)
        layout.addWidget(self.legend)


def _legend() -> str:
    return "&nbsp; ".join(
        f"<span style='color:{colour}'>■</span>&nbsp;{MEANING[code].replace(' ', '&nbsp;')}"
        for code, colour in ERROR_COLOURS.items()
    )

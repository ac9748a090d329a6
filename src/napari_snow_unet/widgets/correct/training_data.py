"""Corrected labels as training data: one click copies image and labels into the user's dataset."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.data.datasets.adding import (
    EVALUATED,
    AddedTile,
    NewTile,
    Standing,
    add_tile,
    mark_to_draw,
    same_tile,
    standing,
)
from napari_snow_unet.data.datasets.truth_origin import DRAWN
from napari_snow_unet.widgets.common.comparison import labels_layers_in
from napari_snow_unet.widgets.common.form import PROBLEM_STYLE, wrapped
from napari_snow_unet.widgets.common.layers import add_labels, source_of
from napari_snow_unet.widgets.common.settings import remember, settings
from napari_snow_unet.widgets.correct import messages
from napari_snow_unet.widgets.correct.applying import why_not
from napari_snow_unet.widgets.correct.tile_of_labels import (
    RegionOf,
    name_of_tile,
    origin_of_layer,
    tile_of,
)

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer

    from napari_snow_unet.widgets.common.run_bar import RunBar
    from napari_snow_unet.widgets.correct.toolbar import Corrections

QUIET_MS = 500


class TrainingData(QWidget):
    """A button that adds image and labels to a dataset, and what scores on them are worth."""

    def __init__(
        self,
        viewer: Viewer,
        bar: RunBar,
        corrections: Corrections,
        layer_of: Callable[[], Labels | None],
        image_of: Callable[[Labels], Image | None],
        region_of: RegionOf,
        typed_um: Callable[[], float | None],
    ) -> None:
        super().__init__()
        self._viewer, self._bar, self._corrections = viewer, bar, corrections
        self._layer_of, self._image_of = layer_of, image_of
        self._region_of, self._typed_um = region_of, typed_um
        self._chosen: Path | None = None
        self._existing: _Existing | None = None
        self.button = QPushButton(messages.TRAINING_DATA_LABEL)
        self.another, self.note = QPushButton("..."), QLabel()
        self.draw = QPushButton(messages.DRAW_LABEL)
        self._lay_out()
        self.button.clicked.connect(lambda: self.add())
        self.draw.clicked.connect(lambda: self.draw_from_scratch())
        self.another.clicked.connect(lambda: self.choose())
        self.refresh()

    @property
    def folder(self) -> Path | None:
        """The dataset: chosen here, or before in another session; None if it does not exist."""
        remembered = settings().dataset
        folder = self._chosen or (Path(remembered) if remembered else None)
        return folder if folder is not None and folder.is_dir() else None

    def choose(self) -> Path | None:
        """Ask for the dataset, and remember it."""
        chosen = QFileDialog.getExistingDirectory(
            self, messages.CHOOSE_DATASET_LABEL, str(self.folder or "")
        )
        if chosen:
            self._chosen = Path(chosen)
            remember(dataset=chosen)
            self.refresh()
        return self._chosen if chosen else None

    def refresh(self, event: Any = None) -> None:
        """Show the button where there are labels, and what scores on the tile are worth."""
        layer, folder = self._layer_of(), self.folder
        self.setVisible(layer is not None)
        self.button.setToolTip(wrapped(messages.training_data_tip(folder)))
        text = ""
        if layer is not None and folder is not None and origin_of_layer(layer).model:
            place = self._standing(folder, layer)
            if place is not None and place.subset in EVALUATED:
                text = messages.will_favour(folder.name, place.subset)
        self.note.setText(text)
        for shown in (self.note, self.draw):
            shown.setVisible(bool(text))

    def add(self) -> None:
        """Add the image and its labels to the dataset, which is asked for once."""
        if self._bar.running:
            return
        layer = self._layer_of()
        problem = why_not(self._viewer, layer)
        if layer is None or problem is not None:
            self._bar.say("" if problem is None else problem.text(), problem=True)
            return
        folder = self.folder or self.choose()
        if folder is None:
            return
        image, edits = self._image_of(layer), self._corrections.edits(layer)
        try:
            if image is None:
                raise InputError(messages.NO_IMAGE_OF_LABELS)
            make = tile_of(self._viewer, layer, image, edits, self._region_of, self._typed_um())
        except InputError as error:
            self._bar.refuse(error)
            return
        self._start(folder, partial(_add, folder, make))

    def draw_from_scratch(self) -> None:
        """Open an empty layer to draw in, hide predictions, and mark the tile."""
        layer, folder = self._layer_of(), self.folder
        image = None if layer is None else self._image_of(layer)
        if layer is None or image is None:
            return
        place = None if folder is None else self._standing(folder, layer)
        try:
            if folder is not None and place is not None and place.tile is not None:
                mark_to_draw(folder, place.tile.name)
        except InputError as error:
            self._bar.refuse(error)
            return
        source = replace(source_of(layer), name=image.name)
        for other in labels_layers_in(self._viewer):
            other.visible &= other is not layer and not origin_of_layer(other).model
        facts = {"image": image.name, DRAWN: True}
        empty = np.zeros(source.shape, np.int32)
        drawn = add_labels(self._viewer, empty, source, messages.DRAWN_NAME_LABEL, facts)
        self._corrections.edits(drawn)
        self._bar.say(messages.DRAW_NOW)

    def _start(self, folder: Path, steps: Callable[[], Generator[Progress, None, Any]]) -> None:
        self._bar.start(
            steps,
            title=messages.adding_to(folder.name),
            on_done=self._added,
            on_finished=self._ask,
            quiet_ms=QUIET_MS,
            writes=True,
        )

    def _added(self, result: AddedTile | _Existing) -> None:
        if isinstance(result, AddedTile):
            self._bar.say(result.text())
            self.refresh()
        else:
            self._existing = result

    def _ask(self) -> None:
        """Ask whether to replace the tile that the dataset has of the image already."""
        there, self._existing = self._existing, None
        if there is None:
            return
        self.question = box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setText(messages.replace_tile(there.tile, there.folder.name))
        role = QMessageBox.ButtonRole
        replacing = box.addButton(messages.REPLACE_LABEL, role.AcceptRole)
        box.setEscapeButton(box.addButton(messages.KEEP_TILE_LABEL, role.RejectRole))

        def answered() -> None:
            if box.clickedButton() is replacing:
                again = partial(_add, there.folder, lambda: there.new, replace_tile=True)
                self._start(there.folder, again)
            else:
                self._bar.say(messages.NOT_REPLACED)

        box.finished.connect(lambda result: answered())
        box.open()

    def _standing(self, folder: Path, layer: Labels) -> Standing | None:
        """Return what the dataset has of the image of labels; None if there is no telling."""
        image = self._image_of(layer)
        try:
            return image and standing(folder, name_of_tile(self._viewer, layer, image))
        except InputError:  # the button says why
            return None

    def _lay_out(self) -> None:
        self.another.setToolTip(messages.ANOTHER_DATASET_TIP)
        self.another.setFixedWidth(self.another.fontMetrics().horizontalAdvance("...") + 12)
        self.draw.setToolTip(wrapped(messages.DRAW_TIP))
        self.note.setWordWrap(True)
        self.note.setStyleSheet(PROBLEM_STYLE)
        row, layout = QHBoxLayout(), QVBoxLayout(self)
        row.setSpacing(2)
        row.addWidget(self.button, 1)
        row.addWidget(self.another)
        layout.setContentsMargins(2, 0, 2, 2)
        layout.addLayout(row)
        layout.addWidget(self.note)
        layout.addWidget(self.draw)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)


@dataclass(frozen=True, eq=False)
class _Existing:
    """The dataset has the image already, as a tile of this name."""

    folder: Path
    new: NewTile
    tile: str


def _add(
    folder: Path, make: Callable[[], NewTile], *, replace_tile: bool = False
) -> Generator[Progress, None, AddedTile | _Existing]:
    """Add a tile, unless the dataset has its image and it is not to be replaced."""
    yield Progress(0, 0, messages.adding_to(folder.name))
    new = make()
    if not replace_tile and (tile := same_tile(folder, new)) is not None:
        return _Existing(folder, new, tile.name)
    return add_tile(folder, new, replace_tile=replace_tile)

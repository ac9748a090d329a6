"""The offer to open corrections that an earlier session of napari has left unsaved."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.napari_plugin import PLUGIN
from napari_snow_unet.widgets.common.fields import error_in_words
from napari_snow_unet.widgets.common.form import PROBLEM_STYLE, wrapped
from napari_snow_unet.widgets.common.layers import images_in, pixels_of, unwrapped
from napari_snow_unet.widgets.correct import messages
from napari_snow_unet.widgets.correct.kept import (
    Corrections,
    Kept,
    checksum_of,
    left_by_others,
    read_kept,
)
from napari_snow_unet.widgets.correct.unsaved import UnsavedEdits

if TYPE_CHECKING:
    from napari.viewer import Viewer


class RecoveryOffer(QWidget):
    """A line about the latest corrections that were left, and buttons to open or discard them."""

    def __init__(self, viewer: Viewer, unsaved: UnsavedEdits, say: Callable[..., None]) -> None:
        super().__init__()
        self._viewer, self._unsaved, self._say = viewer, unsaved, say
        self._folders = left_by_others()
        self._offered: tuple[Kept, Corrections | None] | None = None
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setStyleSheet(PROBLEM_STYLE)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.open_button = QPushButton(messages.OPEN_LABEL)
        self.open_button.setToolTip(wrapped(messages.OPEN_TIP))
        self.discard_button = QPushButton(messages.DISCARD_LABEL)
        self.discard_button.setToolTip(wrapped(messages.DISCARD_TIP))
        self.open_button.clicked.connect(lambda: self.accept())
        self.discard_button.clicked.connect(lambda: self.discard())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.open_button)
        layout.addWidget(self.discard_button)
        self._offer_next()

    def accept(self) -> None:
        """Open the corrections as a layer, whose edits are unsaved as before."""
        kept, copy = self._offered or (None, None)
        if kept is None or copy is None:
            return
        self._offered = None
        facts = {"metadata": {PLUGIN: dict(copy.facts)} if copy.facts else {}}
        layer = unwrapped(
            self._viewer.add_labels(copy.labels, name=copy.layer, **facts, **copy.placement)
        )
        self._unsaved.adopt(layer, copy.automatic, kept)
        self._say(f"{messages.opened(layer.name)} {self._doubt_about_image(copy)}".strip())
        self._offer_next()

    def discard(self) -> None:
        """Remove the corrections from the disk."""
        if self._offered is not None:
            self._offered[0].remove()
        self._offer_next()

    def close_offer(self) -> None:
        """Leave what was not answered to the next start."""
        self._folders.clear()
        if self._offered is not None:
            self._offered[0].release()

    def _offer_next(self) -> None:
        """Offer the latest corrections, which are no other program's from now on."""
        self._offered = None
        while self._folders and self._offered is None:
            folder = self._folders.pop(0)
            with suppress(InputError):  # another napari has opened them meanwhile
                self._offered = self._opened(Kept(folder))
        self.setVisible(self._offered is not None)

    def _opened(self, kept: Kept) -> tuple[Kept, Corrections | None]:
        """Read corrections and say whose they are, or why they are unreadable."""
        try:
            copy = read_kept(kept.folder)
        except InputError as error:
            self.text.setText(error_in_words(error))
            self.open_button.setEnabled(False)
            return kept, None
        numbers = copy.edits.get("n_now", 0), copy.edits.get("n_automatic", 0)
        time = datetime.fromisoformat(copy.time).strftime("%Y-%m-%d %H:%M")
        self.text.setText(messages.left(copy.image or copy.layer, time, *numbers))
        self.open_button.setEnabled(True)
        return kept, copy

    def _doubt_about_image(self, copy: Corrections) -> str:
        """Say that the image is not open, or that another one of its name is."""
        if not copy.image:
            return ""
        shape = copy.labels.shape
        named = [image for image in images_in(self._viewer) if image.name == copy.image]
        fitting = [image for image in named if np.shape(pixels_of(image))[: len(shape)] == shape]
        if not fitting:
            return messages.image_missing(copy.image)
        sums = {checksum_of(pixels_of(image)) for image in fitting}
        comparable = copy.checksum is not None and None not in sums
        differs = comparable and copy.checksum not in sums
        return messages.image_differs(copy.image) if differs else ""

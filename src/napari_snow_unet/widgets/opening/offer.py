"""A line that says how napari has opened a file, and a button that opens it properly."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QPushButton, QWidget

from napari_snow_unet.widgets.common.form import Note, wrapped

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer


class Offer(QWidget):
    """An offer, hidden until there is one; each path is examined once."""

    def __init__(
        self,
        viewer: Viewer,
        say: Callable[..., None],
        button: str,
        tip: str,
        is_meant: Callable[[str], bool],
    ) -> None:
        super().__init__()
        self._viewer, self._say, self._is_meant = viewer, say, is_meant
        self._answers: dict[str, bool] = {}
        self.text = Note()
        self.button = QPushButton(button)
        self.button.setToolTip(wrapped(tip))
        self.button.clicked.connect(lambda: self.accept())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.button)
        self.offer("")

    def offer(self, text: str) -> None:
        """Say what is offered; an empty text offers nothing."""
        self.text.say(text, problem=True)
        self.setVisible(bool(text))

    def accept(self) -> None:
        """Do what is offered."""
        raise NotImplementedError

    def path_of(self, image: Image) -> str:
        """Return the file that napari's own reader has opened as an image, if it is meant."""
        path = image.source.path
        if path is None or image.source.reader_plugin != "napari":
            return ""
        if path not in self._answers:
            self._answers[path] = self._is_meant(path)
        return str(path) if self._answers[path] else ""

"""A list of folders and archives with buttons, drag-and-drop and the Delete key."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QKeyEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QListWidget,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_snow_unet.widgets.prepare import messages


class _Paths(QListWidget):
    """A list of paths that accepts drops."""

    dropped = Signal(list)
    unwanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAcceptDrops(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setToolTip(messages.SOURCES_TIP)
        self.setFixedHeight(4 * (self.fontMetrics().height() + 4))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        """Accept files and folders."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:  # noqa: N802
        """Accept files and folders."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Emit the dropped paths, which napari itself does not receive."""
        urls = event.mimeData().urls()
        self.dropped.emit([Path(url.toLocalFile()) for url in urls if url.isLocalFile()])
        event.acceptProposedAction()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Remove the selected sources with Delete or Backspace."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.unwanted.emit()
        else:
            super().keyPressEvent(event)


class SourceList(QWidget):
    """The sources of a dataset; emits `changed` when one is added or removed."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.list = _Paths()
        self.files_button = QPushButton(messages.ADD_ARCHIVES_LABEL)
        self.folder_button = QPushButton(messages.ADD_FOLDER_LABEL)
        self.remove_button = QPushButton(messages.REMOVE_LABEL)
        self.remove_button.setToolTip(messages.REMOVE_TIP)
        self.dialog: QFileDialog | None = None
        self.list.dropped.connect(self.add)
        self.list.unwanted.connect(self.remove_selected)
        self.files_button.clicked.connect(lambda: self._ask(QFileDialog.FileMode.ExistingFiles))
        self.folder_button.clicked.connect(lambda: self._ask(QFileDialog.FileMode.Directory))
        self.remove_button.clicked.connect(self.remove_selected)
        buttons = QHBoxLayout()
        for button in (self.files_button, self.folder_button, self.remove_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list)
        layout.addLayout(buttons)

    @property
    def paths(self) -> list[Path]:
        """The sources in order."""
        return [Path(self.list.item(row).text()) for row in range(self.list.count())]

    def add(self, paths: Iterable[Path]) -> None:
        """Append new sources."""
        listed = set(self.paths)
        for path in dict.fromkeys(paths):
            if path not in listed:
                self.list.addItem(str(path))
        self.changed.emit()

    def remove_selected(self) -> None:
        """Remove the selected sources."""
        for item in self.list.selectedItems():
            self.list.takeItem(self.list.row(item))
        self.changed.emit()

    def _ask(self, mode: QFileDialog.FileMode) -> None:
        self.dialog = QFileDialog(self, messages.ADD_SOURCES_LABEL)
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.setFileMode(mode)
        if mode == QFileDialog.FileMode.Directory:
            self.dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        else:
            self.dialog.setNameFilter(messages.ARCHIVES_LABEL)
        self.dialog.filesSelected.connect(lambda names: self.add(map(Path, names)))
        self.dialog.open()

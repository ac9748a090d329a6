"""A list of folders and archives: buttons, drag-and-drop, the Delete key."""

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

ARCHIVES = "Zip archives (*.zip)"
TIP = "Folders and zip archives of images and masks, in any mix. Drop them here."


class _Paths(QListWidget):
    """Paths that can be dropped on it."""

    dropped = Signal(list)
    unwanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAcceptDrops(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setToolTip(TIP)
        self.setFixedHeight(4 * (self.fontMetrics().height() + 4))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        """Take files and folders."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:  # noqa: N802
        """Take files and folders."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Tell what was dropped; napari itself does not get to see it."""
        urls = event.mimeData().urls()
        self.dropped.emit([Path(url.toLocalFile()) for url in urls if url.isLocalFile()])
        event.acceptProposedAction()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Remove what is selected with Delete or Backspace."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.unwanted.emit()
        else:
            super().keyPressEvent(event)


class SourceList(QWidget):
    """The sources of a dataset; tells when one was added or removed."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.list = _Paths()
        self.files_button = QPushButton("Add archives…")
        self.folder_button = QPushButton("Add folder…")
        self.remove_button = QPushButton("Remove")
        self.remove_button.setToolTip("Take the selected sources off the list; no file is deleted.")
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
        """The sources in their order."""
        return [Path(self.list.item(row).text()) for row in range(self.list.count())]

    def add(self, paths: Iterable[Path]) -> None:
        """Append sources that are not on the list yet."""
        known = set(self.paths)
        for path in dict.fromkeys(paths):
            if path not in known:
                self.list.addItem(str(path))
        self.changed.emit()

    def remove_selected(self) -> None:
        """Take the selected sources off the list."""
        for item in self.list.selectedItems():
            self.list.takeItem(self.list.row(item))
        self.changed.emit()

    def _ask(self, mode: QFileDialog.FileMode) -> None:
        self.dialog = QFileDialog(self, "Add sources")
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.setFileMode(mode)
        if mode == QFileDialog.FileMode.Directory:
            self.dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        else:
            self.dialog.setNameFilter(ARCHIVES)
        self.dialog.filesSelected.connect(lambda names: self.add(map(Path, names)))
        self.dialog.open()

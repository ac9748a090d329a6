"""The form of the dock that prepares datasets: its fields in their order."""

from __future__ import annotations

from pathlib import Path

from magicgui.widgets import Widget
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget
from superqt import QCollapsible

from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.widgets.common.form import Rows, end_with
from napari_snow_unet.widgets.prepare.fields import fields_of_options, fields_of_target
from napari_snow_unet.widgets.prepare.source_list import TIP, SourceList


class PrepareForm(QWidget):
    """The fields of the dock in their order.

    Attributes
    ----------
    sources : SourceList
        Folders and archives.
    target, fields : magicgui FunctionGui
        The fields of the functions `target` and `options`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sources = SourceList()
        self.target, self.fields = fields_of_target(), fields_of_options()
        self._labels: dict[Widget, QLabel] = {}
        self._lay_out()

    @property
    def dataset(self) -> Path | None:
        """The folder that is chosen; None for none."""
        folder = self.target.dataset.value
        return folder if folder is not None and str(folder) not in ("", ".") else None

    def options(self) -> PrepareOptions:
        """Return the choices."""
        return self.fields()

    def _lay_out(self) -> None:
        main, more = Rows(self._labels), Rows(self._labels)
        title = QLabel("Sources")
        title.setToolTip(TIP)
        main.add("Dataset", self.target.dataset)
        main.add("Limit (0: all)", self.fields.limit)
        main.add("", self.fields.binary)
        main.add("Train", self.fields.train)
        main.add("Validate", self.fields.val)
        main.add("Test", self.fields.test)
        main.add("Seed", self.fields.seed)
        main.add("Pixel size (µm)", self.fields.pixel_size)
        more.add("Shard (0: none)", self.fields.shard)
        more.add("Keep together", self.fields.group_by)
        more.add("Masks are", self.fields.masks_are)
        more.add("", self.fields.verify)
        more.add("Workers (0: all)", self.fields.workers)
        self.advanced = QCollapsible("Advanced", self, expandedIcon="▾", collapsedIcon="▸")
        self.advanced.setDuration(0)
        self.advanced.setContent(more)
        self.advanced.collapse(animate=False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (title, self.sources, main, self.advanced):
            layout.addWidget(part)
        layout.addStretch()
        end_with(self, self.target, self.fields)

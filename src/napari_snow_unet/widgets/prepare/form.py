"""The form of the dock that prepares datasets."""

from __future__ import annotations

from pathlib import Path

from magicgui.widgets import Widget
from qtpy.QtWidgets import QLabel, QWidget

from napari_snow_unet.base.options import declared
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.split_options import SplitOptions
from napari_snow_unet.widgets.common.form import Rows, end_with, stacked
from napari_snow_unet.widgets.prepare import messages
from napari_snow_unet.widgets.prepare.fields import (
    chosen_options,
    fields_of_options,
    fields_of_target,
)
from napari_snow_unet.widgets.prepare.source_list import SourceList

RARELY_CHOSEN = ("shard", "group_by", "masks_are", "verify", "workers")


class PrepareForm(QWidget):
    """The sources, the dataset and the options of the dock."""

    def __init__(self) -> None:
        super().__init__()
        self.sources = SourceList()
        self.target, self.fields = fields_of_target(), fields_of_options()
        self._labels: dict[Widget, QLabel] = {}
        self._lay_out()

    @property
    def dataset(self) -> Path | None:
        """The chosen folder; None if the field is empty."""
        folder = self.target.dataset.value
        return folder if folder is not None and str(folder) not in ("", ".") else None

    def options(self) -> PrepareOptions:
        """Return the chosen options."""
        return chosen_options(self.fields())

    def _lay_out(self) -> None:
        main, more = Rows(self._labels), Rows(self._labels)
        title = QLabel(messages.SOURCES_LABEL)
        title.setToolTip(messages.SOURCES_TIP)
        main.add(messages.DATASET_LABEL, self.target.dataset)
        labels = {
            name: "" if one.type is bool else one.option.label
            for cls in (PrepareOptions, SplitOptions)
            for name, one in declared(cls).items()
        }
        for field in self.fields:
            rows = more if field.name in RARELY_CHOSEN else main
            rows.add(labels[field.name], field)
        self.advanced = stacked(self, title, self.sources, main, advanced=more)
        end_with(self, self.target, self.fields)

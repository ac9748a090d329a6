"""The dock that prepares datasets: from folders and archives to checked tiles."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import ref

from qtpy.QtWidgets import QHBoxLayout, QPushButton

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.processes import usable_cores
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.base.words import counted
from napari_snow_unet.data.datasets.check.dataset import CheckReport, check_dataset
from napari_snow_unet.data.datasets.mosaic import Mosaic, sample_pairs
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.prepare.ledger import Prepared
from napari_snow_unet.data.datasets.stack import TileStack, open_tile_stack
from napari_snow_unet.widgets.common.dock import Dock
from napari_snow_unet.widgets.common.fields import error_in_words
from napari_snow_unet.widgets.common.form import wrapped
from napari_snow_unet.widgets.common.layers import unwrapped
from napari_snow_unet.widgets.common.run_bar import RunBar
from napari_snow_unet.widgets.common.view import fit
from napari_snow_unet.widgets.opening.dataset import add_stack
from napari_snow_unet.widgets.prepare.findings_table import FindingsTable
from napari_snow_unet.widgets.prepare.form import PrepareForm
from napari_snow_unet.widgets.prepare.text import (
    CANCEL_TIP,
    CHECK_TIP,
    NO_DATASET,
    NO_SOURCE,
    NOTHING_THERE,
    OPEN_TIP,
    PREPARING,
    SAMPLE_TIP,
    STOPPED,
    TIP,
    told_checked,
    told_prepared,
)

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer


class PrepareWidget(Dock):
    """Prepare SNOW or one's own images and masks for training."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.form, self.bar = PrepareForm(), RunBar(self.prepare, "Prepare")
        self.check_button = QPushButton("Check")
        self.sample_button = QPushButton("Show nine pairs")
        self.open_button = QPushButton("Open as stack")
        self.findings = FindingsTable()
        self._added: list[ref[Layer]] = []
        self._tips = {
            self.check_button: CHECK_TIP,
            self.sample_button: SAMPLE_TIP,
            self.open_button: OPEN_TIP,
        }
        self._lay_out()
        self.bar.set_tip(TIP)
        self.bar.cancel_button.setToolTip(CANCEL_TIP)
        self.check_button.clicked.connect(lambda: self.check())
        self.sample_button.clicked.connect(lambda: self.show_sample())
        self.open_button.clicked.connect(lambda: self.open_as_stack())
        self.form.sources.changed.connect(self.update_hint)
        self.form.target.dataset.changed.connect(self.update_hint)
        self.update_hint()

    def prepare(self) -> None:
        """Make the dataset."""
        self.update_hint()
        if not self.bar.run_button.isEnabled() or self.form.dataset is None:
            return
        try:
            options = self.form.options()
        except InputError as error:
            self.bar.say(error_in_words(error), problem=True)
            return
        self.findings.show_findings([])
        self._start(
            partial(prepare, self.form.sources.paths, self.form.dataset, options),
            f"Preparing {self.form.dataset.name}",
            self._prepared,
            cancelled=STOPPED,
        )
        self.bar.say(PREPARING)

    def check(self) -> None:
        """Look for what is wrong with the dataset."""
        if (folder := self._existing()) is not None:
            self.findings.show_findings([])
            workers = self.form.fields.workers.value or usable_cores()
            masks_are = self.form.fields.masks_are.value or None
            steps = partial(check_dataset, folder, workers=workers, masks_are=masks_are)
            self._start(steps, f"Checking {folder.name}", self._checked)

    def show_sample(self) -> None:
        """Show nine random pairs, others every time."""
        if (folder := self._existing()) is not None:
            done = partial(self._add_sample, folder.name)
            self._start(partial(sample_pairs, folder), f"Reading {folder.name}", done)

    def open_as_stack(self) -> None:
        """Open the dataset as one image layer and one labels layer with a slider."""
        if (folder := self._existing()) is not None:
            done = partial(self._add_stack, folder)
            self._start(partial(_opened, folder), f"Opening {folder.name}", done)

    def update_hint(self, event: Any = None) -> None:
        """Allow what can be done now, and say why Prepare cannot."""
        dataset = self.form.dataset
        hint = "" if dataset is not None else NO_DATASET
        if not self.form.sources.paths:
            hint = NO_SOURCE
        self.bar.set_hint(hint)
        self._allow_buttons()

    def _allow_buttons(self) -> None:
        dataset = self.form.dataset
        there = dataset is not None and dataset.is_dir() and not self.bar.running
        for button, tip in self._tips.items():
            button.setEnabled(there)
            button.setToolTip(wrapped(tip if there else NOTHING_THERE))

    def _existing(self) -> Path | None:
        folder = self.form.dataset
        if folder is None or not folder.is_dir() or self.bar.running:
            return None
        return folder

    def _start(self, steps: Any, title: str, on_done: Any, **more: Any) -> None:
        self.bar.start(steps, title=title, on_done=on_done, on_finished=self._allow_buttons, **more)
        self._allow_buttons()

    def _prepared(self, prepared: Prepared) -> None:
        rows = [("problem", "left out", each.name, each.reason) for each in prepared.problems]
        self.findings.show_findings(rows)
        self.bar.say(told_prepared(prepared), problem=bool(prepared.problems))

    def _checked(self, report: CheckReport) -> None:
        self.findings.show_findings(
            (each.severity, each.kind, each.name, each.text) for each in report.findings
        )
        self.bar.say(told_checked(report), problem=bool(report.problems))

    def _add_sample(self, name: str, mosaic: Mosaic) -> None:
        place: dict[str, Any] = {"metadata": {"names": mosaic.names}}
        if mosaic.pixel_size_um is not None:
            place |= {"scale": (mosaic.pixel_size_um,) * 2, "units": "um"}
        image = self._viewer.add_image(mosaic.image, name=f"{name} sample", rgb=True, **place)
        masks = self._viewer.add_labels(mosaic.labels, name=f"{name} sample masks", **place)
        self._look_at(image, masks)
        self.bar.say("Shown, row after row: " + ", ".join(mosaic.names) + ".")

    def _add_stack(self, folder: Path, stack: TileStack) -> None:
        self._look_at(*add_stack(self._viewer, folder, stack))
        self.bar.say(f"Opened {counted(len(stack.names), 'pair')} as a stack.")

    def _look_at(self, *layers: Layer) -> None:
        """Show layers alone among those that this dock has added, which would lie over them."""
        for former in (layer() for layer in self._added):
            if former is not None:
                former.visible = False
        self._added = [ref(unwrapped(layer)) for layer in layers]
        fit(self._viewer, layers)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        for button in self._tips:
            buttons.addWidget(button)
        self.lay_out(self.form, self.bar, buttons, last=self.findings)

    def closed(self) -> None:
        """Stop what runs."""
        self.bar.cancel()


def _opened(folder: Path) -> Generator[Progress, None, TileStack]:
    """List the tiles of a dataset; of thousands that takes a while."""
    yield Progress(0, 0, "listing the tiles")
    return open_tile_stack(folder)

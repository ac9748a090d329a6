"""The dock that prepares and checks datasets."""

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
from napari_snow_unet.data.datasets.check.dataset import CheckReport, check_dataset
from napari_snow_unet.data.datasets.mosaic import Mosaic, sample_pairs
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.prepare.ledger import Prepared
from napari_snow_unet.data.datasets.stack import TileStack, open_tile_stack
from napari_snow_unet.widgets.common.dock import Dock
from napari_snow_unet.widgets.common.form import allow
from napari_snow_unet.widgets.common.layers import unwrapped
from napari_snow_unet.widgets.common.run_bar import RunBar
from napari_snow_unet.widgets.common.view import fit
from napari_snow_unet.widgets.opening.dataset import add_stack
from napari_snow_unet.widgets.prepare import messages
from napari_snow_unet.widgets.prepare.findings_table import FindingsTable
from napari_snow_unet.widgets.prepare.form import PrepareForm
from napari_snow_unet.widgets.prepare.state import look

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer


class PrepareWidget(Dock):
    """Prepare SNOW or other images and masks for training."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.form, self.bar = PrepareForm(), RunBar(self.prepare, messages.PREPARE_LABEL)
        self.check_button = QPushButton(messages.CHECK_LABEL)
        self.sample_button = QPushButton(messages.SAMPLE_LABEL)
        self.open_button = QPushButton(messages.OPEN_LABEL)
        self.findings = FindingsTable()
        self._added: list[ref[Layer]] = []
        self._tips = {
            self.check_button: messages.CHECK_TIP,
            self.sample_button: messages.SAMPLE_TIP,
            self.open_button: messages.OPEN_TIP,
        }
        self._lay_out()
        self.bar.set_tip(messages.TIP)
        self.bar.cancel_button.setToolTip(messages.CANCEL_TIP)
        self.check_button.clicked.connect(lambda: self.check())
        self.sample_button.clicked.connect(lambda: self.show_sample())
        self.open_button.clicked.connect(lambda: self.open_as_stack())
        self.form.sources.changed.connect(self.update_state)
        self.form.target.dataset.changed.connect(self.update_state)
        self.update_state()

    def prepare(self) -> None:
        """Prepare the dataset."""
        self.update_state()
        dataset = self.state.dataset
        if self.state.hint or dataset is None or self.bar.running:
            return
        try:
            options = self.form.options()
        except InputError as error:
            self.bar.say_error(error)
            return
        self.findings.show_findings([])
        self._start(
            partial(prepare, self.form.sources.paths, dataset, options),
            f"Preparing {dataset.name}",
            self._prepared,
            cancelled=messages.STOPPED,
        )
        self.bar.say(messages.PREPARING)

    def check(self) -> None:
        """Check the dataset."""
        if (folder := self._existing()) is not None:
            self.findings.show_findings([])
            workers = self.form.fields.workers.value or usable_cores()
            masks_are = self.form.fields.masks_are.value or None
            steps = partial(check_dataset, folder, workers=workers, masks_are=masks_are)
            self._start(steps, f"Checking {folder.name}", self._checked)

    def show_sample(self) -> None:
        """Show nine random pairs, different each time."""
        if (folder := self._existing()) is not None:
            done = partial(self._add_sample, folder.name)
            self._start(partial(sample_pairs, folder), f"Reading {folder.name}", done)

    def open_as_stack(self) -> None:
        """Open the dataset as one image layer and one labels layer with a slider."""
        if (folder := self._existing()) is not None:
            done = partial(self._add_stack, folder)
            self._start(partial(_opened, folder), f"Opening {folder.name}", done)

    def update_state(self, event: Any = None) -> None:
        """Enable the buttons that can be used now, and explain why others cannot."""
        self._allow_buttons()
        self.bar.set_hint(self.state.hint)

    def _allow_buttons(self) -> None:
        form = self.form
        self.state = look(form.sources.paths, form.dataset, running=self.bar.running)
        for button, tip in self._tips.items():
            allow(button, self.state.why_no_folder, tip)

    def _existing(self) -> Path | None:
        self._allow_buttons()
        return self.state.existing

    def _start(self, steps: Any, title: str, on_done: Any, **more: Any) -> None:
        self.bar.start(steps, title=title, on_done=on_done, on_finished=self._allow_buttons, **more)
        self._allow_buttons()

    def _prepared(self, prepared: Prepared) -> None:
        skipped = messages.SKIPPED_LABEL
        rows = [("problem", skipped, each.name, each.reason) for each in prepared.problems]
        self.findings.show_findings(rows)
        texts = [prepared.text(), *prepared.messages]
        if prepared.problems:
            texts.append(messages.skipped_files(len(prepared.problems)))
        self.bar.say(" ".join(texts), problem=bool(prepared.problems))

    def _checked(self, report: CheckReport) -> None:
        self.findings.show_findings(
            (each.severity, each.kind, each.name, each.text) for each in report.findings
        )
        self.bar.say(report.text(), problem=bool(report.problems))

    def _add_sample(self, name: str, mosaic: Mosaic) -> None:
        place: dict[str, Any] = {"metadata": {"names": mosaic.names}}
        if mosaic.pixel_size_um is not None:
            place |= {"scale": (mosaic.pixel_size_um,) * 2, "units": "um"}
        image = self._viewer.add_image(mosaic.image, name=f"{name} sample", rgb=True, **place)
        masks = self._viewer.add_labels(mosaic.labels, name=f"{name} sample masks", **place)
        self._look_at(image, masks)
        self.bar.say(messages.shown_pairs(tuple(mosaic.names)))

    def _add_stack(self, folder: Path, stack: TileStack) -> None:
        self._look_at(*add_stack(self._viewer, folder, stack))
        self.bar.say(messages.opened_pairs(len(stack.names)))

    def _look_at(self, *layers: Layer) -> None:
        """Hide the layers that this dock added before, and fit the view to new ones."""
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
        """Cancel the current run."""
        self.bar.cancel()


def _opened(folder: Path) -> Generator[Progress, None, TileStack]:
    """List the tiles of a dataset, which takes a while for thousands of them."""
    yield Progress(0, 0, messages.LISTING_TILES)
    return open_tile_stack(folder)

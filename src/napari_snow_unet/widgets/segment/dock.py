"""The segment dock: from an image layer or a folder of files to labelled nuclei."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.widgets.common.comparison import is_segmented, regions_in
from napari_snow_unet.widgets.common.dock import Dock
from napari_snow_unet.widgets.common.fields import error_in_words
from napari_snow_unet.widgets.common.image_of_labels import doubt_about_image, is_mask
from napari_snow_unet.widgets.common.layers import (
    images_in,
    is_preview,
    selected_by_itself,
    unwrapped,
)
from napari_snow_unet.widgets.common.pixel_sizes import TypedSizes
from napari_snow_unet.widgets.common.run_bar import RunBar
from napari_snow_unet.widgets.common.settings import settings
from napari_snow_unet.widgets.correct.recovery import RecoveryOffer
from napari_snow_unet.widgets.correct.toolbar import Corrections
from napari_snow_unet.widgets.correct.training_data import TrainingData
from napari_snow_unet.widgets.correct.unsaved import UnsavedEdits
from napari_snow_unet.widgets.opening.labels_offer import LabelsOffer
from napari_snow_unet.widgets.opening.slide_offer import SlideOffer
from napari_snow_unet.widgets.segment.current_result import CurrentResult
from napari_snow_unet.widgets.segment.folder_job import FolderJob
from napari_snow_unet.widgets.segment.form import SegmentForm
from napari_snow_unet.widgets.segment.layer_job import LayerJob
from napari_snow_unet.widgets.segment.menu import SegmentMenu
from napari_snow_unet.widgets.segment.models import ModelChoice
from napari_snow_unet.widgets.segment.region import SHOWN, WHOLE, counted_part
from napari_snow_unet.widgets.segment.scores import OutlineColours, SegmentScores
from napari_snow_unet.widgets.segment.state import look

if TYPE_CHECKING:
    import numpy as np
    from napari.layers import Image, Labels
    from napari.viewer import Viewer
    from numpy.typing import NDArray

    from napari_snow_unet.data.pixels.axes import Index


class SegmentWidget(Dock):
    """Segment nuclei with a U-Net or the classical method."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.form = SegmentForm()
        self.typed = TypedSizes(self.form.network.pixel_size_um)
        self.bar = RunBar(self.run)
        self.offer = SlideOffer(napari_viewer, self.bar.say)
        self.labels_offer = LabelsOffer(napari_viewer, self.bar.say, is_mask)
        self.current = CurrentResult(napari_viewer, self.form, self.bar)
        self.layer_job = LayerJob(napari_viewer, self.form, self.bar, self.current)
        self.folder_job = FolderJob(napari_viewer, self.form, self.bar)
        self.menu = SegmentMenu(self.current, self.bar)
        to_correct, guide_of = self._labels_to_correct, self.current.guide_of
        self.corrections = Corrections(napari_viewer, to_correct, guide_of)
        self.current.follow_edits(self.corrections)
        self.unsaved = UnsavedEdits(napari_viewer, self.corrections, self.current.image_of)
        self.recovery = RecoveryOffer(napari_viewer, self.unsaved, self.bar.say)
        self.menu.follow_edits(self.corrections, self.unsaved)
        self.training_data = TrainingData(
            napari_viewer,
            self.bar,
            self.corrections,
            to_correct,
            lambda labels: self.current.image_of(labels) or self.form.image.value,
            self._counted_part,
            lambda: self.form.chosen().typed_um,
        )
        self.scores = SegmentScores(napari_viewer, self.form, self.current)
        self.outlines = OutlineColours()
        self.models = ModelChoice(self.form.model, self.form.browse, self.update_hint)
        self.bar.failed.connect(self.models.note_error)
        self.models.refused.connect(self.bar.refuse)
        below = self.recovery, self.offer, self.labels_offer, self.bar, self.corrections
        self.lay_out(self.form, *below, self.training_data, last=self.folder_job.table)
        self._take_settings()
        self._model = self.form.model.value
        self._connect()
        self.refresh_layers()
        self._follow_active()

    def run(self) -> None:
        """Do what Run does."""
        self.form.network.pixel_size_um.native.interpretText()  # a click may leave the focus there
        self.update_hint()
        if not self.bar.run_button.isEnabled():
            return
        try:
            self._job.run()
        except InputError as error:
            self.bar.say(error_in_words(error), problem=True)

    def refresh_layers(self, event: Any = None) -> None:
        """List the image layers by their current names, and keep the chosen one."""
        box, layers = self.form.image, images_in(self._viewer)
        chosen = box.value
        with box.changed.blocked():
            box.choices = ()
            box.choices = [(layer.name, layer) for layer in layers]
            if layers:
                usual = [layer for layer in layers if not is_preview(layer)] or layers
                box.value = chosen if chosen in layers else usual[-1]
        self._refresh_rois()
        self.scores.refresh_layers()
        self._colour_outlines()
        self.update_hint()
        self.training_data.refresh()

    def _refresh_rois(self) -> None:
        """Offer the layers that can mark a region of an image; results cannot."""
        box = self.form.roi
        marks = [layer for layer in regions_in(self._viewer) if not is_segmented(layer)]
        choices = [(text, text) for text in (WHOLE, SHOWN)]
        chosen = box.value
        with box.changed.blocked():
            box.choices = ()
            box.choices = [*choices, *((f"inside {layer.name}", layer) for layer in marks)]
            if any(chosen is value for value in (WHOLE, SHOWN, *marks)):
                box.value = chosen

    def update_hint(self, event: Any = None) -> None:
        """Show what the choices mean, and enable Run or say why not."""
        of_layer, image = self.form.chosen().of_layer, self.form.image.value
        self.typed.show_for(image if of_layer else None, folders=not of_layer)
        state = look(self._viewer, self.form.chosen(), self.models.entry, self.models.problem())
        self.offer.show_for(state.image)
        self.labels_offer.show_for(images_in(self._viewer) if state.of_layer else [])
        self.form.show(state)
        self.folder_job.table.setVisible(not state.of_layer)
        self.bar.set_tip(state.tip)
        self.bar.set_hint(state.hint)

    def _labels_to_correct(self) -> Labels | None:
        """Return the active labels, or the result of the image."""
        from napari.layers import Labels

        active = unwrapped(self._viewer.layers.selection.active)
        return active if isinstance(active, Labels) else self.current.layer

    def _counted_part(
        self, labels: Labels, image: Image, window: tuple[slice, slice], plane: Index
    ) -> NDArray[np.bool_] | None:
        record, chosen = self.current.results.get(labels), self.form.roi.value
        made = None if record is None else record.roi
        return counted_part(self._viewer, image, chosen, made, window, plane)

    @property
    def _job(self) -> LayerJob | FolderJob:
        return self.layer_job if self.form.chosen().of_layer else self.folder_job

    def _take_settings(self) -> None:
        chosen = settings()
        self.form.network.tile.value = chosen.tile
        self.models.start_with(chosen.model)

    def _follow_active(self, event: Any = None) -> None:
        """Choose the active image; a mask that is open as an image only if there is no other."""
        if selected_by_itself(self._viewer):
            return
        active, image = unwrapped(self._viewer.layers.selection.active), self.form.image
        if active in images_in(self._viewer) and not (image.value and doubt_about_image(active)):
            image.value = active
        self.current.show()
        self.training_data.refresh()

    def _image_chosen(self) -> None:
        self._source_chosen()
        if self.current.result is None:
            self.form.take_otsu()  # a threshold set by hand was for another image

    def _source_chosen(self) -> None:
        self.update_hint()
        self.current.show()
        self.training_data.refresh()

    def _folder_chosen(self) -> None:
        self.folder_job.suggest_results()
        self.update_hint()

    def _colour_outlines(self, event: Any = None) -> None:
        """Colour the outlines of the result and of the ground truth while both are shown."""
        compared = self.scores.compared if self.form.outlines.value else None
        self.outlines.show(*(compared or (None, None)))
        self.form.which.setVisible(compared is not None)

    def _model_chosen(self) -> None:
        previous, self._model = self._model, self.form.model.value
        if self._model != previous:
            self.form.take_otsu()  # a threshold set by hand was for the maps of another model

    def _connect(self) -> None:
        self.follow_layers(self._viewer, self.refresh_layers)
        self.follow(self._viewer.layers.selection.events.active, self._follow_active)
        self.form.image.changed.connect(self._image_chosen)
        self.form.roi.changed.connect(self.update_hint)
        for changed in (self.form.outlines, self.form.truth, self.form.source.kind):
            changed.changed.connect(self._colour_outlines)
        self.current.shown.connect(self._colour_outlines)
        self.form.model.changed.connect(self._model_chosen)
        self.form.source.kind.changed.connect(self._source_chosen)
        self.form.source.folder.changed.connect(self._folder_chosen)
        self.form.source.results.changed.connect(self.update_hint)
        self.form.network.pixel_size_um.changed.connect(self.update_hint)

    def closed(self) -> None:
        """Stop the run, and restore the colours of layers."""
        self.bar.cancel()
        self.scores.stop()
        self.recovery.close_offer()
        self.unsaved.close()
        self.corrections.close_tools()
        self.outlines.show(None, None)

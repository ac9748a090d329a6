"""The dock Compare with ground truth: scores, errors and a table of nuclei."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

from qtpy.QtCore import QSize

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.placement import Placement
from napari_snow_unet.metrics.planes.scoring import (
    ScoredPlanes,
    plane_name,
    score_sets,
    scored_slices,
)
from napari_snow_unet.metrics.planes.thresholds import levels_of
from napari_snow_unet.widgets.common.comparison import (
    doubt_about_layers,
    kept_of,
    labels_layers_in,
    maps_in,
    placement_of,
    regions_in,
)
from napari_snow_unet.widgets.common.dock import Dock
from napari_snow_unet.widgets.common.form import offer
from napari_snow_unet.widgets.common.layers import Source, source_of
from napari_snow_unet.widgets.common.run_bar import RunBar
from napari_snow_unet.widgets.common.scoring import compare
from napari_snow_unet.widgets.common.view import go_to, go_to_plane
from napari_snow_unet.widgets.common.watched_layers import SettlingLayers, WatchedLayers
from napari_snow_unet.widgets.evaluate import messages
from napari_snow_unet.widgets.evaluate.error_layer import ErrorLayers
from napari_snow_unet.widgets.evaluate.form import EVERYWHERE, EvaluateForm
from napari_snow_unet.widgets.evaluate.result_tabs import ResultTabs
from napari_snow_unet.widgets.evaluate.state import (
    EvaluateState,
    look,
    model_of,
    preselected,
    summary,
)
from napari_snow_unet.widgets.opening.labels_offer import LabelsOffer

if TYPE_CHECKING:
    from napari.layers import Labels, Layer
    from napari.viewer import Viewer

USUAL_WIDTH = 420  # fits the table of the nuclei of a stack


@dataclass(frozen=True, eq=False)
class EvaluationRequest:
    """The layers and places of one comparison, as they were when Run was clicked."""

    prediction: ref[Layer]
    truth: ref[Labels]
    source: Source
    truth_name: str
    truth_model: str  # whose output the ground truth was; empty if unknown
    placements: dict[str, Placement]
    kept: dict[str, tuple[int, ...]]
    spacing_um: tuple[float, float] | None
    watched: WatchedLayers

    def pixel_in(self, layer: str, position: Sequence[float]) -> list[float]:
        """Return a position in all axes of a layer from one in the compared axes."""
        place = [0.0] * self.placements[layer].ndim
        for axis, value in zip(self.kept[layer], position, strict=True):
            place[axis] = float(value)
        return place


class EvaluateWidget(Dock):
    """Compare labels or a probability map with ground-truth labels."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self.form, self.bar = EvaluateForm(), RunBar(self.run)
        self.offer = LabelsOffer(napari_viewer, self.bar.say)
        self.results = ResultTabs(self._go_to_nucleus, self._go_to_plane, self.bar.say)
        self.errors = ErrorLayers(napari_viewer)
        self.state = EvaluateState()
        self._shown: tuple[EvaluationRequest, ScoredPlanes] | None = None
        live = self.form.live
        self._chosen = SettlingLayers(self, napari_viewer, lambda: live.ask(None), self._settled)
        self.lay_out(self.form, self.offer, self.bar, last=self.results)
        self._connect()
        self.bar.set_tip(messages.RUN_TIP)
        self.refresh_layers()

    def run(self) -> None:
        """Compare the chosen layers as they are now."""
        self.update_state()
        chosen = self.state.chosen
        if self.state.hint or self.bar.running:
            return
        try:
            compared = self.state.comparison()
        except InputError as error:
            self.bar.say_error(error)
            return
        prediction, truth = chosen.prediction, chosen.truth
        request = EvaluationRequest(
            ref(prediction),
            ref(truth),
            source_of(prediction),
            truth.name,
            model_of(truth),
            {"prediction": placement_of(prediction), "truth": placement_of(truth)},
            {"prediction": kept_of(prediction), "truth": kept_of(truth)},
            compared.spacing_um,
            WatchedLayers(self._viewer, [ref(layer) for layer in chosen.layers], self._changed),
        )
        self.bar.start(
            partial(compare, compared),
            title=messages.COMPARING_LABEL.format(request.source.name),
            on_done=partial(self._done, request),
        )

    def refresh_layers(self, event: Any = None) -> None:
        """List the layers by their current names and keep the chosen ones."""
        labels, form = labels_layers_in(self._viewer), self.form
        for box, layers in (
            (form.prediction, [*labels, *maps_in(self._viewer)]),
            (form.truth, labels),
            (form.region, regions_in(self._viewer)),
        ):
            choices = [(EVERYWHERE, EVERYWHERE)] if box is form.region else []
            offer(box, [*choices, *((layer.name, layer) for layer in layers)])
        if form.prediction.value is form.truth.value and len(labels) > 1:
            form.choose(*preselected(labels))
        self.update_state()

    def update_state(self, event: Any = None) -> None:
        """Look at what is chosen, and show what follows."""
        form, counted = self.form, self.state.counted
        caption, outdated = "", False
        if self._shown is not None:
            request, scored = self._shown
            slices, outdated = scored_slices(scored), request.watched.changed
            caption = messages.caption(request.source.name, request.truth_name, slices)
        chosen = form.chosen()
        self.state = state = look(self._viewer, chosen, caption, outdated=outdated)
        form.show_state(state)
        self.bar.set_hint(state.hint)
        self.offer.show_for(state.images)
        self.results.caption.setText(state.caption)
        self._chosen.watch([ref(layer) for layer in chosen.layers])
        if state.counted != counted:
            self._count()

    def _settled(self) -> None:
        """Look at layers that have changed, and count them anew."""
        self.state = EvaluateState()
        self.update_state()

    def _count(self) -> None:
        try:
            chosen = self.state.comparison() if self.state.counted else None
        except InputError:
            chosen = None  # Run shows the reason
        self.form.live.ask(chosen)

    def _done(self, request: EvaluationRequest, scored: ScoredPlanes) -> None:
        if self._shown is not None:
            self._shown[0].watched.stop()
        self._shown = request, scored
        sets = score_sets(scored, request.source.name)
        in_um = request.spacing_um is not None
        self.results.show_results(scored, sets, prediction=request.source.name, in_um=in_um)
        self.update_state()
        errors = scored.errors.reshape(request.source.shape)
        self.errors.show(
            errors, request.source, request.prediction, request.truth, request.truth_name
        )
        counts = levels_of(scored)
        same = request.prediction() is self.state.chosen.prediction
        if counts is not None and same and not self.state.outdated:
            self.form.live.show_counts(counts)
        layers = request.prediction(), request.truth()
        doubt = doubt_about_layers(*layers) if None not in layers else ""
        text = summary(scored, sets, request.truth_model)
        self.bar.say(f"{doubt}{text}", problem=bool(doubt))

    def _changed(self) -> None:
        """Mark the results as outdated once a compared layer has changed."""
        if not self.state.outdated:
            self.update_state()

    def _go_to_nucleus(self, row: int) -> None:
        if self._shown is None:
            return
        request, scored = self._shown
        objects, spacing = scored.objects, request.spacing_um or (1.0, 1.0)
        layer = str(objects["layer"][row])
        place = request.pixel_in(layer, [*objects["plane"][row], *objects["centroid"][row]])
        area = float(objects["area"][row]) / (spacing[0] * spacing[1])
        go_to(self._viewer, request.placements[layer], place[:-2], place[-2:], area)

    def _go_to_plane(self, name: str) -> None:
        if self._shown is None:
            return
        request, scored = self._shown
        for index in scored.counts:
            if plane_name(index) == name:
                plane = request.pixel_in("truth", [*index, 0, 0])[:-2]
                go_to_plane(self._viewer, request.placements["truth"], plane)

    def _connect(self) -> None:
        self.follow_layers(self._viewer, self.refresh_layers)
        dims = self._viewer.dims.events
        for emitter in (dims.current_step, dims.ndisplay, dims.order):
            self.follow(emitter, self.update_state)
        form, fields = self.form, self.form.fields
        options = fields.all_slices, fields.masks_are, fields.pixel_by_pixel
        for field in (form.prediction, form.truth, form.region, *options):
            field.changed.connect(self.update_state)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return a width that fits the tables; the dock can be made narrower."""
        return super().sizeHint().expandedTo(QSize(USUAL_WIDTH, 0))

    def closed(self) -> None:
        """Stop the comparison."""
        self.bar.cancel()
        self._chosen.watch([])
        self.form.live.ask(None)
        if self._shown is not None:
            self._shown[0].watched.stop()

"""The dock Compare with ground truth: scores, errors and a table of nuclei."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np
from qtpy.QtCore import QSize

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.placement import Placement, spacing_um
from napari_snow_unet.metrics.planes.scoring import ScoredPlanes, plane_name, score_sets
from napari_snow_unet.metrics.planes.thresholds import levels_of
from napari_snow_unet.widgets.common.comparison import (
    doubt_about_layers,
    is_map,
    is_segmented,
    kept_of,
    known_kind,
    labels_layers_in,
    maps_in,
    measured_pixels,
    placement_of,
    region_of_layer,
    regions_in,
    why_not_compare,
)
from napari_snow_unet.widgets.common.dock import Dock
from napari_snow_unet.widgets.common.fields import error_in_words
from napari_snow_unet.widgets.common.image_of_labels import holds_labels, how_to_convert, why_no_map
from napari_snow_unet.widgets.common.layers import Source, shown_plane, source_of
from napari_snow_unet.widgets.common.run_bar import RunBar
from napari_snow_unet.widgets.common.scoring import Comparison, compare
from napari_snow_unet.widgets.common.view import go_to, go_to_plane
from napari_snow_unet.widgets.common.watched_layers import SettlingLayers, WatchedLayers
from napari_snow_unet.widgets.evaluate import messages
from napari_snow_unet.widgets.evaluate.error_layer import ErrorLayers
from napari_snow_unet.widgets.evaluate.form import EVERYWHERE, EvaluateForm
from napari_snow_unet.widgets.evaluate.result_tabs import ResultTabs
from napari_snow_unet.widgets.evaluate.summary import model_of, summary
from napari_snow_unet.widgets.opening.labels_offer import LabelsOffer

if TYPE_CHECKING:
    from napari.layers import Labels, Layer
    from napari.viewer import Viewer

TRUE_NAME = re.compile(r"truth|annotat|\bgt\b| mask$", re.IGNORECASE)
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
        self.scored: ScoredPlanes | None = None
        self._request: EvaluationRequest | None = None
        live = self.form.live
        self._counted = SettlingLayers(self, napari_viewer, lambda: live.ask(None), self._count)
        self.lay_out(self.form, self.offer, self.bar, last=self.results)
        self._connect()
        self.bar.set_tip(messages.RUN_TIP)
        self.refresh_layers()

    def run(self) -> None:
        """Compare the chosen layers as they are now."""
        self.update_hint()
        if not self.bar.run_button.isEnabled():
            return
        prediction, truth = self.form.prediction.value, self.form.truth.value
        try:
            chosen = self._comparison(prediction, truth)
        except InputError as error:
            self.bar.say(error_in_words(error), problem=True)
            return
        request = EvaluationRequest(
            ref(prediction),
            ref(truth),
            source_of(prediction),
            truth.name,
            model_of(truth),
            {"prediction": placement_of(prediction), "truth": placement_of(truth)},
            {"prediction": kept_of(prediction), "truth": kept_of(truth)},
            chosen.spacing_um,
            WatchedLayers(self._viewer, self._compared(), self._changed),
        )
        self.bar.start(
            partial(compare, chosen),
            title=messages.COMPARING_LABEL.format(request.source.name),
            on_done=partial(self._done, request),
        )

    def why_not(self) -> str:
        """Return why the chosen layers cannot be compared; empty if they can."""
        prediction, truth = self.form.prediction.value, self.form.truth.value
        if prediction is None or truth is None:
            return f"{messages.NO_LABELS} {how_to_convert(maps_in(self._viewer))}".rstrip()
        if is_map(prediction) and holds_labels(prediction):
            return why_no_map(prediction)
        if prediction is truth:
            if len(labels_layers_in(self._viewer)) > 1:
                return messages.SAME_LAYER
            return f"{messages.ONE_LAYER} {how_to_convert(maps_in(self._viewer))}".rstrip()
        pixel_by_pixel = self.form.options()["pixel_by_pixel"]
        return why_not_compare(prediction, truth, pixel_by_pixel=pixel_by_pixel)

    def refresh_layers(self, event: Any = None) -> None:
        """List the layers by their current names and keep the chosen ones."""
        labels = labels_layers_in(self._viewer)
        self.form.offer(self.form.prediction, [*labels, *maps_in(self._viewer)])
        self.form.offer(self.form.truth, labels)
        self.form.offer(self.form.region, regions_in(self._viewer))
        self._preselect(labels)
        self.update_hint()

    def update_hint(self, event: Any = None) -> None:
        """Show the fields that the layers need, and enable Run or show why it is disabled."""
        prediction, truth = self.form.prediction.value, self.form.truth.value
        of_map, why_not = is_map(prediction), self.why_not()
        self.form.show_rows(of_map=of_map, stack=truth is not None and len(kept_of(truth)) > 2)
        self.bar.set_hint(why_not)
        self.offer.show_for(maps_in(self._viewer))
        counted = of_map and not why_not
        self._counted.watch(self._compared() if counted else [])
        if counted:
            self._count()
        else:
            self.form.live.ask(None)

    def _preselect(self, labels: list[Labels]) -> None:
        """Preselect different layers, results of this plugin as predictions."""
        box_of_truth, box = self.form.truth, self.form.prediction
        results = [layer for layer in labels if is_segmented(layer)]
        if box.value is box_of_truth.value and len(labels) > 1:
            named = [layer for layer in labels if TRUE_NAME.search(layer.name)]
            unnamed = [layer for layer in labels if layer not in named]
            prediction = (results or unnamed or labels)[-1]
            others = [layer for layer in labels if layer is not prediction]
            annotated = [layer for layer in others if not is_segmented(layer)]
            best = [layer for layer in annotated if layer in named]
            self.form.choose(box, prediction)
            self.form.choose(box_of_truth, (best or annotated or others)[0])

    def _comparison(self, prediction: Any, truth: Any) -> Comparison:
        options, region = self.form.options(), self.form.region.value
        pixel_by_pixel = options["pixel_by_pixel"]
        predicted, true = measured_pixels(prediction), measured_pixels(truth)
        planes = list(np.ndindex(*true.shape[:-2]))
        if len(planes) > 1 and not options["all_slices"]:
            shown = shown_plane(self._viewer, truth)
            planes = [tuple(shown[axis] for axis in kept_of(truth)[:-2])]
        area = None
        if region not in (None, EVERYWHERE):
            area = region_of_layer(region, truth, pixel_by_pixel=pixel_by_pixel)
        return Comparison(
            predicted,
            true,
            planes,
            threshold=options["threshold"] if is_map(prediction) else None,
            are=(
                known_kind(prediction) or options["masks_are"],
                known_kind(truth) or options["masks_are"],
            ),
            region=area,
            spacing_um=spacing_um(placement_of(truth).of_axes(kept_of(truth))),
            names=(f"'{prediction.name}'", f"'{truth.name}'"),
        )

    def _compared(self) -> list[ref[Any]]:
        """Return the layers on which the scores depend."""
        form = self.form
        layers = (form.prediction.value, form.truth.value, form.region.value)
        return [ref(layer) for layer in layers if layer not in (None, EVERYWHERE)]

    def _count(self) -> None:
        try:
            chosen = self._comparison(self.form.prediction.value, self.form.truth.value)
        except InputError:
            chosen = None  # Run shows the reason
        self.form.live.ask(chosen)

    def _done(self, request: EvaluationRequest, scored: ScoredPlanes) -> None:
        if self._request is not None:
            self._request.watched.stop()
        self.scored, self._request = scored, request
        sets = score_sets(scored, request.source.name)
        self.results.show_results(
            scored,
            sets,
            prediction=request.source.name,
            truth=request.truth_name,
            in_um=request.spacing_um is not None,
        )
        self._changed()
        errors = scored.errors.reshape(request.source.shape)
        self.errors.show(
            errors, request.source, request.prediction, request.truth, request.truth_name
        )
        counts = levels_of(scored)
        same = request.prediction() is self.form.prediction.value
        if counts is not None and same and not request.watched.changed:
            self.form.live.show_counts(counts)
        layers = request.prediction(), request.truth()
        doubt = doubt_about_layers(*layers) if None not in layers else ""
        text = summary(scored, sets, request.truth_model)
        self.bar.say(f"{doubt}{text}", problem=bool(doubt))

    def _changed(self) -> None:
        """Mark the results as outdated once a compared layer has changed."""
        if self._request is not None and self._request.watched.changed:
            self.results.mark_outdated()

    def _go_to_nucleus(self, row: int) -> None:
        if self.scored is None or self._request is None:
            return
        objects, spacing = self.scored.objects, self._request.spacing_um or (1.0, 1.0)
        layer = str(objects["layer"][row])
        place = self._request.pixel_in(layer, [*objects["plane"][row], *objects["centroid"][row]])
        go_to(
            self._viewer,
            self._request.placements[layer],
            place[:-2],
            place[-2:],
            float(objects["area"][row]) / (spacing[0] * spacing[1]),
        )

    def _go_to_plane(self, name: str) -> None:
        if self.scored is None or self._request is None:
            return
        for index in self.scored.counts:
            if plane_name(index) == name:
                plane = self._request.pixel_in("truth", [*index, 0, 0])[:-2]
                go_to_plane(self._viewer, self._request.placements["truth"], plane)

    def _connect(self) -> None:
        self.follow_layers(self._viewer, self.refresh_layers)
        fields = self.form.fields
        for field in (
            *(self.form.prediction, self.form.truth, self.form.region),
            *(fields.all_slices, fields.masks_are, fields.pixel_by_pixel),
        ):
            field.changed.connect(self.update_hint)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return a width that fits the tables; the dock can be made narrower."""
        return super().sizeHint().expandedTo(QSize(USUAL_WIDTH, 0))

    def closed(self) -> None:
        """Stop the comparison."""
        self.bar.cancel()
        self._counted.watch([])
        self.form.live.ask(None)
        if self._request is not None:
            self._request.watched.stop()

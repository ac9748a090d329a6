"""What the dock Compare with ground truth shows of its layers and results, without a window."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets.messages import favours
from napari_snow_unet.data.datasets.truth_origin import truth_origin
from napari_snow_unet.data.pixels.axes import Index
from napari_snow_unet.data.pixels.placement import spacing_um
from napari_snow_unet.metrics.planes.scoring import ScoredPlanes
from napari_snow_unet.metrics.report.values import score_in_words
from napari_snow_unet.metrics.scores.tile import Scores
from napari_snow_unet.widgets.common.comparison import (
    facts_of,
    is_map,
    is_segmented,
    kept_of,
    known_kind,
    labels_layers_in,
    maps_in,
    measured_pixels,
    placement_of,
    region_of_layer,
    why_not_compare,
)
from napari_snow_unet.widgets.common.image_of_labels import holds_labels, how_to_convert, why_no_map
from napari_snow_unet.widgets.common.layers import shown_plane
from napari_snow_unet.widgets.common.scoring import Comparison
from napari_snow_unet.widgets.evaluate import messages

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer

TRUE_NAME = re.compile(r"truth|annotat|\bgt\b| mask$", re.IGNORECASE)
COUNTED = ("missed", "split", "spurious", "merged")


@dataclass(frozen=True, eq=False)
class Chosen:
    """What the user has chosen to compare."""

    prediction: Any = None  # Labels, or an image as a probability map
    truth: Any = None  # Labels
    region: Any = None  # the layer that marks it; None compares everywhere
    options: dict[str, Any] = field(default_factory=dict)  # from `fields.comparison`

    @property
    def layers(self) -> list[Any]:
        """The layers on which the scores depend."""
        return [each for each in (self.prediction, self.truth, self.region) if each is not None]


@dataclass(frozen=True, eq=False)
class EvaluateState:
    """Facts about the chosen layers and the results shown, and the texts that follow."""

    chosen: Chosen = Chosen()
    images: Sequence[Image] = ()  # those that may be maps
    of_map: bool = False
    is_stack: bool = False
    plane: Index | None = None  # the only one to compare
    hint: str = ""  # why Run is disabled; empty if it is not
    compared: str = ""  # the layers whose results are shown
    outdated: bool = False  # one of them has changed since

    @property
    def caption(self) -> str:
        """The line above the results."""
        return f"{self.compared} {messages.OUTDATED}" if self.outdated else self.compared

    @property
    def counted(self) -> tuple[Any, ...]:
        """What the scores under the slider depend on; empty if there are none."""
        if not self.of_map or self.hint:
            return ()
        options = {**self.chosen.options, "threshold": None}
        return *self.chosen.layers, self.plane, options

    def comparison(self) -> Comparison:
        """Return what is to be compared; raise `InputError` if the region cannot be used."""
        prediction, truth, region = self.chosen.prediction, self.chosen.truth, self.chosen.region
        options, true = self.chosen.options, measured_pixels(truth)
        exactly, masks_are = options["pixel_by_pixel"], options["masks_are"]
        area = None
        if region is not None:
            area = region_of_layer(region, truth, pixel_by_pixel=exactly)
        return Comparison(
            measured_pixels(prediction),
            true,
            list(np.ndindex(*true.shape[:-2])) if self.plane is None else [self.plane],
            threshold=options["threshold"] if self.of_map else None,
            are=(known_kind(prediction) or masks_are, known_kind(truth) or masks_are),
            region=area,
            spacing_um=spacing_um(placement_of(truth).of_axes(kept_of(truth))),
            names=(f"'{prediction.name}'", f"'{truth.name}'"),
        )


def look(viewer: Viewer, chosen: Chosen, compared: str, *, outdated: bool) -> EvaluateState:
    """Return the state for what is chosen, and for earlier results."""
    truth, images = chosen.truth, maps_in(viewer)
    is_stack = truth is not None and len(kept_of(truth)) > 2
    plane, hint = None, _why_not(viewer, chosen, images)
    if is_stack and not hint and not chosen.options["all_slices"]:
        try:
            shown = shown_plane(viewer, truth)
            plane = tuple(shown[axis] for axis in kept_of(truth)[:-2])
        except InputError as error:
            from napari_snow_unet.widgets.common.fields import error_in_words

            hint = error_in_words(error)
    of_map = is_map(chosen.prediction)
    return EvaluateState(chosen, images, of_map, is_stack, plane, hint, compared, outdated)


def preselected(labels: Sequence[Labels]) -> tuple[Labels, Labels]:
    """Return different layers as prediction, a result of this plugin if possible, and truth."""
    results = [layer for layer in labels if is_segmented(layer)]
    named = [layer for layer in labels if TRUE_NAME.search(layer.name)]
    unnamed = [layer for layer in labels if layer not in named]
    prediction = (results or unnamed or labels)[-1]
    others = [layer for layer in labels if layer is not prediction]
    annotated = [layer for layer in others if not is_segmented(layer)]
    best = [layer for layer in annotated if layer in named]
    return prediction, (best or annotated or others)[0]


def model_of(layer: Labels) -> str:
    """Return the model whose output labels were, by their layer or file; empty if unknown."""
    path = layer.metadata.get("source") or layer.source.path
    stated = str(facts_of(layer).get("model") or "")
    return stated or ("" if path is None else truth_origin(Path(path)).model)


def summary(scored: ScoredPlanes, sets: Mapping[str, Scores], truth_model: str) -> str:
    """Return the scores of the first set and what is assumed of the layers, in sentences."""
    first = next(iter(sets.values()))
    statuses = scored.objects["status"].tolist()
    numbers = (statuses.count(status) for status in COUNTED)
    texts = [
        messages.scores(*(score_in_words(key, first[key]) for key in ("dice", "pq", "aji"))),
        messages.nuclei(int(first["n_truth"] or 0), *numbers),
    ]
    if scored.without_region:
        texts.append(messages.without_region(scored.without_region))
    if scored.empty_predictions and () not in scored.counts:
        texts.append(messages.nothing_predicted(scored.empty_predictions))
    if scored.assumed:
        texts.append(messages.assumed_of_map(scored.assumed))
    texts += scored.mask_notes
    if truth_model:
        texts.append(favours(truth_model))
    return " ".join(texts)


def _why_not(viewer: Viewer, chosen: Chosen, images: Sequence[Image]) -> str:
    """Return why layers cannot be compared; empty if they can."""
    prediction, truth = chosen.prediction, chosen.truth
    if prediction is None or truth is None:
        return f"{messages.NO_LABELS} {how_to_convert(images)}".rstrip()
    if is_map(prediction) and holds_labels(prediction):
        return why_no_map(prediction)
    if prediction is not truth:
        pixel_by_pixel = chosen.options["pixel_by_pixel"]
        return why_not_compare(prediction, truth, pixel_by_pixel=pixel_by_pixel)
    if len(labels_layers_in(viewer)) > 1:
        return messages.SAME_LAYER
    return f"{messages.ONE_LAYER} {how_to_convert(images)}".rstrip()

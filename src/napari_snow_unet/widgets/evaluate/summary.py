"""The message under the dock after a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_snow_unet.data.datasets.messages import favours
from napari_snow_unet.data.datasets.truth_origin import truth_origin
from napari_snow_unet.metrics.planes.scoring import ScoredPlanes
from napari_snow_unet.metrics.report.values import score_in_words
from napari_snow_unet.metrics.scores.tile import Scores
from napari_snow_unet.napari_plugin import PLUGIN
from napari_snow_unet.widgets.evaluate import messages

COUNTED = ("missed", "split", "spurious", "merged")


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


def model_of(layer: Any) -> str:
    """Return the model whose output a layer was, by its metadata or file; empty if unknown."""
    facts = layer.metadata.get(PLUGIN)
    if isinstance(facts, dict) and facts.get("model"):
        return str(facts["model"])
    path = layer.metadata.get("source") or layer.source.path
    return "" if path is None else truth_origin(Path(path)).model

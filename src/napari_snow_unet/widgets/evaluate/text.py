"""What the measuring dock says, in words."""

from __future__ import annotations

from collections.abc import Mapping

from napari_snow_unet.metrics.planes.measuring import MeasuredPlanes
from napari_snow_unet.metrics.report.values import score_in_words
from napari_snow_unet.metrics.scores.tile import Scores

NO_LABELS = (
    "Open a truth and a prediction first: two Labels layers, or Labels and a probability map."
)
ONE_LAYER = "There is only one Labels layer. Open what it shall be compared with."
SAME_LAYER = "Prediction and truth are the same layer. Choose two."


def summary(measured: MeasuredPlanes, sets: Mapping[str, Scores]) -> str:
    """Say in one sentence or a few how good a prediction is; the first set is the whole."""
    first = next(iter(sets.values()))
    statuses = measured.objects["status"].tolist()
    dice, pq, aji, nuclei = (
        score_in_words(key, first[key]) for key in ("dice", "pq", "aji", "n_truth")
    )
    whole = (
        f"Dice {dice}, PQ {pq}, AJI {aji}; of {nuclei} nuclei "
        f"{statuses.count('missed'):,} missed, {statuses.count('split'):,} split; "
        f"{statuses.count('spurious'):,} predictions spurious, {statuses.count('merged'):,} merged."
    )
    said = [whole]
    if measured.without_region:
        were = "was" if measured.without_region == 1 else "were"
        said.append(f"{_slices(measured.without_region)} without a region {were} left out.")
    if measured.empty_predictions and () not in measured.measures:
        said.append(f"In {_slices(measured.empty_predictions)} nothing was predicted.")
    if measured.assumed:
        said.append(f"The probability map is one {measured.assumed}.")
    return " ".join([*said, *measured.mask_notes])


def _slices(number: int) -> str:
    return f"{number:,} slice{'' if number == 1 else 's'}"

"""Where the ground truth of a tile came from: drawn from scratch, or begun as a prediction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets.manifest import (
    MANIFEST,
    YES,
    Tile,
    is_dataset,
    read_manifest,
)
from napari_snow_unet.data.formats.origin import origin_of

#: How a ground truth began; empty if that is unknown.
Began: TypeAlias = Literal["", "drawn", "prediction"]
BEGAN: tuple[Began, ...] = ("drawn", "prediction")
EDITS = "edits"  # key of how many nuclei of a prediction were added, deleted and so on
KINDS = ("added", "deleted", "separated", "merged", "reshaped")
UNEDITED = "none"
DRAWN = "drawn"  # key in the provenance of labels that were drawn from scratch


class EditedNucleus(NamedTuple):
    """A nucleus that differs from the prediction."""

    change: str  # added, deleted, separated, merged or reshaped
    nucleus: int  # its id: in the prediction if deleted or separated, else in the ground truth
    y: float  # centroid in pixels
    x: float


@dataclass(frozen=True)
class TruthOrigin:
    """How a ground truth began, and what was edited."""

    began: Began = ""
    model: str = ""  # whose prediction it was
    checksum: str = ""  # SHA-256 of the model's weights
    edits: str = ""  # how many nuclei were added, deleted and so on; empty if that is unknown

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> TruthOrigin:
        """Return the origin that the provenance of labels states."""
        if model := facts.get("model"):
            checksum, numbers = str(facts.get("model_checksum") or ""), facts.get(EDITS)
            return cls("prediction", str(model), checksum, edits_in_words(numbers))
        return cls("drawn" if facts.get(DRAWN) is True else "")

    @classmethod
    def of_tile(cls, tile: Tile) -> TruthOrigin:
        """Return the origin that the table of a dataset states."""
        began: Began = next((each for each in BEGAN if each == tile.truth), "")
        return cls(began, tile.truth_model, tile.truth_model_sha256, tile.truth_edits)

    @property
    def named_model(self) -> str:
        """The model with the beginning of its checksum; empty for any other origin."""
        return f"{self.model} ({self.checksum[:8]})" if self.checksum else self.model

    def row(self, tile: Tile) -> Tile:
        """Return the row of a tile with this origin."""
        return replace(
            tile,
            truth=self.began,
            truth_model=self.model,
            truth_model_sha256=self.checksum,
            truth_edits=self.edits,
        )


def edits_in_words(numbers: object) -> str:
    """Return how many nuclei were edited: ``1 added, 2 deleted``; empty if that is unknown."""
    if not isinstance(numbers, dict):
        return ""
    texts = [f"{numbers[kind]} {kind}" for kind in KINDS if numbers.get(kind)]
    return ", ".join(texts) or UNEDITED


def truth_origin(mask: Path) -> TruthOrigin:
    """Return how a mask began: by the table of its dataset, else by the file itself."""
    for folder in mask.parents[:3]:
        if is_dataset(folder):
            tile = tiles_by_mask(folder).get(_inside(mask, folder))
            if tile is not None and tile.truth:
                return TruthOrigin.of_tile(tile)
    return TruthOrigin.of_facts(origin_of(mask) or {})


def region_of_tile(mask: Path) -> Path | None:
    """Return the file of the annotated region of a dataset's mask; None if all of it counts."""
    for folder in mask.parents[:2]:
        if folder.name == "masks" and is_dataset(folder.parent):
            region = folder.parent / "regions" / mask.relative_to(folder)
            return region if region.is_file() else None
    return None


def is_to_be_drawn(tile: Tile) -> bool:
    """Tell whether a tile is marked to be drawn without a prediction."""
    return tile.draw_without_prediction.strip().lower() == YES


def _inside(mask: Path, folder: Path) -> str:
    return mask.relative_to(folder).as_posix()


def tiles_by_mask(folder: Path) -> dict[str, Tile]:
    """Return the tiles of a dataset; its table is read once, and again after it has changed."""
    try:
        changed = (folder / MANIFEST).stat().st_mtime_ns
    except OSError:
        changed = 0
    return _tiles_by_mask(folder, changed)


@lru_cache(maxsize=4)
def _tiles_by_mask(folder: Path, changed: int) -> dict[str, Tile]:
    try:
        return {tile.mask: tile for tile in read_manifest(folder)}
    except InputError:  # a damaged table is refused where the dataset itself is used
        return {}

"""The config and the tiles of a run, as its files store them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_snow_unet.data.masks.judgement import MASKS_ARE, MasksAre
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.runs.options import (
    TrainingOptions,
    options_from_dict,
    with_muon,
    without_muon,
)
from napari_snow_unet.unet.runs.tiles import TrainingTile

FORMAT, VERSION = "napari-snow-unet training", 1
LARGEST_CONFIG = 10_000_000
TILE_COLUMNS = (
    *("part", "name", "image", "mask", "region", "height", "width", "um_per_px"),
    *("weight", "masks_are"),
)


@dataclass(frozen=True)
class RunConfig:
    """Config of a training: content of ``config.json``."""

    options: TrainingOptions  # the preset filled in
    network: UNetConfig
    dataset: str
    fingerprint: str  # of the dataset at the start of the training
    fine_tune: str  # model folder of the initial weights; empty for random ones
    made_with: dict[str, str]  # versions
    corrected: dict[str, int] = field(default_factory=dict)  # see `TrainingSet.corrected`
    muon: bool = False  # 0.1 only: `options` names another optimizer, and it cannot be resumed


def config_text(config: RunConfig) -> str:
    """Return a run's config as JSON."""
    content = {
        "format": FORMAT,
        "version": VERSION,
        "options": config.options.as_dict(),
        "network": json.loads(config.network.to_json()),
        "dataset": config.dataset,
        "fingerprint": config.fingerprint,
        "fine_tune": config.fine_tune,
        "made_with": config.made_with,
        **({"corrected_predictions": config.corrected} if config.corrected else {}),
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def config_from(content: Any) -> RunConfig:
    """Return a run's config from the content of its file."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f'it lacks "format": "{FORMAT}"')
    if content.get("version") != VERSION:
        raise ValueError(f"version {content.get('version')!r} instead of {VERSION}")
    texts = {name: content[name] for name in ("dataset", "fingerprint", "fine_tune")}
    if not all(isinstance(text, str) and len(text) < 10_000 for text in texts.values()):
        raise ValueError("dataset, fingerprint or fine_tune is not a text")
    return RunConfig(
        options=options_from_dict(without_muon(content["options"])),
        network=UNetConfig.from_json(json.dumps(content["network"])),
        made_with={str(name): str(value) for name, value in dict(content["made_with"]).items()},
        corrected={
            str(name): int(count)
            for name, count in dict(content.get("corrected_predictions", {})).items()
        },
        muon=with_muon(content["options"]),
        **texts,
    )


def tile_row(subset: str, tile: TrainingTile, root: Path) -> list[object]:
    """Return a tile as a row of the run's table."""
    files = [tile.image, tile.mask, tile.region]
    relative = [Path(os.path.relpath(path, root)).as_posix() if path else "" for path in files]
    facts = [tile.height, tile.width, tile.um_per_px or "", tile.weight, tile.masks_are or ""]
    return [subset, tile.name, *relative, *facts]


def tile_from(row: dict[str, str], root: Path) -> TrainingTile:
    """Return a tile from a row of the run's table."""
    return TrainingTile(
        row["name"],
        root / row["image"],
        root / row["mask"],
        root / row["region"] if row["region"] else None,
        int(row["height"]),
        int(row["width"]),
        float(row["um_per_px"]) if row["um_per_px"] else None,
        float(row.get("weight") or 1),
        _masks_are(row.get("masks_are")),
    )


def _masks_are(cell: str | None) -> MasksAre | None:
    for choice in MASKS_ARE:
        if cell == choice:
            return choice
    if cell:
        raise ValueError(f"masks_are is {cell!r}")
    return None

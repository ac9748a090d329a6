"""Picture of the dock Compare with ground truth, with a probability map as prediction."""

from __future__ import annotations

from pathlib import Path

from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.models import open_model
from napari_snow_unet.segmentation.pipeline import run, segment
from stage import Stage

SEED = 2026


def main(out: Path) -> None:
    """Compare, and show where prediction and ground truth differ."""
    tile = generate_tile(SEED)
    result = run(segment(tile.image, open_model("default"), pixel_size_um=tile.pixel_size_um))
    placement = {"scale": (tile.pixel_size_um,) * 2, "units": "um"}
    stage = Stage("Compare with ground truth")
    viewer = stage.viewer
    viewer.add_image(tile.image, name="tile", **placement)
    viewer.add_labels(tile.labels, name="truth", visible=False, **placement)
    viewer.add_image(result.probability, name="probability", visible=False, **placement)
    stage.dock.form.prediction.value = viewer.layers["probability"]
    stage.run()
    stage.take(out / "evaluate.png")
    stage.close()

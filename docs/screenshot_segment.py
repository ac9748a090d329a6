"""Pictures of the segment dock: a tile and its nuclei, and the table of a folder."""

from __future__ import annotations

import tempfile
from pathlib import Path

from stage import PLUGIN, Stage, write_snow

SEEDS = (2026, 11, 12, 13, 14, 15)
SIZE = (1400, 860)
DOCK = "Segment nuclei"


def segment_a_tile(mask: Path, path: Path) -> None:
    """Open a mask, which brings its image, and press Run."""
    stage = Stage(DOCK, SIZE)
    image, truth = stage.viewer.open(mask, plugin=PLUGIN)
    truth.contour = 2
    stage.viewer.layers.selection.active = image
    stage.run()
    found = stage.viewer.layers[-1]
    if found in (image, truth):
        raise RuntimeError("nothing was segmented")
    found.opacity = 0.45
    stage.take(path)
    stage.close()


def segment_a_folder(images: Path, path: Path) -> None:
    """Segment the images of a folder and open one by a click on its row."""
    stage = Stage(DOCK, SIZE)
    stage.dock.form.source.kind.value = "folder"
    stage.dock.form.source.folder.value = images
    stage.run()
    table = stage.dock.folder_job.table
    stage.click(table.viewport(), table.visualRect(table.model().index(2, 0)).center())
    stage.viewer.layers[-1].opacity = 0.45
    stage.take(path)
    stage.close()


def main(out: Path) -> None:
    """Make both pictures."""
    with tempfile.TemporaryDirectory() as temporary:
        write_snow(Path(temporary), SEEDS)
        segment_a_tile(Path(temporary, "Mask", "seed0000.mat"), out / "segment.png")
        segment_a_folder(Path(temporary, "Image"), out / "segment_folder.png")

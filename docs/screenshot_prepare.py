"""Picture of the dock that prepares datasets: nine pairs, and what was found."""

from __future__ import annotations

import tempfile
from pathlib import Path

from stage import Stage, write_snow

TILES, EDGE = 24, 256


def main(out: Path) -> None:
    """Prepare tiles of which two have a fault, look at nine pairs, and prepare again."""
    with tempfile.TemporaryDirectory() as temporary:
        release = Path(temporary, "SNOW_Dataset_20k")
        write_snow(release, range(100, 100 + TILES), EDGE)
        (release / "Mask" / "seed0007.mat").unlink()
        (release / "Mask" / "seed0011.mat").write_text("no matrix\n", encoding="utf-8")
        stage = Stage("Prepare a dataset")
        dock = stage.dock
        dock.form.sources.add([release])
        dock.form.target.dataset.value = Path(temporary, "dataset")
        for button in (dock.bar.run_button, dock.sample_button, dock.bar.run_button):
            stage.click(button)
        stage.take(out / "prepare.png")
        stage.close()

"""Make the bundled model out of a finished training: its last weights, halved, and what they are.

python tools/pack_weights.py RUN -o src/napari_snow_unet/weights/he-breast-nuclei
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_snow_unet.unet.runs.folder import RunDirectory

THRESHOLD_FLOOR = 0.4  # below every level that Otsu finds on real tiles, see docs/model-card.md
SOURCES = {
    "tnbc": "{n} tiles of triple-negative breast cancer at 40x, 0.25 um per pixel, patients 01 to "
    "08 (Naylor et al. 2018, Zenodo 2579118, CC BY 4.0)",
    "snow": "{n} SNOW tiles of the data set's example figure (Ding et al. 2023, Scientific Data "
    "10:231, CC BY 4.0)",
    "dsb": "{n} purple-stained and H&E images of the 2018 Data Science Bowl (BBBC038, CC0)",
    "generated": "{n} generated tiles of this package (generator version {version})",
}


def trained_on(run: RunDirectory) -> str:
    """Say in a paragraph which tiles a training has seen, counted from the run itself."""
    from napari_snow_unet.data.synthetic import GENERATOR_VERSION
    from napari_snow_unet.unet.training.augment import ZOOM

    names = [tile.name.split("_")[0] for tile in run.tiles().train]
    parts = [
        text.format(n=names.count(kind), version=GENERATOR_VERSION)
        for kind, text in SOURCES.items()
    ]
    options = run.config().options
    return (
        "; ".join(parts)
        + f". Shown for {options.epochs} epochs at magnifications of {ZOOM[0]} to {ZOOM[1]}, "
        + f"optimizer {options.optimizer}. "
        + f"Seed {options.seed}."
    )


def pack(run: RunDirectory, folder: Path) -> Path:
    """Write the model folder."""
    from napari_snow_unet.base.errors import InputError
    from napari_snow_unet.unet.engine.selection import load_engine
    from napari_snow_unet.unet.models.store import load_model, save_model

    history = run.history()
    if len(history) < run.config().options.epochs:
        raise InputError(
            f"a training with {len(history)} finished epochs",
            expected=f"all {run.config().options.epochs}",
            remedy="Go on with it: napari-snow-unet train --resume " + str(run.folder),
            path=run.folder,
        )
    load_engine()
    model, config = load_model(run.last)
    config = replace(
        config,
        name=folder.name,
        threshold_floor=THRESHOLD_FLOOR,
        trained_on=trained_on(run),
    )
    return save_model(model, config, folder, overwrite=True, half=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    from napari_snow_unet.unet.runs.folder import open_run

    print(pack(open_run(arguments.run), arguments.out))


if __name__ == "__main__":
    main()

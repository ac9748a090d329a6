"""Make the bundled model out of a finished training: its last weights, halved, and what they are.

python tools/pack_weights.py RUN -o src/napari_snow_unet/weights/he-breast-nuclei
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_snow_unet.unet.runs.folder import RunDirectory

THRESHOLD_FLOOR = 0.4  # below every level that Otsu finds on real tiles, see docs/model-card.md
SOURCES = {
    "tnbc": "{n} tiles of triple-negative breast cancer at 40x, 0.25 um per pixel, patients 01 to "
    "08 (Naylor et al. 2018, Zenodo 2579118, CC BY 4.0)",
    "snow": "{n} SNOW tiles of the data set's example figure (Ding et al. 2023, Scientific Data "
    "10:231, CC BY 4.0)",
    "nuinsseg": "{n} tiles of 31 human and mouse organs, shrunk to about 0.25 um per pixel "
    "(NuInsSeg, Mahbod et al. 2024, Scientific Data 11:295, Zenodo 10518968, CC BY 4.0)",
    "dsb": "{n} purple-stained and H&E images of the 2018 Data Science Bowl (BBBC038, CC0)",
    "generated": "{n} generated tiles of this package (generator version {version})",
}


def trained_on(run: RunDirectory) -> str:
    """Say in a paragraph which tiles a training has seen, counted from the run itself."""
    from napari_snow_unet.data.synthetic import GENERATOR_VERSION
    from napari_snow_unet.unet.training.augment import SCALES

    names = [tile.name.split("_")[0] for tile in run.tiles().train]
    parts = [
        text.format(n=names.count(kind), version=GENERATOR_VERSION)
        for kind, text in SOURCES.items()
    ]
    options = run.config().options
    return (
        "; ".join(parts)
        + f". Shown for {options.epochs} epochs at magnifications of {SCALES[0]} to {SCALES[1]}, "
        + f"optimizer {options.optimizer}. "
        + f"Seed {options.seed}."
    )


def pack(run: RunDirectory, folder: Path) -> Path:
    """Write the model folder; of the arrays the halves are kept, which are loaded as float32."""
    from napari_snow_unet.base.errors import InputError
    from napari_snow_unet.base.files import folder_written_whole
    from napari_snow_unet.unet.models.array_file import write_arrays
    from napari_snow_unet.unet.models.folder import (
        CHECKSUMS,
        CONFIG,
        WEIGHTS,
        checksum,
        read_config,
        verify,
        weights_of,
    )
    from napari_snow_unet.unet.models.store import read_weights
    from napari_snow_unet.unet.network.arrays import array_shapes

    history = run.history()
    if len(history) < run.config().options.epochs:
        raise InputError(
            f"a training with {len(history)} finished epochs",
            expected=f"all {run.config().options.epochs}",
            remedy="Go on with it: napari-snow-unet train --resume " + str(run.folder),
            path=run.folder,
        )
    verify(run.last)
    trained = read_config(run.last)
    arrays = read_weights(weights_of(run.last), array_shapes(trained))
    config = replace(
        trained,
        name=folder.name,
        threshold_floor=THRESHOLD_FLOOR,
        trained_on=trained_on(run),
    )
    with folder_written_whole(folder, overwrite=True, ours=_is_model) as whole:
        # Half precision takes half the space and rounds to eleven significant bits.
        halved = {name: array.astype(np.float16) for name, array in arrays.items()}
        write_arrays(whole / WEIGHTS, halved)
        (whole / CONFIG).write_text(config.to_json(), encoding="utf-8")
        (whole / CHECKSUMS).write_text(f"{checksum(whole)}  {WEIGHTS}\n", encoding="utf-8")
    return folder


def _is_model(folder: Path) -> bool:
    from napari_snow_unet.unet.models.folder import CHECKSUMS, FILES

    return {file.name for file in folder.iterdir()} <= {*FILES, CHECKSUMS}


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

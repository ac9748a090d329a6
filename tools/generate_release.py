"""Write generated tiles as archives in SNOW's layout, to try things out before the real download.

    python tools/generate_release.py FOLDER --tiles 200 --size 256

FOLDER gets ``SNOW_Image.zip`` and ``mask_0_5000.zip`` (and, from 5,000 tiles on, the other three),
with images, HoVer-Net ``.mat`` masks, and the ``json/`` and ``overlay/`` that nobody needs.
"""

from __future__ import annotations

import argparse
import tempfile
import zipfile
from pathlib import Path

FIRST_SEED = 9_000_000  # far from the seeds of samples, test set and training tiles
ARCHIVES = ("mask_0_5000", "mask_5001_10k", "mask_10k_15k", "mask_15k_20k")
TILES_PER_ARCHIVE = 5000


def generate_release(folder: Path, tiles: int, size: int) -> list[Path]:
    """Write the archives.

    Parameters
    ----------
    folder : pathlib.Path
        Where to; made when it is missing.
    tiles : int
        How many, up to 20,000.
    size : int
        Side of a tile in pixels.

    Returns
    -------
    list of pathlib.Path
        The archives, images first.
    """
    from napari_snow_unet.data.formats.hovernet import write_hovernet_mat
    from napari_snow_unet.data.pixels.png import encode
    from napari_snow_unet.data.synthetic import generate_tile

    folder.mkdir(parents=True, exist_ok=True)
    used = ARCHIVES[: -(-tiles // TILES_PER_ARCHIVE)]
    paths = [folder / "SNOW_Image.zip", *(folder / f"{name}.zip" for name in used)]
    images, *masks = (zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED) for path in paths)
    with tempfile.TemporaryDirectory() as temporary:
        mat = Path(temporary) / "mask.mat"
        for number in range(tiles):
            tile, seed = generate_tile(FIRST_SEED + number, size=size), f"seed{number:04d}"
            part, archive = used[number // TILES_PER_ARCHIVE], masks[number // TILES_PER_ARCHIVE]
            write_hovernet_mat(mat, tile.labels, overwrite=True)
            image = encode(tile.image)
            images.writestr(f"SNOW_Image/{seed}.png", image)
            archive.write(mat, f"{part}/mat/{seed}.mat")
            archive.writestr(f"{part}/json/{seed}.json", "{}")
            archive.writestr(f"{part}/overlay/{seed}.png", image)
    for archive in (images, *masks):
        archive.close()
    return paths


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tiles", type=int, default=200, help="how many (200)")
    parser.add_argument("--size", type=int, default=256, help="side in pixels (256)")
    arguments = parser.parse_args()
    for path in generate_release(arguments.folder, arguments.tiles, arguments.size):
        print(f"Wrote {path}")


if __name__ == "__main__":
    main()

"""A folder with everything that the pages of the documentation name."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import tifffile

from napari_snow_unet.cli import demo
from napari_snow_unet.data.formats.hovernet import write_hovernet_mat
from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.data.pixels.png import encode
from napari_snow_unet.data.slides import slide
from napari_snow_unet.data.synthetic import generate_tile

TILES, SIZE = 14, 96
FEW = 3
MPP = "Aperio Image Library v11.2.1 \r\n256x256 [0,0 256x256] (256x256) JPEG/RGB|MPP = 0.25"


@pytest.fixture(scope="session")
def tiles():
    return [generate_tile(seed, size=SIZE) for seed in range(TILES)]


@pytest.fixture
def place(tiles, tmp_path, monkeypatch):
    """Return a folder with everything under the names that the pages use, and work in it."""
    write_archives(tmp_path, tiles)
    for number, tile in enumerate(tiles):
        name = f"p{number % 4}_{number}.png"
        write_image(tmp_path / "images" / name, tile.image)
        write_labels(tmp_path / "masks" / name, tile.labels)
    for number, tile in enumerate(tiles[:FEW]):
        write_image(tmp_path / "tiles" / f"{number}.png", tile.image)
        write_labels(tmp_path / "truth" / f"{number}.png", tile.labels)
        write_labels(tmp_path / "other-results" / f"{number}.png", tile.labels.T)
    write_slides(tmp_path)
    monkeypatch.setattr(slide, "LARGEST_WHOLE", 200 * 200)
    # napari would open on a screen, and nobody is there to close it
    monkeypatch.setattr(demo, "_has_display", lambda: False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_archives(folder: Path, tiles) -> None:
    """Write tiles as SNOW is released: images in one archive, masks in another."""
    with (
        zipfile.ZipFile(folder / "SNOW_Image.zip", "w") as images,
        zipfile.ZipFile(folder / "mask_0_5000.zip", "w") as masks,
    ):
        for number, tile in enumerate(tiles):
            images.writestr(f"SNOW_Image/seed{number:04d}.png", encode(tile.image))
            mask = folder / "one.mat"
            write_hovernet_mat(mask, tile.labels, overwrite=True)
            masks.write(mask, f"mask_0_5000/mat/seed{number:04d}.mat")


def write_slides(folder: Path) -> None:
    """Write what stands for a scanner's file, a large image and a small one."""
    small, large = generate_tile(20, size=192).image, generate_tile(21, size=256).image
    write_image(folder / "tile.png", small)
    write_labels(folder / "truth.png", generate_tile(20, size=192).labels)
    write_image(folder / "region.tif", small)
    how = {"photometric": "rgb", "tile": (256, 256)}
    facts = {"axes": "YXS", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25}
    tifffile.imwrite(folder / "slide.ome.tif", large, metadata=facts, **how)
    tifffile.imwrite(folder / "slide.svs", large[:192, :192], description=MPP, metadata=None, **how)

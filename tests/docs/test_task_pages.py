"""The commands and programs of the pages for one task each, as they stand there."""

from __future__ import annotations

import re
import shlex
import zipfile

import pytest
import tifffile
from typer.testing import CliRunner

from napari_snow_unet.cli import app, demo
from napari_snow_unet.data import slides
from napari_snow_unet.data.hovernet_mat import write_hovernet_mat
from napari_snow_unet.data.images import write_image, write_labels
from napari_snow_unet.data.png import encode
from napari_snow_unet.data.synthetic import generate_tile

PAGES = (
    "look_at_snow", "segment_my_images", "train_on_my_images", "measure", "large_images", "python",
    "shell",
)  # fmt: skip
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
TILES, SIZE = 14, 96


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return a folder with everything under the names that the pages use."""
    tiles = [generate_tile(seed, size=SIZE) for seed in range(TILES)]
    archives = [
        zipfile.ZipFile(tmp_path / name, "w") for name in ("SNOW_Image.zip", "mask_0_5000.zip")
    ]
    for number, tile in enumerate(tiles):
        write_hovernet_mat(tmp_path / "one.mat", tile.labels, overwrite=True)
        archives[0].writestr(f"SNOW_Image/seed{number:04d}.png", encode(tile.image))
        archives[1].write(tmp_path / "one.mat", f"mask_0_5000/mat/seed{number:04d}.mat")
        write_image(tmp_path / "images" / f"p{number % 4}_{number}.png", tile.image)
        write_labels(tmp_path / "masks" / f"p{number % 4}_{number}.png", tile.labels)
        if number < 3:
            write_image(tmp_path / "tiles" / f"{number}.png", tile.image)
            write_labels(tmp_path / "truth" / f"{number}.png", tile.labels)
    for archive in archives:
        archive.close()
    write_image(tmp_path / "tile.png", generate_tile(20, size=192).image)
    facts = {"axes": "YXS", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25}
    pixels = generate_tile(21, size=256).image
    tifffile.imwrite(
        tmp_path / "slide.ome.tif", pixels, tile=(128, 128), photometric="rgb", metadata=facts
    )
    monkeypatch.setattr(slides, "LARGEST_WHOLE", 200 * 200)
    # napari would open on a screen, and nobody is there to close it
    monkeypatch.setattr(demo, "_has_display", lambda: False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_page_is_linked_from_the_readme(repository):
    readme = (repository / "README.md").read_text(encoding="utf-8")
    for page in (repository / "docs").glob("*.md"):
        assert f"(docs/{page.name})" in readme, page.name


def test_links_of_the_pages_lead_somewhere(repository):
    for page in (*(repository / "docs").glob("*.md"), repository / "README.md"):
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in link:
                assert (page.parent / link).exists(), (page.name, link)


@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_says_can_be_done(name, repository, place):
    page = (repository / "docs" / f"{name}.md").read_text(encoding="utf-8")
    blocks = BLOCK.findall(page)
    assert blocks
    names: dict[str, object] = {}
    for language, block in blocks:
        if language == "python":
            exec(block, names)
            continue
        assert language == "bash"
        for line in block.splitlines():
            program, *words = shlex.split(line)
            assert program == "napari-snow-unet"
            done = CliRunner().invoke(app, words)
            assert done.exit_code == 0, (line, done.output, done.exception)

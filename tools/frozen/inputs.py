"""The inputs of the frozen comparison, made without the package itself."""

from __future__ import annotations

import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.io
import tifffile
import zarr
from PIL import Image
from PIL.PngImagePlugin import PngInfo

HEIGHT, WIDTH = 96, 128
WHEN = 1_700_000_000  # of every file, so that nothing that is noted of them differs
Array = npt.NDArray[np.generic]


def make_inputs(folder: Path) -> None:
    """Write every input into a new folder."""
    tiles = [tile(seed) for seed in range(8)]
    _plain_folder(folder / "tiles", tiles)
    _snow(folder / "snow", tiles)
    with zipfile.ZipFile(folder / "snow.zip", "w") as archive:
        for path in sorted((folder / "snow").rglob("*.*")):
            archive.writestr(zipfile.ZipInfo(str(path.relative_to(folder))), path.read_bytes())
    _unusual_images(folder / "unusual", tiles)
    _outlines(folder / "outlines", tiles)
    _stacks(folder / "stacks", tiles)
    _slide(folder / "slide.ome.tif")
    for path in folder.rglob("*"):
        os.utime(path, (WHEN, WHEN))


def tile(seed: int, height: int = HEIGHT, width: int = WIDTH) -> tuple[Array, Array]:
    """Return purple discs with a gradient on pink, as 8-bit RGB, and their labels."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((height, width), np.int32)
    image = np.full((height, width, 3), (235, 190, 215), float)
    rows, columns = np.mgrid[:height, :width]
    for number in range(1, height * width // 900):
        row, column = rng.integers(0, height), rng.integers(0, width)
        size = rng.uniform(5, 9)
        distance = np.hypot(rows - row, (columns - column) * rng.uniform(0.8, 1.2))
        inside = (distance < size) & (labels == 0)
        if inside.sum() > 30:
            labels[inside] = number
            image[inside] = np.array((90, 60, 130)) + 5 * distance[inside, None]
    image += rng.normal(0, 4, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), labels


def _png(path: Path, pixels: Array, **options: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)


def _plain_folder(folder: Path, tiles: list[tuple[Array, Array]]) -> None:
    """Images and label images, a pixel size in some of them."""
    for number, (image, labels) in enumerate(tiles):
        dpi = {"dpi": (50_800, 50_800)} if number % 2 else {}
        _png(folder / "images" / f"t{number}.png", image, **dpi)
        _png(folder / "masks" / f"t{number}.png", labels.astype(np.uint16))


def _snow(folder: Path, tiles: list[tuple[Array, Array]]) -> None:
    for number, (image, labels) in enumerate(tiles):
        _png(folder / "SNOW_Image" / f"seed{number}.png", image)
        place = folder / "mask_0_5000" / "mat" / f"seed{number}.mat"
        place.parent.mkdir(parents=True, exist_ok=True)
        ids = np.unique(labels[labels > 0])
        places = [np.argwhere(labels == id_).mean(0)[::-1] for id_ in ids]
        values = {
            "inst_map": labels,
            "inst_type": np.ones((ids.size, 1)),
            "inst_centroid": np.array(places),
        }
        packed = io.BytesIO()
        scipy.io.savemat(packed, values, do_compression=bool(number % 2))
        # SciPy notes the time of day in the header
        place.write_bytes(b"MATLAB 5.0 MAT-file".ljust(116) + packed.getvalue()[116:])


def _unusual_images(folder: Path, tiles: list[tuple[Array, Array]]) -> None:
    """Images of other types that every version reads alike."""
    image, _ = tiles[0]
    _png(folder / "grey.png", image[..., 0])
    info = PngInfo()
    info.add_text("Patient", "Jane Roe")
    _png(folder / "text.png", image, pnginfo=info)
    tifffile.imwrite(
        folder / "micrometres.tif", image, resolution=(20_000, 20_000), resolutionunit="CENTIMETER"
    )
    Image.fromarray(image).save(folder / "photograph.jpg", quality=95)
    Image.fromarray(image).save(folder / "bitmap.bmp")


def _outlines(folder: Path, tiles: list[tuple[Array, Array]]) -> None:
    """QuPath's GeoJSON of squares, and a region drawn as a mask."""
    folder.mkdir()
    for number in range(2):
        squares = [(x, y) for x in range(4, WIDTH - 20, 24) for y in range(4, HEIGHT - 20, 20)]
        features = [
            {
                "type": "Feature",
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [
                        [[x, y], [x + 11, y], [x + 11, y + 9 + number], [x, y + 9 + number], [x, y]]
                    ],
                },
                "properties": {"objectType": "detection", "classification": {"name": "Nucleus"}},
            }
            for x, y in squares
        ]
        text = json.dumps({"type": "FeatureCollection", "features": features})
        (folder / f"t{number}.geojson").write_text(text, encoding="utf-8")
    region = np.zeros((HEIGHT, WIDTH), np.uint8)
    region[10:80, 12:100] = 255
    for number in range(len(tiles)):
        _png(folder / "regions" / f"t{number}.png", region)


def _stacks(folder: Path, tiles: list[tuple[Array, Array]]) -> None:
    folder.mkdir()
    stack = np.stack([image for image, _ in tiles[:3]])
    tifffile.imwrite(folder / "stack.tif", stack, photometric="rgb")
    place = zarr.open_group(folder / "image.zarr", mode="w", zarr_format=2)
    place.create_array("0", data=np.moveaxis(tiles[3][0], -1, 0), chunks=(3, 64, 64))
    axes = [
        {"name": "c", "type": "channel"},
        *({"name": name, "type": "space", "unit": "micrometer"} for name in "yx"),
    ]
    scale = [{"type": "scale", "scale": [1, 0.5, 0.5]}]
    place.attrs["multiscales"] = [
        {
            "version": "0.4",
            "axes": axes,
            "datasets": [{"path": "0", "coordinateTransformations": scale}],
        }
    ]


def _slide(path: Path) -> None:
    """A tiled pyramid of two levels, as scanners write them."""
    block, _ = tile(99, 512, 512)
    image = np.tile(block, (2, 3, 1))
    size = {"PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25}
    options = {"photometric": "rgb", "tile": (256, 256)}
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(image, subifds=1, metadata={"axes": "YXS", **size}, **options)
        writer.write(image[::2, ::2], subfiletype=1, **options)

"""A small SNOW release, in archives and unpacked, with the junk that real ones have."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from napari_snow_unet.data.pixels.png import encode

SIDE = 48
TEXT_SIZE = 116  # of the header of a .mat


def tile_pixels(number):
    """Return image and labels of a tile: smooth noise, and three nuclei with gaps in their ids."""
    random = np.random.default_rng(number)
    image = random.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    labels = np.zeros((SIDE, SIDE), np.int32)
    labels[4:10, 5:12] = 1
    labels[20:30, 8:19] = number + 2
    labels[33:40, 30:41] = 65000
    return image, labels


def mat_bytes(labels, *, compressed=False, raw=True):
    """Return a .mat as HoVer-Net writes it, with the raw map that nobody needs."""
    from io import BytesIO

    ids = np.unique(labels[labels > 0])
    content = {
        "inst_map": labels,
        "inst_uid": ids[:, None],
        "inst_centroid": np.zeros((len(ids), 2)),
    }
    if raw:
        content["raw"] = np.random.default_rng(0).random((*labels.shape, 4)).astype(np.float32)
    stream = BytesIO()
    scipy.io.savemat(stream, content, do_compression=compressed)
    written = stream.getvalue()
    return b"MATLAB 5.0 MAT-file".ljust(TEXT_SIZE) + written[TEXT_SIZE:]  # without the time of day


@dataclass
class Release:
    """SNOW's files, by their paths in the archives or in the unpacked folder."""

    folder: Path
    tiles: int
    images: dict[int, bytes] = field(default_factory=dict)
    masks: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self):
        for number in range(self.tiles):
            image, labels = tile_pixels(number)
            self.images[number] = encode(image)
            self.masks[number] = mat_bytes(labels, compressed=number % 2 == 1)

    def archives(self, compression=zipfile.ZIP_DEFLATED):
        """Write SNOW_Image.zip and two mask archives, with json, overlays and junk."""
        self.folder.mkdir(exist_ok=True)
        half = self.tiles // 2
        paths = [self.folder / "SNOW_Image.zip"]
        with zipfile.ZipFile(paths[0], "w", compression) as archive:
            for number, data in reversed(self.images.items()):
                archive.writestr(f"SNOW_Image/seed{number:04d}.png", data)
            archive.writestr("__MACOSX/SNOW_Image/._seed0000.png", b"junk")
            archive.writestr("SNOW_Image/.DS_Store", b"junk")
            archive.writestr("SNOW_Image/Thumbs.db", b"junk")
        for name, numbers in (
            ("mask_0_5000", range(half)),
            ("mask_5001_10k", range(half, self.tiles)),
        ):
            paths.append(self.folder / f"{name}.zip")
            with zipfile.ZipFile(paths[-1], "w", compression) as archive:
                for number in numbers:
                    seed = f"seed{number:04d}"
                    archive.writestr(f"{name}/mat/{seed}.mat", self.masks[number])
                    archive.writestr(f"{name}/json/{seed}.json", "{}")
                    archive.writestr(f"{name}/overlay/{seed}.png", self.images[number])
        return paths

    def unpacked(self):
        """Write SNOW_Dataset_20k/Image and Mask."""
        root = self.folder / "SNOW_Dataset_20k"
        for place, suffix, files in (("Image", "png", self.images), ("Mask", "mat", self.masks)):
            (root / place).mkdir(parents=True)
            for number, data in files.items():
                (root / place / f"seed{number:04d}.{suffix}").write_bytes(data)
        return root


@pytest.fixture
def release(tmp_path):
    return Release(tmp_path / "release", 10)


@pytest.fixture
def truth():
    return tile_pixels


@pytest.fixture
def mat():
    return mat_bytes

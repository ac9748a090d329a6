"""Segment an image that is larger than the memory may get, and watch memory and time.

    python benchmarks/large.py [--side 20000] [--model default] [--precision fast]
                               [--window 1024] [--pixel-size 0.25] [--folder /tmp]

Writes a generated RGB image of SIDE x SIDE pixels as a tiled, pyramidal OME-TIFF and as OME-Zarr,
segments both as the shell's command does in processes of their own, and prints the largest memory
of each, its time per computed pixel (halos included) beside that of single tiles of 512 x 512 in
the same run, how much the halo adds, what part of the time the network and the labels take, and
whether both gave the same labels. With another --pixel-size the image is resampled for the network.
Images of up to 67 million pixels are segmented as a whole.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

EDGE, KINDS, UM = 512, 12, 0.25
SINGLE = """
import sys, time
from statistics import median
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.models import open_model
from napari_snow_unet.segmentation.pipeline import run, segment
model, seconds = open_model(sys.argv[1], precision=sys.argv[2]), []
for seed in range(14):
    image = generate_tile(seed).image
    start = time.perf_counter()
    run(segment(image, model, pixel_size_um=0.25))
    seconds.append(time.perf_counter() - start)
print(median(seconds[2:]) / image.shape[0] / image.shape[1])
"""
WHOLE = """
import sys, time
from collections import Counter
from pathlib import Path
from napari_snow_unet.batch import Outputs, segment_files
from napari_snow_unet.models import open_model
from napari_snow_unet.segmentation.options import Options
source, out, model, precision, window, pixel = sys.argv[1:]
model = open_model(model, precision=precision)
options = Options(tile=int(window) or Options().tile, pixel_size_um=float(pixel))
outputs = Outputs(Path(out), formats=("zarr",))
start = last = time.perf_counter()
spent = Counter()
for step in segment_files([Path(source)], model, options, outputs):
    now = time.perf_counter()
    spent["network" if ", tile " in step.message else "labels"] += now - last
    last = now
print(spent["network"], spent["labels"])
"""


def main() -> None:
    """Print memory, times and ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--side", type=int, default=20_000)
    parser.add_argument("--model", default="default")
    parser.add_argument("--precision", default="float32", help="float32 or fast")
    parser.add_argument("--window", type=int, default=0, help="in pixels; 0: the default")
    parser.add_argument("--pixel-size", type=float, default=UM, help="in micrometres")
    parser.add_argument("--folder", type=Path, help="where to put the files")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as temporary:
        folder = Path(temporary)
        rows = Rows(arguments.side)
        sources = [write_tiff(folder / "a.ome.tif", rows), write_zarr(folder / "b.zarr", rows)]
        single = float(said([sys.executable, "-c", SINGLE, arguments.model, arguments.precision]))
        print(f"single tiles: {1e9 * single:.0f} ns per pixel, from array to labels")
        for number, source in enumerate(sources):
            report(source, folder / f"out{number}", arguments, single)
        compare(folder)


def report(source: Path, out: Path, arguments: argparse.Namespace, single: float) -> None:
    """Segment one image and print what it took."""
    words = [str(source), str(out), arguments.model, arguments.precision]
    words += [str(arguments.window), str(arguments.pixel_size)]
    start = time.perf_counter()
    largest, printed = watched([sys.executable, "-c", WHOLE, *words])
    seconds = time.perf_counter() - start
    from napari_snow_unet.batch.large_file import WINDOW
    from napari_snow_unet.models import open_model
    from napari_snow_unet.segmentation.plane.resample import Resampling, scale_factor
    from napari_snow_unet.segmentation.plane.tiling import cheapest_window, plan_grid

    model, side = open_model(arguments.model), arguments.side
    factor = scale_factor(arguments.pixel_size, model.pixel_size_um)
    shape = Resampling.by(factor, (side, side)).new
    window = arguments.window or cheapest_window(shape, model.halo, WINDOW)
    tiles = plan_grid(shape, window, model.halo)
    computed = sum((y.stop - y.start) * (x.stop - x.start) for y, x in (t.window for t in tiles))
    network, labels = map(float, printed.split())
    print(
        f"{source.name}: {seconds:.0f} s, {largest / 1e9:.2f} GB at most, "
        f"{1e9 * seconds / computed:.0f} ns per computed pixel "
        f"({seconds / computed / single:.2f} of single tiles), "
        f"the halo adds {computed / shape[0] / shape[1] - 1:.0%}; windows took {network:.0f} s, "
        f"labels {labels:.0f} s"
    )


def watched(command: list[str]) -> tuple[int, str]:
    """Run a command; return the largest memory it held, in bytes, and the last line it printed."""
    import psutil

    largest = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        process = psutil.Process(child.pid)
        while child.poll() is None:
            try:
                largest = max(largest, process.memory_info().rss)
            except psutil.NoSuchProcess:
                break
            time.sleep(0.05)
        assert child.stdout is not None
        printed = child.stdout.read()
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}")
    return largest, printed.splitlines()[-1]


def compare(folder: Path) -> None:
    """Print whether the labels of both files are the same."""
    import zarr

    first, second = (
        zarr.open_group(next(folder.glob(f"out{number}/*.zarr")), mode="r")["0"]
        for number in (0, 1)
    )
    strips = range(0, first.shape[0], 1024)
    same = all(np.array_equal(first[y : y + 1024], second[y : y + 1024]) for y in strips)
    largest = max(int(first[y : y + 1024].max()) for y in strips)
    print(f"{largest:,} nuclei; the labels of both files are {'the same' if same else 'DIFFERENT'}")


class Rows:
    """The image, row of tiles by row of tiles."""

    def __init__(self, side: int) -> None:
        from napari_snow_unet.data.synthetic import generate_tile

        self.side = side
        self._tiles = [generate_tile(seed, size=EDGE).image for seed in range(KINDS)]

    def strip(self, number: int) -> NDArray[np.uint8]:
        """Return a row of tiles, cut at the side of the image."""
        order = np.random.default_rng(number).integers(0, KINDS, -(-self.side // EDGE))
        strip = np.concatenate([self._tiles[kind] for kind in order], axis=1)
        return strip[: self.side - number * EDGE, : self.side]

    def strips(self) -> Iterator[NDArray[np.uint8]]:
        """Go through the rows."""
        for number in range(-(-self.side // EDGE)):
            yield self.strip(number)

    def tiles(self, step: int) -> Iterator[NDArray[np.uint8]]:
        """Go through the tiles of a level that takes every so-manieth pixel, filled up."""
        waiting = np.zeros((0, -(-self.side // step), 3), np.uint8)
        for strip in self.strips():
            waiting = np.concatenate([waiting, strip[::step, ::step]])
            while waiting.shape[0] >= EDGE:
                yield from _cut(waiting[:EDGE])
                waiting = waiting[EDGE:]
        if waiting.shape[0]:
            yield from _cut(waiting)


def _cut(strip: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    for x in range(0, strip.shape[1], EDGE):
        tile = strip[:, x : x + EDGE]
        yield np.pad(tile, [(0, EDGE - tile.shape[0]), (0, EDGE - tile.shape[1]), (0, 0)])


def write_tiff(path: Path, rows: Rows) -> Path:
    """Write a tiled OME-TIFF with two coarser levels."""
    import tifffile

    with tifffile.TiffWriter(path, ome=True, bigtiff=True) as tif:
        for step in (1, 4, 16):
            side = -(-rows.side // step)
            facts: dict[str, Any] = {"axes": "YXS", "PhysicalSizeX": UM, "PhysicalSizeY": UM}
            tif.write(
                rows.tiles(step),
                shape=(side, side, 3),
                dtype=np.uint8,
                tile=(EDGE, EDGE),
                photometric="rgb",
                compression="zlib",
                subifds=2 if step == 1 else None,
                subfiletype=0 if step == 1 else 1,
                metadata=facts if step == 1 else None,
            )
    return path


def write_zarr(path: Path, rows: Rows) -> Path:
    """Write an OME-Zarr with two coarser levels."""
    import zarr

    group = zarr.open_group(path, mode="w", zarr_format=2)
    datasets = []
    for number, step in enumerate((1, 4, 16)):
        side = -(-rows.side // step)
        array = group.create_array(
            str(number), shape=(3, side, side), chunks=(3, EDGE, EDGE), dtype=np.uint8
        )
        across = -(-side // EDGE)
        for place, tile in zip(
            product(range(across), range(across)), rows.tiles(step), strict=True
        ):
            y, x = (EDGE * index for index in place)
            part = tile[: side - y, : side - x]
            array[:, y : y + part.shape[0], x : x + part.shape[1]] = np.moveaxis(part, -1, 0)
        scale = {"type": "scale", "scale": [1.0, UM * step, UM * step]}
        datasets.append({"path": str(number), "coordinateTransformations": [scale]})
    axes = [{"name": "c", "type": "channel"}]
    axes += [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets}]
    return path


def said(command: list[str]) -> str:
    """Run a command and return the last line it printed."""
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.decode().splitlines()[-1]


if __name__ == "__main__":
    main()

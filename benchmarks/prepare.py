"""Time `prepare` against the straightforward script, and watch its memory.

The script is the paper's first step as one would write it: load the whole .mat, read the image
and write it again with OpenCV, write the binary mask, one tile after the other. Both get the same
generated files in the same run, which carry a raw map of (512, 512, 4) float32 as SNOW's do, and
must give the same pixels. On a computer that does other work too, the processor time says more::

    python benchmarks/prepare.py [--tiles 400] [--memory-tiles 5000] [--folder /tmp]

The files take 6 MB per tile. The test of memory has small tiles, 128 pixels wide, since it is
their number that matters; `--tiles 0` runs it alone and `--memory-tiles 0` leaves it out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_snow_unet.base.progress import Progress

# Worker processes load this module too; what only the script needs is imported where it is used.
KINDS = 8  # different tiles; each is written many times under other names
MEMORY_SIZE = 128  # pixels; 5,000 such images are 246 MB, so that keeping them would show
LOOK_EVERY = 10  # tiles


def write_release(
    root: Path, tiles: int, *, compressed: bool, size: int = 512, link: bool = False
) -> None:
    """Write Image/ and Mask/ in SNOW's layout; with `link` the masks are links to a few files."""
    import numpy as np
    from scipy.io import savemat

    from napari_snow_unet.data.pixels.png import encode
    from napari_snow_unet.data.synthetic import generate_tile

    random = np.random.default_rng(0)
    (root / "Image").mkdir(parents=True)
    (root / "Mask").mkdir()
    kinds = [generate_tile(seed, size=size) for seed in range(KINDS)]
    for number in range(tiles):
        tile = kinds[number % KINDS]
        # A pixel size of its own makes every file differ, since equal images are taken out.
        (root / "Image" / f"seed{number:04d}.png").write_bytes(
            encode(tile.image, 0.25 + number * 1e-6)
        )
        mask = root / "Mask" / f"seed{number:04d}.mat"
        if link and number >= KINDS:
            os.link(root / "Mask" / f"seed{number % KINDS:04d}.mat", mask)
            continue
        ids = np.unique(tile.labels)[1:]
        content = {
            "inst_map": tile.labels,
            "inst_uid": ids[:, None],
            "inst_centroid": np.zeros((len(ids), 2)),
            "raw": random.random((*tile.labels.shape, 4), dtype=np.float32),
        }
        savemat(mask, content, do_compression=compressed)


def straightforward(root: Path, out: Path) -> None:
    """Do it as the paper's script would."""
    import cv2
    from scipy.io import loadmat

    (out / "images").mkdir(parents=True)
    (out / "masks").mkdir()
    for index, path in enumerate(sorted((root / "Image").iterdir())):
        labels = loadmat(root / "Mask" / f"{path.stem}.mat")["inst_map"]
        image = cv2.imread(str(path))
        cv2.imwrite(str(out / "images" / f"{index:06d}.png"), image)
        mask = ((labels > 0) * 255).astype("uint8")
        cv2.imwrite(str(out / "masks" / f"{index:06d}.png"), mask)


def unpack_first(archives: list[Path], out: Path) -> None:
    """Unpack the archives, as that script needs it, then run it."""
    for archive in archives:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(out / "unpacked")
    straightforward(out / "unpacked", out)


def by_us(sources: list[Path], out: Path) -> None:
    """Prepare with the same kind of masks."""
    from napari_snow_unet.base.progress import run
    from napari_snow_unet.data.datasets.prepare.dataset import prepare
    from napari_snow_unet.data.datasets.prepare.options import PrepareOptions

    result = run(prepare(sources, out, PrepareOptions(binary=True)))
    assert not result.problems, result.problems[:3]


def compare(
    what: str,
    scratch: Path,
    ours: Callable[[Path], None],
    theirs: Callable[[Path], None],
    rounds: int,
) -> None:
    """Time both in turns and print the ratio; the pixels must be equal."""
    import numpy as np

    from napari_snow_unet.data.datasets.manifest import read_manifest
    from napari_snow_unet.data.pixels.images import read_image

    times: dict[str, list[float]] = {"script": [], "prepare": []}
    processor: dict[str, list[float]] = {"script": [], "prepare": []}
    for _ in range(rounds):
        for name, work in (("script", theirs), ("prepare", ours)):
            shutil.rmtree(scratch / name, ignore_errors=True)
            start, used = time.perf_counter(), sum(os.times()[:4])
            work(scratch / name)
            times[name].append(time.perf_counter() - start)
            processor[name].append(sum(os.times()[:4]) - used)
    tiles = read_manifest(scratch / "prepare")
    for tile in tiles[:: max(1, len(tiles) // 20)]:
        for file in (tile.image, tile.mask):
            pair = [read_image(scratch / name / file).array for name in times]
            assert np.array_equal(*pair), file
    for clock, unit in ((times, "time"), (processor, "processor time, all cores")):
        script, our = (1e3 * statistics.median(clock[name]) / len(tiles) for name in clock)
        ratio = f"{script / our:5.1f} : 1" if our else "too short to tell"  # clocks tick
        print(
            f"{what:24} script {script:6.1f} ms per tile, prepare {our:5.1f} ms, {ratio} ({unit})"
        )
    for name in times:
        shutil.rmtree(scratch / name)


def watch_memory(root: Path, out: Path, marks: list[int]) -> None:
    """Print the highest memory so far of the main process and of a worker at some numbers of tiles.

    Only steps of the making of tiles count, which name a tile.
    """
    import psutil

    from napari_snow_unet.base.progress import run
    from napari_snow_unet.data.datasets.prepare.dataset import prepare

    main = psutil.Process()
    highest, told = [0, 0], set()

    def look(step: Progress) -> None:
        if not step.message.startswith("seed") or step.done % LOOK_EVERY:
            return
        workers = [child for child in main.children() if "spawn_main" in str(child.cmdline())]
        highest[0] = max(highest[0], main.memory_info().rss)
        highest[1] = max(highest[1], *(child.memory_info().rss for child in workers), 0)
        if step.done in marks and step.done not in told:
            told.add(step.done)
            own, worker = (size / 1e6 for size in highest)
            print(
                f"after {step.done:6,} tiles: main process {own:.1f} MB at most, "
                f"largest of {len(workers)} workers {worker:.1f} MB"
            )

    run(prepare([root], out), look)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiles", type=int, default=400)
    parser.add_argument("--memory-tiles", type=int, default=5000, help="multiple of 50")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to put the files")
    arguments = parser.parse_args()
    from napari_snow_unet.base.processes import usable_cores

    print(f"{usable_cores()} cores, load {os.getloadavg()[0]:.1f}, {arguments.tiles} tiles")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        scratch = Path(folder)
        for compressed in (False, True) if arguments.tiles else ():
            root = scratch / ("compressed" if compressed else "stored")
            write_release(root, arguments.tiles, compressed=compressed)
            compare(
                f"{root.name} .mat",
                scratch,
                partial(by_us, [root]),
                partial(straightforward, root),
                arguments.rounds,
            )
            if not compressed:
                archives = [zip_folder(root / name) for name in ("Image", "Mask")]
                compare(
                    "stored .mat in archives",
                    scratch,
                    partial(by_us, archives),
                    partial(unpack_first, archives),
                    arguments.rounds,
                )
            shutil.rmtree(root)
        if arguments.memory_tiles:
            many, root = arguments.memory_tiles, scratch / "many"
            write_release(root, many, compressed=False, size=MEMORY_SIZE, link=True)
            watch_memory(root, scratch / "out", [many // 5, many])


def zip_folder(folder: Path) -> Path:
    """Pack a folder as SNOW's archives are."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"{folder.name}/{file.name}")
    return path


if __name__ == "__main__":
    main()

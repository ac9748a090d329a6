"""Time what the plugin costs before anybody computes anything, and until the first nuclei.

    xvfb-run -a python benchmarks/startup.py [--rounds N]

In fresh interpreters: importing the package and reading its manifest, after napari's own imports;
`segment` of 1 and of 24 generated tiles beside a notebook's script that loads Keras, predicts, cuts
by Otsu's method and writes the components, each from the start of the process to its end, with the
processor's own instructions and limited to those of AVX2, and the peak memory of one tile.
In one napari window: the first press of Run on a tile until its labels are there, and the longest
time in which the window answered nobody; in another one how long napari alone does not answer when
the first Labels layer is added to an image.
In one napari window: reading a SNOW tile's ``.mat`` and its image beside napari's own time to show
the two; opening each dock beside opening an empty one. Medians; only ratios and differences within
a run mean something. The package is compiled first, as pip does when it installs, and no models but
the bundled one are on the list.
"""

from __future__ import annotations

import argparse
import compileall
import importlib.util
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

IMPORT = """
from time import perf_counter
import napari, npe2
from npe2 import PluginManifest
start = perf_counter()
import napari_snow_unet
imported = perf_counter()
PluginManifest.from_distribution("napari-snow-unet")
print(imported - start, perf_counter() - imported)
"""
NOTEBOOK = """
import sys
from pathlib import Path
import cv2
import keras
import numpy as np
from napari_snow_unet.models import find_model
from napari_snow_unet.unet.models.store import load_model
network = load_model(find_model("default"))[0]
folder, out = map(Path, sys.argv[1:])
for path in sorted(folder.glob("*.png")):
    red = cv2.imread(str(path))[..., 2:].astype(np.float32) / 255
    grey = (network.predict(red[None], verbose=0)[0, ..., 0] * 255).astype(np.uint8)
    _, mask = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    cv2.imwrite(str(out / path.name), cv2.connectedComponents(mask)[1].astype(np.uint16))
"""
LIMITS = {"own instructions": {}, "AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2"}}
TILES = (1, 24)
LOOK_MS = 5  # between two looks whether the window answers
DOCKS = ("Segment nuclei", "Prepare a dataset", "Train a U-Net", "Compare with ground truth")


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    found = importlib.util.find_spec("napari_snow_unet")
    if found is not None and found.origin is not None:
        compileall.compile_dir(Path(found.origin).parent, quiet=1)
    package, manifest = import_times(rounds)
    print(f"import napari_snow_unet {package:.1f} ms, its manifest {manifest:.1f} ms")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_SNOW_UNET_MODELS"] = folder
        whole_processes(rounds)
        first_run()
        in_napari(rounds)


def import_times(rounds: int) -> tuple[float, float]:
    """Return milliseconds for package and manifest, in fresh interpreters."""
    command = [sys.executable, "-c", IMPORT]
    said = [
        subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        for _ in range(rounds)
    ]
    package, manifest = (1e3 * median(map(float, times)) for times in zip(*said, strict=True))
    return package, manifest


def whole_processes(rounds: int) -> None:
    """Time `segment` and a notebook's script in turns, from start to end, and print ratios."""
    from napari_snow_unet.data.pixels.images import write_image
    from napari_snow_unet.data.synthetic import generate_tile

    with tempfile.TemporaryDirectory() as temporary:
        tiles = Path(temporary, "tiles")
        for seed in range(max(TILES)):
            write_image(tiles / f"{seed:02d}.png", generate_tile(seed).image)
        one = Path(temporary, "one")
        write_image(one / "00.png", generate_tile(0).image)
        for (limit, environment), count in itertools.product(LIMITS.items(), TILES):
            folder = one if count == 1 else tiles
            taken: dict[str, list[float]] = {}
            for _ in range(rounds):
                for way in ("notebook", "float32", "fast"):
                    seconds, peak = _ended(way, folder, environment)
                    taken.setdefault(way, []).append(seconds)
                    if count == 1 and environment == {}:
                        taken.setdefault(f"{way}, MB", []).append(peak)
            notebook = median(taken["notebook"])
            said = ", ".join(
                f"{way} {median(taken[way]):.2f} s, notebook / this "
                f"{notebook / median(taken[way]):.2f}"
                for way in ("float32", "fast")
            )
            print(f"{count} tiles, process and all, {limit}: notebook {notebook:.2f} s; {said}")
            for way, peaks in taken.items():
                if way.endswith("MB"):
                    print(f"  largest memory, {way}: {median(peaks):.0f}")


def _ended(way: str, folder: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Run one way to its end; return seconds and the peak of its memory in MB."""
    with tempfile.TemporaryDirectory() as out:
        words = ["-c", NOTEBOOK, str(folder), out]
        if way != "notebook":
            words = ["-m", "napari_snow_unet.cli", "segment", str(folder), "-o", out]
            words += ["--precision", way, "--device", "cpu"]
        start = perf_counter()
        process = subprocess.Popen(
            [sys.executable, *words],
            env=os.environ | environment | {"CUDA_VISIBLE_DEVICES": "-1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
        seconds = perf_counter() - start
        assert status == 0, f"{way} failed"
        return seconds, used.ru_maxrss / 1024


def first_run() -> None:
    """Press Run in a fresh napari; print the time to the labels and the window's longest gap."""
    for action in (RUN, ADD_LABELS):
        code = FIRST_LABELS.format(action=action)
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        print(done.stdout.strip())


FIRST_LABELS = f"""
from time import perf_counter
import napari
from qtpy.QtCore import Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from napari_snow_unet.data.synthetic import generate_tile
tile = generate_tile(0)
viewer = napari.Viewer()
_, dock = viewer.window.add_plugin_dock_widget("napari-snow-unet", "Segment nuclei")
viewer.add_image(tile.image, rgb=True)
for _ in range(50):
    QApplication.processEvents()
beats = [perf_counter()]
timer = QTimer()
timer.timeout.connect(lambda: beats.append(perf_counter()))
timer.start({LOOK_MS})
start = perf_counter()
{{action}}
while len(viewer.layers) < 2 or dock.bar.running:
    QApplication.processEvents()
taken = perf_counter() - start
QApplication.processEvents()
beats.append(perf_counter())
gap = max(after - before for before, after in zip(beats, beats[1:]))
print(f"{{{{name}}}}: labels after {{{{taken:.2f}}}} s, longest gap {{{{gap * 1e3:.0f}}}} ms")
viewer.close()
"""
RUN = """name = "first Run in napari"
QTest.mouseClick(dock.bar.run_button, Qt.MouseButton.LeftButton)"""
ADD_LABELS = """name = "napari alone, which adds a Labels layer"
viewer.add_labels(tile.labels)"""


def in_napari(rounds: int) -> None:
    """Time reading and docks in a napari window."""
    import napari
    from qtpy.QtWidgets import QApplication, QWidget

    viewer = napari.Viewer()
    process = QApplication.processEvents
    with tempfile.TemporaryDirectory() as folder:
        reading, showing = read_and_show(viewer, Path(folder), rounds, process)
    print(
        f"reading a .mat and its image {reading:.0f} ms, napari's own time to show them "
        f"{showing:.0f} ms: {reading / showing:.2f} of it"
    )

    def empty() -> None:
        viewer.window.add_dock_widget(QWidget(), name="empty")

    base = opening(viewer, empty, rounds, process)
    print(f"an empty dock {base:.0f} ms")
    for name in DOCKS:

        def dock(name: str = name) -> None:
            viewer.window.add_plugin_dock_widget("napari-snow-unet", name)

        first, again = first_opening(dock, process), opening(viewer, dock, rounds, process)
        viewer.window.remove_dock_widget("all")
        print(f"{name}: {first - base:+.0f} ms the first time, {again - base:+.0f} ms later")
    viewer.close()


def read_and_show(
    viewer: object, folder: Path, rounds: int, process: Callable[[], None]
) -> tuple[float, float]:
    """Return milliseconds of reading a tile's files, and of showing the arrays."""
    from napari_snow_unet.data.formats.hovernet import write_hovernet_mat
    from napari_snow_unet.data.pixels.images import write_image
    from napari_snow_unet.data.synthetic import generate_tile
    from napari_snow_unet.napari_plugin.reader import get_reader

    tile = generate_tile(0)
    for part in ("Image", "Mask"):
        (folder / part).mkdir()
    write_image(folder / "Image" / "seed0000.png", tile.image)
    path = write_hovernet_mat(folder / "Mask" / "seed0000.mat", tile.labels)
    read, show = [], []
    for _ in range(rounds):
        start = perf_counter()
        layers = get_reader(str(path))(str(path))
        read.append(perf_counter() - start)
        arrays = {kind: (data, facts) for data, facts, kind in layers}
        start = perf_counter()
        viewer.add_image(arrays["image"][0])
        process()
        viewer.add_labels(arrays["labels"][0])
        process()
        show.append(perf_counter() - start)
        viewer.layers.clear()
        process()
    return 1e3 * median(read), 1e3 * median(show)


def first_opening(open_dock: Callable[[], None], process: Callable[[], None]) -> float:
    """Return milliseconds until a dock is drawn."""
    start = perf_counter()
    open_dock()
    process()
    return 1e3 * (perf_counter() - start)


def opening(
    viewer: object, open_dock: Callable[[], None], rounds: int, process: Callable[[], None]
) -> float:
    """Return the median of opening a dock again and again."""
    times = []
    for _ in range(rounds):
        viewer.window.remove_dock_widget("all")
        process()
        times.append(first_opening(open_dock, process))
    viewer.window.remove_dock_widget("all")
    process()
    return median(times)


if __name__ == "__main__":
    main()

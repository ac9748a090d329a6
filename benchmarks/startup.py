"""Time what the plugin costs before anybody computes anything.

    xvfb-run -a python benchmarks/startup.py [--rounds N]

In fresh interpreters: importing the package and reading its manifest, after napari's own imports.
In one napari window: reading a SNOW tile's ``.mat`` and its image beside napari's own time to show
the two; opening each dock beside opening an empty one. Medians; only ratios and differences within
a run mean something. The package is compiled first, as pip does when it installs, and no models but
the bundled one are on the list.
"""

from __future__ import annotations

import argparse
import compileall
import importlib.util
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
DOCKS = ("Segment nuclei", "Prepare a dataset", "Train a U-Net", "Measure a segmentation")


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

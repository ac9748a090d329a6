"""Time and compare the ways of computing a tile: the notebook's, other engines', and ours.

    python benchmarks/inference.py FOLDER [--tiles N] [--rounds N]

FOLDER holds ``images/NAME.png`` and ``masks/NAME.png`` (label images) of 512 x 512 pixels, all of
them tissue. The ways take turns, so that other work on the machine slows all of them; only the
ratios of the medians mean something.

From file to labels:

- notebook: Keras' ``predict`` for one tile, Otsu's method on the 8-bit map, connected components;
- float32, fast (bfloat16): `segment` with the bundled network;
- the folder: all tiles by the shell's command, which reads the next tile and finds the nuclei of
  the last while the network computes, beside the notebook's loop, both writing PNG files.

The network alone, 512 x 512 pixels: Keras' ``predict`` one by one and in batches of 8; ours one by
one, in batches of 8, and in threads as of a folder or a stack; on the same U-Net ONNX Runtime
(``pip install onnxruntime``) one by one and bare OpenVINO, of a fixed shape, one by one and two at
once, in its mode for that; and the network of StarDist's H&E model with random weights,
built from its published configuration (Schmidt et al. 2018, MICCAI, LNCS 11071:265-273; Weigert,
Schmidt 2022, ISBI challenge): three channels, a grid of 2 x 2, 32 rays. What is not installed is
left out. Each computes in a process of its own, as it would for a user, ROUNDS times in turns:
threads of several engines in one process are in each other's way. Beside the time stand the
arithmetic that was done per second and what a product of large matrices reaches.

Engines are at the same precision only where they are as exact. So those in bfloat16 also segment
all tiles, and their labels are held against those of float32 by what `fast` promises: mean Dice at
least 0.998, no tile below 0.98, against truth no change beyond 0.002; the same of tiles enlarged
twice and shrunk to 400 pixels.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import mean, median
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

Way = Callable[[Path], NDArray[Any]]
Compute = Callable[[NDArray[np.float32]], Any]
REFERENCE, FAST = "float32", "fast"
EDGE, BATCH, SHRUNK = 512, 8, 400
SHAPE = 1, EDGE, EDGE
LARGE = 3072  # rows of the matrices
REPEATS = 6  # times the tiles, in a process; the first does not count
OUT = "found.npz"


def main() -> None:
    """Print times, ratios and Dice coefficients."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tiles", type=int, default=0, help="only the first so many")
    parser.add_argument("--rounds", type=int, default=3, help="processes for each engine")
    parser.add_argument("--alone", choices=ENGINES, help="time this engine only, in this process")
    arguments = parser.parse_args()
    paths = sorted((arguments.folder / "images").glob("*.png"))
    paths = paths[: arguments.tiles or None]
    if arguments.alone:
        time_one(arguments.alone, paths)
        return
    file_to_labels(paths)
    whole_folder(paths)
    agreement(paths)
    network_alone(arguments.folder, arguments.rounds)


def file_to_labels(paths: Sequence[Path]) -> None:
    """Compare whole ways, and their labels with the truth."""
    from napari_snow_unet.data.formats.label_images import read_labels

    ours = {precision: _ours(precision) for precision in (REFERENCE, FAST)}
    ways: dict[str, Way] = {"notebook": _notebook(), **ours}
    for way in ways.values():
        way(paths[0])  # the trace is made here
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    truth: dict[str, list[float]] = {name: [] for name in ways}
    between = []
    for path in paths:
        labels, mask = {}, read_labels(path.parents[1] / "masks" / path.name)
        for name, way in ways.items():
            start = perf_counter()
            labels[name] = way(path)
            seconds[name].append(perf_counter() - start)
            truth[name].append(_dice(labels[name], mask))
        between.append(_dice(labels[REFERENCE], labels[FAST]))
    print(f"From file to labels, {len(paths)} tiles of {paths[0].parents[1].name}")
    for name in ways:
        ratio = median(seconds["notebook"]) / median(seconds[name])
        print(
            f"  {name:16} {median(seconds[name]) * 1e3:7.0f} ms, notebook / this {ratio:5.2f}, "
            f"Dice against truth {mean(truth[name]):.4f}"
        )
    print(f"  Dice {REFERENCE} against {FAST}: mean {mean(between):.4f}, least {min(between):.4f}")


def whole_folder(paths: Sequence[Path]) -> None:
    """Compare the notebook's loop over tiles with the command, twice in turns, files written."""
    from napari_snow_unet.batch.outputs import Outputs
    from napari_snow_unet.batch.segmenting import segment_files
    from napari_snow_unet.data.formats.label_images import write_labels
    from napari_snow_unet.models import DEFAULT, open_model
    from napari_snow_unet.segmentation.options import Options
    from napari_snow_unet.segmentation.pipeline import run

    notebook = _notebook()
    models = {name: open_model(DEFAULT, precision=name) for name in (REFERENCE, FAST)}
    seconds: dict[str, list[float]] = {"notebook": [], **{name: [] for name in models}}
    for _ in range(2):
        with tempfile.TemporaryDirectory() as temporary:
            start = perf_counter()
            for path in paths:
                write_labels(Path(temporary) / path.name, notebook(path))
            seconds["notebook"].append(perf_counter() - start)
        for name, model in models.items():
            with tempfile.TemporaryDirectory() as temporary:
                start = perf_counter()
                run(segment_files(list(paths), model, Options(), Outputs(Path(temporary))))
                seconds[name].append(perf_counter() - start)
    print(f"From a folder to a folder, {len(paths)} tiles")
    for name, taken in seconds.items():
        each, ratio = min(taken) / len(paths), min(seconds["notebook"]) / min(taken)
        print(f"  {name:16} {each * 1e3:7.0f} ms per tile, notebook / this {ratio:5.2f}")


def agreement(paths: Sequence[Path]) -> None:
    """Tell which engines in bfloat16 give the labels of float32, by what `fast` promises."""
    from napari_snow_unet.data.formats.label_images import read_labels
    from napari_snow_unet.data.pixels.images import read_image
    from napari_snow_unet.models import DEFAULT, open_model
    from napari_snow_unet.segmentation.pipeline import run, segment

    model = open_model(DEFAULT, precision=REFERENCE)
    engines = {"ours, bfloat16": open_model(DEFAULT, precision="bfloat16").predict}
    bare = openvino("bf16", of_any_size=True)
    engines["OpenVINO, bfloat16"] = lambda pixels: np.asarray(bare(pixels))[..., 0]
    images = [read_image(path).array for path in paths]
    masks = [read_labels(path.parents[1] / "masks" / path.name) for path in paths]
    for size in (EDGE, 2 * EDGE, SHRUNK):
        tiles = [_of_size(image, size) for image in images]
        truth = [_of_size(mask, size) for mask in masks]
        expected = [run(segment(image, model)).labels for image in tiles]
        before = mean(map(_dice, expected, truth))
        print(f"Labels beside those of {REFERENCE}, {len(paths)} tiles of {size} pixels")
        for name, predict in engines.items():
            fast = replace(model, predict=predict)
            found = [run(segment(image, fast)).labels for image in tiles]
            alike, after = list(map(_dice, expected, found)), mean(map(_dice, found, truth))
            fit = mean(alike) >= 0.998 and min(alike) >= 0.98 and abs(after - before) <= 0.002
            print(
                f"  {name:20} Dice: mean {mean(alike):.4f}, least {min(alike):.4f}, against truth "
                f"{after - before:+.4f}; {'good enough' if fit else 'not good enough'}"
            )


def _of_size(image: NDArray[Any], size: int) -> NDArray[Any]:
    """Resample an image as viewers do, labels without new values."""
    import cv2

    colour = image.ndim == 3
    image = image if colour else image.astype(np.float32)
    way = cv2.INTER_NEAREST if not colour else cv2.INTER_AREA if size < EDGE else cv2.INTER_CUBIC
    return cv2.resize(image, (size, size), interpolation=way)


def network_alone(folder: Path, rounds: int) -> None:
    """Compare engines on the same network, and networks on the same engine."""
    seconds: dict[str, list[float]] = {}
    maps: dict[str, NDArray[np.float32]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for name in list(ENGINES) * rounds:
            command = [sys.executable, __file__, str(folder.resolve()), "--alone", name]
            done = subprocess.run(command, cwd=temporary, capture_output=True, text=True)
            if not Path(temporary, OUT).exists():
                print(f"  left out: {name}: {done.stderr.strip().splitlines()[-1]}")
                continue
            with np.load(Path(temporary, OUT)) as found:
                seconds.setdefault(name, []).extend(found["seconds"])
                maps[name] = found["probability"]
            Path(temporary, OUT).unlink()
    unet, other = (flops(network) for network in (_network(), stardist_network()))
    ours = {kind: median(seconds[f"ours, {kind}"]) for kind in ("float32", "bfloat16")}
    print(f"The network alone, per tile of {EDGE} x {EDGE}; this / ours one by one in its format")
    for name, taken in seconds.items():
        time, kind = median(taken), "bfloat16" if "bfloat16" in name else "float32"
        stardist = "StarDist" in name
        apart = "" if stardist else f", {np.abs(maps[name] - maps['ours, float32']).max():.5f}"
        print(
            f"  {name:34} {time * 1e3:7.1f} ms, {time / ours[kind]:5.2f}, "
            f"{(other if stardist else unet) / time / 1e9:6.0f} GFLOP/s"
            + (f"{apart} from ours in float32" if apart else "")
        )
    for precision in (REFERENCE, FAST):
        print(f"  product of matrices, {precision}: {peak(precision) / 1e9:.0f} GFLOP/s")


def time_one(name: str, paths: Sequence[Path]) -> None:
    """Time one engine in this process, and write seconds per tile and the first map."""
    from napari_snow_unet.data.pixels.images import read_image

    tiles = np.stack([read_image(path).array[..., :1] for path in paths[:BATCH]])
    tiles = np.resize(tiles, (BATCH, EDGE, EDGE, 1)) / np.float32(255)
    size, engine = ENGINES[name]
    call, seconds = engine(), []
    found = call(tiles[:size])
    for number in range(REPEATS):
        start = perf_counter()
        for first in range(0, BATCH, size):
            call(tiles[first : first + size])
        if number:
            seconds.append((perf_counter() - start) / BATCH)
    probability = np.zeros(1) if found is None else np.reshape(found, tiles[:size].shape)[0]
    np.savez(OUT, seconds=seconds, probability=probability)


def ours(precision: str) -> Compute:
    """Predict as `segment` does."""
    from napari_snow_unet.models import DEFAULT, open_model

    return open_model(DEFAULT, precision=precision).predict


def keras_predict() -> Compute:
    """Compute with Keras' own ``predict``."""
    network = _network()
    return lambda pixels: network.predict(pixels, verbose=0, batch_size=BATCH)


def in_threads(precision: str) -> Compute:
    """Predict window by window from several threads, as `segment` does with a folder's images."""
    from napari_snow_unet.models import DEFAULT, open_model

    model = open_model(DEFAULT, precision=precision)
    threads = ThreadPoolExecutor(model.calls_at_once)
    return lambda pixels: np.concatenate(list(threads.map(model.predict, pixels[:, None])))


def onnx_runtime() -> Compute:
    """Run the exported network in ONNX Runtime."""
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        session = onnxruntime.InferenceSession(
            str(_exported(folder)), providers=["CPUExecutionProvider"]
        )
    name = session.get_inputs()[0].name
    return lambda pixels: session.run(None, {name: pixels})[0]


def openvino(hint: str, *, two: bool = False, of_any_size: bool = False) -> Compute:
    """Run the exported network in OpenVINO: one window after the other, or two at once."""
    from napari_snow_unet.unet.engine.openvino import load_openvino

    ov = load_openvino()  # without its telemetry
    with tempfile.TemporaryDirectory() as folder:
        network = ov.Core().read_model(_exported(folder))
    if not of_any_size:
        network.reshape([1, EDGE, EDGE, 1])
    mode = "THROUGHPUT" if two else "LATENCY"
    options = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": mode}
    compiled = ov.Core().compile_model(network, "CPU", options)
    if not two:
        return lambda pixels: compiled(pixels)[0]
    queue = ov.AsyncInferQueue(compiled, 2)

    def compute(pixels: NDArray[np.float32]) -> Any:
        found = np.empty(pixels.shape, np.float32)

        def keep(request: Any, number: int) -> None:
            found[number] = request.get_output_tensor().data[0]

        queue.set_callback(keep)
        for number in range(len(pixels)):
            queue.start_async({0: pixels[number : number + 1]}, number)
        queue.wait_all()
        return found

    return compute


def _exported(folder: str) -> Path:
    from napari_snow_unet.models import DEFAULT, export_model

    return export_model(DEFAULT, Path(folder) / "model.onnx")


def stardist_network(precision: str = REFERENCE) -> Any:
    """Build the network of StarDist's model for H&E with random weights."""
    import keras
    from keras import layers

    def twice(x: Any, filters: int) -> Any:
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", dtype=precision)(x)
        return x

    pixels = keras.Input((None, None, 3))
    x, skips = layers.MaxPooling2D(2, dtype=precision)(twice(pixels, 32)), []
    for level in range(3):
        skips.append(twice(x, 32 * 2**level))
        x = layers.MaxPooling2D(2, dtype=precision)(skips[-1])
    for filters in (256, 128):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", dtype=precision)(x)
    for level in reversed(range(3)):
        x = layers.UpSampling2D(2, dtype=precision)(x)
        x = layers.Concatenate(dtype=precision)([x, skips[level]])
        for filters in (32 * 2**level, max(32, 32 * 2 ** (level - 1))):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", dtype=precision)(x)
    x = layers.Conv2D(128, 3, padding="same", activation="relu", dtype=precision)(x)
    probability = layers.Conv2D(1, 1, activation="sigmoid", dtype=precision)(x)
    distances = layers.Conv2D(32, 1, dtype=precision)(x)
    both = layers.Concatenate(dtype="float32")([probability, distances])
    return keras.Model(pixels, both)


def stardist(precision: str) -> Compute:
    """Call StarDist's network as ours is called."""
    from napari_snow_unet.unet.engine.fast_calls import traced_call
    from napari_snow_unet.unet.engine.selection import load_engine

    load_engine()
    call = traced_call(stardist_network("mixed_bfloat16" if precision == FAST else precision))

    def compute(pixels: NDArray[np.float32]) -> None:
        call(np.repeat(pixels, 3, -1))

    return compute


def flops(network: Any) -> float:
    """Count multiplications and additions of the convolutions for one tile."""
    import keras

    shapes = keras.Model(
        network.input,
        [layer.output for layer in network.layers if layer.weights],
    ).compute_output_shape((1, EDGE, EDGE, network.input_shape[-1]))
    total = 0.0
    for layer, shape in zip([x for x in network.layers if x.weights], shapes, strict=True):
        rows, columns = shape[1:3]
        taps = np.prod(layer.kernel.shape)  # a transposed one of stride 2 meets a pixel once
        share = 4 if isinstance(layer, keras.layers.Conv2DTranspose) else 1
        total += 2 * float(taps) * rows * columns / share
    return total


def peak(precision: str) -> float:
    """Measure how many operations per second a product of large matrices reaches."""
    from keras import ops

    kind = "bfloat16" if precision == FAST else "float32"
    matrix = ops.cast(np.random.default_rng(0).random((LARGE, LARGE), dtype=np.float32), kind)
    seconds = []
    for _ in range(8):
        start = perf_counter()
        ops.convert_to_numpy(ops.cast(ops.matmul(matrix, matrix)[0, 0], "float32"))
        seconds.append(perf_counter() - start)
    return 2 * LARGE**3 / min(seconds[1:])


def _network() -> Any:
    from napari_snow_unet.models import DEFAULT_MODEL, find_model
    from napari_snow_unet.unet.engine.selection import load_engine

    load_engine()
    from napari_snow_unet.unet.models.store import load_model

    return load_model(find_model(DEFAULT_MODEL))[0]


def _notebook() -> Way:
    import cv2

    from napari_snow_unet.data.pixels.images import read_image

    network = _network()

    def label(path: Path) -> NDArray[Any]:
        red = read_image(path).array[..., :1].astype(np.float32) / 255
        grey = (network.predict(red[None], verbose=0)[0, ..., 0] * 255).astype(np.uint8)
        _, mask = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        return np.asarray(cv2.connectedComponents(mask)[1])

    return label


def _ours(precision: str) -> Way:
    from napari_snow_unet.data.pixels.images import read_image
    from napari_snow_unet.models import DEFAULT, open_model
    from napari_snow_unet.segmentation.pipeline import run, segment

    model = open_model(DEFAULT, precision=precision)
    return lambda path: run(segment(read_image(path).array, model)).labels


def _dice(first: NDArray[Any], second: NDArray[Any]) -> float:
    both = np.count_nonzero((first > 0) & (second > 0))
    total = np.count_nonzero(first) + np.count_nonzero(second)
    return 2 * both / total if total else 1.0


#: How many tiles a call takes, and what makes the call.
ENGINES: dict[str, tuple[int, Callable[[], Compute]]] = {
    "Keras predict, one by one": (1, keras_predict),
    "Keras predict, batches of 8": (BATCH, keras_predict),
    "ours, float32": (1, partial(ours, REFERENCE)),
    "ours, float32, batches of 8": (BATCH, partial(ours, REFERENCE)),
    "ours, float32, in threads": (BATCH, partial(in_threads, REFERENCE)),
    "ONNX Runtime, float32": (1, onnx_runtime),
    "OpenVINO, float32": (1, partial(openvino, "f32")),
    "OpenVINO, float32, two at once": (BATCH, partial(openvino, "f32", two=True)),
    "ours, bfloat16": (1, partial(ours, FAST)),
    "ours, bfloat16, batches of 8": (BATCH, partial(ours, FAST)),
    "ours, bfloat16, in threads": (BATCH, partial(in_threads, FAST)),
    "OpenVINO, bfloat16": (1, partial(openvino, "bf16")),
    "OpenVINO, bfloat16, two at once": (BATCH, partial(openvino, "bf16", two=True)),
    "StarDist's network, float32": (1, partial(stardist, REFERENCE)),
    "StarDist's network, bfloat16": (1, partial(stardist, FAST)),
}

if __name__ == "__main__":
    main()

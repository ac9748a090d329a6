"""Time and compare the ways of computing a tile: the notebook's, other engines', and ours.

    python benchmarks/inference.py FOLDER [--tiles N] [--rounds N]

FOLDER holds ``images/NAME.png`` and ``masks/NAME.png`` (label images) of 512 x 512 pixels, all of
them tissue. Every tile goes through all ways one after the other, so that other work on the machine
slows all of them; only the ratios of the medians mean something.

From file to labels:

- notebook: Keras' ``predict`` for one tile, Otsu's method on the 8-bit map, connected components;
- float32, mixed_bfloat16: `segment` with the bundled network;
- the folder: all tiles by the shell's command, which reads the next tile and finds the nuclei of
  the last while the network computes, beside the notebook's loop, both writing PNG files.

The network alone, 512 x 512 pixels: Keras' ``predict`` one by one and in batches of 8, ours, ONNX
Runtime (``pip install onnxruntime tf2onnx``) and OpenVINO (``pip install openvino``) on the same
U-Net, and the network of StarDist's H&E model with random weights, built from its published
configuration (Schmidt et al. 2018, MICCAI, LNCS 11071:265-273; Weigert, Schmidt 2022, ISBI
challenge): three channels, a grid of 2 x 2, 32 rays. What is not installed is left out. Beside the
time stand the arithmetic that was done per second and what a product of large matrices reaches.

Engines are at the same precision only where they are as exact. So those in bfloat16 also segment
all tiles, and their labels are held against those of float32 as the choice of `auto` asks for:
mean Dice at least 0.995, no tile below 0.985, against truth no change beyond 0.002.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean, median
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

Way = Callable[[Path], NDArray[Any]]
Calls = dict[str, tuple[int, Callable[[NDArray[np.float32]], Any], float]]
REFERENCE, FAST = "float32", "mixed_bfloat16"
EDGE, BATCH = 512, 8
SHAPE = 1, EDGE, EDGE
LARGE = 3072  # rows of the matrices


def main() -> None:
    """Print times, ratios and Dice coefficients."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tiles", type=int, default=0, help="only the first so many")
    parser.add_argument("--rounds", type=int, default=15, help="of the network alone")
    arguments = parser.parse_args()
    paths = sorted((arguments.folder / "images").glob("*.png"))
    paths = paths[: arguments.tiles or None]
    file_to_labels(paths)
    whole_folder(paths)
    calls = engines()
    agreement(paths, calls)
    network_alone(paths[:BATCH], arguments.rounds, calls)


def file_to_labels(paths: Sequence[Path]) -> None:
    """Compare whole ways, and their labels with the truth."""
    from napari_snow_unet.data.images import read_labels

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
    from napari_snow_unet.batch.segmenting import segment_files
    from napari_snow_unet.batch.writing import Outputs
    from napari_snow_unet.data.images import write_labels
    from napari_snow_unet.models import DEFAULT, open_model
    from napari_snow_unet.segmentation.options import Options
    from napari_snow_unet.segmentation.pipeline import run

    notebook, model = _notebook(), open_model(DEFAULT, precision=FAST)
    seconds: dict[str, list[float]] = {"notebook": [], FAST: []}
    for _ in range(2):
        with tempfile.TemporaryDirectory() as temporary:
            start = perf_counter()
            for path in paths:
                write_labels(Path(temporary) / path.name, notebook(path))
            seconds["notebook"].append(perf_counter() - start)
        with tempfile.TemporaryDirectory() as temporary:
            start = perf_counter()
            run(segment_files(list(paths), model, Options(), Outputs(Path(temporary))))
            seconds[FAST].append(perf_counter() - start)
    print(f"From a folder to a folder, {len(paths)} tiles")
    for name, taken in seconds.items():
        each, ratio = min(taken) / len(paths), min(seconds["notebook"]) / min(taken)
        print(f"  {name:16} {each * 1e3:7.0f} ms per tile, notebook / this {ratio:5.2f}")


def agreement(paths: Sequence[Path], calls: Calls) -> None:
    """Tell which engines in bfloat16 give the labels of float32, by the rule for `auto`."""
    from napari_snow_unet.data.images import read_image, read_labels
    from napari_snow_unet.models import DEFAULT, open_model
    from napari_snow_unet.segmentation.pipeline import run, segment

    model = open_model(DEFAULT, precision=REFERENCE)
    images = [read_image(path).array for path in paths]
    masks = [read_labels(path.parents[1] / "masks" / path.name) for path in paths]
    expected = [run(segment(image, model)).labels for image in images]
    before = mean(map(_dice, expected, masks))
    print(f"Labels beside those of {REFERENCE}, {len(paths)} tiles")
    for name, (size, call, _) in calls.items():
        if size > 1 or "bfloat16" not in name or "StarDist" in name:
            continue
        predict = replace(model, predict=lambda pixels, call=call: np.reshape(call(pixels), SHAPE))
        found = [run(segment(image, predict)).labels for image in images]
        alike, after = list(map(_dice, expected, found)), mean(map(_dice, found, masks))
        fit = mean(alike) >= 0.995 and min(alike) >= 0.985 and abs(after - before) <= 0.002
        print(
            f"  {name:20} Dice: mean {mean(alike):.4f}, least {min(alike):.4f}, against truth "
            f"{after - before:+.4f}; {'good enough' if fit else 'not good enough'} for auto"
        )


def network_alone(paths: Sequence[Path], rounds: int, calls: Calls) -> None:
    """Compare engines on the same network, and networks on the same engine."""
    from napari_snow_unet.data.images import read_image
    from napari_snow_unet.models import DEFAULT, open_model

    tiles = np.stack([read_image(path).array[..., :1] for path in paths]) / np.float32(255)
    tiles = np.resize(tiles, (BATCH, EDGE, EDGE, 1))
    expected = open_model(DEFAULT, precision=REFERENCE).predict(tiles[:1])
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, (size, call, _) in calls.items():
            call(tiles[:1])  # threads of the way before it, which may still spin, come to rest
            start = perf_counter()
            found = call(tiles[:size])
            if turn:
                seconds[name].append((perf_counter() - start) / size)
            elif found is not None:
                apart = np.abs(np.reshape(found, tiles[:size, ..., 0].shape)[:1] - expected).max()
                print(f"  {name:34} largest difference to ours in float32: {apart:.5f}")
    ours = {REFERENCE: median(seconds["ours, float32"]), FAST: median(seconds["ours, bfloat16"])}
    peaks = {precision: peak(precision) for precision in (REFERENCE, FAST)}
    print(f"The network alone, per tile of {EDGE} x {EDGE}")
    for name, (_, _, arithmetic) in calls.items():
        time, precision = median(seconds[name]), FAST if "bfloat16" in name else REFERENCE
        print(
            f"  {name:34} {time * 1e3:7.1f} ms, this / ours in its format "
            f"{time / ours[precision]:5.2f}, {arithmetic / time / 1e9:6.0f} GFLOP/s"
        )
    for precision, reached in peaks.items():
        print(f"  product of matrices, {precision}: {reached / 1e9:.0f} GFLOP/s")


def engines() -> Calls:
    """Return batch size, call and arithmetic (FLOP per tile) of every way that is installed."""
    from napari_snow_unet.models import DEFAULT, find_model, open_model
    from napari_snow_unet.models import DEFAULT_MODEL as NAME

    ours = {precision: open_model(DEFAULT, precision=precision) for precision in (REFERENCE, FAST)}
    from napari_snow_unet.unet.store import load_model

    network, _ = load_model(find_model(NAME))
    unet, other = flops(network), stardist_network()
    fast_other = stardist_network(FAST)

    def keras_predict(pixels: NDArray[np.float32]) -> Any:
        return network.predict(pixels, verbose=0, batch_size=BATCH)

    calls: Calls = {
        "Keras predict, one by one": (1, keras_predict, unet),
        "Keras predict, batches of 8": (BATCH, keras_predict, unet),
        "ours, float32": (1, ours[REFERENCE].predict, unet),
        "ours, float32, batches of 8": (BATCH, ours[REFERENCE].predict, unet),
        "ours, bfloat16": (1, ours[FAST].predict, unet),
        "ours, bfloat16, batches of 8": (BATCH, ours[FAST].predict, unet),
    }
    for engine in (onnx_runtime, openvino):
        try:
            calls |= {name: (1, call, unet) for name, call in engine().items()}
        except ImportError as missing:
            print(f"  left out: {missing}")
    calls["StarDist's network, float32"] = 1, called(other), flops(other)
    calls["StarDist's network, bfloat16"] = 1, called(fast_other), flops(other)
    return calls


def onnx_runtime() -> dict[str, Callable[[NDArray[np.float32]], Any]]:
    """Run the exported network in ONNX Runtime."""
    import onnxruntime

    from napari_snow_unet.models import DEFAULT, export_model

    with tempfile.TemporaryDirectory() as folder:
        path = export_model(DEFAULT, Path(folder) / "model.onnx")
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return {"ONNX Runtime, float32": lambda pixels: session.run(None, {name: pixels})[0]}


def openvino() -> dict[str, Callable[[NDArray[np.float32]], Any]]:
    """Run the exported network in OpenVINO, in both formats."""
    import openvino as ov

    from napari_snow_unet.models import DEFAULT, export_model

    with tempfile.TemporaryDirectory() as folder:
        path = export_model(DEFAULT, Path(folder) / "model.onnx")
        network = ov.Core().read_model(path)
        network.reshape([1, EDGE, EDGE, 1])
    made = {}
    for name, hint in (("float32", "f32"), ("bfloat16", "bf16")):
        options = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "LATENCY"}
        compiled = ov.Core().compile_model(network, "CPU", options)
        made[f"OpenVINO, {name}"] = lambda pixels, compiled=compiled: compiled(pixels)[0]
    return made


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


def called(network: Any) -> Callable[[NDArray[np.float32]], None]:
    """Call a network of three channels as ours is called."""
    from napari_snow_unet.unet.backend import traced_call

    call = traced_call(network)

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


def _notebook() -> Way:
    from napari_snow_unet.data.images import read_image
    from napari_snow_unet.models import DEFAULT, find_model, open_model
    from napari_snow_unet.models import DEFAULT_MODEL as NAME

    open_model(DEFAULT)  # prepares the engine
    import cv2

    from napari_snow_unet.unet.store import load_model

    network, _ = load_model(find_model(NAME))

    def label(path: Path) -> NDArray[Any]:
        red = read_image(path).array[..., :1].astype(np.float32) / 255
        grey = (network.predict(red[None], verbose=0)[0, ..., 0] * 255).astype(np.uint8)
        _, mask = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        return np.asarray(cv2.connectedComponents(mask)[1])

    return label


def _ours(precision: str) -> Way:
    from napari_snow_unet.data.images import read_image
    from napari_snow_unet.models import DEFAULT, open_model
    from napari_snow_unet.segmentation.pipeline import run, segment

    model = open_model(DEFAULT, precision=precision)
    return lambda path: run(segment(read_image(path).array, model)).labels


def _dice(first: NDArray[Any], second: NDArray[Any]) -> float:
    both = np.count_nonzero((first > 0) & (second > 0))
    total = np.count_nonzero(first) + np.count_nonzero(second)
    return 2 * both / total if total else 1.0


if __name__ == "__main__":
    main()

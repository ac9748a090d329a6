"""Export of a model as a package of the BioImage Model Zoo.

References
----------
.. [1] W. Ouyang et al., "BioImage Model Zoo: A Community-Driven Resource for Accessible Deep
       Learning in BioImage Analysis", bioRxiv 2022.06.07.495102, 2022; the description follows
       version 0.5 of its model specification.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np

from napari_snow_unet.base.files import written_whole
from napari_snow_unet.data.pixels.channels import network_input
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.unet.models.onnx import OPSET, write_onnx
from napari_snow_unet.unet.models.store import read_model
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.network.halo import window_halo
from napari_snow_unet.unet.network.operators import Arrays
from napari_snow_unet.unet.network.predictor import on_processor

EXAMPLE_SEED, EXAMPLE_SIZE = 2026, 256
FORMAT, DESCRIPTION = "0.5.4", "rdf.yaml"
WEIGHTS, INPUT, OUTPUT, README = "weights.onnx", "input.npy", "output.npy", "README.md"
CITE = {
    "10.1007/978-3-319-24574-4_28": "Ronneberger, Fischer, Brox 2015, U-Net, MICCAI",
    "10.1038/s41597-023-02125-y": "Ding et al. 2023, SNOW, Scientific Data 10:231",
}
TEXT = """# {name}

A U-Net that finds cell nuclei in H&E-stained sections of breast tissue: it predicts the probability
of nucleus for every pixel. Made with napari-snow-unet.

## How to use it

- Input: the {channel} channel of the image, {values}{scale}.
- Output: probability from 0 to 1. Otsu's threshold, never below {floor:g}, gives the nuclei;
  napari-snow-unet separates touching nuclei and removes those below 5 square micrometres.

For research and teaching; not a medical device.

## Training

{trained_on}

## Validation

Before you rely on the labels, compare them with annotations of your own images:
`napari-snow-unet evaluate` computes Dice, PQ, AJI and the Hausdorff distance.
"""


def write_zoo_package(
    folder: str | os.PathLike[str], path: str | os.PathLike[str], *, overwrite: bool = False
) -> Path:
    """Write a model as ``NAME.zip`` of the zoo, with ONNX weights and an example."""
    # The description is JSON, which is valid YAML. The input is 0 to 255 for channels that images
    # have, and 0 to 1 for channels that are computed.
    config, arrays = read_model(folder)
    with tempfile.TemporaryDirectory(prefix="napari-snow-unet-") as name:
        parts = Path(name)
        write_onnx(config, arrays, parts / WEIGHTS)
        _write_example(config, arrays, parts)
        (parts / README).write_text(_readme(config), encoding="utf-8")
        text = json.dumps(_description(config, parts), indent=2, ensure_ascii=False)
        (parts / DESCRIPTION).write_text(text, encoding="utf-8")
        with (
            written_whole(path, overwrite=overwrite) as temporary,
            ZipFile(temporary, "w", ZIP_DEFLATED) as archive,
        ):
            for part in sorted(parts.iterdir()):
                archive.write(part, part.name)
    return Path(path)


def _is_stored(config: UNetConfig) -> bool:
    """Tell whether the network reads a channel that images have."""
    return config.channel in ("red", "green", "blue", "rgb")


def _write_example(config: UNetConfig, arrays: Arrays, folder: Path) -> None:
    image = generate_tile(EXAMPLE_SEED, size=EXAMPLE_SIZE).image
    pixels = network_input(image, config.channel)
    pixels = pixels[None] if pixels.ndim == 3 else pixels[None, ..., None]
    probability = on_processor(config, arrays, "float32").predict(pixels)[..., None]
    stored = np.rint(pixels * 255).astype(np.uint8) if _is_stored(config) else pixels
    np.save(folder / INPUT, stored)
    np.save(folder / OUTPUT, probability)


def _readme(config: UNetConfig) -> str:
    scale = ""
    if config.pixel_size_um is not None:
        scale = ", at {:.2g} to {:.2g} micrometres per pixel".format(*config.pixel_size_um)
    return TEXT.format(
        name=config.name,
        channel=config.channel,
        values="0 to 255" if _is_stored(config) else "0 to 1",
        scale=scale,
        floor=config.threshold_floor,
        trained_on=config.trained_on or "Unknown.",
    )


def _description(config: UNetConfig, parts: Path) -> dict[str, Any]:
    """Return the model description of the zoo, as plain values."""
    return {
        "type": "model",
        "format_version": FORMAT,
        "name": _allowed(config.name),
        "description": "Probability of cell nucleus in H&E-stained sections of breast tissue",
        "authors": [{"name": "napari-snow-unet maintainers"}],
        "cite": [{"text": text, "doi": doi} for doi, text in CITE.items()],
        "license": "BSD-3-Clause",
        "documentation": _file(parts, README),
        "tags": ["unet", "nuclei", "segmentation", "histopathology", "breast-cancer"],
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "inputs": [_input(config, parts)],
        "outputs": [_output(config, parts)],
        "weights": {"onnx": {**_file(parts, WEIGHTS), "opset_version": OPSET}},
    }


def _input(config: UNetConfig, parts: Path) -> dict[str, Any]:
    scaled = [{"id": "scale_linear", "kwargs": {"gain": 1 / 255}}] if _is_stored(config) else []
    # A tile must be larger than the margin that is cut off.
    smallest = -(-(2 * window_halo(config) + config.stride) // EXAMPLE_SIZE) * EXAMPLE_SIZE
    size = {"min": smallest, "step": config.stride}
    names = ["red", "green", "blue"] if config.channel == "rgb" else [config.channel]
    return {
        "id": "pixels",
        "description": f"The {config.channel} channel of an H&E image",
        "axes": [
            {"type": "batch"},
            {"type": "space", "id": "y", "size": size},
            {"type": "space", "id": "x", "size": size},
            {"type": "channel", "channel_names": names},
        ],
        "test_tensor": _file(parts, INPUT),
        "data": {"type": "uint8" if _is_stored(config) else "float32"},
        "preprocessing": [*scaled, {"id": "ensure_dtype", "kwargs": {"dtype": "float32"}}],
    }


def _output(config: UNetConfig, parts: Path) -> dict[str, Any]:
    space = {"type": "space", "halo": window_halo(config)}
    sizes = {axis: {"tensor_id": "pixels", "axis_id": axis} for axis in "yx"}
    return {
        "id": "probability",
        "description": "Probability of nucleus",
        "axes": [
            {"type": "batch"},
            *({**space, "id": axis, "size": size} for axis, size in sizes.items()),
            {"type": "channel", "channel_names": ["nucleus"]},
        ],
        "test_tensor": _file(parts, OUTPUT),
        "data": {"type": "float32", "range": [0.0, 1.0]},
    }


def _file(parts: Path, name: str) -> dict[str, str]:
    return {"source": name, "sha256": sha256((parts / name).read_bytes()).hexdigest()}


def _allowed(name: str) -> str:
    """Return a name with at least five characters, all of them allowed by the zoo."""
    kept = re.sub(r"[^\w+\-() ]", "-", name)
    return kept if len(kept) >= 5 else f"nuclei {kept}".strip()

"""The models a person can choose from, and opening one."""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from pathlib import Path
from typing import Literal

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.precision import PRECISIONS, Precision, precision_of
from napari_snow_unet.models.listing import (
    CLASSICAL,
    DEFAULT,
    DEFAULT_MODEL,
    ModelEntry,
    UnknownModelError,
    bundled_folder,
    describe_model,
    find_model,
    list_models,
)
from napari_snow_unet.segmentation import classical
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.unet.models import folder as models_folder

__all__ = [
    "CLASSICAL",
    "DEFAULT",
    "DEFAULT_MODEL",
    "ModelEntry",
    "UnknownModelError",
    "describe_model",
    "export_model",
    "find_model",
    "list_models",
    "open_model",
]

DeviceChoice = Literal["auto", "cpu", "gpu"]
# HDF5 refuses a file that another thread of the process is opening in another way; and who comes
# second finds the network loaded.
_OPENING = threading.Lock()


def open_model(
    name_or_path: str | os.PathLike[str] = DEFAULT,
    *,
    precision: str = "float32",
    device: DeviceChoice = "auto",
) -> Model:
    """Open a model for `segmentation.pipeline.segment`.

    Parameters
    ----------
    name_or_path : str or path-like, default: "default"
        A name from `list_models` or a model folder. What holds a path separator, or is no known
        name, is a path. The two networks opened last stay in memory and are not read again while
        their weights on disk are unchanged.
    precision : {"float32", "fast", "bfloat16", "float16"}, default: "float32"
        Number format of the network. float32 gives the same labels on every computer but for a few
        pixels. "fast" is bfloat16 where the processor multiplies it in hardware, else float32; on a
        GPU what it is fastest in. The others insist: float16 is for GPUs.
    device : {"auto", "cpu", "gpu"}, default: "auto"
        "auto" takes a GPU where there is one; "gpu" insists on it.

    Returns
    -------
    Model
        What the pipeline needs.

    Raises
    ------
    UnknownModelError
        If there is no such model.
    InputError
        If it is damaged or may hold code, there is no GPU and it has to be one, or the precision is
        another or cannot be had here.
    """
    wanted_precision = precision_of(precision)
    if wanted_precision is None:
        raise InputError(
            f"the precision {precision!r}",
            expected="one of " + ", ".join(PRECISIONS),
            remedy="Choose one of these.",
        )
    wanted = os.fspath(name_or_path)
    if wanted == CLASSICAL:
        return classical.model()
    folder = find_model(wanted)
    checksum = models_folder.verify(folder)
    with _OPENING:
        return _open_network(folder, checksum, wanted_precision, device)


def export_model(
    name_or_path: str | os.PathLike[str], path: Path, *, overwrite: bool = False
) -> Path:
    """Write a network for other programs, as ``.onnx`` or a package of the BioImage Model Zoo."""
    wanted = os.fspath(name_or_path)
    if wanted == CLASSICAL:
        raise InputError(
            "the classical method, which is no network",
            expected="a network",
            remedy="Choose one of the models that are there.",
            helps=("list_models",),
        )
    folder = find_model(wanted)
    if path.suffix.lower() == ".onnx":
        from napari_snow_unet.unet.models.onnx import write_onnx
        from napari_snow_unet.unet.models.store import read_model

        return write_onnx(*read_model(folder), path, overwrite=overwrite)
    from napari_snow_unet.unet.models.bioimageio import write_zoo_package

    return write_zoo_package(folder, path, overwrite=overwrite)


@lru_cache(maxsize=2)
def _open_network(folder: Path, checksum: str, precision: Precision, device: DeviceChoice) -> Model:
    from napari_snow_unet.unet.engine.selection import may_have_gpu
    from napari_snow_unet.unet.models.keras_process import on_gpu
    from napari_snow_unet.unet.models.store import read_model
    from napari_snow_unet.unet.network.halo import window_halo
    from napari_snow_unet.unet.network.predictor import on_processor

    config, arrays = read_model(folder)
    network = None
    if device == "gpu" or (device == "auto" and may_have_gpu()):
        network = on_gpu(config, folder, precision, insist=device == "gpu")
    network = network or on_processor(config, arrays, precision)
    listed = folder.parent in (bundled_folder().resolve(), models_folder.user_folder().resolve())
    return Model(
        predict=network.predict,
        name=folder.name if listed else config.name,
        checksum=checksum,
        channel=config.channel,
        halo=window_halo(config),
        pixel_size_um=config.pixel_size_um,
        threshold_floor=config.threshold_floor,
        white=config.white,
        precision=network.precision,
        device=network.device,
        folder="" if listed else str(folder),
        calls_at_once=network.calls_at_once,
        window_that_fits=network.room.edge_that_fits,
        messages=network.messages,
        release_memory=network.release_memory,
    )

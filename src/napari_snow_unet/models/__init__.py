"""The available models, and opening one."""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from pathlib import Path
from typing import Literal

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.options import refusal
from napari_snow_unet.base.precision import PRECISIONS, Precision, precision_of
from napari_snow_unet.models import messages
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
from napari_snow_unet.models.mean import mean_of, names_in
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
# HDF5 fails if two threads open a file in different modes. The second caller finds the network
# in the cache.
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
        A name from `list_models`, or a model folder. A text with a path separator, or that is not
        the name of a model, is a path. ``a+b`` is the mean prediction of two models. The two
        networks opened last stay in memory and are not read again while their weights on disk are
        unchanged.
    precision : {"float32", "fast", "bfloat16", "float16"}, default: "float32"
        Number format of the network. float32 gives the same labels on every computer except for a
        few pixels. "fast" is bfloat16 where the processor multiplies it in hardware, else float32;
        on a GPU it is the fastest format. The others are required; float16 is for GPUs.
    device : {"auto", "cpu", "gpu"}, default: "auto"
        "auto" uses a GPU if there is one; "gpu" requires one.

    Returns
    -------
    Model
        The model for the pipeline.

    Raises
    ------
    UnknownModelError
        If there is no model of that name.
    InputError
        If the model is damaged or may contain code, or if the device or the number format is not
        available.
    """
    wanted_precision = precision_of(precision)
    if wanted_precision is None:
        raise refusal("precision", precision, "one of " + ", ".join(PRECISIONS))
    wanted = os.fspath(name_or_path)
    if len(names := names_in(wanted)) > 1:
        return mean_of([open_model(each, precision=precision, device=device) for each in names])
    if wanted == CLASSICAL:
        return classical.model()
    folder = find_model(wanted)
    checksum = models_folder.verify(folder)
    with _OPENING:
        return _open_network(folder, checksum, wanted_precision, device)


def export_model(
    name_or_path: str | os.PathLike[str], path: Path, *, overwrite: bool = False
) -> Path:
    """Export a network as ``.onnx`` or as a package of the BioImage Model Zoo."""
    wanted = os.fspath(name_or_path)
    if wanted == CLASSICAL:
        raise InputError(messages.NOT_A_NETWORK)
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

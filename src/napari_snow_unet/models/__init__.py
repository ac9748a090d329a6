"""The models a person can choose from, and opening one."""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

from napari_snow_unet.base.errors import InputError
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
    "PRECISIONS",
    "ModelEntry",
    "Precision",
    "UnknownModelError",
    "describe_model",
    "export_model",
    "find_model",
    "list_models",
    "open_model",
]

Precision = Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"]
PRECISIONS: tuple[str, ...] = get_args(Precision)
# HDF5 refuses a file that another thread of the process is opening in another way; and who comes
# second finds the network loaded.
_OPENING = threading.Lock()


def open_model(name_or_path: str | os.PathLike[str] = DEFAULT, *, precision: str = "auto") -> Model:
    """Open a model for `segmentation.pipeline.segment`.

    Parameters
    ----------
    name_or_path : str or path-like, default: "default"
        A name from `list_models` or a model folder. What holds a path separator, or is no known
        name, is a path. The two networks opened last stay in memory and are not read again while
        their weights on disk are unchanged.
    precision : {"auto", "float32", "mixed_bfloat16", "mixed_float16"}, default: "auto"
        Number format of the network; "auto" is bfloat16 where the machine multiplies it in
        hardware, else float32. The classical method has none.

    Returns
    -------
    Model
        What the pipeline needs.

    Raises
    ------
    UnknownModelError
        If there is no such model.
    InputError
        If it is damaged or may hold code, no network library can be imported, or the precision is
        another.
    """
    if precision not in PRECISIONS:
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
        exact = _fast_precision() if precision == "auto" else precision
        return _open_network(folder, checksum, exact)


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
    from napari_snow_unet.unet.engine import selection

    selection.load_engine()
    if path.suffix.lower() == ".onnx":
        from napari_snow_unet.unet.models.onnx import write_onnx
        from napari_snow_unet.unet.models.store import load_model

        return write_onnx(load_model(folder)[0], path, overwrite=overwrite)
    from napari_snow_unet.unet.models.bioimageio import write_zoo_package

    return write_zoo_package(folder, path, overwrite=overwrite)


def _fast_precision() -> str:
    """Return the fastest number format whose labels were compared with those of float32."""
    from napari_snow_unet.unet.engine.precision import fast_precision

    # bfloat16 was compared on real tiles (docs/scale.md), half precision was not.
    fast = fast_precision()
    return fast if fast == "mixed_bfloat16" else "float32"


@lru_cache(maxsize=2)
def _open_network(folder: Path, checksum: str, precision: str) -> Model:
    from napari_snow_unet.unet.engine import fast_calls, selection

    device = selection.load_engine()
    from napari_snow_unet.unet.models.store import load_model
    from napari_snow_unet.unet.network.build import for_prediction, window_halo
    from napari_snow_unet.unet.network.predictor import make_predictor, window_that_fits

    network, config = load_model(folder, precision=precision)
    network = for_prediction(network, config)
    listed = folder.parent in (bundled_folder().resolve(), models_folder.user_folder().resolve())
    return Model(
        predict=make_predictor(network),
        name=folder.name if listed else config.name,
        checksum=checksum,
        channel=config.channel,
        halo=window_halo(config),
        pixel_size_um=config.pixel_size_um,
        threshold_floor=config.threshold_floor,
        white=config.white,
        precision=precision,
        device=f"{device.name} ({device.kind}, {device.backend})",
        folder="" if listed else str(folder),
        calls_at_once=fast_calls.small_calls_at_once(),
        window_that_fits=window_that_fits(network),
    )

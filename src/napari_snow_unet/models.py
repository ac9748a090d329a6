"""The models a person can choose from, and opening one; listing them loads no network library."""

from __future__ import annotations

import difflib
import os
import threading
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Literal

from napari_snow_unet.data.files import InputError
from napari_snow_unet.segmentation import classical
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.unet import model_folder, trained_runs
from napari_snow_unet.unet.config import UNetConfig, parameter_count
from napari_snow_unet.unet.foreign import why_refused
from napari_snow_unet.unet.run_directory import RunDirectory, is_run

DEFAULT = "default"  # stands for the model below
DEFAULT_MODEL = "he-breast-nuclei"
CLASSICAL = classical.NAME
PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")
# HDF5 refuses a file that another thread of the process is opening in another way; and who comes
# second finds the network loaded.
_OPENING = threading.Lock()


class UnknownModelError(InputError):
    """A model that is not there, by name or path."""


@dataclass(frozen=True)
class ModelEntry:
    """One line of the model list.

    Attributes
    ----------
    name : str
        What `open_model` takes.
    kind : {"bundled", "user", "classical"}
        Shipped with this package, trained by the user, or no network at all.
    path : pathlib.Path or None
        Model folder.
    size : int
        Bytes of the weights file.
    parameters : int
        Trainable parameters.
    checksum : str
        SHA-256 of the weights file in hexadecimal.
    channel : str
        What of the image it reads.
    pixel_size_um : tuple of float or None
        Smallest and largest pixel size it was trained on, in micrometres.
    trained_on : str
        Data with their licences.
    problem : str
        Why it cannot be used; empty if it can.
    """

    name: str
    kind: Literal["bundled", "user", "classical"]
    path: Path | None = None
    size: int = 0
    parameters: int = 0
    checksum: str = ""
    channel: str = "red"
    pixel_size_um: tuple[float, float] | None = None
    trained_on: str = ""
    problem: str = ""


def list_models() -> list[ModelEntry]:
    """List the bundled networks (the default first), the user's own, and the classical method.

    Returns
    -------
    list of ModelEntry
        A model that is damaged is listed with its problem. Of two with one name the bundled one
        is opened by that name, the other by its path.
    """
    bundled = [
        _describe(folder, "bundled") for folder in model_folder.find_folders(_bundled_folder())
    ]
    bundled.sort(key=lambda entry: (entry.name != DEFAULT_MODEL, entry.name))
    user = [
        _describe(folder, "user")
        for folder in model_folder.find_folders(model_folder.user_folder())
    ]
    trained = [
        replace(_describe(folder, "user"), name=name)
        for name, folder in trained_runs.registered().items()
    ]
    user = sorted([*user, *trained], key=lambda entry: entry.name)
    told = "Nothing: Gaussian blur and Otsu's threshold of the red channel, watershed."
    return [*bundled, *user, ModelEntry(CLASSICAL, "classical", trained_on=told)]


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
    checksum = model_folder.verify(folder)
    with _OPENING:
        exact = _fast_precision() if precision == "auto" else precision
        return _open_network(folder, checksum, exact)


def export_model(
    name_or_path: str | os.PathLike[str], path: Path, *, overwrite: bool = False
) -> Path:
    """Write a network for other programs.

    Parameters
    ----------
    name_or_path : str or path-like
        As for `open_model`.
    path : pathlib.Path
        The file to write: ``.onnx`` for the network alone, otherwise a package of the BioImage
        Model Zoo.
    overwrite : bool, default: False
        Replace a file that is already there.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    InputError
        If there is no such network, a package that is needed is missing, or the file exists.
    """
    wanted = os.fspath(name_or_path)
    if wanted == CLASSICAL:
        raise InputError(
            "the classical method, which is no network",
            expected="a network",
            remedy="`napari-snow-unet models` lists them.",
        )
    folder = find_model(wanted)
    from napari_snow_unet.unet import backend

    backend.prepare()
    if path.suffix.lower() == ".onnx":
        from napari_snow_unet.unet.onnx_file import write_onnx
        from napari_snow_unet.unet.store import load_model

        return write_onnx(load_model(folder)[0], path, overwrite=overwrite)
    from napari_snow_unet.unet.zoo_package import write_zoo_package

    return write_zoo_package(folder, path, overwrite=overwrite)


def _bundled_folder() -> Path:
    # setuptools installs packages as plain files, so the resource is a real path.
    return Path(str(resources.files("napari_snow_unet") / "weights"))


def describe_model(name_or_path: str | os.PathLike[str]) -> ModelEntry:
    """Tell what a network is from its config and the header of its weights, which are not read.

    Parameters
    ----------
    name_or_path : str or path-like
        As for `open_model`.

    Returns
    -------
    ModelEntry
        Without a checksum.

    Raises
    ------
    UnknownModelError
        If there is no such network.
    InputError
        If what is there is none, or is damaged so that one sees it at once.
    """
    folder = find_model(os.fspath(name_or_path))
    config = model_folder.read_config(folder)
    model_folder.check_header(folder)
    return _entry(folder, "user", config, "")


def _describe(folder: Path, kind: Literal["bundled", "user"]) -> ModelEntry:
    try:
        config, found = model_folder.read_config(folder), model_folder.verify(folder)
    except InputError as error:
        return ModelEntry(folder.name, kind, folder, problem=str(error))
    return _entry(folder, kind, config, found)


def _entry(
    folder: Path, kind: Literal["bundled", "user"], config: UNetConfig, found: str
) -> ModelEntry:
    return ModelEntry(
        name=folder.name,
        kind=kind,
        path=folder,
        size=(folder / model_folder.WEIGHTS).stat().st_size,
        parameters=parameter_count(config),
        checksum=found,
        channel=config.channel,
        pixel_size_um=config.pixel_size_um,
        trained_on=config.trained_on,
    )


def find_model(wanted: str) -> Path:
    """Find the folder of a network; see `open_model`.

    Parameters
    ----------
    wanted : str
        A name from `list_models`, a model folder, or the folder of a training, whose best epoch
        is taken.

    Returns
    -------
    pathlib.Path
        Model folder.

    Raises
    ------
    UnknownModelError
        If there is none.
    InputError
        If it is no model, or a training without a finished epoch.
    """
    wanted = DEFAULT_MODEL if wanted == DEFAULT else wanted
    is_path = any(separator in wanted for separator in ("/", os.sep)) or wanted in (".", "..")
    if not is_path:
        for parent in (_bundled_folder(), model_folder.user_folder()):
            if (parent / wanted / model_folder.CONFIG).is_file():
                return (parent / wanted).resolve()
        if (trained := trained_runs.registered().get(wanted)) is not None:
            return trained
    path = Path(wanted).expanduser()
    if (
        path.name in (model_folder.CONFIG, model_folder.WEIGHTS)
        and (path.parent / model_folder.CONFIG).is_file()
    ):
        path = path.parent
    if is_run(path):
        path = _best_of(path)
    if (path / model_folder.CONFIG).is_file():
        return path.resolve()
    if path.exists():
        raise why_refused(path)
    names = [entry.name for entry in list_models()]
    near = difflib.get_close_matches(wanted, names, n=1)
    raise UnknownModelError(
        f"there is no model {wanted!r}",
        expected=f"a model folder or one of {', '.join(names)}",
        remedy=f"Did you mean {near[0]!r}?" if near else "`napari-snow-unet models` lists them.",
    )


def _best_of(run: Path) -> Path:
    best = RunDirectory(run).best
    if not (best / model_folder.WEIGHTS).is_file():
        raise InputError(
            "a training that has not finished an epoch yet",
            expected="at least one epoch",
            remedy="Wait for it, or go on with `napari-snow-unet train --resume`.",
            path=run,
        )
    return best


def _fast_precision() -> str:
    """Return the fastest number format whose labels were compared with those of float32."""
    from napari_snow_unet.unet import backend

    # bfloat16 was compared on real tiles (docs/scale.md), half precision was not.
    fast = backend.fast_precision()
    return fast if fast == "mixed_bfloat16" else "float32"


@lru_cache(maxsize=2)
def _open_network(folder: Path, checksum: str, precision: str) -> Model:
    from napari_snow_unet.unet import backend

    device = backend.prepare()
    from napari_snow_unet.unet.network import for_prediction, window_halo
    from napari_snow_unet.unet.predictor import make_predictor, window_that_fits
    from napari_snow_unet.unet.store import load_model

    network, config = load_model(folder, precision=precision)
    network = for_prediction(network, config)
    listed = folder.parent in (_bundled_folder().resolve(), model_folder.user_folder().resolve())
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
        calls_at_once=backend.small_calls_at_once(),
        window_that_fits=window_that_fits(network),
    )

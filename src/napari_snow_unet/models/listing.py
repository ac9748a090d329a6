"""List and find models, without loading a network library."""

from __future__ import annotations

import difflib
import os
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Literal

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.shown import Shown
from napari_snow_unet.models import messages
from napari_snow_unet.segmentation import classical
from napari_snow_unet.unet.models import folder as models_folder
from napari_snow_unet.unet.models.refused_files import why_refused
from napari_snow_unet.unet.network.config import UNetConfig, parameter_count
from napari_snow_unet.unet.runs import registry
from napari_snow_unet.unet.runs.folder import RunDirectory, is_run

DEFAULT = "default"  # an alias of the next one
DEFAULT_MODEL = "he-breast-nuclei"
CLASSICAL = classical.NAME


class UnknownModelError(InputError):
    """No model has this name or path."""


@dataclass(frozen=True, repr=False)
class ModelEntry(Shown):
    """One line of the model list.

    Attributes
    ----------
    name : str
        Name for `open_model`.
    kind : {"bundled", "user", "classical"}
        Bundled with this package, trained by the user, or without a network.
    path : pathlib.Path or None
        Model folder.
    size : int
        Bytes of the weights file.
    parameters : int
        Trainable parameters.
    checksum : str
        SHA-256 of the weights file in hexadecimal.
    channel : str
        Channel of the image that it uses.
    pixel_size_um : tuple of float or None
        Smallest and largest pixel size it was trained on, in micrometres.
    trained_on : str
        Training data with their licences.
    problem : str
        Why it cannot be used; empty if it can be.
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

    def one_line(self) -> str:
        """Return the line that a prompt shows."""
        return f"{self.name}, {self.problem or f'{self.kind}, {self.channel} channel'}"


def list_models() -> list[ModelEntry]:
    """List the bundled networks (the default first), the user's own, and the classical method.

    Returns
    -------
    list of ModelEntry
        A damaged model is listed with its problem. Of two models with one name, that name opens
        the bundled one; open the other by its path.
    """
    bundled = [
        _describe(folder, "bundled") for folder in models_folder.find_folders(bundled_folder())
    ]
    bundled.sort(key=lambda entry: (entry.name != DEFAULT_MODEL, entry.name))
    user = [
        _describe(folder, "user")
        for folder in models_folder.find_folders(models_folder.user_folder())
    ]
    trained = [
        replace(_describe(folder, "user"), name=name)
        for name, folder in registry.registered().items()
    ]
    user = sorted([*user, *trained], key=lambda entry: entry.name)
    method = ModelEntry(CLASSICAL, "classical", trained_on=messages.CLASSICAL_METHOD)
    return [*bundled, *user, method]


def bundled_folder() -> Path:
    """Return the folder of the bundled models."""
    # setuptools installs packages as plain files, so the resource is a real path.
    return Path(str(resources.files("napari_snow_unet") / "weights"))


def describe_model(name_or_path: str | os.PathLike[str]) -> ModelEntry:
    """Describe a network by its config and the header of its weights.

    The weights are not read, so there is no checksum, and only obvious damage is noticed.
    """
    folder = find_model(os.fspath(name_or_path))
    config = models_folder.read_config(folder)
    models_folder.check_header(folder)
    return _entry(folder, "user", config, "")


def _describe(folder: Path, kind: Literal["bundled", "user"]) -> ModelEntry:
    try:
        config, checksum = models_folder.read_config(folder), models_folder.verify(folder)
    except InputError as error:
        return ModelEntry(folder.name, kind, folder, problem=error.text())
    return _entry(folder, kind, config, checksum)


def _entry(
    folder: Path, kind: Literal["bundled", "user"], config: UNetConfig, checksum: str
) -> ModelEntry:
    return ModelEntry(
        name=folder.name,
        kind=kind,
        path=folder,
        size=models_folder.weights_of(folder).stat().st_size,
        parameters=parameter_count(config),
        checksum=checksum,
        channel=config.channel,
        pixel_size_um=config.pixel_size_um,
        trained_on=config.trained_on,
    )


def find_model(wanted: str) -> Path:
    """Find the folder of a network by its name, its path, or its run folder (best epoch)."""
    wanted = DEFAULT_MODEL if wanted == DEFAULT else wanted
    is_path = any(separator in wanted for separator in ("/", os.sep)) or wanted in (".", "..")
    if not is_path:
        for parent in (bundled_folder(), models_folder.user_folder()):
            if (parent / wanted / models_folder.CONFIG).is_file():
                return (parent / wanted).resolve()
        if (trained := registry.registered().get(wanted)) is not None:
            return trained
    path = Path(wanted).expanduser()
    if path.name in models_folder.FILES and (path.parent / models_folder.CONFIG).is_file():
        path = path.parent
    if is_run(path):
        path = _best_of(path)
    if (path / models_folder.CONFIG).is_file():
        return path.resolve()
    if path.exists():
        raise why_refused(path)
    names = tuple(entry.name for entry in list_models())
    similar = next(iter(difflib.get_close_matches(wanted, names, n=1)), None)
    raise UnknownModelError(messages.unknown_model(wanted, names, similar))


def _best_of(run: Path) -> Path:
    best = RunDirectory(run).best
    if not models_folder.has_weights(best):
        raise InputError(messages.NO_EPOCH, path=run)
    return best

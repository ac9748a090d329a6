"""Trained models by name: one small file per training points to its folder.

The files are called ``NAME.run`` and lie beside the user's own models. The model itself stays in
its run folder, so it is listed from its first epoch on, as long as the folder exists.
"""

from __future__ import annotations

import itertools
import re
from contextlib import suppress
from pathlib import Path

from napari_snow_unet.base.files import written_whole
from napari_snow_unet.unet.models.folder import CONFIG, has_weights, user_folder
from napari_snow_unet.unet.runs.folder import RunDirectory, is_run

SUFFIX = ".run"
_LARGEST = 10_000  # bytes; a path is shorter


def register(run: RunDirectory) -> str:
    """Add a training's best model to the list of models, and return its name there.

    The name is that of the folder, with a number if it is taken.
    """
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", run.folder.name).strip(".-")[:90] or "trained"
    for number in itertools.count(1):
        name = stem if number == 1 else f"{stem}-{number}"
        entry = user_folder() / f"{name}{SUFFIX}"
        listed = _folder_in(entry)
        if listed == run.folder:
            return name
        taken = (user_folder() / name).exists() or (listed is not None and is_run(listed))
        if not taken:
            break
    with written_whole(entry, overwrite=True) as temporary:
        temporary.write_text(f"{run.folder}\n", encoding="utf-8")
    return name


def registered() -> dict[str, Path]:
    """Return the best model of every listed training that still exists, by name."""
    models = {}
    for entry in sorted(user_folder().glob(f"*{SUFFIX}")):
        folder = _folder_in(entry)
        if folder is not None and is_run(folder):
            best = RunDirectory(folder).best
            if (best / CONFIG).is_file() and has_weights(best):
                models[entry.stem] = best
    return models


def _folder_in(entry: Path) -> Path | None:
    with suppress(OSError, UnicodeDecodeError, ValueError):
        if entry.stat().st_size <= _LARGEST:
            path = Path(entry.read_text(encoding="utf-8").strip())
            return path if path.is_absolute() else None
    return None

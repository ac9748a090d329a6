"""The training shown last, for the next start of napari."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from napari_snow_unet.base.files import written_whole
from napari_snow_unet.unet.models.folder import user_folder
from napari_snow_unet.unet.runs.folder import is_run
from napari_snow_unet.unet.runs.lock import training_process
from napari_snow_unet.unet.runs.registry import registered

FILE = "last-training.json"
_LARGEST = 10_000  # bytes


def remember(folder: Path) -> None:
    """Store the folder of a training; failing to do so does no harm."""
    with (
        suppress(OSError),
        written_whole(user_folder() / FILE, overwrite=True) as temporary,
    ):
        temporary.write_text(json.dumps({"folder": str(folder)}) + "\n", encoding="utf-8")


def last_training() -> Path | None:
    """Return the training that was shown last, if it still exists."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        path = user_folder() / FILE
        if path.stat().st_size <= _LARGEST:
            folder = Path(json.loads(path.read_text(encoding="utf-8"))["folder"])
            return folder if folder.is_absolute() and is_run(folder) else None
    return None


def running_training() -> Path | None:
    """Return a running training, preferably the one shown last."""
    last = last_training()
    others = (best.parent for best in registered().values())
    for folder in (*([last] if last else []), *others):
        if training_process(folder) is not None:
            return folder
    return None

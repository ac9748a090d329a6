"""Corrections that are not saved yet, kept on disk from one session of napari to the next.

Each is a folder with one file of compressed arrays, which is replaced as a whole, and a lock that
its program holds. It names the image, but no folders.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import uuid
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.base.locks import folder_locked
from napari_snow_unet.widgets.correct import messages

FOLDER_VARIABLE = "NAPARI_SNOW_UNET_CORRECTIONS"
MOST_KEPT, MOST_BYTES = 10, 500_000_000  # of all kept corrections together
UNREADABLE = (OSError, EOFError, ValueError, KeyError, TypeError, IndexError)
FILE, ARRAYS = "corrections.npz", ("labels", "automatic")


@dataclass(frozen=True, eq=False)
class Corrections:
    """Corrected labels, the automatic ones, and where they belong."""

    labels: NDArray[Any]
    automatic: NDArray[Any]
    layer: str  # its name
    image: str  # its name; empty if unknown
    checksum: int | None  # of the image's pixels, if these are in memory
    edits: Mapping[str, int]  # as `tally.Edits.as_numbers`
    placement: Mapping[str, Any]  # napari's arguments, in plain values
    facts: Mapping[str, Any] = field(default_factory=dict)  # provenance, without folders
    time: str = ""  # when they were kept, in ISO format


def user_folder() -> Path:
    """Return the folder of kept corrections; it may not exist."""
    if chosen := os.environ.get(FOLDER_VARIABLE):
        return Path(chosen)
    import platformdirs

    return Path(platformdirs.user_data_dir("napari-snow-unet", appauthor=False)) / "corrections"


def checksum_of(pixels: Any) -> int | None:
    """Return the CRC-32 of an image in memory; None for others, which would have to be read."""
    return zlib.crc32(np.ascontiguousarray(pixels).data) if type(pixels) is np.ndarray else None


class Kept:
    """The folder of one layer's corrections, locked until `release`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock, self._writing = ExitStack(), threading.Lock()
        self._latest, self._removed = 0, False
        folder.mkdir(parents=True, exist_ok=True)
        self._lock.enter_context(folder_locked(folder))

    @classmethod
    def new(cls) -> Kept:
        """Make a folder."""
        return cls(user_folder() / uuid.uuid4().hex)

    def write(self, corrections: Corrections, number: int) -> None:
        """Replace what the folder holds, and remove the oldest folders that are too many.

        Several threads may write; of their copies the one with the highest number is kept.
        """
        with self._writing:
            if number > self._latest and not self._removed:
                self._latest = number
                self._write(corrections)

    def _write(self, corrections: Corrections) -> None:
        names = [each.name for each in fields(corrections) if each.name not in ARRAYS]
        record = {name: getattr(corrections, name) for name in names}
        record["time"] = datetime.now().astimezone().isoformat(timespec="seconds")
        differs = np.flatnonzero(corrections.labels != corrections.automatic)
        with (
            written_whole(self.folder / FILE, overwrite=True) as temporary,
            temporary.open("wb") as file,
        ):
            np.savez_compressed(
                file,
                labels=corrections.labels,
                differs=differs,
                before=corrections.automatic.ravel()[differs],
                record=np.frombuffer(json.dumps(record, default=dict).encode(), np.uint8),
            )
        _remove_oldest(self.folder)

    def release(self) -> None:
        """Let other programs open the folder, which stays."""
        self._lock.close()

    def remove(self) -> None:
        """Remove the folder: its corrections are saved, undone or discarded."""
        with self._writing:
            self._removed = True
            self._lock.close()
            shutil.rmtree(self.folder, ignore_errors=True)


def left_by_others() -> list[Path]:
    """List the folders that no running program holds, the latest first."""
    return [folder for folder in reversed(_by_age()) if not _in_use(folder)]


def read_kept(folder: Path) -> Corrections:
    """Read corrections; an `InputError` says why they are unreadable."""
    path = folder / FILE
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            labels, record = arrays["labels"], json.loads(arrays["record"].tobytes())
            automatic = labels.copy()
            automatic.reshape(-1)[arrays["differs"]] = arrays["before"]
        return Corrections(labels, automatic, **record)
    except (*UNREADABLE, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(messages.KEPT_DAMAGED, path=path) from error


def _by_age() -> list[Path]:
    """List the folders that hold corrections, the oldest first."""
    files = [path for path in user_folder().glob(f"*/{FILE}") if path.is_file()]
    return [path.parent for path in sorted(files, key=lambda path: path.stat().st_mtime_ns)]


def _in_use(folder: Path) -> bool:
    try:
        with folder_locked(folder):
            return False
    except InputError:
        return True


def _remove_oldest(kept: Path) -> None:
    """Keep the disk use bounded; neither `kept` nor the folder of a running program goes."""
    folders = _by_age()
    sizes = {folder: (folder / FILE).stat().st_size for folder in folders}
    for folder in folders:
        if len(sizes) <= MOST_KEPT and sum(sizes.values()) <= MOST_BYTES:
            return
        if folder != kept and not _in_use(folder):
            shutil.rmtree(folder, ignore_errors=True)
            del sizes[folder]

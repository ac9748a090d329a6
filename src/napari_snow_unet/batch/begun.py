"""Which image a run was at when it was killed, so that the next may replace what is half of it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from napari_snow_unet.batch.writing import Outputs
from napari_snow_unet.data.files import TEMPORARY, naming

_BEGUN = ".begun"


class Begun:
    """Remembers on disk whose results are being written.

    Results of an image are several files, and their row in the table comes last. What a killed
    program leaves of them is no result and nobody's work: where a run is gone on with, it is made
    again, and so is nothing else that is there.

    Parameters
    ----------
    outputs : Outputs
        Where to, and whether an earlier run is gone on with. The folder must be locked.
    """

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs
        self._path = outputs.folder / _BEGUN
        self._half = ""
        if outputs.resume:
            self._half = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
            remove_halves(outputs.folder)

    def outputs_for(self, source: Path) -> Outputs:
        """Return what may be written for an image: over what is half, too."""
        if self._half and self._half == _identity(source):
            return replace(self._outputs, overwrite=True)
        return self._outputs

    def note(self, source: Path) -> None:
        """Note that the results of an image are written from now on."""
        with naming(self._path):
            self._path.write_text(_identity(source), encoding="utf-8")

    def forget(self) -> None:
        """Note that there is nothing half."""
        self._path.unlink(missing_ok=True)


def _identity(source: Path) -> str:
    return f"{source}\n"


def remove_halves(folder: Path) -> None:
    """Remove what killed programs have left under temporary names; nobody writes there now."""
    for left in folder.glob(f"{TEMPORARY}*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)

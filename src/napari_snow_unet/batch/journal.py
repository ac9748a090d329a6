"""Which images' results are half, so that a run that goes on with them may replace these."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from napari_snow_unet.base.files import TEMPORARY, naming
from napari_snow_unet.batch.outputs import Outputs

_BEGUN = ".begun"
_BEGINS, _ENDS = "begun", "ended"


class Begun:
    """Remembers on disk whose results were begun and did not end in a row of the table.

    Results of an image are several files, and their row in the table comes last. What a killed
    program or a failing drive leaves of them is no result and nobody's work: where a run is gone on
    with, it is made again, and so is nothing else that is there. The folder must be locked.
    """

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs
        self._path = outputs.folder / _BEGUN
        self._half = _read(self._path)
        if outputs.resume:
            remove_halves(outputs.folder)

    def outputs_for(self, source: Path) -> Outputs:
        """Return what may be written for an image: over what is half, too."""
        half = self._outputs.resume and str(source) in self._half
        return replace(self._outputs, overwrite=True) if half else self._outputs

    def begins(self, source: Path) -> None:
        """Note that the results of an image are written from now on."""
        self.replaces([source])

    def replaces(self, sources: Iterable[Path]) -> None:
        """Note that whatever is there of some images is going to be replaced."""
        names = [str(source) for source in sources]
        self._half.update(names)
        self._note(_BEGINS, *names)

    def ends(self, source: Path) -> None:
        """Note that the results of an image are whole and in the table."""
        self._half.discard(str(source))
        self._note(_ENDS, str(source))

    def forget(self, done: Iterable[Path]) -> None:
        """Forget the images that are done, and everything if no other one is half."""
        if self._half <= set(map(str, done)):
            self._path.unlink(missing_ok=True)

    def _note(self, what: str, *sources: str) -> None:
        """Add lines; the break before each keeps it whole where the last one was cut short."""
        with naming(self._path), self._path.open("a", encoding="utf-8") as file:
            file.writelines(f"\n{json.dumps([what, source])}" for source in sources)


def _read(path: Path) -> set[str]:
    half: set[str] = set()
    if not path.exists():
        return half
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            what, source = json.loads(line)
        except (ValueError, TypeError):  # cut short, empty, or of somebody else
            continue
        if what == _BEGINS:
            half.add(source)
        else:
            half.discard(source)
    return half


def remove_halves(folder: Path) -> None:
    """Remove what killed programs have left under temporary names; nobody writes there now."""
    for left in folder.glob(f"{TEMPORARY}*"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)

"""A journal of incomplete results, so that a resumed run may overwrite them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from napari_snow_unet.base.files import TEMPORARY, naming
from napari_snow_unet.batch.outputs import Outputs

_FILE = ".begun"
_STARTED, _ENDED = "begun", "ended"  # in the file


class Journal:
    """Records on disk whose results were started and have no row in the table yet.

    The results of an image are several files, and their row in the table is written last. A resumed
    run may overwrite the files that a killed program or a failing drive has left of them, and no
    others. The folder must be locked.
    """

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs
        self._path = outputs.folder / _FILE
        self._incomplete = _read(self._path)
        if outputs.resume:
            remove_temporary(outputs.folder)

    def outputs_for(self, source: Path) -> Outputs:
        """Return the outputs of an image; incomplete results may be overwritten."""
        incomplete = self._outputs.resume and str(source) in self._incomplete
        return replace(self._outputs, overwrite=True) if incomplete else self._outputs

    def start(self, source: Path) -> None:
        """Record that the results of an image are about to be written."""
        self.replace([source])

    def replace(self, sources: Iterable[Path]) -> None:
        """Record that the results of some images are about to be overwritten."""
        names = [str(source) for source in sources]
        self._incomplete.update(names)
        self._write(_STARTED, *names)

    def end(self, source: Path) -> None:
        """Record that the results of an image are complete and in the table."""
        self._incomplete.discard(str(source))
        self._write(_ENDED, str(source))

    def forget(self, done: Iterable[Path]) -> None:
        """Remove the journal if no image but those done is incomplete."""
        if self._incomplete <= set(map(str, done)):
            self._path.unlink(missing_ok=True)

    def _write(self, event: str, *sources: str) -> None:
        """Add lines; each starts with a line break, in case the last one was cut short."""
        with naming(self._path), self._path.open("a", encoding="utf-8") as file:
            file.writelines(f"\n{json.dumps([event, source])}" for source in sources)


def _read(path: Path) -> set[str]:
    incomplete: set[str] = set()
    if not path.exists():
        return incomplete
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            event, source = json.loads(line)
        except (ValueError, TypeError):  # cut short, empty, or of another program
            continue
        if event == _STARTED:
            incomplete.add(source)
        else:
            incomplete.discard(source)
    return incomplete


def remove_temporary(folder: Path) -> None:
    """Remove the temporary files of killed programs; nothing may be writing to the folder."""
    for path in folder.glob(f"{TEMPORARY}*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

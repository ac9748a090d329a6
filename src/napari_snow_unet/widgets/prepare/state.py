"""What the prepare dock allows at one moment, and its texts, without a window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_snow_unet.widgets.prepare import messages


@dataclass(frozen=True)
class PrepareState:
    """The choices that the buttons of the dock depend on."""

    has_sources: bool
    dataset: Path | None
    exists: bool  # the folder of the dataset
    running: bool

    @property
    def hint(self) -> str:
        """Why Prepare is disabled; empty if it is enabled."""
        if not self.has_sources:
            return messages.NO_SOURCE
        return messages.NO_DATASET if self.dataset is None else ""

    @property
    def why_no_folder(self) -> str:
        """Why the buttons that need an existing folder are disabled; empty if they are enabled."""
        if self.running:
            return messages.BUSY
        return "" if self.exists else messages.NOT_A_FOLDER

    @property
    def existing(self) -> Path | None:
        """The dataset, if the buttons that need its folder are enabled."""
        return None if self.why_no_folder else self.dataset


def look(sources: Sequence[Path], dataset: Path | None, *, running: bool) -> PrepareState:
    """Return the state for the choices and what is on the disk."""
    exists = dataset is not None and dataset.is_dir()
    return PrepareState(bool(sources), dataset, exists, running)

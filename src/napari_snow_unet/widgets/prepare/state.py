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
    existing: Path | None  # the dataset, if its folder exists and nothing is running
    running: bool

    @classmethod
    def of(cls, sources: Sequence[Path], dataset: Path | None, *, running: bool) -> PrepareState:
        """Look at the choices and at the disk."""
        exists = dataset is not None and dataset.is_dir()
        return cls(bool(sources), dataset, dataset if exists and not running else None, running)

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
        return "" if self.existing is not None else messages.NOT_A_FOLDER

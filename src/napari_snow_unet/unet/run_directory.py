"""The folder of a training: all that is known of it, for whoever trains, watches or resumes.

==================== =============================================================================
``config.json``      options, dataset, network, seed, versions: what the training is
``tiles.csv``        every tile with its part
``history.csv``      a row per finished epoch
``progress.json``    where it is within the epoch, time left, device
``best/``, ``last/`` models, ready to be used: lowest validation loss, last finished epoch
``checkpoints/``     what a resumed training goes on from
``curves.png``       the scores over the epochs
``preview.png``      a validation tile, its truth, the prediction; alone in ``preview/``
``log.txt``          what happened
``lock``             held by the process that trains, whose number stands in it
``STOP``             made by whoever wants the training to end after the batch
==================== =============================================================================

Every file is written under another name and renamed, so each is whole at any moment. Nothing here
needs a network library.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from napari_snow_unet.data.files import InputError, written_whole
from napari_snow_unet.data.mask_kinds import MASKS_ARE, MasksAre
from napari_snow_unet.unet.config import UNetConfig
from napari_snow_unet.unet.run_lock import LOCK, training_process
from napari_snow_unet.unet.training_options import TrainingOptions, options_from_dict
from napari_snow_unet.unet.training_tiles import TrainingSet, TrainingTile

FORMAT, VERSION = "napari-snow-unet training", 1
CONFIG, TILES, HISTORY, STOP = "config.json", "tiles.csv", "history.csv", "STOP"
PROGRESS, LOG, CHECKPOINTS = "progress.json", "log.txt", "checkpoints"
SCORES = ("loss", "accuracy", "auc", "precision", "recall", "dice")
COLUMNS = ("epoch", *SCORES, *(f"val_{name}" for name in SCORES), "seconds", "learning_rate")
_LARGEST_CONFIG = 10_000_000
_TILE_COLUMNS = (
    *("part", "name", "image", "mask", "region", "height", "width", "um_per_px"),
    *("weight", "masks_are"),
)
_LEFT_BEHIND = ".writing-*"
_BEFORE_THE_FIRST_EPOCH = frozenset({CONFIG, TILES, PROGRESS, LOG, LOCK, STOP})
_REMEDY = "Choose the folder of a training, or start a new one with `napari-snow-unet train`."

Row = dict[str, float | None]


@dataclass(frozen=True)
class RunConfig:
    """What a training is: content of ``config.json``.

    Attributes
    ----------
    options : TrainingOptions
        All options, the preset filled in.
    network : UNetConfig
        What is trained.
    dataset : str
        Its folder.
    fingerprint : str
        Of the dataset when the training began.
    fine_tune : str
        Model folder that the weights begin with; empty for fresh weights.
    made_with : dict
        Versions.
    """

    options: TrainingOptions
    network: UNetConfig
    dataset: str
    fingerprint: str
    fine_tune: str
    made_with: dict[str, str]


class RunDirectory:
    """A training's folder; `open_run` and `create_run` give one.

    Parameters
    ----------
    folder : pathlib.Path
        The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.echo: Callable[[str], None] = lambda line: None  # called with every line of the log

    @property
    def best(self) -> Path:
        """Model of the epoch with the lowest validation loss."""
        return self.folder / "best"

    @property
    def last(self) -> Path:
        """Model of the last finished epoch."""
        return self.folder / "last"

    @property
    def checkpoints(self) -> Path:
        """Where `checkpoint` keeps its folders."""
        return self.folder / CHECKPOINTS

    @property
    def stop_file(self) -> Path:
        """A file that ends the training after the batch."""
        return self.folder / STOP

    def config(self) -> RunConfig:
        """Read ``config.json``.

        Raises
        ------
        InputError
            If it is damaged or not of a training.
        """
        path = self.folder / CONFIG
        try:
            if path.stat().st_size > _LARGEST_CONFIG:
                raise ValueError("it is far too large")
            return _config_from(json.loads(path.read_text(encoding="utf-8")))
        except InputError as error:
            raise InputError(
                error.received, expected=error.expected, remedy=error.remedy, path=path
            ) from error
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(
                f"it cannot be used ({error})",
                expected="the config of a training",
                remedy=_REMEDY,
                path=path,
            ) from error

    def write_config(self, config: RunConfig) -> None:
        """Replace ``config.json``."""
        self.write(CONFIG, _config_text(config).encode())

    def tiles(self) -> TrainingSet:
        """Read ``tiles.csv`` and find the files again.

        Raises
        ------
        InputError
            If it is damaged, or the dataset is gone or has changed since.
        """
        config = self.config()
        parts: dict[str, list[TrainingTile]] = {"train": [], "val": []}
        root, path = Path(config.dataset), self.folder / TILES
        try:
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    parts[row["part"]].append(_tile_from(row, root))
        except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
            raise InputError(
                f"it is damaged ({error!r})", expected="a row per tile", remedy=_REMEDY, path=path
            ) from error
        tiles = TrainingSet(
            root, tuple(parts["train"]), tuple(parts["val"]), white=config.network.white
        )
        if tiles.fingerprint != config.fingerprint:
            raise InputError(
                "the dataset has changed since the training began"
                if root.is_dir()
                else "it is gone",
                expected="the same files",
                remedy="Restore it, or start a new training, from this one's model if you like.",
                path=root,
            )
        return tiles

    def history(self) -> list[Row]:
        """Read ``history.csv``: a row per finished epoch; [] before the first.

        Raises
        ------
        InputError
            If it is damaged.
        """
        path = self.folder / HISTORY
        if not path.is_file():
            return []
        try:
            with path.open(encoding="utf-8", newline="") as file:
                rows = [
                    {name: float(row[name]) if row[name] else None for name in COLUMNS}
                    for row in csv.DictReader(file)
                ]
            if not all(row["epoch"] is not None and math.isfinite(row["epoch"]) for row in rows):
                raise ValueError("an epoch without a number")
            return rows
        except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
            raise InputError(
                f"it is damaged ({error!r})",
                expected="a row per epoch",
                remedy="It is written again when the training is resumed.",
                path=path,
            ) from error

    def write_history(self, rows: Iterable[Row]) -> None:
        """Replace ``history.csv``."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow([_cell(name, row.get(name)) for name in COLUMNS])
        self.write(HISTORY, text.getvalue().encode())

    def write(self, name: str, content: bytes) -> None:
        """Replace a file as a whole."""
        with written_whole(self.folder / name, overwrite=True) as temporary:
            temporary.write_bytes(content)

    def log(self, line: str, *, echo: bool = True) -> None:
        """Add a line to ``log.txt``, with the time, and pass it on to `echo`."""
        now = datetime.now().isoformat(sep=" ", timespec="seconds")
        with (self.folder / LOG).open("a", encoding="utf-8") as file:
            file.write(f"{now}  {line}\n")
        if echo:
            self.echo(line)

    def clean_up(self) -> None:
        """Remove what a killed process has left behind."""
        for place in (self.folder, self.best, self.last, self.folder / "preview", self.checkpoints):
            for left in place.glob(_LEFT_BEHIND):
                if left.is_dir():
                    shutil.rmtree(left, ignore_errors=True)
                else:
                    left.unlink(missing_ok=True)


def is_run(folder: str | os.PathLike[str]) -> bool:
    """Tell the folder of a training from others by its config; never raises."""
    try:
        with (Path(folder) / CONFIG).open(encoding="utf-8", errors="replace") as file:
            return FORMAT in file.read(200)
    except (OSError, ValueError):  # a null byte in the path
        return False


def open_run(folder: str | os.PathLike[str]) -> RunDirectory:
    """Open the folder of a training.

    Raises
    ------
    InputError
        If it is none.
    """
    folder = Path(folder).resolve()
    if not is_run(folder):
        raise InputError(
            f"no training ({'no ' + CONFIG + ' in it' if folder.is_dir() else 'no such folder'})",
            expected="a folder that `napari-snow-unet train` has made",
            remedy=_REMEDY,
            path=folder,
        )
    return RunDirectory(folder)


def create_run(
    folder: str | os.PathLike[str], config: RunConfig, tiles: TrainingSet
) -> RunDirectory:
    """Make the folder of a new training, whole or not at all.

    Parameters
    ----------
    folder : path-like
        Where; nothing, an empty folder, or a training that ended before its first epoch did
        stands there.
    config : RunConfig
        What the training is.
    tiles : TrainingSet
        Its tiles.

    Returns
    -------
    RunDirectory
        The folder.

    Raises
    ------
    InputError
        If something stands there already.
    """
    folder = Path(folder).resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder.parent))
    try:
        new, ended = temporary / "new", temporary / "ended"
        new.mkdir()
        (new / CONFIG).write_text(_config_text(config), encoding="utf-8")
        with (new / TILES).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(_TILE_COLUMNS)
            for part, members in (("train", tiles.train), ("val", tiles.validation)):
                writer.writerows(_tile_row(part, tile, tiles.folder) for tile in members)
        check_free(folder)
        if is_run(folder):
            folder.rename(ended)
        elif folder.is_dir():
            folder.rmdir()
        new.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return RunDirectory(folder)


def check_free(folder: Path) -> None:
    """Refuse a place where something stands.

    Raises
    ------
    InputError
        If it is neither free, nor an empty folder, nor that of a training that ended before its
        first epoch did.
    """
    if is_run(folder):
        if _is_without_epochs(folder):
            return
        raise InputError(
            "there is a training in it already",
            expected="a new folder",
            remedy="Go on with it (Resume, or --resume in the shell), or choose another folder.",
            path=folder,
        )
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError(
            "there is something else",
            expected="a new or empty folder",
            remedy="Choose another folder; nothing was touched.",
            path=folder,
        )


def _is_without_epochs(folder: Path) -> bool:
    """Tell whether a training began here and ended, and has left nothing but words.

    What a killed process was writing counts for nothing, its first checkpoint included.
    """
    found = _whole_in(folder)
    if CHECKPOINTS in found and not _whole_in(folder / CHECKPOINTS):
        found.remove(CHECKPOINTS)
    return (
        PROGRESS in found and found <= _BEFORE_THE_FIRST_EPOCH and training_process(folder) is None
    )


def _whole_in(folder: Path) -> set[str]:
    """Return the names of what is whole in a folder; of a file, its own."""
    if not folder.is_dir():
        return {folder.name}
    return {path.name for path in folder.iterdir() if not path.match(_LEFT_BEHIND)}


def _config_text(config: RunConfig) -> str:
    content = {
        "format": FORMAT,
        "version": VERSION,
        "options": config.options.as_dict(),
        "network": json.loads(config.network.to_json()),
        "dataset": config.dataset,
        "fingerprint": config.fingerprint,
        "fine_tune": config.fine_tune,
        "made_with": config.made_with,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _config_from(content: Any) -> RunConfig:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f'there is no "format": "{FORMAT}"')
    if content.get("version") != VERSION:
        raise ValueError(f"version {content.get('version')!r}, not {VERSION}")
    texts = {name: content[name] for name in ("dataset", "fingerprint", "fine_tune")}
    if not all(isinstance(text, str) and len(text) < 10_000 for text in texts.values()):
        raise ValueError("dataset, fingerprint and fine_tune are not all texts")
    return RunConfig(
        options=options_from_dict(content["options"]),
        network=UNetConfig.from_json(json.dumps(content["network"])),
        made_with={str(name): str(value) for name, value in dict(content["made_with"]).items()},
        **texts,
    )


def _tile_row(part: str, tile: TrainingTile, root: Path) -> list[object]:
    files = [tile.image, tile.mask, tile.region]
    relative = [path.relative_to(root).as_posix() if path else "" for path in files]
    known = [tile.height, tile.width, tile.um_per_px or "", tile.weight, tile.masks_are or ""]
    return [part, tile.name, *relative, *known]


def _tile_from(row: dict[str, str], root: Path) -> TrainingTile:
    return TrainingTile(
        row["name"],
        root / row["image"],
        root / row["mask"],
        root / row["region"] if row["region"] else None,
        int(row["height"]),
        int(row["width"]),
        float(row["um_per_px"]) if row["um_per_px"] else None,
        float(row.get("weight") or 1),
        _masks_are(row.get("masks_are")),
    )


def _masks_are(said: str | None) -> MasksAre | None:
    for known in MASKS_ARE:
        if said == known:
            return known
    if said:
        raise ValueError(f"masks_are is {said!r}")
    return None


def _cell(name: str, value: float | None) -> str:
    if value is None or value != value:  # undefined: nothing to divide by
        return ""
    if name == "epoch":
        return str(int(value))
    return f"{value:.1f}" if name == "seconds" else f"{value:.8g}"

"""Texts about runs: datasets, run folders, checkpoints, the processes that train."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted

# Why a training stops, as it is said in brackets.
CTRL_C_LABEL = "Ctrl-C"
REQUESTED_LABEL = "requested"
SYSTEM_LABEL = "requested by the operating system"
PARENT_LABEL = "the program that started it has ended"
TIME_LABEL = "time limit of {:g} s reached"

_CHOOSE_RUN = "Choose the folder of a training run, or start a new one."
_ADD_TILES = "Cut the image and its mask into several tiles, or add more."

EXISTING_RUN = Message(
    "The folder already contains a training run.",
    "Resume it, or choose another folder.",
    ("resume",),
)
FOLDER_NOT_EMPTY = Message(
    "The folder is not empty.", "Choose a new or empty folder; nothing was changed."
)
FOLDER_OF_FOLDS_NOT_EMPTY = Message(
    "The folder is not empty.",
    "Resume the cross-validation if it contains one, or choose another folder.",
    ("resume",),
)
NO_DATASET_FOLDER = Message(
    "The dataset folder does not exist.",
    "Choose a folder with images/ and masks/ of equal names, or prepare a dataset.",
    ("prepare_dataset",),
)
ONE_PAIR = Message(
    "The dataset has only one image with a mask. Training needs at least two: one to train on, one "
    "to validate with.",
    _ADD_TILES,
)
NO_FOLDS = Message(
    "The dataset has no folds.",
    "Prepare it, and assign its tiles to folds.",
    ("folds",),
)
MISSING_FILE = Message(
    "The file is missing.", "Restore it, or check the dataset.", ("check_dataset",)
)
NO_SUCH_RUN = Message("The folder does not exist.", _CHOOSE_RUN)
NOT_A_RUN = Message("The folder does not contain the config.json of a training run.", _CHOOSE_RUN)
DATASET_CHANGED = Message(
    "The dataset has changed since training started.",
    "Restore it, or start a new training run, optionally from this one's model.",
)
DATASET_GONE = Message(
    "The dataset of this training no longer exists.",
    "Restore it, or start a new training run, optionally from this one's model.",
)
MUON = Message(
    "This training uses the optimizer Muon, which only version 0.1 has.",
    "Use its model as it is, or start a new training run from it.",
    ("fine_tune",),
)


def too_few_folds(folds: int) -> Message:
    """Return the refusal of a cross-validation."""
    return Message(
        f"The dataset has {counted(folds, 'fold')}; cross-validation needs at least two.",
        "Assign its tiles to folds.",
        ("folds",),
    )


def no_such_fold(fold: int, folds: tuple[int, ...]) -> Message:
    """Return the refusal of a fold without tiles."""
    return Message(
        f"Fold {fold} cannot be used: no tile is left to train on, or none to validate with.",
        f"Choose one of the folds {', '.join(map(str, folds))}.",
        ("fold",),
    )


def empty_subset(subset: str, tiles: int) -> Message:
    """Return the refusal of a prepared dataset without training or validation tiles."""
    if tiles < 2:
        return Message(f"{_missing(subset)} The dataset has only one tile.", _ADD_TILES)
    return Message(
        _missing(subset),
        f"Split the dataset again, for example {tiles - 1} to train on and 1 to validate with.",
        ("split_dataset",),
    )


def empty_folder_subset(subset: str, division: str) -> Message:
    """Return the refusal of folders without training or validation tiles."""
    return Message(
        f"{_missing(subset)} Found: {division.rstrip('.')}.",
        "Add tiles, or choose another folder.",
    )


def _missing(subset: str) -> str:
    wanted = "No tile is set aside for validation." if subset == "val" else "No tile is left"
    return wanted if subset == "val" else f"{wanted} to train on."


def bad_weight(weight: str, name: str, most: float) -> Message:
    """Return the refusal of a tile's weight."""
    return Message(
        f"The weight of {name} is {weight!r}. It must be above 0 and at most {most:g}.",
        "Correct the column 'weight', or remove it.",
    )


def other_size(size: tuple[int, int], wanted: tuple[int, int], image: str) -> Message:
    """Return the refusal of a mask or region."""
    return Message(
        f"The mask or region has {size[0]} x {size[1]} px (height x width), its image {image} "
        f"has {wanted[0]} x {wanted[1]}.",
        "Check the dataset.",
        ("check_dataset",),
    )


def useless_masks(doubt: str) -> Message:
    """Return the refusal of masks from which nothing can be learnt."""
    return Message(
        f"Nothing can be learnt from the masks: {doubt[:1].lower()}{doubt[1:].rstrip('.')}.",
        "Choose the dataset with the right masks, or export them again: some must mark nuclei, "
        "and all must leave background.",
    )


def subsets_of_manifest(train: int, validation: int, fold: int | None) -> str:
    """Return how a prepared dataset is used."""
    source = "as prepared" if fold is None else f"fold {fold} for validation"
    return f"{_subsets(train, validation)} ({source})."


def subsets_of_folder(train: int, validation: int, test: int, unused: int, how: str) -> str:
    """Return how a folder of images and masks is used."""
    others = [f" {counted(test, 'tile')} in the folder test not used."] if test else []
    others += [f" {counted(unused, 'tile')} in other folders not used."] if unused else []
    return f"{_subsets(train, validation)} ({how})." + "".join(others)


def _subsets(train: int, validation: int) -> str:
    return f"{counted(train, 'training tile')} and {counted(validation, 'validation tile')}"


def few_groups(groups: int) -> str:
    """Return the doubt about scores on few patients."""
    noun = "patient or group" if groups == 1 else "patients or groups"
    return (
        f"The validation tiles come from only {groups} {noun}; the scores may not apply to others."
    )


def foreign_manifest(name: str) -> str:
    """Return that another program's table is not used."""
    return f"The table {name} was not written by this package and is ignored."


def left_out(files: int, example: str, reason: str) -> str:
    """Return which files have no partner."""
    return f"{counted(files, 'file')} left out, such as {example}: {reason.rstrip('.')}."


def damaged_config(reason: str) -> Message:
    """Return the refusal of a run's config."""
    return Message(f"The config of the training run cannot be used ({reason}).", _CHOOSE_RUN)


def damaged_tiles(reason: str) -> Message:
    """Return the refusal of a run's table of tiles."""
    return Message(f"The table of tiles is damaged ({reason}).", _CHOOSE_RUN)


def damaged_history(reason: str) -> Message:
    """Return the refusal of a run's history."""
    return Message(f"The history is damaged ({reason}).", "Resume training to rebuild it.")


def damaged_checkpoint(reason: str) -> Message:
    """Return the refusal of a checkpoint."""
    return Message(
        f"The checkpoint is damaged ({reason}).",
        "Start a new training run; the models in best and last can still be used.",
    )


def damaged_plan(reason: str) -> Message:
    """Return the refusal of the plan of a cross-validation."""
    return Message(
        f"The plan of the cross-validation cannot be used ({reason}).",
        "Start a new one by training on all folds.",
        ("all_folds",),
    )


def in_use(process: str, host: str) -> Message:
    """Return the refusal of a run folder in which another process trains."""
    return Message(
        f"Training process {process} on {host} already uses the folder.",
        "Wait for it, stop it, or choose another folder.",
    )


def fold_failed(name: str, reason: str) -> Message:
    """Return how one of several trainings failed."""
    return Message(
        f"The training of {name.lower()} failed ({reason}).",
        "Resolve the cause, then resume; finished epochs are kept.",
        ("resume",),
    )


def scoring_fold(fold: int) -> str:
    """Return the line before a fold is scored."""
    return f"Fold {fold}: scoring its tiles."


def process_failed(code: int) -> str:
    """Return how a training process ended that printed no error."""
    return f"The training process ended with exit code {code}."


def stopped_in_batch(reason: str) -> str:
    """Return the last line of a training that was ended within a batch."""
    return f"Stopped within a batch{f' ({reason})' * bool(reason)}. That epoch will be run again."

"""How long a training takes, in words."""

from __future__ import annotations

from napari_snow_unet.unet.run_progress import TrainingProgress


def time_left(progress: TrainingProgress) -> str:
    """Say how long a training will go on, and how long the whole of it takes.

    Parameters
    ----------
    progress : TrainingProgress
        Where it is.

    Returns
    -------
    str
        A sentence, before the first batches are done one without numbers.
    """
    left = progress.seconds_left
    if left is None or not progress.epochs or not progress.batches:
        return "The time it takes will be known after the first batches."
    done = (max(progress.epoch, 1) - 1 + progress.batch / progress.batches) / progress.epochs
    if done >= 1:
        return "Nearly done."
    return f"About {in_words(left)} left of {in_words(left / (1 - done))}."


def in_words(seconds: float) -> str:
    """Return a duration as a person would say it.

    Parameters
    ----------
    seconds : float
        Not negative.
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 10 else f"{hours} h"

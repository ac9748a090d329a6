"""Load the network while the person still looks at the dock, so that the first Run need not."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable
from contextlib import suppress

import numpy as np
from qtpy.QtCore import QObject, QTimer

from napari_snow_unet.models import CLASSICAL, open_model
from napari_snow_unet.unet.ending import end_at_once

AFTER_MS = 1000  # the dock is drawn first
EDGE = 64  # pixels of the window that is computed


class WarmUp(QObject):
    """Loads a model in a thread of its own, once.

    Parameters
    ----------
    parent : QObject
        With it ends what has not begun yet.
    chosen : callable
        Returns the model, as `models.open_model` takes it, and the number format.
    """

    def __init__(self, parent: QObject, chosen: Callable[[], tuple[str, str]]) -> None:
        super().__init__(parent)
        self._chosen = chosen
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._begin)
        self._begun = False

    def soon(self) -> None:
        """Begin in a moment, unless it was begun before."""
        if not self._begun:
            self._timer.start(AFTER_MS)

    def cancel(self) -> None:
        """Do not begin any more."""
        self._begun = True
        self._timer.stop()

    def _begin(self) -> None:
        model, precision = self._chosen()
        if model == CLASSICAL:
            return
        self._begun = True
        thread = threading.Thread(target=load, args=(model, precision), name="warm-up", daemon=True)
        atexit.register(_end_while_loading, thread)
        thread.start()


def _end_while_loading(thread: threading.Thread) -> None:
    """Let nobody wait for a library that is not needed any more; Python cannot end meanwhile."""
    atexit.unregister(_end_while_loading)  # what is called from here runs the others
    if thread.is_alive():
        end_at_once()


def load(model: str, precision: str) -> None:
    """Open a model and compute one window with it; what fails is told when Run is pressed.

    Parameters
    ----------
    model, precision : str
        As `models.open_model` takes them.
    """
    # Where Python ends meanwhile, libraries fail in ways of their own.
    with suppress(Exception):
        opened = open_model(model, precision=precision)
        channels = 3 if opened.channel == "rgb" else 1
        opened.predict(np.zeros((1, EDGE, EDGE, channels), np.float32))

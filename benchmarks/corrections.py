"""Time corrections by hand in a large result: 5,000 x 5,000 pixels with 50,000 nuclei.

    xvfb-run -a python benchmarks/corrections.py [--rounds N]

In one napari window, with outlines shown as the plugin shows them (or filled: `--contour 0`): each
tool by itself, from the click to the changed layer; the longest time in which the window answered
nobody around it, counting and drawing among it; beside it napari's own bucket at the same places,
and napari's own undo. What the first edit costs beyond, which counts all nuclei once, is printed by
itself.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from statistics import median
from time import perf_counter

import numpy as np

SIDE, PITCH, RADIUS = 5000, 22, 8
LOOK_MS = 2  # between two looks whether the window answers
SETTLED_S = 0.7  # after each edit


def labels_of_50_000() -> np.ndarray:
    """Return discs in rows, each touching the next one of a pair."""
    labels = np.zeros((SIDE, SIDE), np.int32)
    y, x = np.mgrid[-RADIUS : RADIUS + 1, -RADIUS : RADIUS + 1]
    disc = y**2 + x**2 <= RADIUS**2
    for number, (row, column) in enumerate(np.ndindex(224, 224), start=1):
        top = 4 + row * PITCH
        left = 4 + column * PITCH + (5 if column % 2 == 0 else 0)
        labels[top : top + 2 * RADIUS + 1, left : left + 2 * RADIUS + 1][disc] = number
    return labels


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--contour", type=int, default=2)
    options = parser.parse_args()
    import napari
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication

    from napari_snow_unet.widgets.correct.toolbar import Corrections
    from napari_snow_unet.widgets.correct.tools import ADD, DELETE, FILL, MERGE, OUTLINE, SEPARATE

    labels = labels_of_50_000()
    viewer = napari.Viewer(show_welcome_screen=False)
    viewer.window.resize(1400, 900)
    image = np.where(labels > 0, 90, 220).astype(np.uint8)
    viewer.add_image(np.stack([image] * 3, axis=-1), rgb=True)
    layer = viewer.add_labels(labels)
    layer.contour = options.contour
    tools = Corrections(viewer)
    viewer.window.add_dock_widget(tools, area="right")
    gaps: list[float] = []
    last = [perf_counter()]

    def tick() -> None:
        now = perf_counter()
        gaps.append(now - last[0])
        last[0] = now

    timer = QTimer()
    timer.timeout.connect(tick)
    timer.start(LOOK_MS)

    def wait(seconds: float) -> None:
        end = perf_counter() + seconds
        while perf_counter() < end:
            QApplication.processEvents()

    def measured(act: Callable[[], object]) -> tuple[float, float]:
        """Return milliseconds of a call, and the longest gap until all has settled."""
        wait(SETTLED_S)
        gaps.clear()
        last[0] = start = perf_counter()
        act()
        taken = perf_counter() - start
        wait(SETTLED_S)
        return 1e3 * taken, 1e3 * max(gaps)

    def middle(number: int) -> np.ndarray:
        row, column = divmod(number - 1, 224)
        shift = 5 if column % 2 == 0 else 0
        return np.array([4 + row * PITCH + RADIUS, 4 + column * PITCH + RADIUS + shift])

    def use(tool: object, *places: np.ndarray) -> Callable[[], object]:
        def act() -> None:
            tools.mouse.tool = tool
            for place in places:
                tools._use(layer, tool, np.atleast_2d(place).astype(float))

        return act

    wait(3)
    print("shown: longest gap at rest", f"{measured(lambda: None)[1]:.0f} ms")
    print("the first edit:", "{:.0f} ms, gap {:.0f} ms".format(*measured(use(DELETE, middle(9)))))
    found: dict[str, list[tuple[float, float]]] = {}
    for turn in range(options.rounds):
        first = 225 * (20 + 8 * turn) + 41  # somewhere inside
        first += first % 2 == 0
        one, other = middle(first), middle(first + 1)
        hole = middle(first + 4)
        layer.data[hole[0] - 1 : hole[0] + 2, hole[1] - 1 : hole[1] + 2] = 0
        gone = middle(first + 6)
        ring = gone + 7 * np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]])
        acts = {
            "merge": use(MERGE, one, other),
            "separate": use(SEPARATE, np.add(one, [[-12, 0], [12, 0]])),
            "fill holes": use(FILL, np.add(hole, (0, 4))),
            "delete": use(DELETE, gone),
            "add by a click": use(ADD, gone),
            "undo by napari": layer.undo,
            "add by an outline": use(OUTLINE, ring),
            "napari's bucket": partial(layer.fill, tuple(middle(first + 8)), 0),
        }
        for name, act in acts.items():
            found.setdefault(name, []).append(measured(act))
    for name, times in found.items():
        taken, longest = (median(each) for each in zip(*times, strict=True))
        print(f"{name}: {taken:.0f} ms, longest gap {longest:.0f} ms")
    print("relabel:", "{:.0f} ms, gap {:.0f} ms".format(*measured(tools.relabel)))
    print(tools.count.text())
    tools.close_tools()
    timer.stop()
    viewer.close()


if __name__ == "__main__":
    main()

"""Make the pictures of napari for the documentation, by using it: real windows, real clicks.

On a machine without a screen:
xvfb-run -a -s "-screen 0 1600x1000x24" python docs/make_screenshots.py

Names of docks behind it (segment, prepare, evaluate, train) make the pictures of these alone.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import screenshot_evaluate
import screenshot_prepare
import screenshot_segment
import screenshot_train

PICTURES = {
    "segment": screenshot_segment.main,
    "prepare": screenshot_prepare.main,
    "evaluate": screenshot_evaluate.main,
    "train": screenshot_train.main,
}


def main() -> None:
    """Make all pictures, or those asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dock", nargs="*", help="Only of these: " + ", ".join(PICTURES) + ".")
    parser.add_argument("-o", "--out", type=Path, default=Path(__file__).parent / "images")
    arguments = parser.parse_args()
    if unknown := set(arguments.dock) - set(PICTURES):
        parser.error("no dock is called " + ", ".join(sorted(unknown)))
    for name in arguments.dock or PICTURES:
        PICTURES[name](arguments.out)


if __name__ == "__main__":
    main()

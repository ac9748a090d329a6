"""Draw where a model is worst, beside what would be right.

    python benchmarks/failures.py                         docs/images/failures.png
    python benchmarks/failures.py DATASET --folds build/weights/folds -o failures.png

Without a DATASET: the bundled weights on generated images, none of which a training sees: the worst
of the frozen test set, the same at half the resolution and in grey, and the worst of twelve tiles
without a nucleus. With one (what `tools/assemble_training_tiles.py` wrote) the worst tile of every
patient and of every source, by the network that has seen none of them. In the pictures what
prediction and truth have in common is grey, what only the prediction has is orange, and what only
the truth has is blue, as in the dock Compare with ground truth.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from robustness import empty_images, grey, shrink

if TYPE_CHECKING:
    from napari_snow_unet.segmentation.model import Model

BOX, NEAREST = Image.Resampling.BOX, Image.Resampling.NEAREST
PICTURE = Path(__file__).parents[1] / "docs" / "images" / "failures.png"


@dataclass(frozen=True)
class Case:
    """A tile, what is right, and what a model found in it."""

    name: str
    image: np.ndarray
    truth: np.ndarray
    found: np.ndarray

    @property
    def score(self) -> float:
        """Dice; where there is nothing to be found, the part of the tile that is left alone."""
        from napari_snow_unet.metrics.scores.pixel import count_pixels
        from napari_snow_unet.metrics.scores.pixel import pixel_scores as pixel_scores

        if not self.truth.any():
            return 1.0 - float(self.found.mean())
        return pixel_scores(count_pixels(self.found, self.truth))["dice"] or 0.0

    @property
    def title(self) -> str:
        """Name and score in words."""
        if not self.truth.any():
            return f"{self.name}: {self.found.mean():.1%} false area"
        return f"{self.name}: Dice {self.score:.2f}"


def case(name: str, image: np.ndarray, truth: np.ndarray, model: Model) -> Case:
    """Segment a tile."""
    from napari_snow_unet.segmentation.pipeline import run, segment

    return Case(name, image, truth > 0, run(segment(image, model)).labels > 0)


def worst(cases: list[Case]) -> Case:
    """Return the one with the lowest score."""
    return min(cases, key=lambda case: case.score)


def generated_cases() -> list[Case]:
    """Return where the bundled weights are worst on generated images."""
    from napari_snow_unet.data.synthetic import frozen_test_set
    from napari_snow_unet.models import open_model

    model = open_model("default")
    tiles = {str(number): tile for number, tile in enumerate(frozen_test_set())}
    first = worst([case(name, tile.image, tile.labels, model) for name, tile in tiles.items()])
    tile = tiles[first.name]
    small = shrink(tile.image, 0.5, BOX), shrink((tile.labels > 0).astype(np.uint8), 0.5, NEAREST)
    empty = empty_images()["generated tissue, no nuclei"]
    return [
        Case("worst of the test set", first.image, first.truth, first.found),
        case("the same, half as large", *small, model),
        case("the same, in grey", grey(tile.image), tile.labels, model),
        worst([case("no nuclei", image, np.zeros(image.shape[:2]), model) for image in empty]),
    ]


def cases_of(dataset: Path, folds: Path) -> list[Case]:
    """Return the worst tile of every patient and source."""
    from napari_snow_unet.data.datasets.manifest import read_manifest
    from napari_snow_unet.data.formats.label_images import read_labels
    from napari_snow_unet.data.pixels.images import read_image
    from napari_snow_unet.models import open_model

    found: dict[str, list[Case]] = {}
    for tile in read_manifest(dataset):
        if tile.fold is None:
            continue
        model = open_model(folds / f"fold-{tile.fold}" / "last")
        image = read_image(dataset / tile.image).array[..., :3]
        labels = read_labels(dataset / tile.mask)
        group = tile.name.rsplit("_", 1)[0]
        found.setdefault(group, []).append(case(tile.name, image, labels, model))
    return [worst(cases) for _, cases in sorted(found.items())]


def draw(cases: list[Case], path: Path) -> None:
    """Draw a column for each case: the tile, and what is right and wrong on it."""
    from matplotlib.colors import to_rgb
    from matplotlib.figure import Figure

    from napari_snow_unet.metrics.scores.objects import ERROR_COLOURS

    figure = Figure(figsize=(3 * len(cases), 6.3), layout="constrained")
    both, prediction, truth = (np.asarray(to_rgb(colour)) for colour in ERROR_COLOURS.values())
    axes: Any = figure.subplots(2, len(cases), squeeze=False)
    for (above, below), shown in zip(axes.T, cases, strict=True):
        grey_scale = {"cmap": "gray", "vmin": 0, "vmax": 255}
        above.imshow(shown.image, **grey_scale)
        above.set_title(shown.title, fontsize=9)
        errors = np.ones((*shown.truth.shape, 3))
        errors[shown.found & shown.truth] = both
        errors[shown.found & ~shown.truth] = prediction
        errors[~shown.found & shown.truth] = truth
        below.imshow(errors)
        for axis in (above, below):
            axis.set_xticks([])
            axis.set_yticks([])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    print(path)


def main() -> None:
    """Segment and draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dataset", type=Path, nargs="?")
    parser.add_argument("--folds", type=Path, help="of the cross-validation on DATASET")
    parser.add_argument("-o", "--out", type=Path, default=PICTURE)
    arguments = parser.parse_args()
    if (arguments.dataset is None) != (arguments.folds is None):
        parser.error("DATASET and --folds belong together")
    if arguments.dataset is None:
        draw(generated_cases(), arguments.out)
    else:
        draw(cases_of(arguments.dataset, arguments.folds), arguments.out)


if __name__ == "__main__":
    main()

"""Print how the Dice of a model changes with stain, focus, noise, compression and scale.

    python benchmarks/robustness.py DATASET --folds build/weights/folds

DATASET is what `tools/assemble_training_tiles.py` wrote, the folds are those of `make
crossvalidate`: every tile is segmented by the network that has seen no tile of its patient. Every
row is the same tiles, changed in one way; of those that are shrunk the truth is shrunk too. At the
end stand images in which nothing is to be found.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

KINDS = ("tnbc", "snow")
FIRST_EMPTY_SEED, EMPTY_TILES = 8_100_000, 12  # never in a training
Change = Callable[[np.ndarray], np.ndarray]


def stain(strength: float) -> Change:
    """Multiply the optical density of all channels (Beer and Lambert)."""
    return lambda rgb: np.rint(255 * (rgb / 255) ** strength).astype(np.uint8)


def jpeg(quality: int) -> Change:
    """Compress and read again."""

    def change(rgb: np.ndarray) -> np.ndarray:
        buffer = io.BytesIO()
        Image.fromarray(rgb).save(buffer, "JPEG", quality=quality)
        return np.asarray(Image.open(buffer))

    return change


def blur(sigma: float) -> Change:
    """Put out of focus by a Gaussian blur in pixels."""
    kernel = ImageFilter.GaussianBlur(sigma)
    return lambda rgb: np.asarray(Image.fromarray(rgb).filter(kernel))


def noise(sigma: float) -> Change:
    """Add Gaussian noise in grey levels, seeded."""

    def change(rgb: np.ndarray) -> np.ndarray:
        drawn = np.random.default_rng(0).normal(0, sigma, rgb.shape)
        return np.clip(np.rint(rgb + drawn), 0, 255).astype(np.uint8)

    return change


def grey(rgb: np.ndarray) -> np.ndarray:
    """Return what a grey-scale camera would see."""
    return np.asarray(Image.fromarray(rgb).convert("L"))


def folded(rgb: np.ndarray) -> np.ndarray:
    """Lay the tissue right of the middle over that left of it, as wide as `FOLD`."""
    left, right = sides_of_fold(rgb)
    result = rgb.copy()
    result[left] = np.rint(rgb[left] * (rgb[right][:, ::-1] / 255)).astype(np.uint8)
    return result


def sides_of_fold(array: np.ndarray) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return what lies below, left of the middle, and what is laid over it, turned."""
    middle = array.shape[1] // 2
    rows = slice(None)
    return (rows, slice(middle - FOLD, middle)), (rows, slice(middle, middle + FOLD))


def shrink(array: np.ndarray, factor: float, resample: Image.Resampling) -> np.ndarray:
    """Resample to `factor` times the size."""
    height, width = (round(n * factor) for n in array.shape[:2])
    return np.asarray(Image.fromarray(array).resize((width, height), resample))


CHANGES: dict[str, Change] = {
    "as it is": lambda rgb: rgb,
    "stain half as strong": stain(0.5),
    "stain 1.5 times as strong": stain(1.5),
    "out of focus, 1 px": blur(1.0),
    "out of focus, 2 px": blur(2.0),
    "noise of 10 grey levels": noise(10),
    "JPEG, quality 50": jpeg(50),
    "JPEG, quality 25": jpeg(25),
    "grey-scale": grey,
}
SCALES = (0.75, 0.5)
FOLD = 96  # px


def tiles_of(dataset: Path, fold: int) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Return (kind, RGB, foreground) of the tiles of a fold."""
    from napari_snow_unet.data.datasets.manifest import read_manifest
    from napari_snow_unet.data.formats.label_images import read_labels
    from napari_snow_unet.data.pixels.images import read_image

    return [
        (
            tile.name.split("_")[0],
            read_image(dataset / tile.image).array[..., :3],
            (read_labels(dataset / tile.mask) > 0).astype(np.uint8),
        )
        for tile in read_manifest(dataset)
        if tile.fold == fold
    ]


def versions(rgb: np.ndarray, truth: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the image changed in every way, with its truth."""
    changed = {name: (change(rgb), truth) for name, change in CHANGES.items()}
    for scale in SCALES:
        smaller = shrink(rgb, scale, Image.Resampling.BOX), shrink(truth, scale, Image.NEAREST)
        changed[f"{scale:g} times as large"] = smaller
    left, right = sides_of_fold(rgb)
    both = truth.copy()
    both[left] |= truth[right][:, ::-1]
    changed[f"folded over, {FOLD} px wide"] = folded(rgb), both
    return changed


def empty_images() -> dict[str, list[np.ndarray]]:
    """Return images without a nucleus."""
    from napari_snow_unet.data.synthetic import generate_tile

    seeds = range(FIRST_EMPTY_SEED, FIRST_EMPTY_SEED + EMPTY_TILES)
    tissue = [generate_tile(seed, density=0).image for seed in seeds]
    return {
        "generated tissue, no nuclei": tissue,
        "the same, folded over": [folded(image) for image in tissue],
        "generated glass": [generate_tile(s, glass=True).image for s in seeds],
        "one colour": [np.full((256, 256, 3), level, np.uint8) for level in (0, 90, 200, 255)],
    }


def main() -> None:
    """Segment, and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--only", type=int, nargs="+", help="folds to look at")
    arguments = parser.parse_args()
    from napari_snow_unet.data.datasets.manifest import read_manifest
    from napari_snow_unet.metrics.scores.pixel import count_pixels
    from napari_snow_unet.metrics.scores.pixel import pixel_scores as pixel_scores
    from napari_snow_unet.models import open_model
    from napari_snow_unet.segmentation.pipeline import run, segment

    folds = arguments.only or sorted({t.fold for t in read_manifest(arguments.dataset)} - {None})
    found: dict[tuple[str, str], list[float]] = {}
    empty: dict[str, list[float]] = {}
    for fold in folds:
        model = open_model(arguments.folds / f"fold-{fold}" / "last")
        for kind, rgb, mask in tiles_of(arguments.dataset, fold):
            for name, (image, truth) in versions(rgb, mask).items():
                labels = run(segment(image, model)).labels
                dice = pixel_scores(count_pixels(labels, truth))["dice"]
                found.setdefault((name, kind), []).append(dice or 0.0)
        for name, images in empty_images().items():
            areas = [float((run(segment(image, model)).labels > 0).mean()) for image in images]
            empty.setdefault(name, []).extend(areas)
    print(f"\nmean Dice{'':23}" + "".join(kind.rjust(8) for kind in KINDS))
    for name in dict.fromkeys(name for name, _ in found):
        means = (f"{np.mean(found[name, kind]):.3f}".rjust(8) for kind in KINDS)
        print(name.ljust(32), *means, sep="")
    print("\nwithout nuclei                  false area   worst")
    for name, areas in empty.items():
        print(name.ljust(32), f"{np.mean(areas):9.2%}", f"{max(areas):8.2%}")


if __name__ == "__main__":
    main()

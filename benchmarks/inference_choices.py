"""Print what choices after the training are worth: scales, mirrors, thresholds, two models.

    python benchmarks/inference_choices.py DATASET --work FOLDER

DATASET is what `tools/assemble_training_tiles.py` wrote, FOLDER that of `tools/screen_recipes.py`.
Tiles of TNBC and SNOW are segmented by the networks of the folds that have not seen them; those of
NuInsSeg and generated ones by the bundled network, which has seen none of either. Maps are computed
once and kept in FOLDER.
"""

from __future__ import annotations

import argparse
from ast import literal_eval
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

SCALES = (0.75, 0.8, 1.0, 1.25)
MIRRORS = ((), (0,), (1,), (0, 1))
FOLDS, EVERY = (1, 3), 8  # of the tiles of NuInsSeg
FIRST_SEED, GENERATED, EMPTY = 8_400_000, 4, 6  # never in a training
FEWEST = 10
NETWORKS = ("baseline", "colour")
Maps = dict[tuple[float, tuple[int, ...]], np.ndarray]

#: How a prediction is averaged: pairs of scale and mirrored axes.
WAYS: dict[str, list[tuple[float, tuple[int, ...]]]] = {
    "once": [(1.0, ())],
    "4 mirrors": [(1.0, axes) for axes in MIRRORS],
    "3 scales": [(scale, ()) for scale in (0.75, 1.0, 1.25)],
    "3 scales, 0.8": [(scale, ()) for scale in (0.8, 1.0, 1.25)],
    "2 scales, mirrored": [(1.0, ()), (1.0, (0, 1)), (1.25, (0,)), (1.25, (1,))],
    "3 scales, mirrored": [(1.0, ()), (1.0, (0, 1)), (0.75, (0,)), (1.25, (1,))],
    "3 scales, mirrored, 0.8": [(1.0, ()), (1.0, (0, 1)), (0.8, (0,)), (1.25, (1,))],
    "3 scales, 4 mirrors": [*product((0.75, 1.0, 1.25), MIRRORS)],
}


@dataclass
class Case:
    """A tile with its maps."""

    kind: str
    truth: np.ndarray
    maps: Maps  # float32 probabilities on the grid of the tile
    floor: float


def maps_of(model: object, image: np.ndarray, scales: tuple[float, ...]) -> Maps:
    """Predict a tile at every scale, mirrored in every way."""
    import cv2

    from napari_snow_unet.data.pixels.channels import network_input

    unit = network_input(image, model.channel)  # type: ignore[attr-defined]
    height, width = unit.shape[:2]
    found = {}
    for scale, axes in product(scales, MIRRORS):
        size = round(width * scale), round(height * scale)
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        scaled = unit if scale == 1 else cv2.resize(unit, size, interpolation=way)
        scaled = np.flip(scaled.reshape(size[1], size[0], -1), axes)
        missing = [(0, -length % 64) for length in scaled.shape[:2]]
        window = np.pad(scaled, (*missing, (0, 0)), mode="symmetric")
        whole = model.predict(np.ascontiguousarray(window[None]))[0]  # type: ignore[attr-defined]
        back = np.ascontiguousarray(np.flip(whole[: size[1], : size[0]], axes))
        if scale != 1:
            back = cv2.resize(back, (width, height), interpolation=cv2.INTER_LINEAR)
        found[scale, axes] = back.astype(np.float16)
    return found


def kept(path: Path, compute: Callable[[], Maps]) -> Maps:
    """Read maps from a file, or compute and write them."""
    if not path.is_file():
        found = compute()
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}")
        with temporary.open("wb") as file:
            np.savez_compressed(file, **{repr(key): value for key, value in found.items()})
        temporary.rename(path)
    with np.load(path) as file:
        return {literal_eval(name): file[name] for name in file.files}


def cases(
    dataset: Path, work: Path, network: str, filters: int, scales: tuple[float, ...] = SCALES
) -> list[Case]:
    """Return tiles that a network has not seen; "default" is the bundled one."""
    from napari_snow_unet.data.datasets.manifest import read_manifest
    from napari_snow_unet.data.formats.label_images import read_labels
    from napari_snow_unet.data.pixels.images import read_image
    from napari_snow_unet.data.synthetic import generate_tile
    from napari_snow_unet.metrics.scores.instance import as_instances
    from napari_snow_unet.models import open_model

    found, tiles = [], read_manifest(dataset)
    for fold in FOLDS:
        folder = work / "runs" / f"{network}-filters{filters}-fold{fold}-seed0" / "last"
        model = open_model("default" if network == "default" else folder)
        place = work / "maps" / f"{network}{filters}-{len(scales)}"
        held_out = [tile for tile in tiles if tile.fold == fold]
        nuinsseg = [tile for tile in held_out if tile.name.startswith("nuinsseg")][::EVERY]
        others = [tile for tile in held_out if not tile.name.startswith("nuinsseg")]
        for tile in nuinsseg if network == "default" else others:
            image = read_image(dataset / tile.image).array[..., :3]
            maps = kept(place / f"{tile.name}.npz", lambda m=model, i=image: maps_of(m, i, scales))
            truth = as_instances(read_labels(dataset / tile.mask))
            found.append(Case(tile.name.split("_")[0], truth, maps, model.threshold_floor))
        made_by = FIRST_SEED + 20 * fold
        for seed in range(made_by, made_by + GENERATED + EMPTY) if network == "default" else ():
            kind = "generated" if seed < made_by + GENERATED else "empty"
            made = generate_tile(seed, density=1.0 if kind == "generated" else 0.0)
            path = place / f"{kind}_{seed}.npz"
            maps = kept(path, lambda m=model, i=made.image: maps_of(m, i, scales))
            found.append(Case(kind, made.labels, maps, model.threshold_floor))
    return found


def averaged(case: Case, way: str) -> np.ndarray:
    """Return the 8-bit mean map of a way."""
    mean = np.mean([case.maps[key].astype(np.float32) for key in WAYS[way]], axis=0)
    return np.rint(np.clip(mean, 0, 1) * 255).astype(np.uint8)


@dataclass(frozen=True)
class After:
    """What is done with a map."""

    floor: float | None = None  # of the threshold; None is the model's
    mean: float = 0.0  # least mean probability of a nucleus
    peak: float = 0.0  # least maximum of a nucleus (hysteresis)
    height: float = 1.0  # px that a nucleus rises above the neck to its neighbour
    distance: float = 4.0  # px between two peaks
    area_um2: float = 5.0


def labelled(probability: np.ndarray, case: Case, after: After) -> np.ndarray:
    """Return the nuclei of a map."""
    from napari_snow_unet.segmentation.plane import nuclei, touching
    from napari_snow_unet.segmentation.plane.threshold import choose_level, grey_histogram

    floor = case.floor if after.floor is None else after.floor
    level = choose_level(grey_histogram(probability), floor=floor)
    touching.MARKER_HEIGHT_PX, touching.MARKER_DISTANCE_PX = after.height, after.distance
    area = after.area_um2 / nuclei.REFERENCE_PIXEL_UM**2
    labels = nuclei.label_nuclei(probability > level, min_area=area)
    if after.mean or after.peak:
        count = np.bincount(labels.ravel())
        mean = np.bincount(labels.ravel(), probability.ravel()) / np.maximum(count, 1)
        peak = np.zeros(count.size)
        np.maximum.at(peak, labels.ravel(), probability.ravel())
        drop = (mean < 255 * after.mean) | (peak < 255 * after.peak)
        labels = np.where(drop[labels], 0, labels)
    return labels


def scores(tiles: Iterable[Case], way: str, after: After) -> dict[str, list[float]]:
    """Return Dice, AJI, count error, mean-area error and false area per kind, as means."""
    from napari_snow_unet.metrics.scores.instance import count_instances, instance_scores
    from napari_snow_unet.metrics.scores.pixel import count_pixels, pixel_scores

    found: dict[str, list[list[float]]] = {}
    for case in tiles:
        labels = labelled(averaged(case, way), case, after)
        pixels = count_pixels(labels, case.truth)
        instances = count_instances(labels, case.truth)
        real, nuclei = instances.n_truth, instances.n_prediction
        many = real >= FEWEST
        area = (labels > 0).sum() / max(nuclei, 1) / ((case.truth > 0).sum() / max(real, 1) or 1)
        row = [
            pixel_scores(pixels)["dice"] or 0.0,
            instance_scores(instances)["aji"] or 0.0,
            100 * (nuclei / real - 1) if many else np.nan,
            100 * (area - 1) if many and nuclei else np.nan,
            100 * pixels.false_positive / max((case.truth == 0).sum(), 1),
        ]
        found.setdefault(case.kind, []).append(row)
    result = {}
    for kind, rows in found.items():
        values = np.array(rows, float)
        means = [float(np.nanmean(v)) if np.isfinite(v).any() else np.nan for v in values.T]
        spread = values[:, 2][np.isfinite(values[:, 2])]
        result[kind] = [*means, float(1.96 * spread.std(ddof=1)) if spread.size > 1 else np.nan]
    return result


def show(title: str, found: dict[str, list[float]]) -> None:
    """Print a line."""
    cells = [
        f"{k}: {v[4]:.2f} %" if k == "empty" else
        f"{k}: {v[0]:.4f} {v[1]:.4f} n {v[2]:+.1f}±{v[5]:.0f} a {v[3]:+.1f} f {v[4]:.2f}"
        for k, v in found.items()
    ]  # fmt: skip
    print(title.ljust(26), " | ".join(cells), flush=True)


def two_models(dataset: Path, work: Path, filters: int) -> None:
    """Compare the networks of two variants with the mean of both."""
    both = [cases(dataset, work, network, filters, (1.0,)) for network in NETWORKS]
    for network, tiles in zip(NETWORKS, both, strict=True):
        show(network, scores(tiles, "once", After()))
    means = []
    for one, other in zip(*both, strict=True):
        maps = {
            key: (one.maps[key].astype(np.float32) + other.maps[key].astype(np.float32)) / 2
            for key in WAYS["4 mirrors"]
        }
        means.append(Case(one.kind, one.truth, maps, (one.floor + other.floor) / 2))
    show("mean of both", scores(means, "once", After()))
    show("mean of both, 4 mirrors", scores(means, "4 mirrors", After()))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--filters", type=int, default=8)
    parser.add_argument("--networks", nargs="+", default=["default", "baseline"])
    parser.add_argument("--two", action="store_true", help="only the mean of two models")
    arguments = parser.parse_args()
    if arguments.two:
        two_models(arguments.dataset, arguments.work, arguments.filters)
        return
    for network in arguments.networks:
        tiles = cases(arguments.dataset, arguments.work, network, arguments.filters)
        print(f"\n{network}: Dice AJI, n: count error in % ± limits, a: mean area, f: false area")
        for way in WAYS:
            show(way, scores(tiles, way, After()))
        for after in (
            *(After(floor=floor) for floor in (0.3, 0.45, 0.5, 0.55)),
            *(After(mean=mean) for mean in (0.5, 0.55, 0.6, 0.65, 0.7)),
            *(After(peak=peak) for peak in (0.6, 0.7, 0.8, 0.9)),
            *(After(height=height) for height in (0.25, 0.5, 0.75, 1.5, 2.0)),
            *(After(height=0.5, area_um2=area) for area in (2.5, 3.75)),
            *(After(area_um2=area) for area in (2.5, 3.75, 7.5, 10.0)),
        ):
            changed = [
                f"{name} {value:g}"
                for name, value in vars(after).items()
                if value != getattr(After(), name)
            ]
            show(", ".join(changed), scores(tiles, "once", after))


if __name__ == "__main__":
    main()

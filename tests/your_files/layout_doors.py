"""One folder through every door that looks for images and masks: all find the same pairs."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import run
from napari_snow_unet.batch.finding import find_images
from napari_snow_unet.data.datasets.check.dataset import CheckReport, check_dataset
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.prepare.ledger import Prepared
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.stack import open_tile_stack
from napari_snow_unet.data.formats.hovernet import write_hovernet_mat
from napari_snow_unet.data.formats.label_images import read_labels, write_labels
from napari_snow_unet.data.pairs.folder import find_pairs
from napari_snow_unet.data.pairs.partner import partner_of
from napari_snow_unet.data.pixels.images import read_image, write_image
from napari_snow_unet.metrics.files.evaluation import evaluate
from napari_snow_unet.metrics.files.evaluation_task import make_task
from napari_snow_unet.metrics.files.matching import find_truths
from napari_snow_unet.segmentation.plane.threshold import otsu_level
from napari_snow_unet.unet.runs.dataset import open_training_set

SHAPE = (24, 32)


def picture(number: int) -> NDArray[np.uint8]:
    """Return a tile in colour that no other number has."""
    return np.random.default_rng(number).integers(0, 256, (*SHAPE, 3), dtype=np.uint8)


def nuclei(number: int) -> NDArray[np.int32]:
    """Return three nuclei, in other places for every number."""
    labels = np.zeros(SHAPE, np.int32)
    for id_, row in enumerate((2, 9, 16), start=1):
        labels[row : row + 4, 2 + number % 20 : 8 + number % 20] = id_
    return labels


def put(folder: Path, tiles: dict[int, tuple[str, str]]) -> dict[str, str]:
    """Write images and masks under these names, and return which belong together."""
    for number, (image, mask) in tiles.items():
        if image:
            write_image(folder / image, picture(number))
        if mask:
            put_mask(folder / mask, nuclei(number))
    return {image: mask for image, mask in tiles.values() if image and mask}


def put_mask(path: Path, labels: NDArray[np.int32]) -> None:
    """Write a mask as its suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() == ".mat":
        write_hovernet_mat(path, labels)
    else:
        write_labels(path, labels)


def takes(folder: Path, pairs: dict[str, str], *notes: str, left: tuple[str, ...] = ()) -> Prepared:
    """Assert that every door finds these pairs and no other, and names what is left.

    Image and mask hold what `put` writes of one number; notes must be said by every door that
    says something.
    """
    found = find_pairs(folder)
    assert _relative(folder, found.images, found.masks) == pairs
    assert {path.relative_to(folder).as_posix() for path in found.orphans} == set(left)
    _checked(folder, pairs, notes, left)
    _trained(folder, pairs, notes)
    _opened(folder, pairs, notes)
    _measured(folder, pairs, notes)
    return _prepared(folder, pairs, notes, left)


def refuses(folder: Path, *words: str) -> None:
    """Assert that every door refuses a folder in these words."""
    out = folder.parent / "out"
    prediction = folder.parent / "prediction"
    write_labels(prediction / "t1.png", nuclei(1), overwrite=True)
    for door in (
        lambda: run(prepare([folder], out, PrepareOptions(workers=1))),
        lambda: run(check_dataset(folder, workers=1)),
        lambda: open_training_set(folder),
        lambda: open_tile_stack(folder),
    ):
        with pytest.raises(InputError) as caught:
            door()
        for word in words:
            assert word in str(caught.value), str(caught.value)
    assert not out.exists()


def refuses_to_measure(folder: Path, *words: str) -> None:
    """Assert that there is nothing to compare with in a folder, in these words."""
    with pytest.raises(InputError) as caught:
        make_task(folder, folder)
    for word in words:
        assert word in str(caught.value), str(caught.value)


def refuses_to_segment(folder: Path, *words: str) -> None:
    """Assert that there is nothing to segment in a folder, in these words."""
    with pytest.raises(InputError) as caught:
        find_images([folder])
    for word in words:
        assert word in str(caught.value), str(caught.value)


def prepared(folder: Path, *others: Path) -> Prepared:
    """Prepare folders in one process."""
    sources = [folder, *others]
    return run(prepare(sources, folder.parent / "dataset", PrepareOptions(workers=1)))


def checked(folder: Path) -> CheckReport:
    """Check a folder in one process."""
    return run(check_dataset(folder, workers=1))


def _relative(folder: Path, images: list[Path], masks: list[Path]) -> dict[str, str]:
    return {
        image.relative_to(folder).as_posix(): mask.relative_to(folder).as_posix()
        for image, mask in zip(images, masks, strict=True)
    }


def _checked(folder: Path, pairs: dict[str, str], notes, left) -> None:
    report = checked(folder)
    assert report.tiles == len(pairs)
    assert {problem.name for problem in report.problems} == set(left)
    _are_said(notes, map(str, report.findings))


def _trained(folder: Path, pairs: dict[str, str], notes) -> None:
    if len(pairs) < 2:
        return
    tiles = open_training_set(folder)
    every = [*tiles.train, *tiles.validation]
    there = _relative(folder, [t.image for t in every], [t.mask for t in every])
    assert set(there.items()) <= set(pairs.items())
    assert len({tile.name for tile in every}) == len(every)
    _are_said(notes, tiles.notes)


def _opened(folder: Path, pairs: dict[str, str], notes) -> None:
    stack = open_tile_stack(folder)
    assert _relative(folder, stack.image_paths, stack.label_paths) == pairs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is said of single masks is not about layouts
        labels = stack.labels.compute(scheduler="synchronous")
    for path, plane in zip(stack.label_paths, labels, strict=True):
        assert np.array_equal(plane, read_labels(path))
    _are_said(notes, [stack.warning or ""])
    for image, mask in zip(stack.image_paths, stack.label_paths, strict=True):
        partner = partner_of(image)  # a file that is dropped opens with this one, or alone
        assert partner in (None, mask), (image, partner)


def _measured(folder: Path, pairs: dict[str, str], notes) -> None:
    said: list[str] = []
    names = [Path(image).name.partition(".")[0] for image in pairs]
    if len(set(names)) < len(names):  # refused, since a prediction could be of either
        with pytest.raises(InputError, match=r"^[^:]*: Two files"):
            find_truths(folder)
        return
    truths = find_truths(folder, notes=said)
    with_image = {n: truth for n, truth in truths.items() if truth.image is not None}
    images, masks = zip(*((t.image, t.labels) for t in with_image.values()), strict=True)
    assert _relative(folder, list(images), list(masks)) == pairs
    _are_said(notes, said)
    for name, truth in with_image.items():
        write_labels(
            folder.parent / "perfect" / f"{name}.png", read_labels(truth.labels), overwrite=True
        )
    scores = run(evaluate(make_task(folder.parent / "perfect", folder), otsu_level)).pooled_scores
    assert (scores["dice"], scores["pq"]) == (1.0, 1.0)


def _prepared(folder: Path, pairs: dict[str, str], notes, left) -> Prepared:
    result = prepared(folder)
    root, out = folder.name, result.folder
    there = {tile.source_image: tile.source_mask for tile in result.tiles}
    assert there == {f"{root}/{image}": f"{root}/{mask}" for image, mask in pairs.items()}
    assert {problem.name for problem in result.problems} == {f"{root}/{name}" for name in left}
    for tile in result.tiles:
        image = folder / tile.source_image.partition("/")[2]
        mask = folder / tile.source_mask.partition("/")[2]
        assert np.array_equal(read_image(out / tile.image).array, read_image(image).array)
        assert np.array_equal(read_labels(out / tile.mask), read_labels(mask))
    _are_said(notes, result.messages)
    again = prepared(folder)
    assert (again.new, again.tiles) == (0, result.tiles)
    return result


def _are_said(notes, texts) -> None:
    said = " ".join(texts)
    for note in notes:
        assert note in said, said

"""Files compared with files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_erosion, distance_transform_edt, gaussian_filter, zoom
from tifffile import imwrite

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import run
from napari_snow_unet.data.datasets.messages import favours
from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.formats.nuclei_file import Nuclei, write_nuclei
from napari_snow_unet.data.masks import notes
from napari_snow_unet.data.masks.mask_kinds import judge_mask
from napari_snow_unet.data.pixels.images import read_image, write_image
from napari_snow_unet.metrics.files import messages
from napari_snow_unet.metrics.files.evaluation import Evaluation, evaluate
from napari_snow_unet.metrics.files.evaluation_task import make_task
from napari_snow_unet.metrics.report import messages as report_messages
from napari_snow_unet.metrics.report.values import problems
from napari_snow_unet.metrics.scores import tile
from napari_snow_unet.segmentation.plane.threshold import otsu_level


def squares(seed: int, n: int = 12, side: int = 64) -> np.ndarray:
    random = np.random.default_rng(seed)
    labels = np.zeros((side, side), np.int32)
    for label in range(1, n + 1):
        y, x = random.integers(0, side - 8, 2)
        labels[y : y + 7, x : x + 8] = label
    return labels


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for seed, name in enumerate("abc"):
        truth = squares(seed)
        found = np.roll(truth, 1, axis=1)
        write_labels(tmp_path / "truth" / f"{name}.png", truth)
        write_labels(tmp_path / "found" / f"{name}.png", found)
        grey = np.where(found, 220, 30).astype(np.uint8)
        grey[truth > 0] += 10
        write_image(tmp_path / "found" / f"{name}_probability.png", grey)
    return tmp_path


def evaluated(folder: Path, **options: object) -> Evaluation:
    task = make_task(folder / "found", folder / "truth", **options)
    return run(evaluate(task, otsu_level))


def test_tiles_are_what_the_arrays_give(folders: Path) -> None:
    result = evaluated(folders, probability=folders / "found")
    assert list(result.tiles) == ["a", "b", "c"]
    truth = squares(1)
    expected = tile.compare(np.roll(truth, 1, axis=1), truth).scores()
    assert {**result.tiles["b"], "auc": None} == expected
    assert 0.9 < result.tiles["b"]["auc"] < 1
    assert result.tiles_at["b"]["otsu"]["dice"] == expected["dice"]
    assert result.complete


def test_pooled_tiles_equal_the_mosaic(folders: Path) -> None:
    result = evaluated(folders)
    truth = np.concatenate([squares(k) + (squares(k) > 0) * 100 * k for k in range(3)])
    found = np.roll(truth, 1, axis=1)
    expected = {**tile.compare(found, truth).scores(), "average_hausdorff": None}
    assert result.pooled_scores == pytest.approx(expected, abs=1e-12)


def test_a_missing_map_leaves_no_pooled_auc(folders: Path) -> None:
    (folders / "found" / "b_probability.png").unlink()
    result = evaluated(folders, probability=folders / "found")
    assert result.without_probability == ["b"]
    assert result.tiles["b"]["auc"] is None
    assert result.pooled_scores["auc"] is None
    assert not result.complete


def test_bad_tiles_are_named_and_the_others_done(folders: Path) -> None:
    (folders / "found" / "a.png").write_bytes(b"no image")
    write_labels(folders / "found" / "b.png", squares(1, side=32), overwrite=True)
    write_labels(folders / "found" / "extra.png", squares(1))
    write_labels(folders / "truth" / "d.png", squares(1))
    result = evaluated(folders)
    assert list(result.tiles) == ["c"]
    assert "a.png" in result.failed["a"]
    assert "32 x 32" in result.failed["b"]
    assert "64 x 64" in result.failed["b"]
    assert (result.missing, result.without_truth) == (["d"], ["extra"])
    assert result.pooled_scores == {**result.tiles["c"], "average_hausdorff": None}


def test_a_map_of_another_size_is_named(folders: Path) -> None:
    write_image(folders / "found" / "b_probability.png", np.zeros((3, 3), np.uint8), overwrite=True)
    result = evaluated(folders, probability=folders / "found")
    assert "b_probability.png" in result.failed["b"]


@pytest.mark.parametrize(
    "stored",
    [
        lambda grey: grey,
        lambda grey: grey.astype(np.uint16) * 257,
        lambda grey: (grey / 255).astype(np.float32),
    ],
)
def test_maps_of_other_types_give_the_same_scores(folders: Path, stored: Callable) -> None:
    expected = evaluated(folders, probability=folders / "found")
    for name in "abc":
        path = folders / "found" / f"{name}_probability.png"
        grey = read_image(path).array
        (folders / "maps").mkdir(exist_ok=True)
        imwrite(folders / "maps" / f"{name}.tif", stored(grey))
    got = evaluated(folders, probability=folders / "maps")
    assert got.tiles == expected.tiles
    assert got.tiles_at == expected.tiles_at


@pytest.mark.parametrize(
    ("stored", "above_half", "assumed"),
    [
        (lambda grey: grey.astype(np.uint16) * 17, False, ()),
        (lambda grey: grey.astype(np.uint16), False, ("16 bits", "above 255")),
        (lambda grey: grey.astype(np.int32), True, ("int32", " 255 ")),
        (lambda grey: grey.astype(np.int32) * 257, True, ("int32", " 65,535 ")),
        (lambda grey: grey.astype(np.float32), True, ("float32", " 255 ")),
    ],
)
def test_16_bits_of_a_map_are_16_and_what_is_assumed_of_others_is_said(
    folders: Path, stored: Callable, above_half: bool, assumed: tuple[str, ...]
) -> None:
    grey = read_image(folders / "found" / "b_probability.png").array
    (folders / "maps").mkdir()
    imwrite(folders / "maps" / "b_probability.tif", stored(grey))
    result = evaluated(folders, probability=folders / "maps")
    assert (result.tiles_at["b"]["0.5"]["recall"] > 0) == above_half
    text = result.assumed.get("b", "")
    assert bool(text) == bool(assumed)
    assert all(fact in text for fact in assumed)
    noted = report_messages.assumed_of_maps(text, ("b",))
    assert list(problems(result)).count(noted) == bool(text)


@pytest.mark.parametrize(
    ("pixels", "problem"),
    [
        (squares(1).astype(np.uint16), messages.MAP_HOLDS_LABELS.problem),
        (np.full((64, 64), -0.5, np.float32), "values from -0.5"),
        (np.zeros((64, 64, 3), np.uint8), "64 x 64 x 3"),
    ],
)
def test_what_is_no_map_is_named(folders: Path, pixels: np.ndarray, problem: str) -> None:
    (folders / "maps").mkdir()
    imwrite(folders / "maps" / "b.tif", pixels)
    reason = evaluated(folders, probability=folders / "maps").failed["b"]
    assert reason.startswith(str(folders / "maps" / "b.tif"))
    assert problem in reason
    assert messages.MAP_REMEDY in reason


def test_nothing_to_compare(folders: Path) -> None:
    write_labels(folders / "other" / "z.png", squares(1))
    with pytest.raises(InputError) as refused:
        run(evaluate(make_task(folders / "found", folders / "other"), otsu_level))
    assert refused.value.message == messages.no_common_name("found", ("a", "b", "c"), ("z",))
    for name in "abc":
        (folders / "found" / f"{name}.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"\b3 tiles.*\ba\.png"):
        evaluated(folders)


def test_masks_are_separated_into_components_unless_declared_labels(folders: Path) -> None:
    for kind in ("truth", "found"):
        for name in "abc":
            mask = (squares("abc".index(name)) > 0) * 255
            write_labels(folders / kind / f"{name}.png", mask, overwrite=True)
    assert evaluated(folders).tiles["a"]["n_truth"] > 3
    assert evaluated(folders, masks_are="labels").tiles["a"]["n_truth"] == 1
    mixed = evaluated(folders, masks_are="labels", predictions_are="binary").tiles["a"]
    assert (mixed["n_truth"], mixed["n_prediction"]) == (
        1,
        evaluated(folders).tiles["a"]["n_truth"],
    )


KINDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "labels": lambda labels: labels,
    "far ids": lambda labels: labels * 517,
    "binary": lambda labels: (labels > 0) * 255,
    "ones": lambda labels: labels > 0,
    "classes": lambda labels: labels % 3 + (labels > 0),
    "from 1": lambda labels: labels % 3 + 1,
    "inverted": lambda labels: (labels == 0) * 255,
    "empty": lambda labels: labels * 0,
    "full": lambda labels: labels * 0 + 3,
    "soft": lambda labels: np.rint(zoom((labels > 0) * 255.0, 1.5, order=1)),
    "map": lambda labels: np.rint(gaussian_filter((labels > 0) * 255.0, 2)),
    "deep map": lambda labels: np.rint(gaussian_filter((labels > 0) * 65535.0, 2)),
    "distances": lambda labels: distance_transform_edt(labels > 0),
    "border": lambda labels: np.where(binary_erosion(labels > 0, iterations=2), 2, labels > 0),
    "noise": lambda labels: np.random.default_rng(0).integers(0, 200, labels.shape),
}


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 9999), n=st.integers(0, 14), kind=st.sampled_from(sorted(KINDS)))
def test_a_mask_against_itself_is_perfect_or_refused(tmp_path_factory, seed, n, kind) -> None:
    """Two files of the same values are judged alike, so that nothing is lost without a word."""
    values = KINDS[kind](squares(seed, n))
    folder = tmp_path_factory.mktemp("itself")
    paths = [folder / "found" / "a.tif", folder / "truth" / "a.tif"]
    for path in paths:
        path.parent.mkdir()
        imwrite(path, values.astype(np.float32))
    if judge_mask(values.astype(np.float32)).refusal:
        with pytest.raises(InputError, match=r"a\.tif: "):
            run(evaluate(make_task(*paths), otsu_level))
        return
    got = run(evaluate(make_task(*paths), otsu_level)).tiles["a"]
    assert got["pq"] in (1, None)
    assert (got["n_truth"], got["dice"]) == (got["n_prediction"], 1 if got["n_truth"] else None)


def test_what_is_assumed_of_masks_is_said_once_for_all(folders: Path) -> None:
    for name in "abc":
        classes = np.array([0, 1, 2] * 5)[squares("abc".index(name)) % 3]
        write_labels(folders / "truth" / f"{name}.png", classes, overwrite=True)
    note = notes.classes(np.array([1, 2]))
    (text,) = [text for text in problems(evaluated(folders)) if note.gist in text]
    assert all(f"{name} ({note.detail})" in text for name in "abc")
    assert "ground truth" in text


def test_pixel_size_scales_the_distance(folders: Path) -> None:
    pixels, micrometres = evaluated(folders), evaluated(folders, pixel_size_um=0.25)
    for name, scores in pixels.tiles.items():
        distance = micrometres.tiles[name]["average_hausdorff"]
        assert distance == pytest.approx(scores["average_hausdorff"] / 4)


def test_region_for_all_or_for_each(folders: Path) -> None:
    region = np.zeros((64, 64), np.int32)
    region[:32] = 1
    write_labels(folders / "half.png", region)
    for name in "ab":
        write_labels(folders / "regions" / f"{name}.png", region)
    one, each = (
        evaluated(folders, region=folders / "half.png"),
        evaluated(folders, region=folders / "regions"),
    )
    truth, found = squares(0), np.roll(squares(0), 1, axis=1)
    expected = tile.compare(found, truth, region=region > 0).scores()
    assert one.tiles["a"] == each.tiles["a"] == expected
    assert expected["n_truth"] < 12
    assert messages.NO_REGION_OF_TILE.problem in each.failed["c"]


def test_otsu_is_that_of_the_whole_map(folders: Path) -> None:
    region = np.zeros((64, 64), np.int32)
    region[:, :5] = 1
    write_labels(folders / "strip.png", region)
    result = evaluated(folders, region=folders / "strip.png", probability=folders / "found")
    truth, found = squares(0) > 0, np.roll(squares(0), 1, axis=1) > 0
    expected = tile.compare(found, truth, region=region > 0).scores()
    assert result.tiles_at["a"]["otsu"]["recall"] == expected["recall"]


def test_scores_against_a_models_own_output_are_flagged(folders: Path) -> None:
    facts = {"model": "my-run", "options": {}}
    path = folders / "truth" / "b.png"
    write_nuclei(path, Nuclei(squares(1), provenance=facts), overwrite=True)
    result = evaluated(folders)
    note = favours("my-run")
    assert {name: [str(each) for each in notes] for name, notes in result.noted.items()} == {
        "b": [note]
    }
    assert report_messages.note_on(("b",), note) in list(problems(result))

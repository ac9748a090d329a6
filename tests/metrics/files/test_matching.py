"""Which files are compared with which."""

from pathlib import Path

import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.formats.hovernet import write_hovernet_mat
from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.metrics.files import matching, messages
from napari_snow_unet.metrics.files.evaluation_task import make_task

LABELS = np.array([[1, 0], [0, 2]])
GREY = np.zeros((2, 2), np.uint8)


def label_files(folder: Path, *names: str) -> Path:
    for name in names:
        write_labels(folder / name, LABELS)
    return folder


def test_predictions_are_never_maps_or_overlays_or_tables(tmp_path: Path) -> None:
    folder = label_files(tmp_path / "out", "b10.png", "b2.tif", "b2_overlay.png")
    write_image(folder / "b2_probability.png", GREY)
    write_image(folder / ".hidden.png", GREY)
    (folder / "summary.csv").write_text("image\n")
    assert list(matching.find_predictions(folder)) == ["b2", "b10"]
    assert matching.find_probabilities(folder) == {"b2": folder / "b2_probability.png"}


def test_maps_may_have_the_names_of_the_images_where_none_is_called_a_map(tmp_path: Path) -> None:
    for name in ("a.png", "b.tif", "a_overlay.png"):
        write_image(tmp_path / name, GREY)
    (tmp_path / "scores.csv").write_text("name\n")
    maps = matching.find_probabilities(tmp_path)
    assert maps == {"a": tmp_path / "a.png", "b": tmp_path / "b.tif"}
    write_image(tmp_path / "a_probability.png", GREY)
    assert matching.find_probabilities(tmp_path) == {"a": tmp_path / "a_probability.png"}


def test_the_error_about_maps_says_which_names_are_taken(tmp_path: Path) -> None:
    folder = tmp_path / "nowhere"
    with pytest.raises(InputError) as refused:
        matching.find_probabilities(folder)
    assert refused.value.message == messages.no_maps(matching.MAPS)
    assert refused.value.path == folder
    with pytest.raises(InputError) as refused:
        matching.find_probabilities(tmp_path)
    assert refused.value.path == tmp_path


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("seed0000.mat", "seed0000"),
        ("a.b.png", "a.b"),
        ("slide.ome.tif", "slide"),
        ("slide.ome.png", "slide"),
        ("outline.geojson.gz", "outline"),
        ("tile [x=0,y=0,w=9,h=9]-labelled.png", "tile [x=0,y=0,w=9,h=9]"),
    ],
)
def test_names(file: str, name: str) -> None:
    assert matching.name_of(Path(file)) == name


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    folder = label_files(tmp_path / "out", "a.png", "a.tif")
    with pytest.raises(InputError, match=r"a\.png.*a\.tif"):
        matching.find_predictions(folder)


def test_truths_in_snow_layout_come_with_their_images(tmp_path: Path) -> None:
    write_image(tmp_path / "Image" / "seed0001.png", np.zeros((2, 2, 3), np.uint8))
    write_hovernet_mat(tmp_path / "Mask" / "seed0001.mat", LABELS)
    write_hovernet_mat(tmp_path / "Mask" / "seed0002.mat", LABELS)
    truths = matching.find_truths(tmp_path)
    assert truths["seed0001"].image == tmp_path / "Image" / "seed0001.png"
    assert truths["seed0002"] == matching.Truth(tmp_path / "Mask" / "seed0002.mat")


def test_somebody_elses_manifest_does_not_matter(tmp_path: Path) -> None:
    write_image(tmp_path / "images" / "x.png", np.zeros((2, 2, 3), np.uint8))
    label_files(tmp_path / "masks", "x.png")
    (tmp_path / "manifest.csv").write_text("file,patient\nx.png,7\n")
    assert list(matching.find_truths(tmp_path)) == ["x"]
    with pytest.raises(InputError, match=r"manifest\.csv"):
        matching.find_truths(tmp_path, subset="test")


def test_a_plain_folder_of_labels_is_a_truth(tmp_path: Path) -> None:
    folder = label_files(tmp_path / "experts", "a.png", "b.png")
    assert matching.find_truths(folder)["b"] == matching.Truth(folder / "b.png")


def test_predictions_as_hovernet_writes_them(tmp_path: Path) -> None:
    write_hovernet_mat(tmp_path / "pred" / "mat" / "x.mat", LABELS)
    write_image(tmp_path / "pred" / "overlay" / "x.png", np.zeros((2, 2, 3), np.uint8))
    assert matching.find_predictions(tmp_path / "pred") == {
        "x": tmp_path / "pred" / "mat" / "x.mat"
    }


def test_two_files_need_no_common_name(tmp_path: Path) -> None:
    label_files(tmp_path, "mine.png", "theirs.png")
    task = make_task(tmp_path / "mine.png", tmp_path / "theirs.png")
    assert task.predictions == {"mine": tmp_path / "mine.png"}
    assert task.truths["mine"].labels == tmp_path / "theirs.png"


def test_a_file_beside_a_folder_is_compared_with_its_namesake(tmp_path: Path) -> None:
    label_files(tmp_path / "p", "a.png", "b.png")
    label_files(tmp_path / "t", "a.png", "b.png")
    one = make_task(tmp_path / "p" / "b.png", tmp_path / "t")
    other = make_task(tmp_path / "p", tmp_path / "t" / "b.png")
    assert list(one.truths) == list(other.predictions) == ["b"]


def test_labels_beside_the_same_labels_are_no_image(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    labels = np.kron(LABELS, np.ones((9, 9), np.int32))
    for name in "ab":
        write_labels(folder / f"{name}.png", labels)
        write_hovernet_mat(folder / f"{name}.mat", labels)
    truths = matching.find_truths(folder)
    assert truths == {name: matching.Truth(folder / f"{name}.png") for name in "ab"}
    assert matching.find_truths(folder / "a.png") == {"a": matching.Truth(folder / "a.png")}
    write_image(folder / "a.png", np.full((18, 18, 3), 200, np.uint8), overwrite=True)
    assert matching.find_truths(folder)["a"] == matching.Truth(folder / "a.mat", folder / "a.png")


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        matching.find_predictions(tmp_path / "nowhere")
    with pytest.raises(InputError, match="nowhere"):
        matching.find_truths(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty"):
        matching.find_predictions(tmp_path / "empty")


def test_of_several_formats_the_label_image_is_compared_and_noted(tmp_path: Path) -> None:
    folder = label_files(tmp_path / "out", "a.png", "b.tif")
    write_hovernet_mat(folder / "a.mat", LABELS)
    write_hovernet_mat(folder / "c.mat", LABELS)
    for name in "abc":
        (folder / f"{name}.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    found = matching.find_predictions(folder)
    assert {name: file.name for name, file in found.items()} == {
        "a": "a.png",
        "b": "b.tif",
        "c": "c.mat",
    }
    assert set(matching.find_truths(folder)) == {"a", "b", "c"}
    (note,) = make_task(folder, label_files(tmp_path / "truth", "a.png")).notes
    places = [note.index(kind) for kind in (str(folder), *matching.KINDS[:3])]
    assert places == sorted(places)  # the first of the kinds is the one that is compared
    assert make_task(tmp_path / "truth", tmp_path / "truth").notes == ()


def test_masks_that_cellpose_saved_beside_the_images(tmp_path: Path) -> None:
    folder = label_files(tmp_path / "cellpose", "a_cp_masks.tif", "b_cp_masks.png")
    for name in "ab":
        write_image(folder / f"{name}.png", np.zeros((2, 2, 3), np.uint8))
        (folder / f"{name}_seg.npy").touch()
    found = matching.find_predictions(folder)
    assert found == {"a": folder / "a_cp_masks.tif", "b": folder / "b_cp_masks.png"}
    truths = matching.find_truths(folder)
    assert truths["b"] == matching.Truth(folder / "b_cp_masks.png", folder / "b.png")


@pytest.mark.parametrize("ending", ["_mask", "-labels", "_MASKS", ".label"])
def test_names_that_say_mask_are_those_of_their_images(tmp_path: Path, ending: str) -> None:
    mine = label_files(tmp_path / "mine", f"a{ending}.png", f"b{ending}.png")
    theirs = label_files(tmp_path / "theirs", "a.png", "b.png")
    for task in (make_task(mine, theirs), make_task(theirs, mine)):
        assert set(task.predictions) == set(task.truths)
    same = make_task(mine, mine)
    assert set(same.predictions) == set(same.truths) == {f"a{ending}", f"b{ending}"}


def test_a_name_that_is_taken_is_taken_over_by_no_mask(tmp_path: Path) -> None:
    mine = label_files(tmp_path / "mine", "a.png", "a_mask.png")
    task = make_task(mine, label_files(tmp_path / "theirs", "a.png"))
    assert task.predictions == {"a": mine / "a.png", "a_mask": mine / "a_mask.png"}

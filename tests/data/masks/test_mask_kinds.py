"""What a mask is told to be: real labels are never taken for anything else, and spoilt ones are."""

from __future__ import annotations

import io
import re
from itertools import product

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage.segmentation import find_boundaries, watershed

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.masks import messages, notes
from napari_snow_unet.data.masks.mask_kinds import judge_mask
from napari_snow_unet.data.synthetic import generate_tile

BOX = np.zeros((32, 32), np.int32)
BOX[4:12, 4:12], BOX[20:28, 18:30] = 1, 2


@pytest.fixture(scope="module")
def labels():
    return generate_tile(3, size=256).labels


def shuffled(labels):
    ids = np.random.default_rng(0).permutation(60_000)[: labels.max() + 1] + 1
    ids[0] = 0
    return ids[labels]


def gridded(labels):
    labels = labels.copy()
    labels[::11] = labels[:, ::13] = 0
    return labels


def speckled(labels):
    return np.where(np.random.default_rng(0).random(labels.shape) < 0.02, 0, labels)


def grown(labels):
    """Give nearly every pixel to a nucleus, with lines between some."""
    return watershed(
        np.zeros(labels.shape), labels, mask=ndimage.binary_dilation(labels > 0, None, 9)
    )


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.uint32, np.float32])
@pytest.mark.parametrize(
    "change",
    [
        lambda labels: labels,
        shuffled,
        gridded,
        speckled,
        grown,
        lambda labels: labels[::2, ::2],
        lambda labels: labels.repeat(2, 0).repeat(3, 1),
        lambda labels: labels[60:124, 60:124],
        lambda labels: labels * 257,
    ],
    ids=[
        "whole",
        "other ids",
        "cut by a grid",
        "holes",
        "dense",
        "half",
        "drawn out",
        "a part",
        "far",
    ],
)
def test_labels_are_labels_whatever_becomes_of_them(labels, change, dtype):
    values = change(labels).astype(dtype)
    judged = judge_mask(values)
    assert (judged.kind, judged.refusal) == ("labels", None)
    assert np.array_equal(judged.labels, values)
    assert judged.nuclei() is judged.labels


@pytest.mark.parametrize("side", [24, 32, 48])
def test_parts_of_labels_keep_their_nuclei(labels, side):
    for row in range(0, 256 - side, side):
        for column in range(0, 256 - side, side):
            part = labels[row : row + side, column : column + side]
            judged = judge_mask(part)
            if part.min() == 0:
                assert not judged.refusal
                assert np.array_equal(judged.labels, part)
                whole = np.unique(part).size - 1
                assert whole <= judged.nuclei().max() or judged.kind == "labels"


def test_two_nuclei_that_touch_are_two():
    values = np.where(np.indices((32, 32))[1] < 16, 1, 2) * (
        ndimage.binary_dilation(BOX > 0, None, 3)
    )
    assert judge_mask(values).kind == "labels"
    assert not judge_mask(values).notes


def test_a_nucleus_is_one_though_it_lies_in_two_pieces():
    values = BOX.copy()
    values[8] = 0
    assert (judge_mask(values).kind, judge_mask(values).nuclei().max()) == ("labels", 2)
    values[:4, 20:24] = 1
    judged = judge_mask(values)
    assert judged.nuclei().max() == 2
    assert notes.in_parts(np.array([1])) in judged.notes


def test_the_ids_of_a_class_map_are_classes_however_many_places_there_are(labels):
    for count in (2, 5):
        classes = np.random.default_rng(count).integers(1, count + 1, labels.max() + 1)
        classes[0] = 0
        judged = judge_mask(classes[labels])
        assert judged.kind == "classes"
        # Nuclei of one class that touch are one.
        assert 0.7 * labels.max() < judged.nuclei().max() <= labels.max()


def test_ids_that_begin_again_after_255_are_numbered_anew():
    dots = np.kron(np.arange(900).reshape(30, 30) % 255 + 1, np.ones((6, 6), int))
    dots[::6] = dots[:, ::6] = 0
    judged = judge_mask(dots.astype(np.uint8))
    assert (judged.kind, judged.nuclei().max()) == ("classes", 900)
    assert judged.notes[0] == notes.ids_again(np.arange(255))


@pytest.mark.parametrize("quality", [50, 75, 90, 95])
def test_what_was_once_a_jpeg_is_cut_at_half(labels, quality):
    packed = io.BytesIO()
    Image.fromarray(((labels > 0) * 255).astype(np.uint8)).save(packed, "JPEG", quality=quality)
    judged = judge_mask(np.array(Image.open(packed)))
    assert judged.kind == "soft binary"
    assert np.mean((judged.labels > 0) == (labels > 0)) > 0.99


@pytest.mark.parametrize(
    ("factor", "how"),
    [
        *product((0.5, 0.7, 1.3, 2), (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA)),
        *product((3, 4, 5, 7.3), (cv2.INTER_LINEAR,)),  # with wide slopes
    ],
)
def test_what_was_resampled_is_cut_at_half(labels, factor, how):
    mask = ((labels[:128, :128] > 0) * 255).astype(np.uint8)
    values = cv2.resize(mask, None, fx=factor, fy=factor, interpolation=how)
    judged = judge_mask(values)
    assert judged.kind == ("binary" if np.unique(values).size == 2 else "soft binary")
    assert np.array_equal(judged.labels > 0, values > 127)


@pytest.mark.parametrize("levels", [10, 100])
def test_a_map_in_few_levels_has_no_straight_slopes(labels, levels):
    soft = ndimage.gaussian_filter((labels > 0).astype(float), 2)
    assert judge_mask(np.rint(soft * levels).astype(np.uint8)).refusal


def assert_bordered(judged):
    assert judged.refusal == messages.border(127, "255")


def test_a_border_is_refused_whatever_lies_in_it(labels):
    cells = grown(labels) > 0
    for core in (ndimage.binary_erosion(cells, iterations=2), labels > 0):
        assert_bordered(judge_mask(np.where(core, 255, cells * 127)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("sigma", [1.2, 2, 4])
def test_maps_are_refused_in_every_type(labels, sigma, dtype):
    soft = ndimage.gaussian_filter((labels > 0).astype(float), sigma)
    largest = 1 if dtype == np.float32 else np.iinfo(dtype).max
    scaled = soft * largest if dtype == np.float32 else np.rint(soft * largest)
    judged = judge_mask(scaled.astype(dtype))
    assert "map (" in judged.refusal.problem
    assert judged.refusal.helps == ("masks_are",)
    with pytest.raises(InputError, match=re.escape(f"a.png: {judged.refusal.text()}")):
        judged.taken("a.png")


def test_lines_of_a_watershed_are_no_background(labels):
    """MATLAB's watershed: 0 are the lines, and what lies around the nuclei is a basin too."""
    markers = np.where(ndimage.binary_erosion(labels > 0), labels + 1, 0)
    markers[ndimage.distance_transform_edt(labels == 0) > 6] = 1
    lines = watershed(-ndimage.distance_transform_edt(labels > 0), markers, watershed_line=True)
    judged = judge_mask(lines)
    assert judged.refusal.remedy == messages.no_background(0, 1, 1).remedy
    assert judge_mask(lines, "labels").kind == "labels"
    assert judge_mask(lines, "labels").refusal is None


def test_a_background_of_1_is_refused_and_taken_when_it_is_declared():
    judged = judge_mask(BOX + 1)
    assert judged.refusal == messages.no_background(0, 1, (BOX == 0).mean())
    assert np.array_equal(judge_mask(BOX + 1, "classes").nuclei() > 0, BOX > 0)
    assert judge_mask(BOX + 1, "labels").nuclei().max() == 3
    assert judge_mask(np.full((8, 8), 5)).kind == "everything"


def test_a_single_border_needs_its_usual_values():
    inner = ndimage.binary_erosion(BOX == 2, iterations=2)
    usual = np.where(inner, 255, (BOX == 2) * 127)
    assert_bordered(judge_mask(usual))
    other = np.where(inner, 9, (BOX == 2) * 4)
    judged = judge_mask(other)
    assert (judged.kind, judged.notes[0]) == ("labels", notes.nested(4, np.array([9])))


def test_values_that_no_mask_has_are_errors():
    for values in (-BOX, np.where(BOX, np.nan, 0), np.zeros((0, 3)), np.zeros(4), BOX * 1j):
        with pytest.raises(InputError):
            judge_mask(values)
    assert judge_mask(BOX / 3, "labels").refusal == messages.FRACTIONS
    assert judge_mask((BOX > 0) * 0.5).kind == "binary"


def test_a_stack_is_judged_slice_by_slice_and_refused_as_a_whole():
    classes = np.kron(np.array([[1, 0, 2, 0, 1], [0] * 5, [2, 0, 1, 0, 2]]), np.ones((6, 6), int))
    classes = np.pad(classes, ((0, 14), (0, 2)))
    stack = np.stack([BOX, (BOX > 0) * 255, np.zeros_like(BOX), classes])
    judged = judge_mask(stack)
    assert [plane.kind for plane in judged.planes] == ["labels", "binary", "nothing", "classes"]
    assert judged.nuclei().max(axis=(1, 2)).tolist() == [2, 2, 0, 6]
    assert [note.gist for note in judged.notes] == [notes.classes(np.array([1, 2])).gist]
    alone = messages.no_background(0, 1, (BOX == 0).mean())
    assert judge_mask(np.stack([BOX, BOX + 1])).refusal == messages.in_slice(1, alone)


def test_ids_that_8_bits_cut_are_nuclei_each(labels):
    places = np.kron(np.arange(900).reshape(30, 30) + 1, np.ones((6, 6), int))
    places[::6] = places[:, ::6] = 0
    for count in (300, 900):
        cut = np.minimum(np.where(places > count, 0, places), 255).astype(np.uint8)
        judged = judge_mask(cut)
        assert np.unique(judged.nuclei()).size == count + 1
        assert "255" in str(judged.notes[0])


def test_patches_of_255_between_ids_are_not_annotated(labels):
    patches = np.where(labels % 9 == 0, 255 * (labels > 0), np.minimum(labels, 100))
    judged = judge_mask(patches)
    assert judged.kind == "labels"
    assert judged.notes == (notes.void(255),)
    assert np.array_equal(judged.labels, np.where(patches == 255, 0, patches))


@pytest.mark.parametrize("kind", ["binary", "ids", "classes"])
@pytest.mark.parametrize("where", ["frame", "area", "around"])
def test_255_is_not_annotated_wherever_it_lies(labels, kind, where):
    inner = {"binary": labels > 0, "ids": labels % 200, "classes": (labels > 0) + labels % 3}[kind]
    inner = np.where(labels > 0, inner, 0)
    void = np.zeros(labels.shape, bool)
    if where == "frame":
        void[:8] = void[-8:] = void[:, :8] = void[:, -8:] = True
    elif where == "area":
        void[20:110, 30:140] = True
    else:
        void = ndimage.binary_dilation(labels > 0, iterations=2) & (labels == 0)
    judged = judge_mask(np.where(void, 255, inner))
    assert notes.void(255) in judged.notes
    assert np.array_equal(judged.nuclei() > 0, (inner > 0) & ~void)
    assert judged.kind == {"ids": "labels"}.get(kind, kind)


def test_255_among_ids_that_reach_it_is_an_id(labels):
    ids = np.random.default_rng(1).permutation(np.arange(1, 256))[labels % 255] * (labels > 0)
    judged = judge_mask(ids)
    assert (judged.kind, judged.notes) == ("labels", ())
    assert np.array_equal(judged.labels, ids)


@pytest.mark.parametrize("count", [3, 5])
def test_classes_that_cover_the_image_touch_each_other_and_are_classes(labels, count):
    """Hardly any region touches 0, as after resampling, but the regions are thick."""
    glass = np.hypot(*np.indices(labels.shape)) < 30
    cells = watershed(np.zeros(labels.shape), labels, mask=~glass)
    judged = judge_mask((cells % count + 1) * (cells > 0))
    assert (judged.kind, judged.refusal) == ("classes", None)


def test_a_stray_pixel_turns_no_mask_into_another(labels):
    for value in (1, 127, 200):
        mask = ((labels > 0) * 255).astype(np.uint8)
        row, column = np.argwhere(ndimage.binary_erosion(labels > 0, iterations=3))[0]
        mask[row, column] = value
        judged = judge_mask(mask)
        assert np.count_nonzero((judged.labels > 0) != (labels > 0)) <= 1
        assert judged.nuclei().max() == ndimage.label(labels > 0, np.ones((3, 3)))[1]


def test_an_id_for_the_rest_of_the_image_is_doubted(labels):
    rest = labels.copy()
    rest[:120][rest[:120] == 0] = labels.max() + 1
    judged = judge_mask(rest)
    assert judged.kind == "labels"
    assert judged.notes[0].gist == notes.far_larger(1, 0.5).gist


def test_outlines_are_told_from_nuclei(labels):
    rims = np.where(ndimage.binary_erosion(labels > 0, iterations=2), 0, labels)
    filled = str(judge_mask(labels).notes) + str(judge_mask((labels > 0) * 255).notes)
    assert "outlines" not in filled
    disc = np.hypot(*(np.indices((40, 40)) - 20)) < 15
    ring = disc & ~ndimage.binary_erosion(disc, iterations=2)
    for values in (ring * 255, np.hstack([ring * 3, ring * 8])):
        assert "outlines" in str(judge_mask(values.astype(np.uint8)).notes[0])
    assert not judge_mask(rims).refusal


@pytest.mark.parametrize("part", [slice(None), slice(40, 104), slice(100, 228)])
def test_outlines_that_touch_or_are_cut_are_told_too(labels, part):
    cells = grown(labels)
    lines = np.where(find_boundaries(cells, mode="inner"), cells, 0)[part, part]
    for values in (lines, (lines > 0) * 255):
        judged = judge_mask(values)
        assert "outlines" in " ".join(map(str, judged.notes))
        assert np.array_equal(judged.labels, values)


@pytest.mark.parametrize("factor", [0.5, 0.7, 2])
@pytest.mark.parametrize("classes", [(1, 2), (1, 2, 3), (2, 6, 7, 10)])
def test_a_class_map_that_was_resampled_is_refused(labels, classes, factor):
    kinds = np.array([0, *classes])[labels % len(classes) + (labels > 0)].astype(np.uint8)
    kinds = np.where(labels, kinds, 0).astype(np.uint8)
    values = cv2.resize(kinds, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    assert judge_mask(values).refusal

"""Which outlines are nuclei: frames, cores, tiles and merged classes told from them."""

from __future__ import annotations

import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.annotations import messages
from napari_snow_unet.data.annotations.frames import holes_into, sort_outlines
from napari_snow_unet.data.annotations.outlines import EXCLUDED, Outline


def box(x, y, width, height=None, **about):
    height = width if height is None else height
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    return Outline(([np.array(corners, float)],), **about)


def blob(x, y, radius, **about):
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)
    return Outline(([ring],), **about)


NUCLEI = [blob(20, 20, 4), blob(40, 25, 3), blob(30, 45, 5)]


def merged(outlines, **about):
    return Outline(tuple(outline.polygons[0] for outline in outlines), **about)


@pytest.mark.parametrize("frame", [box(0, 0, 64), blob(32, 32, 30), box(5, 5, 55, 50)])
@pytest.mark.parametrize("kind", ["", "annotation"])
def test_an_outline_around_others_is_a_region(frame, kind):
    frame = Outline(frame.polygons, kind=kind)
    found = sort_outlines([NUCLEI[0], frame, *NUCLEI[1:]])
    assert (found.nuclei, found.regions, found.outside) == (NUCLEI, [frame], 0)


def test_several_frames_and_frames_in_frames():
    outer, left, right = box(0, 0, 100), box(5, 5, 40), box(50, 50, 40)
    inside = [blob(15, 15, 3), blob(30, 30, 4), blob(60, 60, 4), blob(80, 70, 3)]
    found = sort_outlines([outer, left, right, *inside])
    assert (found.nuclei, len(found.regions)) == (inside, 3)
    found = sort_outlines([left, right, *inside])
    assert (found.nuclei, len(found.regions), found.outside) == (inside, 2, 0)


def test_nuclei_beside_a_frame_are_counted():
    outside = blob(90, 90, 4)
    found = sort_outlines([box(0, 0, 64), *NUCLEI, outside])
    assert (len(found.nuclei), len(found.regions), found.outside) == (4, 1, 1)


def test_a_rectangle_around_a_single_nucleus_is_a_frame_and_a_cell_around_its_nucleus_is_none():
    assert sort_outlines([box(0, 0, 64), NUCLEI[0]]).nuclei == [NUCLEI[0]]
    cell = blob(20, 20, 8)
    assert len(sort_outlines([cell, NUCLEI[0], *NUCLEI[1:]]).nuclei) == 4


def test_detections_are_nuclei_whatever_they_hold():
    large = blob(32, 32, 30, kind="detection")
    found = sort_outlines([large, *NUCLEI])
    assert len(found.nuclei) == 4


def test_annotations_beside_detections_are_regions():
    frame, nucleus = box(0, 0, 64, kind="annotation"), blob(20, 20, 4, kind="detection")
    found = sort_outlines([frame, nucleus])
    assert (found.nuclei, found.regions) == ([nucleus], [frame])


@pytest.mark.parametrize(
    "about",
    [{"kind": "tmacore"}, {"class_name": "Region*"}, {"class_name": "Region 2"}],
)
def test_cores_and_regions_are_no_nuclei_though_they_hold_none(about):
    core = blob(80, 80, 4, **about)
    found = sort_outlines([core, *NUCLEI])
    assert (found.nuclei, found.regions, found.outside) == (NUCLEI, [core], 3)


@pytest.mark.parametrize("about", [{"kind": "tile"}, {"kind": "root"}, {"class_name": "Stroma*"}])
def test_tiles_and_classes_with_a_star_are_neither(about):
    found = sort_outlines([box(0, 0, 64, **about), *NUCLEI])
    assert (found.nuclei, found.regions) == (NUCLEI, [])
    assert found.notes == [messages.starred(1)]


@pytest.mark.parametrize("about", [{"class_name": "Ignore*"}, {"kind": EXCLUDED}])
def test_what_is_to_be_ignored_is_excluded(about):
    found = sort_outlines([box(50, 50, 9, **about), *NUCLEI])
    assert (found.nuclei, len(found.excluded)) == (NUCLEI, 1)


def test_a_merged_class_is_a_nucleus_for_each_polygon():
    found = sort_outlines([merged(NUCLEI, class_name="Tumor", kind="annotation")])
    assert [nucleus.class_name for nucleus in found.nuclei] == ["Tumor"] * 3
    assert ["3 polygons" in note for note in found.notes] == [True]


def test_crumbs_stay_with_their_nucleus_and_a_detection_is_one():
    crumbs = merged([blob(20, 20, 6), blob(28, 20, 1)], kind="annotation")
    halves = merged([box(40, 40, 4), box(40, 45, 4)], kind="detection")
    for outline in (crumbs, halves):
        found = sort_outlines([outline])
        assert (found.nuclei, found.notes) == ([outline], [])


def test_frames_hold_the_polygons_of_a_merged_class():
    found = sort_outlines([box(0, 0, 64), merged(NUCLEI)])
    assert (len(found.nuclei), len(found.regions)) == (3, 1)


def test_a_hole_is_cut_out_of_the_smallest_outline_around_it():
    outer, inner = box(0, 0, 50, class_name="a"), box(5, 5, 20, class_name="a")
    hole = box(8, 8, 5, class_name="a", kind=EXCLUDED)
    other = box(8, 8, 5, class_name="b", kind=EXCLUDED)
    found = holes_into([outer, inner, hole, other])
    assert [outline.area for outline in found] == [2500, 400 - 25, 25]
    assert found[2] is other


def test_ten_thousand_nuclei_in_a_freehand_region_are_sorted():
    grid = [blob(10 * x, 10 * y, 3) for x in range(100) for y in range(100)]
    found = sort_outlines([blob(500, 500, 900), *grid])
    assert (len(found.nuclei), len(found.regions), found.outside) == (10_000, 1, 0)


def test_outlines_that_lie_in_each_other_many_times_over_are_refused():
    angle = np.linspace(0, 2 * np.pi, 3000, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    nested = [Outline(([1.5**number * circle],)) for number in range(40)]
    with pytest.raises(InputError):
        sort_outlines([outline for outline in nested for _ in range(40)])

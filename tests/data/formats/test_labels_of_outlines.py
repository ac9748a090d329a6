"""Outlines on an image: what lies outside, under others, or was not annotated is said."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.formats.labels_of_outlines import (
    REGION_COUNTS,
    read_outlined_nuclei,
    read_outlined_region,
)

SHAPE = (60, 80)


def feature(x, y, width, height=None, **properties):
    height = width if height is None else height
    ring = [[x, y], [x + width, y], [x + width, y + height], [x, y + height], [x, y]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def star(name):
    return {"objectType": "annotation", "classification": {"name": name}}


@pytest.fixture
def read(tmp_path):
    def read(*features, shape=SHAPE, image=None):
        path = tmp_path / "a.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
        return read_outlined_nuclei(path, shape, image)

    return read


NUCLEI = [feature(5, 5, 4), feature(20, 10, 5), feature(12, 20, 4)]


def test_the_frame_becomes_the_region_and_is_said(read):
    found = read(feature(0, 0, 40, 30), *NUCLEI)
    assert np.bincount(found.labels.ravel())[1:].tolist() == [16, 25, 16]
    expected = np.zeros(SHAPE, bool)
    expected[:30, :40] = True
    assert np.array_equal(found.region, expected)
    one, share = found.notes
    assert one.startswith("1 outline ")
    assert share.startswith(f"{REGION_COUNTS}, 25%")


def test_several_frames_count_together(read):
    found = read(feature(0, 0, 10, **star("Region*")), feature(20, 20, 10, **star("Region*")))
    assert np.count_nonzero(found.region) == 200
    assert not found.labels.any()


def test_a_frame_around_the_whole_image_limits_nothing(read):
    found = read(feature(0, 0, 80, 60), *NUCLEI)
    assert found.region is None
    assert [note[:10] for note in found.notes] == ["1 outline "]
    alone = read(feature(-3, -3, 90, 70))
    assert (alone.labels.any(), alone.region) == (False, None)


def test_a_region_beside_nuclei_limits_nothing_and_that_is_said(read):
    found = read(feature(50, 40, 10, **star("Region*")), *NUCLEI)
    assert found.region is None
    assert any(note.startswith("3 nuclei") for note in found.notes)


def test_what_is_to_be_ignored_does_not_count(read):
    found = read(feature(40, 40, 10, **star("Ignore*")), *NUCLEI)
    assert np.count_nonzero(~found.region) == 100
    assert len(np.unique(found.labels)) == 4


def test_some_outside_are_said_and_all_outside_refused_with_their_place(read):
    far = feature(20_000, 30_000, 5)
    (note,) = read(*NUCLEI, far).notes
    assert re.match("1 of 4 .*outside", note)
    with pytest.raises(InputError, match=r"outside .*20000 to 20005") as told:
        read(far)
    assert "[x=20000,y=30000,w=80,h=60].png" in told.value.message.remedy
    assert np.count_nonzero(read(far, image="a [x=19990,y=29990,w=80,h=60].png").labels) == 25


def test_a_tile_of_a_slide_may_have_no_outline(read):
    found = read(*NUCLEI, image="a [x=900,y=900,w=80,h=60].png")
    assert (found.labels.any(), found.notes) == (False, [])


def test_outlines_of_several_planes_are_taken_together_and_said(read):
    upper, lower = feature(5, 5, 4), feature(20, 10, 5)
    lower["geometry"]["plane"] = {"c": -1, "z": 1, "t": 0}
    assert ["2 planes" in note for note in read(upper, lower).notes] == [True]
    upper["geometry"]["plane"] = {"c": -1, "z": 1, "t": 0}
    assert read(upper, lower).notes == []


def test_a_region_that_was_asked_for_is_the_regions_of_the_file_without_what_is_ignored(tmp_path):
    path = tmp_path / "a.geojson"
    features = [feature(0, 0, 40, 30), *NUCLEI, feature(0, 0, 5, **star("Ignore*"))]
    path.write_text(json.dumps(features))
    assert np.count_nonzero(read_outlined_region(path, SHAPE)) == 1200 - 25

"""GeoJSON dropped on napari: labels with the class of each nucleus, beside its image."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.napari_plugin.reader import get_reader

PLUGIN = "napari-snow-unet"


def outlines():
    def square(x, y, name):
        ring = [[x, y], [x + 5, y], [x + 5, y + 4], [x, y + 4], [x, y]]
        return {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": {"classification": {"name": name}},
        }

    return [square(2, 3, "Tumor"), square(500, 500, "Far"), square(20, 10, "Stroma")]


@pytest.fixture(params=["a.geojson", "a.geojson.gz"])
def dropped(request, tmp_path):
    data = json.dumps({"type": "FeatureCollection", "features": outlines()}).encode()
    path = tmp_path / request.param
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_each_nucleus_has_its_class_in_its_row(make_napari_viewer_proxy, dropped, tmp_path):
    write_image(tmp_path / "a.png", np.full((30, 40, 3), 99, np.uint8))
    viewer = make_napari_viewer_proxy()
    with pytest.warns(UserWarning, match="1 of 3 .*outside"):
        viewer.open(dropped, plugin=None)  # as when dropped: nobody else claims it
    image, labels = viewer.layers
    assert image.rgb
    assert labels.name == "a mask"
    assert labels.data.shape == (30, 40)
    assert (labels.data[3:7, 2:7] == 1).all()
    assert np.count_nonzero(labels.data) == 40
    assert list(labels.features["index"]) == [1, 3]
    assert list(labels.features["class"]) == ["Tumor", "Stroma"]


def test_without_its_image_it_opens_alone(make_napari_viewer_proxy, dropped):
    viewer = make_napari_viewer_proxy()
    viewer.open(dropped, plugin=PLUGIN)
    (labels,) = viewer.layers
    assert labels.data.shape == (504, 505)
    assert list(labels.features["class"]) == ["Tumor", "Far", "Stroma"]


@pytest.mark.parametrize(
    "content", [b"", b"no json", b'{"type": "Topology"}', b'["a"]', b"\x1f\x8bno gzip"]
)
def test_what_is_no_geojson_is_left_to_others(tmp_path, content):
    path = tmp_path / "a.geojson"
    path.write_bytes(content)
    assert get_reader(str(path)) is None
    assert get_reader(str(tmp_path / "none.geojson")) is None


def test_outlines_of_a_whole_slide_are_refused_with_the_remedy(tmp_path):
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps(outlines()).replace("500", "500000"))
    with pytest.raises(InputError, match=r"500000 x 500000 .*tiles"):
        get_reader(str(path))(str(path))

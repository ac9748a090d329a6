"""The mean of several models: what each sees, what is averaged, and which have no mean."""

from __future__ import annotations

import re

import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.models import (
    CLASSICAL,
    DEFAULT_MODEL,
    UnknownModelError,
    messages,
    open_model,
)
from napari_snow_unet.models.mean import mean_of, names_in
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.pipeline import run, segment


def darkness(name, channel="red", **more):
    """Return a model that finds nuclei where all that it sees is dark."""
    return Model(lambda pixels: 1 - pixels.mean(-1), name, channel=channel, **more)


RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (64, 64, 3), np.uint8)


def test_every_model_sees_its_channel_and_the_probabilities_are_averaged():
    models = [darkness("a", "red"), darkness("b", "blue"), darkness("c", "rgb")]
    mean = mean_of(models)
    assert mean.channel == "rgb"
    unit = IMAGE / 255
    expected = 1 - (unit[..., 0] + unit[..., 2] + unit.mean(-1)) / 3
    found = run(segment(IMAGE, mean)).probability
    assert np.abs(found - 255 * expected).max() <= 0.51
    grey = run(segment(IMAGE[..., 0], mean)).probability
    assert np.abs(grey - 255 * (1 - unit[..., 0])).max() <= 0.51


def test_models_of_one_channel_keep_it():
    mean = mean_of([darkness("a", "hematoxylin"), darkness("b", "hematoxylin")])
    assert mean.channel == "hematoxylin"
    alone = run(segment(IMAGE, darkness("a", "hematoxylin"))).probability
    assert np.array_equal(run(segment(IMAGE, mean)).probability, alone)


def test_properties_suit_all_models():
    released = []
    one = darkness("a", checksum="1", halo=96, pixel_size_um=(0.2, 0.5), threshold_floor=0.4,
                   device="x", calls_at_once=2, messages=("note",), white={"uint16": 4095},
                   release_memory=lambda: released.append("a"))  # fmt: skip
    other = darkness("b", checksum="2", halo=128, pixel_size_um=(0.3, 0.9), threshold_floor=0.2,
                     device="x", folder="/b", window_that_fits=lambda edge: edge // 2,
                     messages=("note",), release_memory=lambda: released.append("b"))  # fmt: skip
    mean = mean_of([one, other])
    assert (mean.name, mean.checksum, mean.folder) == ("a+b", "1+2", "a+/b")
    assert (mean.halo, mean.pixel_size_um, mean.device) == (128, (0.3, 0.5), "x")
    assert mean.threshold_floor == pytest.approx(0.3)
    assert (mean.calls_at_once, mean.window_that_fits(512), mean.messages) == (1, 256, ("note",))
    assert mean.white == {"uint16": 4095}
    mean.release_memory()
    assert released == ["a", "b"]


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        ({"channel": "hematoxylin"}, {}, messages.channels_of_mean(("hematoxylin", "red"))),
        (
            {"pixel_size_um": (0.1, 0.2)},
            {"pixel_size_um": (0.4, 0.8)},
            messages.sizes_of_mean(((0.1, 0.2), (0.4, 0.8))),
        ),
        (
            {"white": {"uint16": 4095.0}},
            {"white": {"uint16": 65535.0}},
            messages.other_white("uint16", 4095, 65535),
        ),
    ],
    ids=["channels", "pixel sizes", "white"],
)
def test_models_without_a_mean_are_refused(one, other, message):
    with pytest.raises(InputError, match=re.escape(message.problem)):
        mean_of([darkness("a", **one), darkness("b", **other)])


def test_a_plus_opens_the_mean_and_the_provenance_names_both():
    name = f"{DEFAULT_MODEL}+{CLASSICAL}"
    result = run(segment(IMAGE, open_model(name)))
    parts = [run(segment(IMAGE, open_model(each))) for each in name.split("+")]
    expected = np.mean([part.probability.astype(float) for part in parts], axis=0)
    assert np.abs(result.probability - expected).max() <= 1
    assert result.provenance["model"] == name
    assert result.provenance["model_checksum"].startswith(open_model(DEFAULT_MODEL).checksum)


def test_a_plus_in_the_name_of_a_folder_is_part_of_it(tmp_path):
    folder = tmp_path / "a+b"
    folder.mkdir()
    assert names_in(str(folder)) == [str(folder)]
    assert names_in("a + b") == ["a", "b"]
    with pytest.raises(UnknownModelError, match=re.escape("'nothing'")):
        open_model(f"{DEFAULT_MODEL}+nothing")

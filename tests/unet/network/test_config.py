import json
from dataclasses import asdict

import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.channels import CHANNELS
from napari_snow_unet.unet.network.config import UNetConfig, parameter_count


def changed(**entries) -> str:
    content = json.loads(UNetConfig().to_json())
    content.update(entries)
    return json.dumps(content)


def test_the_default_is_the_network_of_the_paper():
    config = UNetConfig()
    assert [config.filters(level) for level in range(config.levels)] == [16, 32, 64, 128, 256]
    assert (config.channel, config.channels, config.stride) == ("red", 1, 16)
    assert parameter_count(config) == 1_940_817


@pytest.mark.parametrize(
    "config",
    [
        UNetConfig(),
        UNetConfig(base_filters=64, levels=4, kernel_size=5, dropout=0.25, activation="elu"),
        UNetConfig(channel="rgb", normalization="batch", pixel_size_um=(0.2, 0.35)),
        UNetConfig(name="Zellkerne µ 核", trained_on='a "quoted"\nline', threshold_floor=0),
    ],
)
def test_json_gives_back_what_went_in(config):
    assert UNetConfig.from_json(config.to_json()) == config


def test_an_entry_that_is_missing_takes_its_default():
    content = json.loads(UNetConfig(base_filters=8).to_json())
    del content["dropout"]
    assert UNetConfig.from_json(json.dumps(content)) == UNetConfig(base_filters=8)


def test_the_channels_are_those_that_preprocessing_knows():
    for channel in CHANNELS:
        assert UNetConfig(channel=channel).channels == (3 if channel == "rgb" else 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("base_filters", 0),
        ("base_filters", 257),
        ("base_filters", 10**400),
        ("base_filters", 16.0),
        ("base_filters", True),
        ("base_filters", "16"),
        ("base_filters", None),
        ("levels", 1),
        ("levels", 8),
        ("levels", [5]),
        ("kernel_size", 4),
        ("kernel_size", -3),
        ("dropout", -0.1),
        ("dropout", 0.9),
        ("dropout", float("nan")),
        ("dropout", float("inf")),
        ("dropout", False),
        ("threshold_floor", 1.0),
        ("activation", "lambda"),
        ("activation", ["relu"]),
        ("normalization", {"class_name": "Lambda"}),
        ("channel", "infrared"),
        ("channel", None),
        ("pixel_size_um", [0.35, 0.2]),
        ("pixel_size_um", [0.25]),
        ("pixel_size_um", [0, 0.25]),
        ("pixel_size_um", [0.2, 1e9]),
        ("pixel_size_um", [0.2, float("nan")]),
        ("pixel_size_um", [0.2, "x"]),
        ("pixel_size_um", 0.25),
        ("name", 3),
        ("name", "x" * 101),
        ("trained_on", "x" * 5001),
        ("trained_on", "a\x00b"),
    ],
)
def test_absurd_values_are_refused_by_name(name, value):
    with pytest.raises(InputError, match=rf"The value of {name} is "):
        UNetConfig.from_json(changed(**{name: value}))
    with pytest.raises(InputError, match=rf"The value of {name} is "):
        UNetConfig(**{**asdict(UNetConfig()), name: value})


def test_a_network_beyond_any_memory_is_refused_before_it_is_built():
    with pytest.raises(InputError, match=r"base_filters 256, levels 7"):
        UNetConfig(base_filters=256, levels=7)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "JSON"),
        ("{", "JSON"),
        ("[" * 100_000, "JSON"),
        ("[1, 2]", "format"),
        ('{"base_filters": 16}', "format"),
        ('{"format": "another", "version": 1}', "format"),
        (changed(version=2), "version 2"),
        (changed(version=None), "version None"),
        (changed(custom_objects="x"), "custom_objects"),
        (" " * 1_000_001, "length"),
    ],
)
def test_what_is_no_config_is_refused(text, reason):
    with pytest.raises(InputError, match=reason):
        UNetConfig.from_json(text)


def test_what_was_white_in_training_is_kept_and_only_said_where_it_is_known():
    known = UNetConfig(white={"uint16": 4095.0})
    assert UNetConfig.from_json(known.to_json()) == known
    assert "white" not in json.loads(UNetConfig().to_json())  # earlier versions refuse the unknown


@pytest.mark.parametrize("white", [{"uint8": 255}, {"uint16": 0}, {"uint16": "4095"}, [4095], None])
def test_a_white_that_cannot_be_is_refused(white):
    with pytest.raises(InputError, match="The value of white is"):
        UNetConfig.from_json(changed(white=white))

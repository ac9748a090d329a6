import json

import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.network.config import parameter_count
from napari_snow_unet.unet.runs.options import PRESETS, make_options, options_from_dict, whole_tiles


def test_the_preset_paper_is_the_paper():
    options = make_options("paper")
    network = options.network()
    assert [network.filters(level) for level in range(5)] == [16, 32, 64, 128, 256]
    assert parameter_count(network) == 1_940_817
    assert (options.loss, options.optimizer, options.augment) == ("bce", "adam", "none")
    assert (options.epochs, options.crop, options.channel) == (50, None, "red")
    assert options.dropout > 0
    assert (options.schedule, options.patience) == ("constant", 0)


def test_what_is_given_goes_before_the_preset_and_none_is_not_given():
    options = make_options("paper", epochs=3, learning_rate=None, seed=0)
    assert (options.epochs, options.learning_rate, options.loss) == (3, 1e-3, "bce")


@pytest.mark.parametrize("preset", PRESETS)
def test_options_survive_json(preset):
    options = make_options(preset, fold=2)
    assert options_from_dict(json.loads(json.dumps(options.as_dict()))) == options


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("epochs", 0, "1 to 100,000"),
        ("epochs", 2.5, "a whole number"),
        ("epochs", True, "a whole number"),
        ("learning_rate", float("nan"), "a number"),
        ("learning_rate", "fast", "a number"),
        ("batch_size", 10**9, "1 to 1,024"),
        ("batch_size", 10**400, "1 to 1,024"),
        ("crop", 100, "a multiple of 16"),
        ("loss", "mse", "bce, bce-dice"),
        ("channel", ["red"], "red, green"),
        ("patience", None, "a whole number"),
        ("optimizer", "muon", r"one of adam, adamw\."),
    ],
)
def test_a_value_out_of_range_is_named(name, value, told):
    with pytest.raises(InputError, match=told) as caught:
        options_from_dict({name: value})
    assert name in str(caught.value)


def test_a_floor_under_a_constant_learning_rate_is_refused():
    with pytest.raises(InputError, match=r"_floor is 0\.2.*0 if the learning rate is"):
        make_options("paper", learning_rate_floor=0.2)


@pytest.mark.parametrize("content", [{"epoch": 3}, [], None, {"levels": 10**6}])
def test_what_is_no_set_of_options_is_refused(content):
    with pytest.raises(InputError):
        options_from_dict(content)


def test_an_unknown_preset_is_refused():
    with pytest.raises(InputError, match="default, paper"):
        make_options("fast")


def test_whole_tiles_have_no_crop():
    assert whole_tiles(make_options()).crop is None


@pytest.mark.parametrize("name", ["stain", "artefacts"])
def test_stains_and_artefacts_are_refused_without_augmentation(name):
    assert getattr(make_options(**{name: 0.5}), name) == 0.5
    with pytest.raises(InputError, match=f"{name} is 0.5"):
        make_options("paper", **{name: 0.5})

import random

import numpy as np

from napari_snow_unet.unet.engine import selection

selection.load_engine()

import keras  # noqa: E402

from napari_snow_unet.unet.network.build import build_unet  # noqa: E402
from napari_snow_unet.unet.network.config import UNetConfig  # noqa: E402
from napari_snow_unet.unet.training.seeding import initialise, reseed_dropout  # noqa: E402

CONFIG = UNetConfig(base_filters=4, levels=3, dropout=0.2)
PIXELS = np.ones((1, 16, 16, 1), np.float32)


def weights(seed):
    model = build_unet(CONFIG)
    initialise(model, seed)
    return [np.asarray(each) for each in model.get_weights()]


def test_first_weights_are_a_function_of_the_seed():
    first = weights(3)
    keras.utils.set_random_seed(99)
    assert all(np.array_equal(a, b) for a, b in zip(first, weights(3), strict=True))
    assert not np.array_equal(first[0], weights(4)[0])


def test_every_layer_gets_numbers_of_its_own_of_the_spread_it_asks_for():
    config = UNetConfig(base_filters=32, levels=2)
    model = build_unet(config)
    initialise(model, 0)
    kernels = {layer.name: np.asarray(layer.kernel) for layer in model.layers if layer.weights}
    spread = np.sqrt(2 / (9 * 64))
    assert abs(kernels["bottom1b"].std() / spread - 1) < 0.05
    assert not np.array_equal(kernels["decode0b"], kernels["down0b"])


def test_the_users_random_numbers_are_left_alone():
    model = build_unet(CONFIG)
    before = random.getstate(), np.random.get_state()[1].tobytes()
    initialise(model, 0)
    reseed_dropout(model, 0, 0)
    assert (random.getstate(), np.random.get_state()[1].tobytes()) == before


def test_dropout_is_a_function_of_seed_and_epoch():
    model = build_unet(CONFIG)

    def outcome(seed, epoch):
        reseed_dropout(model, seed, epoch)
        return [np.asarray(model(PIXELS, training=True)).tobytes() for _ in range(2)]

    first = outcome(0, 1)
    outcome(5, 5)
    assert outcome(0, 1) == first
    assert len({*first, *outcome(0, 2), *outcome(1, 1)}) == 6

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.engine import fast_calls, selection
from napari_snow_unet.unet.network import predictor
from napari_snow_unet.unet.network.build import build_unet, window_halo
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.network.memory import most_bytes_per_pixel
from napari_snow_unet.unet.network.predictor import make_predictor, window_that_fits


def window(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((1, *shape), dtype=np.float32)


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(0)
    return build_unet(UNetConfig(base_filters=4, dropout=0.3))


@pytest.fixture(scope="module")
def predict(network):
    return make_predictor(network)


@pytest.mark.parametrize("shape", [(64, 64), (64, 128), (192, 64), (16, 32)])
def test_it_equals_the_network(network, predict, shape):
    pixels = window(*shape, 1)
    probability = predict(pixels)
    assert probability.shape == (1, *shape)
    assert probability.dtype == np.float32
    assert probability.min() >= 0
    assert probability.max() <= 1
    expected = np.asarray(network(pixels, training=False))[..., 0]
    np.testing.assert_allclose(probability, expected, atol=1e-6)


def test_the_same_window_gives_the_same_bits_whatever_came_before(network, predict):
    pixels = window(128, 128, 1)
    first = predict(pixels).tobytes()
    for seed, edge in enumerate((64, 128, 192)):
        predict(window(edge, edge, 1, seed=seed))
    assert predict(pixels).tobytes() == first
    assert make_predictor(network)(pixels).tobytes() == first
    assert predict(np.asfortranarray(pixels)).tobytes() == first


def test_threads_wait_for_each_other_and_get_their_own_window(predict):
    windows = [window(64, 64, 1, seed=seed) for seed in range(8)]
    alone = [predict(pixels).tobytes() for pixels in windows]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda pixels: predict(pixels).tobytes(), windows * 3))
    assert together == alone * 3


def most_at_once(monkeypatch, network, shape, expected):
    """Return how many calls of six from three threads were computed at once.

    They wait for each other, as long as it takes, until there are as many as are expected. That
    there are no more of them only time can show: a slow computer might miss them, never fail.
    """
    at_work, most = 0, 0
    counting = threading.Condition()
    compute = fast_calls.traced_call(network)

    def slow(pixels):
        nonlocal at_work, most
        with counting:
            at_work += 1
            most = max(most, at_work)
            counting.notify_all()
            assert counting.wait_for(lambda: most >= expected, timeout=600)
        time.sleep(0.05)
        found = compute(pixels)
        with counting:
            at_work -= 1
        return found

    monkeypatch.setattr(predictor, "traced_call", lambda model: slow)
    predict = make_predictor(network)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(predict, [window(*shape, 1)] * 6))
    return most


def test_small_windows_are_computed_side_by_side_and_large_ones_are_not(monkeypatch, network):
    monkeypatch.setattr(predictor, "SMALL_CALL", 64 * 64)
    at_once = fast_calls.small_calls_at_once()
    assert most_at_once(monkeypatch, network, (64, 64), at_once) == at_once
    assert most_at_once(monkeypatch, network, (64, 80), 1) == 1
    expected = 2 if keras.config.backend() == "tensorflow" else 1
    if selection.load_engine().kind == "cpu":
        assert fast_calls.small_calls_at_once() == expected


def test_where_memory_does_for_one_window_one_is_computed(monkeypatch, network):
    if selection.load_engine().kind != "cpu":
        pytest.skip("a GPU has memory of its own")
    for_one = int(1.5 * 64 * 64 * most_bytes_per_pixel(4))
    monkeypatch.setattr(predictor, "memory_available", lambda: for_one)
    assert most_at_once(monkeypatch, network, (64, 64), 1) == 1


def test_the_window_that_fits_shrinks_with_what_is_free(monkeypatch, network):
    if selection.load_engine().kind != "cpu":
        pytest.skip("a GPU has memory of its own")
    fitting = window_that_fits(network)
    monkeypatch.setattr(predictor, "memory_available", lambda: int(2**20 * most_bytes_per_pixel(4)))
    assert [fitting(edge) for edge in (512, 1024, 4096)] == [512, 1024, 1024]
    monkeypatch.setattr(predictor, "memory_available", lambda: None)
    assert fitting(4096) == 4096


class Counting:
    """A network that counts how often Python computes with it; a trace does so once."""

    def __init__(self, network):
        self._network, self.calls = network, 0

    def __getattr__(self, name):
        return getattr(self._network, name)

    def stateless_call(self, *arguments, **options):
        self.calls += 1
        return self._network.stateless_call(*arguments, **options)


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="TensorFlow's traces")
def test_one_trace_does_for_all_shapes_and_batches(network, predict):
    counting = Counting(network)
    other = make_predictor(counting)
    for shape in ((1, 16, 16, 1), (1, 32, 48, 1), (3, 64, 64, 1)):
        pixels = np.random.default_rng(1).random(shape, dtype=np.float32)
        assert other(pixels).tobytes() == predict(pixels).tobytes()
    assert counting.calls == 1


def test_a_batch_gives_what_its_windows_give_alone(predict):
    windows = [window(64, 96, 1, seed=seed) for seed in range(3)]
    together = predict(np.concatenate(windows))
    for alone, of_batch in zip(windows, together, strict=True):
        np.testing.assert_allclose(of_batch, predict(alone)[0], atol=1e-6)


def test_windows_with_a_halo_equal_the_whole(network, predict):
    halo = window_halo(UNetConfig(base_filters=4))
    pixels = window(64, 512, 1)
    whole = predict(pixels)
    left, right = predict(pixels[:, :, :320]), predict(pixels[:, :, 128:448])
    np.testing.assert_allclose(left[:, :, : 320 - halo], whole[:, :, : 320 - halo], atol=1e-6)
    inner = slice(128 + halo, 448 - halo)
    np.testing.assert_allclose(right[:, :, halo:-halo], whole[:, :, inner], atol=1e-6)


@pytest.mark.parametrize("shape", [(64, 60, 1), (64, 64, 3), (64, 64), (0, 64, 1)])
def test_a_window_that_does_not_fit_is_refused(predict, shape):
    with pytest.raises(InputError, match="multiples of 16"):
        predict(np.zeros((1, *shape), np.float32))


def test_it_works_in_a_thread_that_is_not_the_main_one(network):
    found = []
    pixels = window(64, 64, 1)
    thread = threading.Thread(target=lambda: found.append(make_predictor(network)(pixels)))
    thread.start()
    thread.join()
    assert found[0].tobytes() == make_predictor(network)(pixels).tobytes()


@pytest.mark.skipif(keras.config.backend() == "torch", reason="PyTorch computes with the network")
def test_it_keeps_the_weights_it_was_made_with(network):
    pixels, weights = window(64, 64, 1), network.get_weights()
    predict = make_predictor(network)
    before = predict(pixels).tobytes()
    try:
        network.set_weights([array * 2 for array in weights])
        assert predict(pixels).tobytes() == before
        assert make_predictor(network)(pixels).tobytes() != before
    finally:
        network.set_weights(weights)

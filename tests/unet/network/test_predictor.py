"""A network compiled for the processor: what every caller may count on."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import openvino
import pytest

from model_folders import random_arrays
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.engine import openvino as engine
from napari_snow_unet.unet.network import messages
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.network.halo import window_halo
from napari_snow_unet.unet.network.predictor import on_processor

SMALL = UNetConfig(base_filters=4, dropout=0.3)


def window(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((1, *shape), dtype=np.float32)


@pytest.fixture(scope="module")
def arrays():
    return random_arrays(SMALL)


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def network(request, arrays):
    if request.param == "bfloat16":
        request.getfixturevalue("bfloat16")
    return on_processor(SMALL, arrays, request.param)


@pytest.fixture
def no_bfloat16(monkeypatch):
    monkeypatch.setattr(engine, "computes_bfloat16", lambda: False)


@pytest.mark.parametrize("shape", [(64, 64), (64, 128), (192, 64), (16, 32)])
def test_it_gives_a_probability_for_every_pixel(network, shape):
    probability = network.predict(window(*shape, 1))
    assert probability.shape == (1, *shape)
    assert probability.dtype == np.float32
    assert 0 <= probability.min() < probability.max() <= 1


def test_the_same_window_gives_the_same_bits_whatever_came_before(network, arrays):
    pixels = window(128, 128, 1)
    first = network.predict(pixels).tobytes()
    for seed, edge in enumerate((64, 128, 192)):
        network.predict(window(edge, edge, 1, seed=seed))
    assert network.predict(pixels).tobytes() == first
    network.release_memory()
    assert network.predict(pixels).tobytes() == first
    assert on_processor(SMALL, arrays, network.precision).predict(pixels).tobytes() == first
    assert network.predict(np.asfortranarray(pixels)).tobytes() == first
    assert network.predict(pixels.astype(np.float64)).tobytes() == first
    assert network.predict(np.flip(np.flip(pixels, 1).copy(), 1)).tobytes() == first


def test_a_result_stays_as_it_is_when_the_next_window_is_computed(network):
    first = network.predict(window(64, 64, 1))
    kept = first.copy()
    network.predict(window(64, 64, 1, seed=1))
    assert np.array_equal(first, kept)


def test_threads_get_the_bits_of_their_own_window(network):
    windows = [window(64, 64 + 16 * (seed % 3), 1, seed=seed) for seed in range(8)]
    alone = [network.predict(pixels).tobytes() for pixels in windows]

    def computed(pixels):
        network.release_memory()  # as at the end of another run
        return network.predict(pixels).tobytes()

    with ThreadPoolExecutor(2 * network.calls_at_once + 1) as pool:
        together = list(pool.map(computed, windows * 5))
    assert together == alone * 5


def test_it_works_in_a_thread_that_is_not_the_main_one(network, arrays):
    found = []
    pixels = window(64, 64, 1)

    def compute():
        found.append(on_processor(SMALL, arrays, network.precision).predict(pixels))

    thread = threading.Thread(target=compute)
    thread.start()
    thread.join()
    assert found[0].tobytes() == network.predict(pixels).tobytes()


def test_two_calls_are_prepared_and_computed_side_by_side(network):
    assert network.calls_at_once >= 2


def test_a_batch_gives_the_bits_of_its_windows_alone(network):
    windows = [window(64, 96, 1, seed=seed) for seed in range(3)]
    together = network.predict(np.concatenate(windows))
    for alone, of_batch in zip(windows, together, strict=True):
        assert of_batch.tobytes() == network.predict(alone)[0].tobytes()


def test_windows_with_a_halo_have_the_bits_of_the_whole(network):
    halo = window_halo(SMALL)
    pixels = window(64, 512, 1)
    whole = network.predict(pixels)
    left, right = network.predict(pixels[:, :, :320]), network.predict(pixels[:, :, 128:448])
    assert np.array_equal(left[:, :, : 320 - halo], whole[:, :, : 320 - halo])
    inner = slice(128 + halo, 448 - halo)
    assert np.array_equal(right[:, :, halo:-halo], whole[:, :, inner])


@pytest.mark.parametrize("shape", [(64, 60, 1), (64, 64, 3), (64, 64), (0, 64, 1)])
def test_a_window_that_does_not_fit_is_refused(network, shape):
    with pytest.raises(InputError, match="multiples of 16"):
        network.predict(np.zeros((1, *shape), np.float32))
    with pytest.raises(InputError, match="multiples of 16"):
        network.predict(np.zeros((0, 64, 64, 1), np.float32))


def test_it_keeps_the_weights_it_was_made_with(arrays):
    pixels, mine = window(64, 64, 1), {name: array.copy() for name, array in arrays.items()}
    network = on_processor(SMALL, mine, "float32")
    before = network.predict(pixels).tobytes()
    for array in mine.values():
        array *= 2
    assert network.predict(pixels).tobytes() == before
    assert on_processor(SMALL, mine, "float32").predict(pixels).tobytes() != before


def test_weights_that_lie_in_read_only_memory_will_do(arrays):
    frozen = {name: array.copy() for name, array in arrays.items()}
    for array in frozen.values():
        array.flags.writeable = False
    pixels = window(64, 64, 1)
    expected = on_processor(SMALL, arrays, "float32").predict(pixels)
    assert np.array_equal(on_processor(SMALL, frozen, "float32").predict(pixels), expected)


def test_fast_is_bfloat16_where_the_processor_computes_in_it(arrays, bfloat16):
    network = on_processor(SMALL, arrays, "fast")
    assert (network.precision, network.messages) == (bfloat16, ())
    exact = on_processor(SMALL, arrays, "float32")
    assert (exact.precision, exact.messages) == ("float32", ())
    pixels = window(128, 128, 1)
    assert 0 < np.abs(network.predict(pixels) - exact.predict(pixels)).max() < 0.05


@pytest.mark.usefixtures("no_bfloat16")
def test_fast_is_float32_and_a_sentence_where_the_processor_does_not(arrays):
    network = on_processor(SMALL, arrays, "fast")
    assert (network.precision, network.messages) == ("float32", (messages.NO_BFLOAT16,))
    pixels = window(64, 64, 1)
    exact = on_processor(SMALL, arrays, "float32").predict(pixels)
    assert network.predict(pixels).tobytes() == exact.tobytes()
    with pytest.raises(InputError, match=r"bfloat16 .*Choose float32\."):
        on_processor(SMALL, arrays, "bfloat16")


def test_float16_is_for_gpus(arrays):
    with pytest.raises(InputError, match=r"cannot compute in float16"):
        on_processor(SMALL, arrays, "float16")


def test_where_bfloat16_cannot_be_compiled_float32_is_taken_unless_it_was_insisted_on(
    arrays, monkeypatch
):
    compile_model = openvino.Core.compile_model

    def refuse(self, model, device, settings):
        if settings["INFERENCE_PRECISION_HINT"] == "bf16":
            raise RuntimeError("could not create a primitive descriptor")
        return compile_model(self, model, device, settings)

    monkeypatch.setattr(openvino.Core, "compile_model", refuse)
    monkeypatch.setattr(engine, "computes_bfloat16", lambda: True)
    network = on_processor(SMALL, arrays, "fast")
    assert (network.precision, network.messages) == ("float32", (messages.NO_BFLOAT16,))
    assert network.predict(window(64, 64, 1)).shape == (1, 64, 64)
    with pytest.raises(InputError, match=r"bfloat16 .*Choose float32\."):
        on_processor(SMALL, arrays, "bfloat16")


@pytest.mark.parametrize("said", ["std::bad_alloc", "Failed to allocate 4 bytes", "out of memory"])
def test_an_engine_that_gets_no_memory_says_so_in_one_way(arrays, monkeypatch, said):
    network = on_processor(SMALL, arrays, "float32")

    def refuse(self, planes):
        raise RuntimeError(said)

    monkeypatch.setattr(engine.Compiled, "__call__", refuse)
    with pytest.raises(MemoryError, match=messages.NO_MEMORY_FOR_WINDOW):
        network.predict(window(64, 64, 1))


def test_an_engine_that_can_compile_nothing_is_told_with_the_way_out(arrays, monkeypatch):
    def refuse(self, model, device, settings):
        raise RuntimeError("Cannot load library libopenvino_intel_cpu_plugin.so\n")

    monkeypatch.setattr(openvino.Core, "compile_model", refuse)
    for precision in ("float32", "fast"):
        with pytest.raises(engine.NetworksUnusableError, match=r"plugin\.so;.*'classical'"):
            on_processor(SMALL, arrays, precision)

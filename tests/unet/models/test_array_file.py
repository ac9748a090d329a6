"""Weights in safetensors: the same bytes every time, and refused if they are not just these."""

import json
import re
import struct

import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.models import messages
from napari_snow_unet.unet.models.array_file import read_arrays, write_arrays
from napari_snow_unet.unet.models.store import read_weights

BIAS = "down0a.bias"
SHAPES = {"down0a.kernel": (3, 3, 1, 2), "down0a.bias": (2,)}


def arrays(**changes):
    random = np.random.default_rng(0)
    made = {name: random.random(shape, np.float32) for name, shape in SHAPES.items()}
    return made | {name.replace("_", "."): array for name, array in changes.items()}


def written(path, header, data=b""):
    """Write a file by hand: the length of its header, the header, the bytes of all arrays."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def entry(dtype="F32", shape=(2,), begin=0, end=8):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def test_what_is_written_is_read_in_the_order_asked_for(path):
    write_arrays(path, arrays())
    first = path.read_bytes()
    found = read_arrays(path, SHAPES)
    assert list(found) == list(SHAPES)
    for name, array in arrays().items():
        assert found[name].dtype == np.float32
        assert np.array_equal(found[name], array)
    write_arrays(path, dict(reversed(arrays().items())))
    assert path.read_bytes() == first
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_arrays_are_written_as_they_are_whatever_their_strides(path):
    kernel = np.arange(18, dtype=np.float32).reshape(2, 1, 3, 3).T
    counted = np.asarray(7, np.int64)
    write_arrays(path, {"kernel": kernel, "steps": counted})
    found = read_arrays(path, {"steps": (), "kernel": (3, 3, 1, 2)})
    assert np.array_equal(found["kernel"], kernel)
    assert found["steps"] == 7
    assert found["steps"].dtype == np.int64


def test_half_precision_is_small_and_read_as_single(path):
    write_arrays(path, {name: array.astype(np.float16) for name, array in arrays().items()})
    for name, array in read_weights(path, SHAPES).items():
        assert array.dtype == np.float32
        assert np.array_equal(array, arrays()[name].astype(np.float16).astype(np.float32))


def test_a_write_that_fails_leaves_what_was_there_and_no_litter(path, monkeypatch):
    write_arrays(path, arrays())
    before = path.read_bytes()

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("napari_snow_unet.base.files.replace", full)
    with pytest.raises(OSError, match="No space"):
        write_arrays(path, arrays(down0a_bias=np.zeros(2, np.float32)))
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"down0a_bias": np.zeros(3, np.float32)}, messages.number_of_weights(21, 2, 20)),
        ({"down0a_bias": np.zeros((1, 2), np.float32)}, messages.array_shape(BIAS, (1, 2), (2,))),
        ({"x": np.zeros(2, np.float32)}, messages.number_of_weights(22, 3, 20)),
        ({"x": np.zeros(0, np.float32)}, messages.array_unknown("x", (0,))),
        ({"down0a_bias": np.zeros(2, bool)}, messages.array_type(BIAS, "bool")),
        ({"down0a_bias": np.zeros(2, np.complex64)}, "complex64"),
        ({"down0a_bias": np.array([0, np.nan], np.float32)}, messages.not_finite(BIAS)),
        ({"down0a_bias": np.array([0, np.inf], np.float16)}, messages.not_finite(BIAS)),
    ],
)
def test_arrays_that_are_not_those_of_the_network_are_refused(path, changes, message):
    write_arrays(path, arrays(**changes))
    with pytest.raises(InputError) as refused:
        read_weights(path, SHAPES)
    if isinstance(message, str):
        assert message in str(refused.value)
    else:
        assert refused.value.message == message
    assert refused.value.path == path


def test_an_array_that_is_missing_is_named(path):
    bias = np.zeros(2, np.float32)
    write_arrays(path, {"down0a.kernel": arrays()["down0a.kernel"], "down0a.bais": bias})
    with pytest.raises(InputError, match=r"'down0a.bais' of shape \(2,\)"):
        read_weights(path, SHAPES)
    write_arrays(path, {"down0a.kernel": arrays()["down0a.kernel"]})
    with pytest.raises(InputError, match=re.escape(messages.number_of_weights(18, 1, 20).problem)):
        read_weights(path, SHAPES)
    with pytest.raises(InputError, match=messages.array_missing("nothing").problem):
        read_weights(path, {"down0a.kernel": (3, 3, 1, 2), "nothing": (0,)})


HEADERS = {
    "no JSON": b"{]",
    "a list": b"[]",
    "a lie in the offsets": {"x": entry(end=800)},
    "offsets backwards": {"x": entry(begin=8, end=0)},
    "another number of values": {"x": entry(shape=(3,))},
    "a hole": {"x": entry(begin=4, end=12)},
    "two that overlap": {"x": entry(), "y": entry()},
    "an absurd shape": {"x": entry(shape=(2**62, 2**62))},
    "a negative shape": {"x": entry(shape=(-2,))},
    "no such type": {"x": entry("F31")},
    "a type that NumPy has not": {"x": entry("BF16", (4,))},
    "an object in place of an array": {"x": {"dtype": "O", "shape": [1], "pickle": "gASV"}},
    "deep": b'{"x":' * 100_000,
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_header_that_lies_is_refused(path, header):
    written(path, header, bytes(8))
    with pytest.raises(InputError, match=r"damaged or not safetensors|the unusable type 'BF16'"):
        read_arrays(path, {"x": (2,)})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04",
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 100_000_000) + b"{}",
        b"PK\x03\x04" * 9,
    ],
)
def test_what_is_no_safetensors_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged or not safetensors"):
        read_arrays(path, SHAPES)


def test_a_file_cut_short_or_with_more_behind_it_is_refused(path):
    write_arrays(path, arrays())
    whole = path.read_bytes()
    for content in (whole[:-1], whole[:50], whole + b"x"):
        path.write_bytes(content)
        with pytest.raises(InputError, match="damaged"):
            read_arrays(path, SHAPES)


def test_a_file_far_larger_than_its_network_is_not_read(path, monkeypatch):
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InputError, match=re.escape(messages.too_large(1 << 40, 1_000_160).problem)):
        read_arrays(path, SHAPES)


def test_a_file_that_is_missing_is_named(path):
    with pytest.raises(InputError, match=r"model\.safetensors: .*No such file"):
        read_arrays(path, SHAPES)

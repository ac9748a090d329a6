"""HoVer-Net files: what SciPy writes is read, and what only claims to be one is refused."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
import scipy.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.formats.hovernet import (
    is_hovernet_mat,
    read_hovernet_mat,
    read_instance_map,
    write_hovernet_mat,
)


def nuclei():
    """Return a map with a gap in its ids, and HoVer-Net's table for it without nucleus 9."""
    labels = np.zeros((30, 40), np.int32)
    labels[1:4, 1:6], labels[10:12, 20:30], labels[25:, 35:] = 1, 4, 9
    table = {
        "inst_uid": np.array([[1], [4]]),
        "inst_type": np.array([[2], [5]]),
        "inst_centroid": np.array([[3.0, 2.0], [24.5, 10.5]]),
    }
    return labels, table


def saved(path, compress=False, **variables):
    scipy.io.savemat(path, variables, do_compression=compress)
    return path


@pytest.fixture(params=[False, True], ids=["stored", "compressed"])
def compress(request):
    return request.param


def test_a_file_is_read_with_its_table(tmp_path, compress):
    labels, table = nuclei()
    path = saved(tmp_path / "a.mat", compress, inst_map=labels, **table)
    assert is_hovernet_mat(path)
    read = read_hovernet_mat(path)
    assert np.array_equal(read.labels, labels)
    assert read.labels.dtype == np.int32
    assert read.labels.flags.c_contiguous
    assert read.index.tolist() == [1, 4, 9]
    assert read.type.tolist() == [2, 5, 0]
    assert read.centroid[:2].tolist() == [[2.0, 3.0], [10.5, 24.5]]  # y, x
    assert np.isnan(read.centroid[2]).all()


def test_nucleus_1_is_foreground(tmp_path):
    labels, _ = nuclei()
    read = read_instance_map(saved(tmp_path / "a.mat", inst_map=labels))
    assert (read > 0).sum() == (labels > 0).sum()


def test_a_tile_without_nuclei(tmp_path, compress):
    path = saved(
        tmp_path / "a.mat",
        compress,
        inst_map=np.zeros((5, 6), np.int32),
        inst_uid=np.zeros((0, 1)),
        inst_type=np.zeros((0, 1)),
        inst_centroid=np.zeros((0, 0)),
    )
    read = read_hovernet_mat(path)
    assert read.labels.shape == (5, 6)
    assert read.index.shape == (0,)
    assert read.centroid.shape == (0, 2)
    assert read.type.shape == (0,)


def test_a_table_without_ids_follows_the_sorted_ids_of_the_map(tmp_path):
    labels, _ = nuclei()
    kinds = np.array([[3.0], [1.0], [2.0]])
    read = read_hovernet_mat(saved(tmp_path / "a.mat", inst_map=labels, inst_type=kinds))
    assert read.index.tolist() == [1, 4, 9]
    assert read.type.tolist() == [3, 1, 2]


def test_a_column_that_does_not_fit_is_left_out_and_named(tmp_path):
    labels, table = nuclei()
    table["inst_centroid"] = np.zeros((7, 2))
    path = saved(tmp_path / "a.mat", inst_map=labels, **table)
    with pytest.warns(UserWarning, match=r"a\.mat: .*inst_centroid .*14 .*4"):
        read = read_hovernet_mat(path)
    assert np.isnan(read.centroid).all()
    assert read.type.tolist() == [2, 5, 0]


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i8", "u8", "f4", "f8", "?"])
def test_ids_of_any_number_type(tmp_path, compress, dtype):
    labels = np.array([[0, 1, 0], [1, 1, 0]], dtype)
    read = read_instance_map(saved(tmp_path / "a.mat", compress, inst_map=labels))
    assert np.array_equal(read, labels)
    assert read.dtype == np.int32


def test_numbers_of_the_other_byte_order(tmp_path):
    """Built by hand: a big-endian file of doubles stored as 16-bit integers, as MATLAB does."""
    values = np.array([[1, 2, 300]], ">u2")
    body = struct.pack(">IIII", 6, 8, 6, 0) + struct.pack(">IIii", 5, 8, 1, 3)
    body += struct.pack(">II", 1, 8) + b"inst_map" + struct.pack(">II", 4, 6)
    body += values.tobytes() + b"\0\0"
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\1\0MI"
    path = tmp_path / "big.mat"
    path.write_bytes(header + struct.pack(">II", 14, len(body)) + body)
    assert np.array_equal(scipy.io.loadmat(path)["inst_map"], values)
    assert np.array_equal(read_instance_map(path), values)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    hnp.arrays(
        np.int32,
        st.tuples(st.integers(1, 9), st.integers(1, 9)),
        elements=st.integers(0).map(lambda value: value % (2**31)),
    ),
    st.booleans(),
)
def test_scipy_reads_the_same(labels, compress):
    stream = io.BytesIO()
    scipy.io.savemat(stream, {"other": "text", "inst_map": labels}, do_compression=compress)
    stream.seek(0)
    assert np.array_equal(read_instance_map(stream), labels)


@settings(max_examples=40, deadline=None)
@given(labels=hnp.arrays(np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_what_is_written_is_read_back(tmp_path_factory, labels):
    path = tmp_path_factory.mktemp("mat") / "a.mat"
    assert write_hovernet_mat(path, labels) == path
    assert is_hovernet_mat(path)
    read = read_hovernet_mat(path)
    assert np.array_equal(read.labels, labels)
    assert read.index.tolist() == np.setdiff1d(labels, [0]).tolist()
    for number, centre in zip(read.index, read.centroid, strict=True):
        assert centre == pytest.approx(np.argwhere(labels == number).mean(axis=0))
    assert read.type is None


def test_what_is_written_is_what_hovernet_writes(tmp_path):
    labels, table = nuclei()
    labels[labels == 9] = 0
    stored = scipy.io.loadmat(write_hovernet_mat(tmp_path / "a.mat", labels))
    assert stored["inst_map"].dtype == np.int32
    assert np.array_equal(stored["inst_map"], labels)
    assert np.array_equal(stored["inst_uid"], table["inst_uid"])
    assert np.array_equal(stored["inst_centroid"], table["inst_centroid"])  # x, y
    empty = write_hovernet_mat(tmp_path / "b.mat", np.zeros((4, 4), np.int32))
    shapes = {
        name: value.shape for name, value in scipy.io.loadmat(empty).items() if name[0] != "_"
    }
    assert shapes == {"inst_map": (4, 4), "inst_uid": (0, 1), "inst_centroid": (0, 0)}


def test_nothing_is_overwritten_unasked(tmp_path):
    path = write_hovernet_mat(tmp_path / "a.mat", np.eye(3, dtype=np.int32))
    with pytest.raises(InputError, match="already exists"):
        write_hovernet_mat(path, np.ones((3, 3), np.int32))
    write_hovernet_mat(path, np.ones((3, 3), np.int32), overwrite=True)
    assert read_instance_map(path).all()


def test_the_network_map_is_neither_unpacked_nor_read(tmp_path, compress):
    labels = np.eye(64, dtype=np.int32)
    raw = np.random.default_rng(0).random((512, 512, 4)).astype(np.float32)
    path = saved(tmp_path / "a.mat", compress, raw_map=raw, inst_map=labels, extra=raw)
    tracemalloc.start()
    assert is_hovernet_mat(path)
    assert np.array_equal(read_hovernet_mat(path).labels, labels)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < raw.nbytes / 10


def test_a_member_of_an_archive_is_read_only_as_far_as_needed(tmp_path):
    labels, table = nuclei()
    raw = np.random.default_rng(0).random((256, 256, 4)).astype(np.float32)
    path = saved(tmp_path / "a.mat", inst_map=labels, **table, raw_map=raw)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "mat/a.mat")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive, archive.open("mat/a.mat") as member:
        assert np.array_equal(read_instance_map(member), labels)
        assert member.tell() < raw.nbytes / 10
    with zipfile.ZipFile(tmp_path / "a.zip") as archive, archive.open("mat/a.mat") as member:
        assert read_hovernet_mat(member).index.tolist() == [1, 4, 9]


def test_someone_elses_files_are_declined_and_refused(tmp_path):
    others = {"eeg.mat": saved(tmp_path / "eeg.mat", signal=np.arange(9.0), notes={"inst_map": 1})}
    (tmp_path / "text.mat").write_text("inst_map, but in words " * 20)
    (tmp_path / "old.mat").write_bytes(struct.pack("<5i", 0, 3, 3, 0, 2) + b"x\0" + bytes(72))
    for path in (
        *others.values(),
        tmp_path / "text.mat",
        tmp_path / "old.mat",
        tmp_path / "no.mat",
    ):
        assert not is_hovernet_mat(path)
        with pytest.raises(InputError, match=path.name):
            read_hovernet_mat(path)
    assert not is_hovernet_mat(tmp_path)
    with pytest.raises(InputError, match="no inst_map"):
        read_instance_map(others["eeg.mat"])


def test_matlab_73_is_refused_with_the_remedy(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "new.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["inst_map"] = np.eye(3)
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\2IM")
    assert is_hovernet_mat(path)
    with pytest.raises(InputError, match=r"new\.mat: .*MATLAB 7\.3.*-v7"):
        read_hovernet_mat(path)
    with h5py.File(tmp_path / "other.mat", "w") as file:
        file["signal"] = np.eye(3)
    assert not is_hovernet_mat(tmp_path / "other.mat")


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (np.zeros((4, 4, 3)), "the shape 4 x 4 x 3"),
        (np.zeros((0, 4)), "the shape 0 x 4"),
        (np.array([[0, -1]]), "values from -1 to 0"),
        (np.array([[0.0, 2.5]]), "fractions"),
        (np.array([[0, np.nan]]), "values from nan"),
        (np.array([[0, np.inf]]), "values from 0.0 to inf"),
        (np.array([[2**31]]), "to 2147483648"),
        (np.array([[1j]]), "not an array of real"),
        ("words", "not an array of real"),
        ({"a": 1}, "not an array of real"),
        (scipy.sparse.eye_array(3).tocsc(), "not an array of real"),
    ],
)
def test_a_map_that_holds_no_ids_is_refused(tmp_path, values, problem):
    path = saved(tmp_path / "a.mat", inst_map=values)
    with pytest.raises(InputError, match=rf"a\.mat: .*{problem}"):
        read_instance_map(path)


def test_a_file_cut_short_anywhere_is_one_clear_error(tmp_path, compress):
    labels, table = nuclei()
    raw = np.random.default_rng(0).random((9, 9, 4))
    whole = saved(tmp_path / "a.mat", compress, inst_map=labels, **table, raw_map=raw).read_bytes()
    cut = tmp_path / "cut.mat"
    unnamed = []
    for length in [*range(0, 300, 7), *range(300, len(whole), 97), len(whole) - 1]:
        cut.write_bytes(whole[:length])
        is_hovernet_mat(cut)  # must not raise, whatever it answers
        try:
            read_hovernet_mat(cut)
        except InputError as error:
            if str(cut) in str(error):
                continue
        unnamed.append(length)
    assert unnamed == []


def test_damage_anywhere_is_an_input_error_or_nothing(tmp_path, compress):
    labels, table = nuclei()
    whole = saved(tmp_path / "a.mat", compress, inst_map=labels, **table).read_bytes()
    random = np.random.default_rng(1)
    damaged = tmp_path / "damaged.mat"
    refused = 0
    for _ in range(400):
        data = bytearray(whole)
        for place in random.integers(0, len(data), random.integers(1, 5)):
            data[place] = random.integers(256)
        damaged.write_bytes(data)
        is_hovernet_mat(damaged)
        try:
            assert read_instance_map(damaged).dtype == np.int32
        except InputError:
            refused += 1
    assert refused > 10


def element(shape, data, name=b"inst_map", claimed=None):
    """Build a variable of doubles by hand, with the claims a stranger could make."""
    body = struct.pack("<IIII", 6, 8, 6, 0) + struct.pack("<II", 5, 4 * len(shape))
    body += struct.pack(f"<{len(shape)}i", *shape) + (b"\0" * 4 if len(shape) % 2 else b"")
    body += struct.pack("<II", 1, len(name)) + name + b"\0" * (-len(name) % 8)
    body += struct.pack("<II", 9, len(data) if claimed is None else claimed) + data
    return body


def file_of(*elements, packed=False):
    data = b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM"
    for body in elements:
        body = struct.pack("<II", 14, len(body)) + body
        if packed:
            body = zlib.compress(body)
            body = struct.pack("<II", 15, len(body)) + body
        data += body
    return data


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("shape", "data", "claimed"),
    [
        ((10**6, 10**6), bytes(64), None),
        ((10**6, 10**6), bytes(64), 0xFFFFFFF0),
        ((2**31 - 1, 2**31 - 1), bytes(8), None),
        ((-5, 5), bytes(8), None),
        ((2, 2), bytes(8), None),
        ((2, 2), bytes(32), 0xFFFFFFF0),
        ((2, 2), bytes(100_000), None),
        ((2,) * 31, bytes(8), None),
    ],
)
def test_absurd_claims_are_refused_in_little_memory(tmp_path, packed, shape, data, claimed):
    path = tmp_path / "a.mat"
    path.write_bytes(file_of(element(shape, data, claimed=claimed), packed=packed))
    assert_refused_in_little_memory(path)


def assert_refused_in_little_memory(path):
    tracemalloc.start()
    with pytest.raises(InputError) as caught:
        read_instance_map(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.path == path
    assert peak < 2_000_000


def test_a_bomb_is_unpacked_only_as_far_as_its_shape_goes(tmp_path):
    path = tmp_path / "bomb.mat"
    path.write_bytes(file_of(element((2, 2), bytes(200_000_000), claimed=32), packed=True))
    assert path.stat().st_size < 300_000
    assert_refused_in_little_memory(path)


def test_lizards_table_is_read_with_its_own_numbering(tmp_path):
    labels, _ = nuclei()
    table = {
        "id": np.array([[9], [1], [4]]),
        "class": np.array([[6], [2], [1]]),
        "bbox": np.zeros((3, 4)),
        "centroid": np.array([[37.0, 27.0], [3.0, 2.0], [24.5, 10.5]]),
    }
    read = read_hovernet_mat(saved(tmp_path / "a.mat", inst_map=labels, **table))
    assert read.index.tolist() == [9, 1, 4]
    assert read.type.tolist() == [6, 2, 1]
    assert read.centroid.tolist() == [[27.0, 37.0], [2.0, 3.0], [10.5, 24.5]]  # y, x


def test_conseps_table_has_no_ids_and_a_map_of_types_will_do_too(tmp_path):
    labels, _ = nuclei()
    types = np.where(labels == 4, 7, np.where(labels == 9, 3, 2)).astype(float)
    types[1, 1] = 5  # a pixel of another type within nucleus 1
    shared = {"inst_map": labels.astype(float), "type_map": types}
    table = {"inst_type": np.array([[1], [2], [3]]), "inst_centroid": np.ones((3, 2))}
    read = read_hovernet_mat(saved(tmp_path / "a.mat", **shared, **table))
    assert dict(zip(read.index.tolist(), read.type.tolist(), strict=True)) == {1: 1, 4: 2, 9: 3}
    read = read_hovernet_mat(saved(tmp_path / "b.mat", **shared))
    assert dict(zip(read.index.tolist(), read.type.tolist(), strict=True)) == {1: 2, 4: 7, 9: 3}
    unsorted = {"inst_uid": np.array([[9], [4]]), **shared}
    read = read_hovernet_mat(saved(tmp_path / "c.mat", **unsorted))
    assert dict(zip(read.index.tolist(), read.type.tolist(), strict=True)) == {1: 2, 4: 7, 9: 3}


def test_a_column_of_texts_is_passed_over(tmp_path):
    labels, _ = nuclei()
    texts = np.array(["a", "b", "c"], object)
    read = read_hovernet_mat(saved(tmp_path / "a.mat", inst_map=labels, **{"class": texts}))
    assert np.array_equal(read.labels, labels)
    assert read.type is None


def test_a_file_of_other_variables_is_refused_with_their_names(tmp_path):
    path = saved(tmp_path / "a.mat", n_ary_mask=np.ones((5, 6), np.uint8), name="text")
    with pytest.raises(InputError, match=r"no inst_map.* n_ary_mask \(5 x 6\), name"):
        read_instance_map(path)
    assert not is_hovernet_mat(path)


@pytest.mark.parametrize("name", ["inst_map", "other"])
def test_a_matlab_4_file_is_refused_with_its_own_remedy(tmp_path, name):
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {name: np.eye(30, 40)}, format="4")
    with pytest.raises(InputError, match=r"MATLAB 4 .*-v7"):
        read_instance_map(path)
    assert is_hovernet_mat(path) == (name == "inst_map")


@pytest.mark.parametrize("start", [b"# Created by Octave 8.4.0, Mon", b"Octave-1-L\x01"])
def test_octaves_own_formats_are_refused_with_their_remedy(tmp_path, start):
    path = tmp_path / "a.mat"
    path.write_bytes(start.ljust(200, b" "))
    with pytest.raises(InputError, match=r"Octave.*save -v7"):
        read_instance_map(path)

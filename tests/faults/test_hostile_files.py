"""Files made to harm: they are refused by name, nothing is written elsewhere, memory is bounded."""

import gzip
import io
import json
import struct
import tracemalloc
import zipfile
import zlib
from contextlib import contextmanager

import numpy as np
import pytest
import tifffile

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import run
from napari_snow_unet.data.datasets import messages
from napari_snow_unet.data.datasets.manifest import JOURNAL, read_manifest
from napari_snow_unet.data.datasets.members import open_member, read_member
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.sources import find_members
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.pixels.images import read_image
from napari_snow_unet.data.pixels.png import encode
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.runs.progress import read_progress

TABLE = """index,image,mask,name,source_image,source_mask,split
0,a.png,b.png,tile 0,,,train
"""
PIXELS = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)


@contextmanager
def at_most(megabytes):
    """Fail if what Python and NumPy allocate in the block exceeds a bound."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < megabytes << 20
    finally:
        tracemalloc.stop()


def refused_or_read(path):
    """Return the pixels, or None where the file is refused by name."""
    try:
        return read_image(path).array
    except InputError as error:
        if path.name not in str(error):
            raise
    return None


def files_below(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


def archive_with(path, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return path


def labels_png():
    return encode(np.eye(32, dtype=np.uint16))


def test_members_that_lead_out_of_an_archive_write_nothing_anywhere(tmp_path):
    """By '..', absolute, by drive, by backslash; and names that are nothing but dots."""
    names = ["../../out", "/tmp/out", "C:/out", "..\\..\\out", "a/../../out"]
    members = {f"{name}/{part}": b"x" for name in names for part in ("Image/a.png", "Mask/a.png")}
    members |= {"..": b"", ".": b"", "./..//": b"", "": b"", "/": b"", "//": b""}
    members |= {"Image/good.png": encode(PIXELS), "Mask/good.png": labels_png()}
    place = tmp_path / "deep" / "down"
    place.mkdir(parents=True)
    source = archive_with(place / "SNOW.zip", members)
    before = files_below(tmp_path)
    result = run(prepare([source], place / "out", PrepareOptions(workers=1)))
    assert [tile.name for tile in result.tiles] == ["good"]
    reasons = [problem.reason for problem in result.problems]
    assert reasons.count(messages.OUTSIDE_ARCHIVE) == 2 * len(names)
    made = set(files_below(tmp_path)) - set(before)
    assert all(name.startswith("deep/down/out/") for name in made)


def test_a_member_that_unpacks_to_more_than_it_claims_is_cut_off(tmp_path):
    path = archive_with(tmp_path / "Image.zip", {"a.png": encode(PIXELS) + bytes(64 << 20)})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\3\4", 22), (b"PK\1\2", 24)):  # what it claims, twice
        at = data.find(signature) + offset
        assert struct.unpack_from("<I", data, at)[0] > 64 << 20
        struct.pack_into("<I", data, at, 3000)
    path.write_bytes(data)
    ((member, _, _),), _ = run(find_members([path], tmp_path / "out"))
    with at_most(megabytes=2), pytest.raises(InputError) as error:
        read_member(member)
    assert error.value.message == messages.DAMAGED_IN_ARCHIVE


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_packed_by_methods_without_a_bound_are_left_alone(tmp_path, method):
    path = archive_with(tmp_path / "Image.zip", {"a.png": bytes(10 << 20)}, method)
    members, problems = run(find_members([path], tmp_path / "out"))
    assert members == []
    assert problems[0].reason == messages.UNKNOWN_COMPRESSION


def test_an_archive_that_contradicts_itself_is_refused(tmp_path):
    path = archive_with(tmp_path / "Image.zip", {"a.png": encode(PIXELS)}, zipfile.ZIP_STORED)
    whole = path.read_bytes()
    ((member, _, _),), _ = run(find_members([path], tmp_path / "out"))
    at = whole.find(b"PK\3\4")
    for offset, value in ((0, b"XX"), (26, b"\xff\xff")):
        copy = path.with_name(f"copy{offset}.zip")
        copy.write_bytes(whole[: at + offset] + value + whole[at + offset + len(value) :])
        changed = type(member)(**{**member.__dict__, "source": str(copy)})
        with pytest.raises(InputError, match=r"damaged|unpacked"):  # noqa: SIM117
            with open_member(changed) as stream:
                stream.read()


def feature(rings):
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": rings}}


def test_a_packed_geojson_bomb_is_not_unpacked(tmp_path):
    path = tmp_path / "a.geojson.gz"
    path.write_bytes(gzip.compress(b"[" + b"{}," * (30 << 20) + b"{}]"))
    with at_most(megabytes=80), pytest.raises(InputError, match=r"a\.geojson\.gz.*larger than"):
        read_labels(path)


def test_outlines_that_would_be_drawn_for_hours_are_refused(tmp_path):
    """Thousands of outlines of the whole slide; one that goes up and down it thousands of times."""
    square = [[0, 0], [9000, 0], [9000, 9000], [0, 9000]]
    comb = [[x / 10, 9000 * (x % 2)] for x in range(20_000)]
    for rings in ([[square]] * 5000, [[comb]]):
        path = tmp_path / "a.geojson"
        path.write_text(json.dumps([feature(each) for each in rings]))
        with at_most(megabytes=60), pytest.raises(InputError, match="many times over"):
            read_labels(path)


def test_ome_xml_does_not_lead_to_other_files(tmp_path):
    """The secret lies where the description of a TIFF points to; only its own pixels are read."""
    secret = np.full((8, 8), 99, np.uint8)
    tifffile.imwrite(tmp_path / "secret.tif", secret)
    xml = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="8" '
        'SizeY="8" SizeZ="2" SizeC="1" SizeT="1"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>'
        '<TiffData IFD="0" FirstZ="0" PlaneCount="1"><UUID FileName="own.tif">urn:uuid:1</UUID>'
        '</TiffData><TiffData IFD="0" FirstZ="1" PlaneCount="1">'
        f'<UUID FileName="{tmp_path}/secret.tif">urn:uuid:2</UUID></TiffData></Pixels></Image>'
        "</OME>"
    )
    path = tmp_path / "in" / "own.tif"
    path.parent.mkdir()
    tifffile.imwrite(path, np.zeros((8, 8), np.uint8), description=xml.encode(), metadata=None)
    read = refused_or_read(path)
    assert read is None or not (read == 99).any()


def test_entities_of_ome_xml_are_not_multiplied(tmp_path):
    lines = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    xml = f'<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY e0 "lol">{lines}]><OME>&e9;</OME>'
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, description=xml, metadata=None, photometric="rgb")
    with at_most(megabytes=100):  # expat stops at a hundredfold of the text, or 8 MB
        read = refused_or_read(tmp_path / "a.tif")
    assert read is None or np.array_equal(read, PIXELS)


def test_a_strip_that_unpacks_to_more_than_the_image_is_cut_off(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PIXELS, photometric="rgb", compression="zlib")
    with tifffile.TiffFile(path) as tif:
        page = tif.pages[0]
        offset = {name: page.tags[name].valueoffset for name in ("StripOffsets", "StripByteCounts")}
    bomb = zlib.compress(bytes(256 << 20), 9)
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, offset["StripOffsets"], len(data))
    struct.pack_into("<I", data, offset["StripByteCounts"], len(bomb))
    path.write_bytes(data + bomb)
    with at_most(megabytes=20):
        read = refused_or_read(path)
    assert read is None or read.shape == PIXELS.shape


@pytest.mark.parametrize("kind", ["png", "tif", "bmp"])
def test_a_header_that_claims_a_million_squared_is_refused(tmp_path, kind):
    from PIL import Image

    side, path = 1_000_000, tmp_path / f"a.{kind}"
    if kind == "tif":
        tifffile.imwrite(path, PIXELS, photometric="rgb", metadata=None)
        with tifffile.TiffFile(path) as tif:
            tags = [tif.pages[0].tags[name] for name in ("ImageWidth", "ImageLength")]
            places = [(tag.valueoffset, "<H" if tag.dtype == 3 else "<I") for tag in tags]
        data = bytearray(path.read_bytes())
        for at, layout in places:
            struct.pack_into(layout, data, at, min(side, 65_000 if layout == "<H" else side))
    else:
        stream = io.BytesIO()
        Image.fromarray(PIXELS).save(stream, kind.upper())
        data, layout = bytearray(stream.getvalue()), ">II" if kind == "png" else "<ii"
        struct.pack_into(layout, data, 16 if kind == "png" else 18, side, side)
        if kind == "png":
            data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)
    for read in (read_image, read_labels):
        with at_most(megabytes=4), pytest.raises(InputError, match=rf"a\.{kind}.*claims"):
            read(path)


@pytest.mark.parametrize(
    "line",
    ["[" * 5000, '{"index": "x"}', "\x00", '{"index": 1, "image": 5, "mask": "b", "name": "c"}'],
)
def test_a_journal_of_nonsense_is_passed_over(tmp_path, line):
    (tmp_path / "manifest.csv").write_text(TABLE)
    (tmp_path / JOURNAL).write_text(line + "\n", encoding="utf-8")
    assert [tile.index for tile in read_manifest(tmp_path)] == [0]


@pytest.mark.parametrize("damage", [b"\xff\xfe", b'"' + b"x" * 200_000])
def test_a_manifest_that_is_no_text_or_has_endless_cells_is_one_sentence(tmp_path, damage):
    table = TABLE.encode().replace(b"tile 0", damage)
    (tmp_path / "manifest.csv").write_bytes(table)
    with pytest.raises(InputError, match=r"manifest\.csv: Line .*damaged"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        '{"epoch": "many"}',
        '{"state": "odd"}',
        '{"seconds_left": 1e999}',
        '{"epoch": -1}',
        '{"seconds_left": true}',
        '{"updated": NaN}',
    ],
)
def test_progress_of_the_wrong_kind_is_no_progress(tmp_path, text):
    (tmp_path / "progress.json").write_text(text)
    assert read_progress(tmp_path) is None


@pytest.mark.parametrize("name", ["\x1b]0;owned\x07", "half \ud800", "a\x00b", "\u202egnp.exe"])
def test_the_name_of_a_model_cannot_command_a_terminal(name):
    with pytest.raises(InputError, match="printable"):
        UNetConfig(name=name)


def test_a_tiff_whose_directories_lead_in_circles_or_have_no_end_is_refused(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PIXELS, photometric="rgb", bigtiff=True)
    data = bytearray(path.read_bytes())
    (first,) = struct.unpack_from("<Q", data, 8)
    (entries,) = struct.unpack_from("<Q", data, first)
    for place, value in ((first + 8 + 20 * entries, first), (first, 1 << 40)):
        changed = bytearray(data)
        struct.pack_into("<Q", changed, place, value)
        path.write_bytes(changed)
        with pytest.raises(InputError, match=r"a\.tif: .*directories overlap"):
            read_image(path)

"""Every reader of files from strangers: valid files to begin with, and the call that reads one."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SIDE = 24


@dataclass(frozen=True)
class Reader:
    """A reader under test.

    Attributes
    ----------
    file : str
        Where a damaged file is put, relative to an empty folder.
    seeds : list of bytes
        Valid files.
    read : callable
        Takes the path and reads all there is; what it returns has been checked.
    """

    file: str
    seeds: list[bytes]
    read: Callable[[Path], object]


def _labels() -> np.ndarray:
    labels = np.zeros((SIDE, SIDE), np.int32)
    labels[3:9, 4:11], labels[14:20, 12:22] = 1, 40_000
    return labels


def _colours() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def _bytes(write: Callable[[io.BytesIO], object]) -> bytes:
    stream = io.BytesIO()
    write(stream)
    return stream.getvalue()


def _checked_labels(labels: np.ndarray) -> None:
    assert labels.dtype == np.int32
    assert labels.ndim == 2
    assert labels.min() >= 0


def mat() -> Reader:
    """HoVer-Net's .mat, packed and plain."""
    from scipy.io import savemat

    from napari_snow_unet.data.formats.hovernet import is_hovernet_mat, read_hovernet_mat

    table = {"inst_uid": np.array([[1], [40_000]]), "inst_centroid": np.ones((2, 2))}
    content = {"inst_map": _labels(), "inst_type": np.array([[1], [2]]), **table}
    types = np.where(_labels() > 0, 3.0, 0.0)
    lizard = {"inst_map": _labels(), "id": table["inst_uid"], "class": np.array([[1], [2]])}

    def read(path: Path) -> None:
        is_hovernet_mat(path)
        _checked_labels(read_hovernet_mat(path).labels)

    seeds = [_bytes(lambda s, p=p: savemat(s, content, do_compression=p)) for p in (True, False)]
    seeds += [_bytes(lambda s: savemat(s, lizard))]
    seeds += [_bytes(lambda s: savemat(s, {"inst_map": _labels(), "type_map": types}))]
    return Reader("x.mat", seeds, read)


def _read_pixels(path: Path) -> None:
    from napari_snow_unet.base.errors import InputError
    from napari_snow_unet.data.formats.label_images import read_labels
    from napari_snow_unet.data.pixels.images import read_header, read_image

    for read in (read_header, read_labels):
        with suppress(InputError):
            read(path)
    image = read_image(path)
    assert image.array.ndim in (2, 3, 4)
    assert image.array.size


def png() -> Reader:
    """PNG: grey and colours of 8 and 16 bits, palette, turned; JPEG and BMP go the same way."""
    from imagecodecs import png_encode
    from PIL import Image

    lying = Image.Exif()
    lying[274] = 6
    images = [
        Image.fromarray(_colours()),
        Image.fromarray(_labels().astype(np.uint16)),
        Image.fromarray(_colours()).quantize(16),
    ]
    seeds = [_bytes(lambda s, i=i: i.save(s, "PNG", dpi=(1000, 1000))) for i in images]
    seeds += [_bytes(lambda s, f=f: images[0].save(s, f)) for f in ("JPEG", "BMP")]
    seeds += [_bytes(lambda s, f=f: images[0].save(s, f, exif=lying)) for f in ("PNG", "JPEG")]
    deep = _colours().astype(np.uint16) * 257
    seeds += [png_encode(deep), png_encode(np.dstack([deep, deep[..., 0]]))]
    return Reader("x.png", seeds, _read_pixels)


def tiff() -> Reader:
    """TIFF: plain, packed in every way, tiled, pages, OME, ImageJ, BigTIFF."""
    from tifffile import imwrite

    pages, options = np.stack([_labels().astype(np.uint16)] * 3), {"photometric": "minisblack"}
    written = [
        (_colours(), {"photometric": "rgb", "resolution": (40_000, 40_000)}),
        *((_colours(), {"photometric": "rgb", "compression": c}) for c in ("zlib", "lzw", "zstd")),
        (_colours(), {"photometric": "rgb", "compression": "jpeg"}),
        (_labels().astype(np.uint32), {**options, "tile": (16, 16), "compression": "zlib"}),
        (pages, {**options, "ome": True, "metadata": {"axes": "ZYX", "PhysicalSizeX": 0.25}}),
        (pages, {**options, "imagej": True}),
        (_colours()[..., 0], {"photometric": "palette", "colormap": np.ones((3, 256), "u2")}),
        (_colours()[..., 0], {"photometric": "miniswhite", "extratags": [(274, "H", 1, 6, True)]}),
        (
            np.dstack([_colours()] * 2)[..., :4],
            {"photometric": "rgb", "extrasamples": ["assocalpha"]},
        ),
        (_colours()[..., 0] > 99, {"compression": "packbits"}),
        (pages, {**options, "bigtiff": True}),
    ]
    seeds = [_bytes(lambda s, a=a, o=o: imwrite(s, a, **o)) for a, o in written]
    return Reader("x.tif", seeds, _read_pixels)


def _read_outlines(path: Path) -> None:
    from napari_snow_unet.data.annotations.annotation_files import (
        images_named_in,
        is_annotation_file,
    )
    from napari_snow_unet.data.formats.labels_of_outlines import read_outlined_nuclei

    is_annotation_file(path)
    images_named_in(path)
    nuclei = read_outlined_nuclei(path)
    _checked_labels(nuclei.labels)
    assert nuclei.labels.max() <= len(nuclei.classes)
    assert nuclei.region is None or nuclei.region.shape == nuclei.labels.shape


_RING = [[2, 2], [9, 2], [9, 9.5], [2, 9], [2, 2]]


def geojson() -> Reader:
    """GeoJSON, plain and gzipped."""
    import gzip

    hole = [[4, 4], [6, 4], [6, 6], [4, 4]]
    kinds = [("Polygon", [_RING, hole]), ("MultiPolygon", [[_RING], [hole]]), ("Point", [3, 4])]
    properties = {"objectType": "detection", "classification": {"name": "Tumor"}}
    features = [
        {
            "type": "Feature",
            "id": "a",
            "properties": properties,
            "geometry": {"type": t, "coordinates": c},
        }
        for t, c in kinds
    ]
    frame = {"type": "Polygon", "coordinates": [[[0, 0], [24, 0], [24, 24], [0, 24], [0, 0]]]}
    drawn = [{"type": "Feature", "geometry": frame, "properties": {"objectType": "annotation"}}]
    drawn += [dict(feature, properties={}) for feature in features[:2]]
    text = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    seeds = [text, gzip.compress(text), json.dumps(features).encode(), json.dumps(drawn).encode()]
    seeds.append(text.decode().encode("utf-16"))
    return Reader("x.geojson", seeds, _read_outlines)


def nuclei_json() -> Reader:
    """The JSON of HoVer-Net and of CellViT."""
    nucleus = {"bbox": [[2, 2], [9, 9]], "centroid": [5, 5], "contour": _RING[:4], "type": 3}
    hovernet = {"mag": 40, "nuc": {"1": nucleus, "2": {**nucleus, "type_prob": 0.5}}}
    cellvit = {"wsi_metadata": {}, "type_map": {"3": "a"}, "cells": [nucleus, nucleus]}
    seeds = [json.dumps(content).encode() for content in (hovernet, cellvit)]
    return Reader("x.json", seeds, _read_outlines)


def coco() -> Reader:
    """COCO's JSON with polygons and run lengths, and LabelMe's."""
    flat = [value for point in _RING for value in point]
    runs = ({"size": [SIDE, SIDE], "counts": c} for c in ([30, 5, 19, 5, 517], "n05c00b?"))
    annotations = [
        {"id": n, "image_id": 1, "category_id": 2, "segmentation": part, "iscrowd": n == 3}
        for n, part in enumerate(([flat], *runs, [flat, flat]))
    ]
    image = {"id": 1, "file_name": "x.png", "width": SIDE, "height": SIDE}
    categories = [{"id": 2, "name": "nucleus"}]
    whole = {"images": [image], "annotations": annotations, "categories": categories}
    shapes = [{"label": "a", "points": _RING, "shape_type": "polygon", "group_id": None}]
    shapes += [
        {"label": "a", "points": _RING[:2], "shape_type": t} for t in ("circle", "rectangle")
    ]
    labelme = {"shapes": shapes, "imageHeight": SIDE, "imageWidth": SIDE}
    return Reader("x.json", [json.dumps(c).encode() for c in (whole, labelme)], _read_outlines)


def annotation_xml() -> Reader:
    """XML of ImageScope and of ASAP."""
    corners = [(name, x, y) for name in ("Vertex", "Coordinate") for x, y in _RING]
    points = {
        name: "".join(f'<{n} X="{x}" Y="{y}"/>' for n, x, y in corners if n == name)
        for name in ("Vertex", "Coordinate")
    }
    regions = "".join(
        f'<Region Type="{t}" NegativeROA="{r}"><Vertices>{points["Vertex"]}</Vertices></Region>'
        for t, r in ((0, 0), (2, 0), (0, 1), (4, 0))
    )
    layer = '<Annotation Name="a" Visible="0"><Attributes><Attribute Name="b"/></Attributes>'
    imagescope = f"<Annotations>{layer}<Regions>{regions}</Regions></Annotation></Annotations>"
    asap = '<ASAP_Annotations><Annotations><Annotation Type="Polygon" PartOfGroup="g">'
    asap += f"<Coordinates>{points['Coordinate']}</Coordinates></Annotation></Annotations>"
    asap += "</ASAP_Annotations>"
    seeds = [imagescope.encode(), asap.encode(), imagescope.encode("utf-16")]
    return Reader("x.xml", seeds, _read_outlines)


def _table() -> bytes:
    columns = "index,image,mask,name,source_image,source_mask,height,width,nuclei,foreground,split,"
    rows = [
        f"{n},images/{n}.png,masks/{n}.png,t{n},a/{n}.png,a/{n}.mat,24,24,2,0.1,train,{n},0.25,\n"
        for n in range(5)
    ]
    return "".join([f"{columns}fold,um_per_px,note\n", *rows]).encode()


def manifest() -> Reader:
    """manifest.csv of a dataset."""
    from napari_snow_unet.data.datasets.manifest import read_manifest, subset_counts, write_manifest

    def read(path: Path) -> None:
        tiles = read_manifest(path.parent)
        subset_counts(tiles)
        assert all(".." not in tile.image.split("/") for tile in tiles)
        write_manifest(path.parent / "again", tiles)

    return Reader("manifest.csv", [_table(), b"\xef\xbb\xbf" + _table()], read)


def journal() -> Reader:
    """The journal beside a manifest."""
    from napari_snow_unet.data.datasets.manifest import JOURNAL, MANIFEST, read_manifest

    folder = Path.cwd() / "journal-seed"
    folder.mkdir()
    (folder / MANIFEST).write_bytes(_table())
    from dataclasses import asdict

    lines = [json.dumps(asdict(tile)) + "\n" for tile in read_manifest(folder)]

    def read(path: Path) -> None:
        (path.parent / MANIFEST).write_bytes(_table())
        assert len(read_manifest(path.parent)) >= 5

    return Reader(JOURNAL, ["".join(lines).encode()], read)


def dataset() -> Reader:
    """dataset.json."""
    from napari_snow_unet.data.datasets.dataset_info import DatasetInfo, read_info, write_info
    from napari_snow_unet.data.datasets.splits import SplitPlan

    folder = Path.cwd() / "dataset-seed"
    write_info(folder, DatasetInfo("labels", 100, SplitPlan(0.7, 10, None, 3, "a(.)", 4)))

    def read(path: Path) -> None:
        info = read_info(path.parent)
        assert info.masks in ("labels", "binary")

    return Reader("dataset.json", [(folder / "dataset.json").read_bytes()], read)


def config() -> Reader:
    """config.json of a model."""
    from napari_snow_unet.unet.models.folder import read_config
    from napari_snow_unet.unet.network.config import UNetConfig

    full = UNetConfig(pixel_size_um=(0.2, 0.5), name="Ä", trained_on="tiles")

    def read(path: Path) -> None:
        known = read_config(path.parent)
        (path.parent / "again.json").write_text(known.to_json(), encoding="utf-8")

    return Reader("config.json", [full.to_json().encode()], read)


def history() -> Reader:
    """history.csv of a training."""
    from napari_snow_unet.unet.runs.folder import COLUMNS, RunDirectory

    folder = Path.cwd() / "history-seed"
    run = RunDirectory(folder)
    run.write_history([dict.fromkeys(COLUMNS, float(epoch)) for epoch in range(4)])

    def read(path: Path) -> None:
        run = RunDirectory(path.parent)
        run.write_history(run.history())

    return Reader("history.csv", [(folder / "history.csv").read_bytes()], read)


def progress() -> Reader:
    """progress.json of a training."""
    from dataclasses import asdict

    from napari_snow_unet.unet.runs.progress import TrainingProgress, read_progress

    text = json.dumps(asdict(TrainingProgress("training", 2, 9, 3, 40, 8.5, "epoch 2"))).encode()

    def read(path: Path) -> None:
        found = read_progress(path.parent)
        if found is not None:
            f"{found.epoch:d} {found.batch:d} {found.seconds_left or 0:.1f}"

    return Reader("progress.json", [text], read)


WEIGHTS = {
    "down0a.kernel": (3, 3, 1, 4),
    "down0a.bias": (4,),
    "down0b.kernel": (3, 3, 4, 4),
    "down0b.bias": (4,),
}


def _read_weights(path: Path) -> None:
    from napari_snow_unet.unet.models.store import read_weights

    found = read_weights(path, WEIGHTS)
    assert {name: array.shape for name, array in found.items()} == WEIGHTS
    assert all(np.isfinite(array).all() for array in found.values())


def weights() -> Reader:
    """A weights file of Keras: looked into, then every array read."""
    import h5py

    from napari_snow_unet.unet.models.keras_file import keras_places

    def write(stream: io.BytesIO, **packed: object) -> None:
        with h5py.File(stream, "w") as file:
            for name, place in keras_places(WEIGHTS).items():
                file.create_dataset(place, data=np.ones(WEIGHTS[name], np.float32), **packed)

    seeds = [_bytes(write), _bytes(lambda s: write(s, compression="gzip", shuffle=True))]
    return Reader("model.weights.h5", seeds, _read_weights)


def tensors() -> Reader:
    """A weights file of this package."""
    from safetensors.numpy import save

    seeds = [
        save({name: np.ones(shape, kind) for name, shape in WEIGHTS.items()})
        for kind in (np.float32, np.float16)
    ]
    return Reader("model.safetensors", seeds, _read_weights)


def archive() -> Reader:
    """A zip archive of images and masks: all members that are let through."""
    from napari_snow_unet.base.progress import run
    from napari_snow_unet.data.datasets.members import close_archives, open_member, read_member
    from napari_snow_unet.data.datasets.sources import find_members
    from napari_snow_unet.data.formats.label_images import read_labels
    from napari_snow_unet.data.pixels.images import read_image

    seeds, files = (
        [],
        [("Image/seed0001.png", png().seeds[0]), ("mat/seed0001.mat", mat().seeds[0])],
    )
    odd = [("../../Image/seed0002.png", b""), ("/Image/seed0003.png", b""), ("..", b""), ("", b"")]
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as made:
            for name, data in [*files, *odd]:
                made.writestr(zipfile.ZipInfo(name) if not name.strip("./") else name, data, method)
        seeds.append(stream.getvalue())

    def read(path: Path) -> None:
        found, _ = run(find_members([path], path.parent / "out"))
        try:
            for member, *_ in found:
                assert not member.path.startswith("/")
                assert ".." not in member.path.split("/")
                if not member.name.endswith(".mat"):
                    read_image(read_member(member))
                else:
                    with open_member(member) as stream:
                        read_labels(stream)
        finally:
            close_archives()

    return Reader("SNOW_Image.zip", seeds, read)


READERS: dict[str, Callable[[], Reader]] = {
    made.__name__: made
    for made in (
        *(mat, png, tiff, geojson, nuclei_json, coco, annotation_xml),
        *(manifest, journal, dataset, config, history, progress, weights, tensors, archive),
    )
}

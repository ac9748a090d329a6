"""Rows of docs/your_files.md about outlines, MATLAB files and pixel sizes."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import scipy.io

from layout_doors import refuses as refuses_folder
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import run
from napari_snow_unet.data.annotations import messages as of_outlines
from napari_snow_unet.data.datasets.check.dataset import check_dataset
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.stack import open_tile_stack
from napari_snow_unet.data.formats import messages
from napari_snow_unet.data.formats.hovernet import read_hovernet_mat
from napari_snow_unet.data.formats.label_images import read_labels, write_labels
from napari_snow_unet.data.formats.labels_of_outlines import REGION_COUNTS, read_outlined_nuclei
from napari_snow_unet.data.pairs.folder import find_pairs
from outline_doors import SHAPE, dataset, refuses, scores_of, takes, truths_of
from your_files import Case

ABOUT = (
    "Files of outlines are recognised by their content, whatever their names: QuPath's "
    "GeoJSON, XML of ImageScope or ASAP, JSON of HoVer-Net, CellViT, COCO or LabelMe. An "
    "outline's pixels are those whose centres are inside; where outlines overlap, the "
    "smaller is on top. This table also covers MATLAB files and pixel sizes."
)

#: Left, top, width and height of three nuclei.
NUCLEI = ((4, 5, 6, 8), (20, 10, 9, 7), (30, 30, 8, 8))


def drawn(boxes: Sequence[tuple[int, int, int, int]] = NUCLEI) -> np.ndarray:
    labels = np.zeros(SHAPE, np.int32)
    for number, (x, y, width, height) in enumerate(boxes, start=1):
        labels[y : y + height, x : x + width] = number
    return labels


def ring(x: float, y: float, width: float, height: float) -> list[list[float]]:
    return [[x, y], [x + width, y], [x + width, y + height], [x, y + height]]


def feature(box: Sequence[float], kind: str = "", name: str = "") -> dict[str, Any]:
    corners = ring(*box)
    properties: dict[str, Any] = {"objectType": kind} if kind else {}
    if name:
        properties["classification"] = {"name": name, "color": [200, 0, 0]}
    geometry = {"type": "Polygon", "coordinates": [[*corners, corners[0]]]}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def geojson(*features: dict[str, Any], encoding: str = "utf-8") -> bytes:
    content = {"type": "FeatureCollection", "features": features}
    return json.dumps(content, ensure_ascii=False).encode(encoding)


def annotated(*more: dict[str, Any], kind: str = "annotation", name: str = "Nucleus") -> bytes:
    return geojson(*more, *(feature(box, kind, name) for box in NUCLEI))


def half() -> np.ndarray:
    region = np.zeros(SHAPE, bool)
    region[:50, :40] = True
    return region


def frame(folder: Path) -> None:
    content = annotated(feature((0, 0, 40, 50), "annotation"))
    notes = messages.regions(1), f"{REGION_COUNTS}, 39%"
    takes(folder, ".geojson", content, drawn(), *notes, region=half())


def no_frame(folder: Path) -> None:
    """A large nucleus with two small ones drawn over its rim, and a cell around its nucleus."""
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    circle = np.stack([30 + 9 * np.cos(angle), 30 + 9 * np.sin(angle)], axis=1).tolist()
    large = {"type": "Polygon", "coordinates": [[*circle, circle[0]]]}
    small = ((24, 26, 7, 7), (30, 32, 7, 7))
    content = geojson(
        {"type": "Feature", "geometry": large, "properties": {"objectType": "annotation"}},
        *(feature(box, "annotation") for box in small),
    )
    labels = np.where(drawn(small) > 0, drawn(small) + 1, 0)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    labels[(np.hypot(x - 30, y - 30) < 8.9) & (labels == 0)] = 1
    source = dataset(folder / "in", ".geojson", content)
    found = read_outlined_nuclei(source / "masks" / "t1.geojson", SHAPE)
    assert (found.region, np.unique(found.labels).tolist()) == (None, [0, 1, 2, 3])
    assert np.mean(found.labels != labels) < 0.01


def whole_frame(folder: Path) -> None:
    content = annotated(feature((0, 0, 80, 64), "annotation"))
    takes(folder, ".geojson", content, drawn(), "1 outline ")


def cores(folder: Path) -> None:
    for number, about in enumerate((("tmacore", ""), ("annotation", "Region*"), ("", "Region 2"))):
        content = annotated(feature((0, 0, 40, 50), *about))
        takes(
            folder / str(number), ".geojson", content, drawn(), messages.regions(1), region=half()
        )


def outside_the_frame(folder: Path) -> None:
    far = feature((60, 50, 5, 5), "annotation", "Nucleus")
    labels = drawn([*NUCLEI, (60, 50, 5, 5)])
    content = geojson(
        feature((0, 0, 40, 50), "annotation"),
        *(feature(box, "annotation", "Nucleus") for box in NUCLEI),
        far,
    )
    takes(folder, ".geojson", content, labels, messages.nuclei_outside(1))


def starred(folder: Path) -> None:
    for number, about in enumerate((("tile", ""), ("root", ""), ("annotation", "Stroma*"))):
        content = annotated(feature((0, 0, 40, 50), *about))
        takes(folder / str(number), ".geojson", content, drawn(), of_outlines.starred(1))


def ignored(folder: Path) -> None:
    counts = np.ones(SHAPE, bool)
    counts[50:60, 60:70] = False
    content = annotated(feature((60, 50, 10, 10), "annotation", "Ignore*"))
    takes(folder, ".geojson", content, drawn(), of_outlines.excluded(1), region=counts)


def beside_detections(folder: Path) -> None:
    content = annotated(feature((0, 0, 40, 50), "annotation", "Tumor"), kind="detection")
    takes(folder, ".geojson", content, drawn(), messages.regions(1), region=half())


def merged(folder: Path) -> None:
    polygons = [[[*ring(*box), ring(*box)[0]]] for box in NUCLEI]
    geometry = {"type": "MultiPolygon", "coordinates": polygons}
    properties = {"objectType": "annotation", "classification": {"name": "Neoplastic"}}
    one = {"type": "Feature", "geometry": geometry, "properties": properties}
    takes(folder, ".geojson", geojson(one), drawn(), "3 polygons")


def two_parts(folder: Path) -> None:
    boxes = ((4, 5, 6, 8), (4, 14, 6, 8))
    polygons = [[[*ring(*box), ring(*box)[0]]] for box in boxes]
    geometry = {"type": "MultiPolygon", "coordinates": polygons}
    one = {"type": "Feature", "geometry": geometry, "properties": {"objectType": "detection"}}
    takes(folder, ".geojson", geojson(one), np.minimum(drawn(boxes), 1))


def some_outside(folder: Path) -> None:
    content = annotated(feature((500, 600, 5, 5), "annotation", "Nucleus"))
    labels = np.where(drawn() > 0, drawn() + 1, 0)
    takes(folder, ".geojson", content, labels, "1 of 4 outlines")


def all_outside(folder: Path) -> None:
    content = geojson(feature((20_000, 30_000, 5, 5)), feature((20_010, 30_010, 5, 5)))
    words = "All 2 outlines", "[x=20000,y=30000,w=80,h=64].png"
    refuses(folder, ".geojson", content, *words)


def fractions(folder: Path) -> None:
    content = geojson(feature((0.1, 0.1, 0.05, 0.05)), feature((0.3, 0.2, 0.05, 0.05)))
    refuses(folder, ".geojson", content, *messages.ALL_OUTLINES_TINY[:2])


def points(folder: Path) -> None:
    point = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [3, 4]}}
    refuses(folder / "all", ".geojson", geojson(point, point), "2 features are points")
    takes(folder / "one", ".geojson", annotated(point), drawn(), "1 of 4 features")


def twice(folder: Path) -> None:
    content = annotated(*(feature(box, "annotation", "Nucleus") for box in NUCLEI[:1]))
    labels = np.where(drawn() > 0, drawn() + 1, 0)
    takes(folder, ".geojson", content, labels, messages.outlines_hidden(1, 4))


def encodings(folder: Path) -> None:
    for number, encoding in enumerate(("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")):
        content = geojson(*(feature(b, name="Größe") for b in NUCLEI), encoding=encoding)
        takes(folder / str(number), ".geojson", content, drawn())
    content = geojson(*(feature(b, name="Größe") for b in NUCLEI), encoding="latin-1")
    takes(folder / "latin", ".geojson", content, drawn(), "Windows-1252")
    path = folder / "latin" / "in" / "masks" / "t1.geojson"
    assert read_outlined_nuclei(path, SHAPE).classes == ["Größe"] * 3


def contours(labels: np.ndarray) -> list[list[list[int]]]:
    """Trace nuclei as HoVer-Net and CellViT do."""
    masks = [(labels == number).astype(np.uint8) for number in np.unique(labels)[1:]]
    found = [cv2.findContours(m, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0][0] for m in masks]
    return [contour[:, 0].tolist() for contour in found]


def hovernet(folder: Path) -> None:
    nuclei = {
        str(number): {"bbox": [[0, 0], [1, 1]], "centroid": [1, 1], "contour": c, "type": number}
        for number, c in enumerate(contours(drawn()), start=1)
    }
    takes(folder, ".json", json.dumps({"mag": None, "nuc": nuclei}).encode(), drawn())
    path = folder / "in" / "masks" / "t1.json"
    assert read_outlined_nuclei(path, SHAPE).types == [1, 2, 3]


def cellvit(folder: Path) -> None:
    cells = [{"centroid": [1, 1], "contour": c, "type": 2} for c in contours(drawn())]
    content = {"wsi_metadata": {}, "type_map": {"2": "Inflammatory"}, "cells": cells}
    takes(folder, ".json", json.dumps(content).encode(), drawn())
    path = folder / "in" / "masks" / "t1.json"
    assert read_outlined_nuclei(path, SHAPE).classes == ["Inflammatory"] * 3


def positions(folder: Path) -> None:
    content = {"wsi_metadata": {}, "cells": [{"centroid": [1, 1], "type": 2}]}
    refuses(folder, ".json", json.dumps(content).encode(), "no contours")


def coco(name: str, *, boxes: bool = False, size: tuple[int, int] = SHAPE) -> bytes:
    objects = [
        {"id": n, "image_id": 7, "category_id": 1, "bbox": box, "iscrowd": 0}
        | ({} if boxes else {"segmentation": [np.ravel(ring(*box)).tolist()]})
        for n, box in enumerate(NUCLEI)
    ]
    image = {"id": 7, "file_name": name, "height": size[0], "width": size[1]}
    categories = [{"id": 1, "name": "nucleus"}]
    return json.dumps(
        {"images": [image], "annotations": objects, "categories": categories}
    ).encode()


def coco_of_one(folder: Path) -> None:
    takes(folder, ".json", coco("x/y.png"), drawn())


def coco_of_several(folder: Path) -> None:
    """One file in a folder `annotations`, and one beside the images as Roboflow writes it."""
    content = json.loads(coco("x/t1.png"))
    content["images"].append(dict(content["images"][0], id=8, file_name="x/t2.png"))
    content["annotations"].append(dict(content["annotations"][2], id=9, image_id=8))
    second = np.where(drawn() == 3, 1, 0)
    for place in ("annotations/instances.json", "images/_annotations.coco.json"):
        source = dataset(folder / place[:3], ".none", b"")
        shutil.rmtree(source / "masks")
        (source / place).parent.mkdir(exist_ok=True)
        (source / place).write_text(json.dumps(content))
        out = folder / f"out-{place[:3]}"
        tiles = run(prepare([source], out, PrepareOptions(workers=1))).tiles
        assert [tile.nuclei for tile in tiles] == [3, 1]
        report = run(check_dataset(source, workers=1))
        assert (report.problems, report.summary["nuclei"]) == ([], 4)
        stack = open_tile_stack(source).labels.compute(scheduler="synchronous")
        assert np.array_equal(stack, [drawn(), second])
        assert np.array_equal(truths_of(source)["t2"] > 0, second > 0)
        for labels, name in ((drawn(), "t1"), (second, "t2")):
            write_labels(folder / "found" / f"{name}.png", labels, overwrite=True)
        for truth in (source, source / place):
            found = scores_of(folder / "found", truth).pooled_scores
            assert (found["pq"], found["n_truth"]) == (1, 4)
        with pytest.raises(InputError, match="of 2 images"):
            read_labels(source / place, SHAPE, image="t3.png")


def coco_boxes(folder: Path) -> None:
    refuses(folder, ".json", coco("t1.png", boxes=True), "boxes")


def coco_of_other_size(folder: Path) -> None:
    refuses(folder, ".json", coco("t1.png", size=(128, 160)), "128 x 160", "64 x 80")


def coco_of_programs(folder: Path) -> None:
    painted, via, web = (json.loads(coco("t1.png")) for _ in range(3))
    for entry, box in zip(painted["annotations"], NUCLEI, strict=True):
        mask = drawn([box]).T.ravel()  # column by column, background first
        ends = np.flatnonzero(np.diff(mask, prepend=0, append=0))
        counts = np.diff(ends, prepend=0).tolist()
        entry |= {"iscrowd": 1, "segmentation": {"counts": counts, "size": list(SHAPE)}}
    for entry in via["annotations"]:
        entry |= {"image_id": str(entry["image_id"]), "segmentation": entry["segmentation"][0]}
    takes(folder / "CVAT", ".json", json.dumps(painted).encode(), drawn(), of_outlines.CROWDS)
    takes(folder / "VIA", ".json", json.dumps(via).encode(), drawn())
    source = dataset(folder / "in", ".none", b"")
    shutil.rmtree(source / "masks")
    web["images"][0]["file_name"] = "data/local-files/?d=scans/t1.png"
    web["images"].append(dict(web["images"][0], id=8, file_name="..\\..\\media\\t2.png"))
    (source / "result.json").write_text(json.dumps(web))
    assert {path.name for path in find_pairs(source).masks} == {"result.json"}
    assert [truth.any() for truth in truths_of(source).values()].count(True) == 1
    web["images"] = [dict(web["images"][0], file_name="9fbb0c71-t1.png")]
    (source / "result.json").write_text(json.dumps(web))
    refuses_folder(source, "result.json: No image that it names (9fbb0c71-t1.png) is left")


_OF_OTHERS = {
    "via_region_data.json": {
        "t1.png12": {
            "filename": "t1.png",
            "size": 12,
            "regions": [{"shape_attributes": {"name": "polygon", "all_points_x": [1, 2, 3]}}],
        }
    },
    "project-1.json": [{"annotations": [{"result": [{"value": {"polygonlabels": ["Nucleus"]}}]}]}],
    "t1.png.json": {"size": {}, "objects": [{"classTitle": "Nucleus", "geometryType": "bitmap"}]},
    "annotations.xml": "<annotations><image id='0' name='t1.png'><polygon/></image></annotations>",
    "t1.xml": "<annotation><object><bndbox><xmin>1</xmin></bndbox></object></annotation>",
}


def of_other_programs(folder: Path) -> None:
    names = "JSON of the VGG Image", "JSON of Label", "JSON of Supervisely", "XML of CVAT"
    for (file, content), name in zip(
        _OF_OTHERS.items(), (*names, "XML like Pascal VOC"), strict=True
    ):
        source = dataset(folder / name / "in", ".none", b"")
        shutil.rmtree(source / "masks")
        text = content if isinstance(content, str) else json.dumps(content)
        (source / "images" / file).write_text(text)
        refuses_folder(source, f"images/{file}: The file is {name}", "is not read", "COCO")
        with pytest.raises(InputError, match=f"is {name}.*COCO"):
            read_labels(source / "images" / file, SHAPE)
        for tile in ("t1", "t2"):  # where every image has a mask it is passed over
            write_labels(source / "masks" / f"{tile}.png", drawn())
        assert not run(check_dataset(source, workers=1)).problems


def labelme(folder: Path) -> None:
    shapes = [{"label": "n", "points": ring(*box), "shape_type": "polygon"} for box in NUCLEI]
    content = {"version": "5", "shapes": shapes, "imageHeight": SHAPE[0], "imageWidth": SHAPE[1]}
    takes(folder, ".json", json.dumps(content).encode(), drawn())


def imagescope(*regions: str, encoding: str = "utf-8", before: str = "") -> bytes:
    inner = "".join(regions) + "".join(region(ring(*box)) for box in NUCLEI)
    layer = '<Annotation Id="1" Name="" ReadOnly="0" Visible="1">'
    text = f"{before}<Annotations MicronsPerPixel='0.25'>{layer}<Regions>{inner}</Regions>"
    return f"{text}</Annotation></Annotations>".encode(encoding)


def region(corners: Sequence[Sequence[float]], kind: int = 0, *, negative: bool = False) -> str:
    points = "".join(f'<Vertex X="{x}" Y="{y}" Z="0"/>' for x, y in corners)
    about = f'Type="{kind}" NegativeROA="{int(negative)}"'
    return f"<Region {about}><Vertices>{points}</Vertices></Region>"


def aperio(folder: Path) -> None:
    ruler = region([[0, 0], [60, 50]], 4)
    takes(folder / "plain", ".xml", imagescope(), drawn())
    takes(folder / "ruler", ".xml", imagescope(ruler), drawn(), "1 of 4 regions")
    takes(folder / "utf-16", ".xml", imagescope(encoding="utf-16"), drawn())
    hole = drawn()
    hole[32:34, 32:35] = 0
    takes(folder / "hole", ".xml", imagescope(region(ring(32, 32, 3, 2), negative=True)), hole)
    counts = np.ones(SHAPE, bool)
    counts[50:60, 60:70] = False
    negative = imagescope(region(ring(60, 50, 10, 10), negative=True))
    takes(folder / "negative", ".xml", negative, drawn(), of_outlines.excluded(1), region=counts)
    boxed = imagescope(region(ring(0, 0, 40, 50), 1))
    takes(folder / "frame", ".xml", boxed, drawn(), messages.regions(1), region=half())


def asap(folder: Path) -> None:
    text = "".join(
        '<Annotation Name="a" Type="Polygon" PartOfGroup="Tumor"><Coordinates>'
        + "".join(f'<Coordinate Order="0" X="{x}" Y="{y}"/>' for x, y in ring(*box))
        + "</Coordinates></Annotation>"
        for box in NUCLEI
    )
    content = f"<ASAP_Annotations><Annotations>{text}</Annotations></ASAP_Annotations>"
    takes(folder, ".xml", content.encode(), drawn())


def document_type(folder: Path) -> None:
    head = '<!DOCTYPE a [<!ENTITY b "bb">]>'
    (folder / "a.xml").write_bytes(imagescope(before=head))
    with pytest.raises(InputError, match=r"a\.xml: .*document type"):
        read_labels(folder / "a.xml", SHAPE)


def others(folder: Path) -> None:
    source = dataset(folder / "in", ".png", b"")
    for name in ("t1", "t2"):
        write_labels(source / "masks" / f"{name}.png", drawn(), overwrite=True)
        (source / "images" / f"{name}.json").write_text('{"scanner": "GT450", "mpp": 0.25}')
        (source / "masks" / f"{name}.xml").write_text("<LeicaMetaData/>")
    (source / "classes.json").write_text('{"pathClasses": [{"name": "Tumor"}]}')
    result = run(prepare([source], folder / "out", PrepareOptions(workers=1)))
    assert (len(result.tiles), [tile.nuclei for tile in result.tiles]) == (2, [3, 3])
    assert not run(check_dataset(source, workers=1)).problems
    for file, found in (("classes.json", "its keys are pathClasses"), ("masks/t1.xml", "its root")):
        with pytest.raises(InputError, match=f"no outlines of nuclei: {found}"):
            read_labels(source / file, SHAPE)


def mat(**variables: Any) -> bytes:
    stream = io.BytesIO()
    scipy.io.savemat(stream, variables, format=variables.pop("format", "5"))
    return stream.getvalue()


def consep(folder: Path) -> None:
    types = np.where(drawn() == 2, 3.0, np.where(drawn() > 0, 1.0, 0.0))
    content = mat(
        inst_map=drawn().astype(float),
        type_map=types,
        inst_type=np.array([[1], [3], [1]]),
        inst_centroid=np.ones((3, 2)),
    )
    takes(folder, ".mat", content, drawn())
    assert read_hovernet_mat(folder / "in/masks/t1.mat").type.tolist() == [1, 3, 1]


def lizard(folder: Path) -> None:
    table = {"id": np.array([[3], [1], [2]]), "class": np.array([[6], [2], [1]])}
    table |= {"bbox": np.zeros((3, 4)), "centroid": np.ones((3, 2))}
    takes(folder, ".mat", mat(inst_map=drawn(), **table), drawn())
    read = read_hovernet_mat(folder / "in/masks/t1.mat")
    assert dict(zip(read.index.tolist(), read.type.tolist(), strict=True)) == {3: 6, 1: 2, 2: 1}


def matlab_4(folder: Path) -> None:
    content = mat(inst_map=drawn().astype(float), format="4")
    refuses(folder, ".mat", content, "MATLAB 4", "-v7")


def other_variables(folder: Path) -> None:
    content = mat(n_ary_mask=drawn(), predicted=drawn())
    words = "no inst_map", "n_ary_mask (64 x 80)", "predicted (64 x 80)"
    refuses(folder, ".mat", content, *words)


CASES: list[Case] = [
    Case(
        "an annotation drawn around the nuclei, rectangle or freehand",
        "accepted, with a note",
        (
            "The frame is read as the annotated region, not as a nucleus: `prepare` writes it to "
            "`regions/`, and training and scores use only the pixels inside. A frame holds two or "
            "more outlines of at most a quarter of its area, an eighth at the median. For an "
            "upright rectangle any median suffices, or a single outline of at most a twentieth. "
            "Several frames count together."
        ),
        frame,
    ),
    Case(
        "a nucleus with smaller ones drawn on it, a cell around its nucleus",
        "accepted",
        "All are nuclei; the smaller one is on top.",
        no_frame,
    ),
    Case(
        "a frame around the whole image",
        "accepted, with a note",
        "It is ignored, like any outline that covers 90 % of the image.",
        whole_frame,
    ),
    Case(
        "TMA cores, and classes whose name begins with Region",
        "accepted, with a note",
        "They are regions, never nuclei.",
        cores,
    ),
    Case(
        "nuclei inside a frame and others outside",
        "accepted, with a note",
        "The frame is not a nucleus, and the whole image counts.",
        outside_the_frame,
    ),
    Case(
        "QuPath's tiles and roots, and classes that end in `*`",
        "accepted, with a note",
        "They are neither nuclei nor regions.",
        starred,
    ),
    Case(
        "areas of the class `Ignore*` (MoNuSAC: Ambiguous)",
        "accepted, with a note",
        "The pixels inside are excluded.",
        ignored,
    ),
    Case(
        "detections or cells with annotations around them",
        "accepted, with a note",
        (
            "Detections are nuclei; of a cell, its nucleus is used. Annotations are regions, like a"
            " frame."
        ),
        beside_detections,
    ),
    Case(
        "one MultiPolygon for each class",
        "accepted, with a note",
        (
            "Every polygon is a nucleus, unless one of them makes up 80 % of the area: then the "
            "others belong to it."
        ),
        merged,
    ),
    Case("a detection of several polygons", "accepted", "It is one nucleus.", two_parts),
    Case(
        "some outlines outside the image",
        "accepted, with a note",
        "A note gives their number; outlines that cross the border are clipped.",
        some_outside,
    ),
    Case(
        "all outlines outside: positions in the slide with a crop of it",
        "refused",
        (
            "The message gives their position and a name for the image that matches it: `NAME "
            "[x=20000,y=30000,w=512,h=512].png`."
        ),
        all_outside,
    ),
    Case(
        "outlines smaller than a pixel: fractions of the image",
        "refused",
        "The message asks to check their unit.",
        fractions,
    ),
    Case(
        "points or lines among outlines",
        "accepted, with a note",
        "They are ignored, with their number. A file with only points or lines is refused.",
        points,
    ),
    Case(
        "a nucleus outlined twice",
        "accepted, with a note",
        "A note says how many are mostly covered.",
        twice,
    ),
    Case(
        "GeoJSON in UTF-8 with a byte order mark, UTF-16, or Latin-1",
        "accepted",
        "Latin-1 is read as Windows-1252, with a note.",
        encodings,
    ),
    Case(
        "XML of Aperio ImageScope, as MoNuSeg and MoNuSAC have it",
        "accepted",
        (
            "Polygons, rectangles and ellipses of all layers; rulers and arrows are ignored, with a"
            " note. A negative region is a hole in the outline around it; elsewhere it is excluded."
            " A layer's name, or MoNuSAC's attribute, is the class."
        ),
        aperio,
    ),
    Case("XML of ASAP, as CAMELYON has it", "accepted", "The group is the class.", asap),
    Case("XML that declares a document type", "refused", "Export it without one.", document_type),
    Case(
        "HoVer-Net's JSON",
        "accepted",
        "Contours go through the centres of pixels, which belong to the nucleus. Types are kept.",
        hovernet,
    ),
    Case(
        "CellViT's JSON (`cells.json`)",
        "accepted",
        "Same as HoVer-Net's, with type names.",
        cellvit,
    ),
    Case(
        "JSON with positions only (`cell_detection.json`)",
        "refused",
        "It has no contours.",
        positions,
    ),
    Case(
        "COCO's JSON, polygons or run lengths",
        "accepted",
        (
            "Each annotation is a nucleus; crowds are excluded. Of several images, the one with the"
            " same name is used."
        ),
        coco_of_one,
    ),
    Case(
        "COCO's JSON for several images, in their folder or in its own",
        "accepted",
        "Images are matched with the names in it; others are refused.",
        coco_of_several,
    ),
    Case(
        "COCO's JSON as CVAT, Label Studio, VIA and others export it",
        "accepted, with a note",
        (
            "Objects painted in CVAT are marked as crowds; if all are, they are read as nuclei. IDs"
            " as text, names as URLs and nested lists of points are supported."
        ),
        coco_of_programs,
    ),
    Case(
        "JSON of the VGG Image Annotator (VIA), Label Studio or Supervisely; XML of CVAT or Pascal "
        "VOC",
        "refused",
        (
            "The message names it and what to export instead: polygons as COCO. If no image lacks a"
            " mask, the file is ignored."
        ),
        of_other_programs,
    ),
    Case("COCO's JSON with boxes only", "refused", "Boxes are not outlines.", coco_boxes),
    Case(
        "COCO's or LabelMe's JSON for an image of another size",
        "refused",
        "The message gives both sizes.",
        coco_of_other_size,
    ),
    Case(
        "LabelMe's JSON",
        "accepted",
        "Polygons, rectangles, circles; a group is one nucleus.",
        labelme,
    ),
    Case(
        "other JSON and XML among images: a scanner's metadata, a QuPath project",
        "accepted",
        "It is ignored; if chosen by itself, it is refused with its contents.",
        others,
    ),
    Case("CoNSeP's `.mat`", "accepted", "Types are kept, from the list or the map.", consep),
    Case(
        "Lizard's `.mat`", "accepted", "Classes are kept, by Lizard's own nucleus numbers.", lizard
    ),
    Case(
        "MATLAB 4 and 7.3, Octave's own formats",
        "refused",
        "The message says how to save it again.",
        matlab_4,
    ),
    Case(
        "`.mat` with other variables (MoNuSAC, PanNuke)",
        "refused",
        "The message lists them.",
        other_variables,
    ),
]

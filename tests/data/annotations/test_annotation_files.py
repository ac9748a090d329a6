"""Outlines from every program: exact pixels, told by structure, refused with what was found."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.annotations.annotation_files import (
    images_named_in,
    is_annotation_file,
    read_annotations,
)
from napari_snow_unet.data.annotations.outlines import EXCLUDED, Outline
from napari_snow_unet.data.formats.labels_of_outlines import read_outlined_nuclei
from napari_snow_unet.data.synthetic import generate_tile

SHAPE = (40, 50)


def nuclei():
    """Return three nuclei: one cut by the border, one a single pixel, one with a thin tail."""
    labels = np.zeros(SHAPE, np.int32)
    labels[0:7, 43:50], labels[20, 20], labels[28:36, 5:15], labels[30, 15:22] = 1, 2, 3, 3
    return labels


def contours(labels):
    """Trace every nucleus as HoVer-Net and CellViT do."""
    for number in np.unique(labels)[1:]:
        mask = (labels == number).astype(np.uint8)
        (found, *_), _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        yield int(number), found[:, 0].tolist()


def written(path, content, encoding="utf-8"):
    path.write_bytes(json.dumps(content, ensure_ascii=False).encode(encoding))
    return path


def hovernet(labels, **more):
    found = {
        str(number): {
            "bbox": [[0, 0], [9, 9]],
            "centroid": [1.5, 2.5],
            "contour": ring,
            "type_prob": 0.9,
            "type": 10 + number,
        }
        for number, ring in contours(labels)
    }
    return {"mag": None, "nuc": found, **more}


def cellvit(labels):
    return {
        "wsi_metadata": {"extension": "svs", "magnification": 40},
        "type_map": {"1": "Neoplastic", "2": "Inflammatory"},
        "cells": [
            {"bbox": [[0, 0], [9, 9]], "centroid": [1, 2], "contour": ring, "type": 1, "offset": 0}
            for _, ring in contours(labels)
        ],
    }


@pytest.mark.parametrize("make", [hovernet, cellvit])
def test_contours_through_the_centres_of_pixels_give_the_pixels_back(tmp_path, make):
    path = written(tmp_path / "a.json", make(nuclei()))
    assert is_annotation_file(path)
    assert np.array_equal(read_outlined_nuclei(path, SHAPE).labels, nuclei())


def test_every_nucleus_of_a_tile_has_its_pixels(tmp_path):
    labels = generate_tile(3, size=128).labels
    filled = np.zeros_like(labels)
    for number, ring in contours(labels):
        cv2.drawContours(filled, [np.array(ring)], -1, number, cv2.FILLED)
    found = read_outlined_nuclei(written(tmp_path / "a.json", hovernet(labels)), labels.shape)
    numbers = np.unique(labels)[1:]
    again = np.concatenate([[0], numbers])[found.labels]
    assert np.array_equal(again > 0, filled > 0)
    assert (again == labels)[labels > 0].mean() > 0.99  # a contour has no holes


def test_types_and_their_names_are_kept(tmp_path):
    found = read_outlined_nuclei(written(tmp_path / "a.json", hovernet(nuclei())), SHAPE)
    assert found.types == [11, 12, 13]
    assert found.classes == ["", "", ""]
    found = read_outlined_nuclei(written(tmp_path / "b.json", cellvit(nuclei())), SHAPE)
    assert (found.types, found.classes) == ([1, 1, 1], ["Neoplastic"] * 3)
    none = hovernet(nuclei())
    for nucleus in none["nuc"].values():
        nucleus["type"] = None
    assert read_outlined_nuclei(written(tmp_path / "c.json", none), SHAPE).types is None


def test_contours_of_a_slide_are_cut_at_the_tile(tmp_path):
    slide = hovernet(np.pad(nuclei(), ((100, 0), (200, 0))))
    path = written(tmp_path / "s.json", slide)
    tile = read_outlined_nuclei(path, SHAPE, "s [x=200,y=100,w=50,h=40].png")
    assert np.array_equal(tile.labels, nuclei())
    half = read_outlined_nuclei(path, (20, 25), "s [d=2,x=200,y=100,w=50,h=40].png").labels
    assert (half[15:17, 3:7] == 3).all()
    assert np.unique(half).tolist() in ([0, 1, 3], [0, 1, 2, 3])


def coco(*, names=("a.png",), **more):
    square = [2, 3, 6, 3, 6, 7, 2, 7]
    return {
        "info": {},
        "images": [
            {"id": number, "file_name": name, "width": SHAPE[1], "height": SHAPE[0]}
            for number, name in enumerate(names)
        ],
        "categories": [{"id": 7, "name": "Tumör"}],
        "annotations": [
            {"id": 1, "image_id": 0, "category_id": 7, "iscrowd": 0, "segmentation": [square]},
            {"id": 2, "image_id": len(names) - 1, "category_id": 7, "segmentation": [
                [20, 20, 24, 20, 24, 24, 20, 24], [30, 30, 31, 30, 31, 39, 30, 39]]},
        ],
        **more,
    }  # fmt: skip


def test_cocos_polygons_are_objects_of_one_or_more_parts(tmp_path):
    path = written(tmp_path / "a.json", coco())
    found = read_outlined_nuclei(path)
    expected = np.zeros(SHAPE, np.int32)
    expected[3:7, 2:6], expected[20:24, 20:24], expected[30:39, 30] = 1, 2, 2
    assert np.array_equal(found.labels, expected)
    assert found.classes == ["Tumör", "Tumör"]


def test_of_several_images_the_one_of_the_name_is_taken(tmp_path):
    path = written(tmp_path / "all.json", coco(names=("x/a.png", "x/b.png")))
    assert images_named_in(path) == ["x/a.png", "x/b.png"]
    for image, pixels in (("a.png", 16), ("b", 25), ("b.tif", 25)):
        labels = read_outlined_nuclei(path, SHAPE, image).labels
        assert np.count_nonzero(labels) == pixels
    with pytest.raises(InputError, match=r"x/a\.png, x/b\.png.* 'c'"):
        read_outlined_nuclei(path, SHAPE, "c.png")
    with pytest.raises(InputError, match=r"x/a\.png, x/b\.png"):
        read_annotations(path)


@pytest.mark.parametrize(
    "segmentation",
    [
        [2, 3, 6, 3, 6, 7, 2, 7],  # as the VGG Image Annotator writes it
        [[2, 3], [6, 3], [6, 7], [2, 7]],
        [[[2, 3, 6, 3, 6, 7, 2, 7]]],
        [{"counts": [2 * 48 + 3, 4, 44, 4, 44, 4, 44, 4], "size": [48, 64]}],
    ],
)
def test_cocos_numbers_are_found_however_deep_they_lie(tmp_path, segmentation):
    entry = {"id": 1, "image_id": "0", "segmentation": segmentation}
    found = read_outlined_nuclei(written(tmp_path / "a.json", coco(annotations=[entry])), SHAPE)
    expected = np.zeros(SHAPE, np.int32)
    expected[3:7, 2:6] = 1
    assert np.array_equal(found.labels, expected)


def test_ids_of_images_count_as_text_and_those_of_no_image_are_refused(tmp_path):
    content = coco(annotations=[dict(coco()["annotations"][0], image_id="0")])
    found = read_outlined_nuclei(written(tmp_path / "a.json", content), SHAPE)
    assert np.count_nonzero(found.labels) == 16
    content = coco(annotations=[dict(coco()["annotations"][0], image_id=9)])
    with pytest.raises(InputError, match="objects belong"):
        read_annotations(written(tmp_path / "b.json", content))


def test_crowds_count_as_nuclei_where_all_objects_are_crowds(tmp_path):
    """As CVAT exports what is painted."""
    entries = [dict(entry, iscrowd=1) for entry in coco()["annotations"]]
    found = read_outlined_nuclei(written(tmp_path / "a.json", coco(annotations=entries)), SHAPE)
    assert (np.unique(found.labels).tolist(), found.region) == ([0, 1, 2], None)
    assert ["crowds" in note for note in found.notes] == [True]
    entries[0]["iscrowd"] = 0
    found = read_outlined_nuclei(written(tmp_path / "b.json", coco(annotations=entries)), SHAPE)
    assert (np.unique(found.labels).tolist(), found.region is None) == ([0, 1], False)


def test_names_of_images_in_addresses_are_those_of_files(tmp_path):
    """As Label Studio writes them for files on its own machine."""
    names = (
        "data/local-files/?d=a%20b/my%20a.png",
        "https://x.org/up/b%2B1.png?sig=a/b",
        "c\\d 50%.png",
    )
    path = written(tmp_path / "a.json", coco(names=names))
    assert images_named_in(path) == ["a b/my a.png", "/up/b+1.png", "c/d 50%.png"]


def run_lengths(mask):
    """Encode a mask as COCO does: column by column, background first."""
    flat = np.concatenate([[0], mask.T.ravel(), [2]])
    begins = np.flatnonzero(np.diff(flat))
    return np.diff(np.concatenate([[0], begins])).tolist()


def compressed(runs):
    """Pack run lengths as pycocotools does, written from its description."""
    text = ""
    for number, run in enumerate(runs):
        value = run - runs[number - 2] if number > 2 else run
        while True:
            bits, value = value & 31, value >> 5
            more = value != -1 if bits & 16 else value != 0
            text += chr((bits | 32 if more else bits) + 48)
            if not more:
                break
    return text


@pytest.mark.parametrize("pack", [list, compressed])
def test_cocos_run_lengths_give_the_pixels_back(tmp_path, pack):
    content = coco(annotations=[
        {"id": n, "image_id": 0, "category_id": 7,
         "segmentation": {"size": SHAPE, "counts": pack(run_lengths(nuclei() == n))}}
        for n in (1, 2, 3)
    ])  # fmt: skip
    found = read_outlined_nuclei(written(tmp_path / "a.json", content), SHAPE)
    assert np.array_equal(found.labels, nuclei())


def test_the_run_lengths_of_cocos_own_example():
    """A mask of 3 x 3 whose runs are 1, 2, 3, 3; the text as pycocotools writes it."""
    from napari_snow_unet.data.annotations.coco import _run_lengths

    assert _run_lengths("1233").tolist() == [1, 2, 3, 3 + 2]
    assert _run_lengths(compressed([5, 900, 3, 1_000_000, 0, 7])).tolist() == [
        5, 900, 3, 1_000_000, 0, 7]  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_run_lengths_of_any_mask(seed):
    from napari_snow_unet.data.annotations.coco import _traced
    from napari_snow_unet.data.annotations.drawing import draw_area

    random = np.random.default_rng(seed)
    mask = random.random(random.integers(1, 9, 2)) < random.random()
    for counts in (run_lengths(mask), compressed(run_lengths(mask))):
        polygons = _traced(counts, mask.shape, [1000])
        outlines = [Outline(polygons)] if polygons else []
        assert np.array_equal(draw_area(outlines, mask.shape), mask)


def test_masks_that_claim_more_pixels_than_nuclei_have_are_refused(tmp_path):
    giant = {"size": [1 << 14, 1 << 14], "counts": [0, 1 << 28]}
    content = coco(annotations=[{"id": 1, "image_id": 0, "segmentation": giant}])
    with pytest.raises(InputError, match="more pixels"):
        read_annotations(written(tmp_path / "a.json", content))


def test_a_crowd_does_not_count_and_boxes_alone_are_refused(tmp_path):
    content = coco()
    content["annotations"][1]["iscrowd"] = 1
    content["annotations"].append({"id": 3, "image_id": 0, "bbox": [1, 1, 4, 4]})
    found = read_outlined_nuclei(written(tmp_path / "a.json", content), SHAPE)
    assert np.unique(found.labels).tolist() == [0, 1]
    assert not found.region[20:24, 20:24].any()
    assert np.count_nonzero(~found.region) == 16 + 9
    assert any(note.startswith("1 of 3") and "boxes" in note for note in found.notes)
    content["annotations"] = content["annotations"][2:]
    with pytest.raises(InputError, match="boxes"):
        read_annotations(written(tmp_path / "b.json", content))


def test_labelmes_shapes(tmp_path):
    content = {
        "version": "5.4.1",
        "shapes": [
            {"label": "n", "points": [[2, 3], [6, 3], [6, 7], [2, 7]], "shape_type": "polygon"},
            {"label": "n", "points": [[10, 10], [14, 12]], "shape_type": "rectangle"},
            {"label": "c", "points": [[30, 20], [30, 25]], "shape_type": "circle"},
            {"label": "n", "points": [[20, 2], [22, 2], [22, 4], [20, 4]], "group_id": 5},
            {"label": "n", "points": [[20, 6], [22, 6], [22, 8], [20, 8]], "group_id": 5},
            {"label": "n", "points": [[1, 1]], "shape_type": "point"},
        ],
        "imagePath": "a.png",
        "imageHeight": SHAPE[0],
        "imageWidth": SHAPE[1],
    }
    found = read_outlined_nuclei(written(tmp_path / "a.json", content))
    assert found.labels.shape == SHAPE
    assert found.classes == ["n", "n", "c", "n"]
    sizes = np.bincount(found.labels.ravel())[1:]
    assert sizes[[0, 1, 3]].tolist() == [16, 8, 8]
    assert sizes[2] == pytest.approx(np.pi * 25, abs=5)
    content["shapes"][0]["shape_type"] = "mask"
    with pytest.raises(InputError, match="stored as pixels"):
        read_annotations(written(tmp_path / "b.json", content))


def imagescope(*regions, layer='Name=""', before="", after=""):
    """Write ImageScope's XML: a region is a string of attributes and its corners."""
    inner = "".join(
        f'<Region Id="{number}" {attributes}><Attributes/><Vertices>'
        + "".join(f'<Vertex X="{x}" Y="{y}" Z="0"/>' for x, y in corners)
        + "</Vertices></Region>"
        for number, (attributes, corners) in enumerate(regions)
    )
    head = '<RegionAttributeHeaders><AttributeHeader Id="9999" Name="Region"/>'
    return (
        f'{before}<Annotations MicronsPerPixel="0.252000"><Annotation Id="1" {layer}>{after}'
        f"<Regions>{head}</RegionAttributeHeaders>{inner}</Regions><Plots/></Annotation>"
        "</Annotations>"
    )


def square(x, y, side):
    return [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]


def xml(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "a.xml"
    path.write_bytes(text.encode(encoding))
    return path


def test_imagescopes_regions_of_every_type(tmp_path):
    text = imagescope(
        ('Type="0" NegativeROA="0"', square(2, 3, 4)),
        ('Type="1"', square(10, 10, 3)),
        ('Type="2"', [(20, 20), (30, 30)]),
        ('Type="4"', [(0, 0), (9, 9)]),
        ('Type="3"', [(0, 0), (9, 9)]),
        ('Type="0"', square(40, 30, 2)),
        layer='Name="Epithelial"',
    )
    path = xml(tmp_path, text)
    assert is_annotation_file(path)
    found = read_outlined_nuclei(path, SHAPE)
    sizes = np.bincount(found.labels.ravel())[1:]
    assert sizes[[0, 1, 3]].tolist() == [16, 9, 4]
    assert sizes[2] == pytest.approx(np.pi * 25, abs=5)
    assert found.classes == ["Epithelial"] * 4


def test_negative_regions_are_holes_or_do_not_count(tmp_path):
    text = imagescope(
        ('Type="0"', square(2, 2, 10)),
        ('Type="0" NegativeROA="1"', square(4, 4, 3)),
        ('Type="0" NegativeROA="1"', square(30, 20, 5)),
    )
    found = read_outlined_nuclei(xml(tmp_path, text), SHAPE)
    assert np.count_nonzero(found.labels == 1) == 100 - 9
    assert (found.labels[4:7, 4:7] == 0).all()
    assert found.region[4:7, 4:7].all()
    assert not found.region[20:25, 30:35].any()
    assert np.count_nonzero(~found.region) == 25


def test_the_layers_of_monusac_are_classes_and_what_is_ambiguous_does_not_count(tmp_path):
    def layer(name, corners):
        attribute = f'<Attributes><Attribute Name="{name}" Id="0" Value=""/></Attributes>'
        return imagescope(('Type="0"', corners), after=attribute)

    one = layer("Lymphocyte", square(2, 2, 4)).removesuffix("</Annotations>")
    other = layer("Ambiguous", square(20, 20, 6)).partition("<Annotation ")[2]
    found = read_outlined_nuclei(xml(tmp_path, f"{one}<Annotation {other}"), SHAPE)
    assert found.classes == ["Lymphocyte"]
    assert np.count_nonzero(found.labels) == 16
    assert np.count_nonzero(~found.region) == 36


def test_a_hidden_layer_is_taken_and_said(tmp_path):
    text = imagescope(('Type="0"', square(2, 2, 4)), layer='Name="a" Visible="0"')
    assert "1 hidden layer" in " ".join(read_annotations(xml(tmp_path, text)).notes)


def test_asaps_outlines(tmp_path):
    def annotation(kind, group, corners):
        points = "".join(
            f'<Coordinate Order="{n}" X="{x}" Y="{y}"/>' for n, (x, y) in enumerate(corners)
        )
        return (
            f'<Annotation Name="a" Type="{kind}" PartOfGroup="{group}" Color="#64FE2E">'
            f"<Coordinates>{points}</Coordinates></Annotation>"
        )

    text = '<?xml version="1.0"?><ASAP_Annotations><Annotations>'
    text += annotation("Polygon", "Tumor", square(2, 3, 4)) + annotation("Dot", "None", [(9, 9)])
    text += annotation("Rectangle", "None", square(10, 10, 3)) + "</Annotations>"
    text += '<AnnotationGroups><Group Name="Tumor"/></AnnotationGroups></ASAP_Annotations>'
    found = read_outlined_nuclei(xml(tmp_path, text), SHAPE)
    assert np.bincount(found.labels.ravel())[1:].tolist() == [16, 9]
    assert found.classes == ["Tumor", ""]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            '<!DOCTYPE a [<!ENTITY b "bbbb">]>' + imagescope(('Name="&b;"', square(1, 1, 4))),
            "document type",
        ),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd">' + imagescope(), "document type"),
        ("<annotation><object><bndbox/></object></annotation>", "Pascal VOC"),
        ("<annotations><image/></annotations>", "CVAT.* COCO"),
        ('<LeicaMetaData xmlns="x"/>', "'LeicaMetaData'"),
        ("<Annotations><Annotation>", "no element found"),
        (imagescope(('Type="0"', [("x", 1), (2, 3), (4, 5)])), "could not convert"),
        (imagescope(('Type="0"', [("nan", 1), (2, 3), (4, 5)])), "not pairs of numbers"),
    ],
)
def test_other_xml_is_refused_with_what_it_is(tmp_path, text, found):
    with pytest.raises(InputError, match=rf"a\.xml: .*{found}"):
        read_annotations(xml(tmp_path, text))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"server": 1, "images": {}}, "its keys are server, images"),
        ({str(n): 1 for n in range(9)}, r"0, 1, 2, 3, 4, 5, \.\.\."),
        (["a"], "of type list"),
        (3, "of type int"),
        ({"cells": [{"centroid": [1, 2]}]}, "no contours"),
        ({"nuc": {"1": {"contour": [[1, 2], ["a", 3]]}}}, "could not convert"),
        ({"nuc": {"1": {"contour": [], "type": 0}}}, "not pairs of numbers"),
        ({"images": [{"id": 1}], "annotations": []}, "file_name"),
        ({"shapes": [{"points": 3}]}, "damaged .TypeError"),
    ],
)
def test_other_json_is_refused_with_what_it_is(tmp_path, content, found):
    path = written(tmp_path / "a.json", content)
    with pytest.raises(InputError, match=found) as caught:
        read_annotations(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.json", '{"mag": null, "nuc": {"1": {}}}', True),
        ("a.json", '{"wsi_metadata": {}, "cells": []}', True),
        ("a.json", '{"type": "FeatureCollection", "features": [{"type": "Feature"}]}', True),
        ("a.json", '{"images": [{"id": 1, "file_name": "a.png"}], "annotations": []}', True),
        ("a.json", '{"version": "5", "flags": {}, "shapes": []}', True),
        ("a.json", '{"server": {}, "images": [{"imageName": "a"}]}', False),
        ("a.json", '{"um_per_px": 0.25, "cells": 12}', False),
        ("a.json", "[1, 2]", False),
        ("a.json", "", False),
        ("a.xml", imagescope(), True),
        ("a.xml", '<?xml version="1.0"?>\n<!-- a -->\n' + imagescope(), True),
        ("a.xml", "<OME><Image/></OME>", False),
        ("a.xml", "no xml", False),
        ("a.txt", imagescope(), False),
    ],
)
def test_files_are_told_by_their_beginning(tmp_path, name, text, expected):
    path = tmp_path / name
    path.write_text(text)
    assert is_annotation_file(path) == expected
    assert not is_annotation_file(tmp_path / "none.json")


FEATURE = {
    "type": "Feature",
    "geometry": {"type": "Polygon", "coordinates": [[*square(2, 3, 4), (2, 3)]]},
    "properties": {"classification": {"name": "Tumör"}},
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["a.geojson", "a.json"])
def test_geojson_in_every_encoding_of_unicode(tmp_path, name, encoding):
    path = written(tmp_path / name, {"type": "FeatureCollection", "features": [FEATURE]}, encoding)
    assert is_annotation_file(path)
    found = read_annotations(path)
    assert ([outline.class_name for outline in found.outlines], found.notes) == (["Tumör"], ())


def test_text_that_is_no_unicode_is_read_as_windows_writes_it_and_said(tmp_path):
    path = written(tmp_path / "a.geojson", [FEATURE], "latin-1")
    assert is_annotation_file(path)
    found = read_annotations(path)
    assert [outline.class_name for outline in found.outlines] == ["Tumör"]
    assert "Windows-1252" in found.notes[0]


@pytest.mark.parametrize(
    ("encoding", "head", "said"),
    [
        ("utf-8", "", 0),
        ("utf-8-sig", "", 0),
        ("utf-16", '<?xml version="1.0" encoding="UTF-16"?>', 0),
        ("latin-1", '<?xml version="1.0" encoding="ISO-8859-1"?>', 0),
        ("latin-1", '<?xml version="1.0" encoding="UTF-8"?>', 1),
    ],
)
def test_xml_in_the_encodings_that_it_says_or_does_not(tmp_path, encoding, head, said):
    text = imagescope(('Type="0"', square(2, 3, 4)), layer='Name="Tumör"', before=head)
    path = xml(tmp_path, text, encoding)
    assert is_annotation_file(path)
    found = read_annotations(path)
    assert [outline.class_name for outline in found.outlines] == ["Tumör"]
    assert len(found.notes) == said


def test_excluded_outlines_keep_their_kind(tmp_path):
    text = imagescope(('NegativeROA="1"', square(2, 3, 4)))
    (outline,) = read_annotations(xml(tmp_path, text)).outlines
    assert outline.kind == EXCLUDED

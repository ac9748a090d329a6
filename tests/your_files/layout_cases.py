"""Rows of docs/your_files.md about layouts: which mask belongs to which image."""

from __future__ import annotations

import json
import re
import shutil
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from layout_doors import (
    checked,
    nuclei,
    picture,
    prepared,
    put,
    put_mask,
    refuses,
    refuses_to_measure,
    refuses_to_segment,
    takes,
)
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import run
from napari_snow_unet.batch.finding import find_images
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.splits import SplitPlan
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.pairs.folder import find_pairs
from napari_snow_unet.data.pairs.messages import NO_FILES, PACKED, folder_ignored, layout
from napari_snow_unet.data.pairs.unread_files import NO_PAIR
from napari_snow_unet.data.pixels.images import read_image, write_image
from napari_snow_unet.napari_plugin.reader import get_reader
from napari_snow_unet.unet.runs.dataset import open_training_set
from your_files import Case

ABOUT = (
    "An image and a mask are paired if they have the same name and their folders agree, "
    "apart from words such as images and masks. Ambiguous files are never guessed: they "
    "stay unused and are listed. If a folder is refused, the message lists its files by "
    "type and gives a reason."
)


def snow(folder: Path) -> None:
    tiles = {n: (f"SNOW_Image/seed{n}.png", f"mask_0_5000/mat/seed{n}.mat") for n in (1, 2)}
    tiles[7000] = ("SNOW_Image/seed7000.png", "mask_5001_10k/mat/seed7000.mat")
    source, apart = folder / "snow" / "release", folder / "apart" / "release"
    pairs = put(source, tiles)
    write_image(source / "mask_0_5000" / "overlay" / "seed1.png", picture(9))
    takes(source, pairs, layout("SNOW"))
    tiles = {1: ("download1/SNOW_Image/seed1.png", "download2/mask_0_5000/mat/seed1.mat")}
    takes(apart, put(apart, tiles), layout("SNOW"))


def hovernet(folder: Path) -> None:
    tiles = {n: (f"images/tile_{n}.png", f"predictions/mat/tile_{n}.mat") for n in (1, 2)}
    takes(folder / "in", put(folder / "in", tiles), layout("HoVer-Net"))


def two_patients(folder: Path) -> None:
    source = folder / "in"
    tiles = {
        n: (f"{p}/images/tile_1.png", f"{p}/masks/tile_1.png") for n, p in ((1, "A"), (2, "B"))
    }
    pairs = put(source, tiles)
    lost = ("A/images/tile_2.png", "B/masks/tile_2.png")
    put(source, {3: (lost[0], ""), 4: ("", lost[1])})
    result = takes(source, pairs, left=lost)
    assert [tile.name for tile in result.tiles] == ["A/tile_1", "B/tile_1"]
    reasons = {problem.name: problem.reason for problem in result.problems}
    assert "in/B/masks/tile_2.png" in reasons["in/A/images/tile_2.png"]


def other_patients(folder: Path) -> None:
    """Whatever the folders are called, one's image is never paired with another's mask."""
    for number, (image, mask) in enumerate(
        (
            ("A_images/tile_2.png", "B_masks/tile_2.png"),
            ("A/tile_2.png", "B/tile_2.mat"),
            ("A/tile_2.png", "B/tile_2_mask.png"),
            ("patient 1/images/tile_2.png", "patient 2/masks/tile_2.png"),
            ("images/A/tile_2.png", "masks/B/tile_2.png"),
            ("Anna_images/tile_2.png", "Berta_masks/tile_2.png"),
            ("Anna/images/tile_2.png", "Berta/masks/tile_2.png"),
            ("Slide_01/tile_2.png", "GT_02/tile_2.png"),
            ("train_images/tile_2.png", "val_masks/tile_2.png"),
        )
    ):
        source = folder / str(number)
        put(source, {1: (image, mask)})
        assert find_pairs(source).images == [], image
        refuses(source, NO_PAIR)


def two_sources(folder: Path) -> None:
    for number, patient in enumerate("AB"):
        put(folder / patient, {number: ("images/1.png", "masks/1.png")})
    put(folder / "A", {5: ("images/2.png", "")})
    put(folder / "B", {6: ("", "masks/2.png")})
    result = prepared(folder / "A", folder / "B")
    assert {tile.name for tile in result.tiles} == {"A/1", "B/1"}
    for number, tile in enumerate(result.tiles):
        assert np.array_equal(read_labels(result.folder / tile.mask), nuclei(number))
    assert [problem.name for problem in result.problems] == ["A/images/2.png", "B/masks/2.png"]


def bowl(folder: Path) -> None:
    source = folder / "stage1_train"
    for number, tile in enumerate(("0a1b", "17")):
        write_image(source / tile / "images" / f"{tile}.png", picture(number))
        labels = nuclei(number)
        for id_, name in enumerate(("masks_2", "masks_10", "masks_17"), start=1):
            mask = (labels == id_) * np.uint8(255)
            write_image(source / tile / "masks" / f"{name}.png", mask)
    overlapping = np.zeros((24, 32), np.uint8)
    overlapping[0:8, 2:8] = 255  # nucleus 1 of tile 0 is smaller and lies in it
    write_image(source / "0a1b" / "masks" / "masks_9.png", overlapping)
    pairs = {f"{tile}/images/{tile}.png": f"{tile}/masks" for tile in ("0a1b", "17")}
    result = takes(source, pairs, "2018 Data Science Bowl layout")
    first, second = sorted(result.tiles, key=lambda tile: tile.nuclei, reverse=True)
    labels = read_labels(result.folder / first.mask)
    assert np.array_equal(labels == 1, nuclei(0) == 1)  # in natural order: 2, 9, 10, 17
    assert np.array_equal(labels == 3, nuclei(0) == 2)
    assert re.match("4 files .*; 24 overlapping", first.note)
    assert np.array_equal(read_labels(result.folder / second.mask), nuclei(1))
    write_image(
        source / "17" / "masks" / "masks_10.png", np.zeros((24, 32), np.uint8), overwrite=True
    )
    again = prepared(source)
    assert (again.new, [tile.nuclei for tile in again.tiles if tile.name == "17"]) == (1, [2])


def classes_in_a_file_each(folder: Path) -> None:
    for name, labels in (("nuclei", nuclei(1)), ("other", np.eye(24, 32, dtype=np.int32))):
        put_mask(folder / "in" / "P1" / "masks" / f"{name}.png", labels)
    write_image(folder / "in" / "P1" / "images" / "P1.png", picture(1))
    with pytest.raises(InputError, match=r"masks: .*nuclei\.png .*several values"):
        read_labels(folder / "in" / "P1" / "masks")
    (problem,) = checked(folder / "in").problems
    assert "several values" in problem.text
    (problem,) = prepared(folder / "in").problems
    assert "several values" in problem.reason


def tnbc(folder: Path) -> None:
    tiles = {n: (f"Slide_{n:02d}/{n:02d}_1.png", f"GT_{n:02d}/{n:02d}_1.png") for n in (1, 2)}
    tiles[3] = ("Slide_02/tile.png", "GT_02/tile.png")
    tiles[4] = ("Slide_01/tile.png", "GT_01/tile.png")
    takes(folder / "TNBC", put(folder / "TNBC", tiles), layout("TNBC"))


def nuinsseg(folder: Path) -> None:
    source = folder / "NuInsSeg"
    pairs = {}
    for number, organ in enumerate(("human bladder", "mouse liver")):
        name = organ.replace(" ", "_") + "_01"
        mask = f"{organ}/label masks modify/{name}.tif"
        pairs |= put(source, {number: (f"{organ}/tissue images/{name}.png", mask)})
        for other in ("label masks", "mask binary", "mask binary without border", "stacked mask"):
            suffix = ".mat" if other == "stacked mask" else ".tif"
            put_mask(source / organ / other / f"{name}{suffix}", nuclei(7) * 2)
        write_image(source / organ / "distance maps" / f"{name}.png", picture(3))
        write_image(
            source / organ / "vague areas" / "mask binary_vague" / f"{name}.png", picture(3)
        )
        write_image(source / organ / "overlay_save_path" / f"{name}.png", picture(3))
    takes(
        source,
        pairs,
        layout("NuInsSeg"),
        "'label masks modify', not from: label masks, mask binary",
    )
    shutil.rmtree(folder / "dataset")
    for organ in ("human bladder", "mouse liver"):
        shutil.rmtree(source / organ / "label masks modify")
    pairs = {image: mask.replace(" modify", "") for image, mask in pairs.items()}
    takes(source, pairs, "'label masks', not from: mask binary")


def cryonuseg(folder: Path) -> None:
    source = folder / "CryoNuSeg"
    one, other = "Annotator 1 (biologist)", "Annotator 2 (bioinformatician)/Annotator 2"
    tiles = {
        n: (f"tissue images/Human_{n}.tif", f"{one}/label masks modify/Human_{n}.tif")
        for n in (1, 2)
    }
    pairs = put(source, tiles)
    for place in ("mask binary", "distance maps", "mask binary without border"):
        put_mask(source / one / place / "Human_1.png", nuclei(7))
    put_mask(source / other / "label masks modify" / "Human_1.tif", nuclei(8))
    put_mask(source / other / "label masks modify" / "Human_2.tif", nuclei(8))
    refuses(source, "tissue images/Human_1.tif: No mask")
    shutil.rmtree(source / other.partition("/")[0])
    takes(source, pairs, layout("CryoNuSeg"), "'label masks modify', not from: mask binary")


def nucls(folder: Path) -> None:
    source = folder / "NuCLS"
    pairs = put(source, {n: (f"rgb/t{n}.png", f"mask/t{n}.png") for n in (1, 2)})
    for n in (1, 2):
        write_image(source / "visualization" / f"t{n}.png", picture(8))
        (source / "csv").mkdir(exist_ok=True)
        (source / "csv" / f"t{n}.csv").write_text("raw_classification,xmin,ymin")
    takes(source, pairs)
    coloured = np.dstack([nuclei(1) * 9, nuclei(1), nuclei(1) > 0]).astype(np.uint8)
    write_image(source / "mask" / "t1.png", coloured, overwrite=True)
    (problem,) = checked(source).problems
    assert "in colour" in problem.text


def consep(folder: Path) -> None:
    tiles = {
        n: (f"{part}/Images/{part.lower()}_{n}.png", f"{part}/Labels/{part.lower()}_{n}.mat")
        for n, part in enumerate(("Train", "Train", "Train", "Test"), start=1)
    }
    source = folder / "CoNSeP"
    pairs = put(source, tiles)
    write_image(source / "Train" / "Overlay" / "train_1.png", picture(9))
    result = takes(source, pairs, layout("CoNSeP"))
    assert result.subsets == {"train": 2, "val": 1, "test": 1, "unused": 0}
    tiles = open_training_set(source)
    assert {tile.name for tile in (*tiles.train, *tiles.validation)} == {
        "train_1",
        "train_2",
        "train_3",
    }


def monuseg(folder: Path) -> None:
    source = folder / "MoNuSeg 2018 Training Data"
    corners = ((4, 6), (12, 6), (12, 14), (4, 14))
    vertices = "".join(f'<Vertex X="{x}" Y="{y}" Z="0"/>' for x, y in corners)
    region = f"<Region><Vertices>{vertices}</Vertices></Region>"
    text = f"<Annotations><Annotation><Regions>{region}</Regions></Annotation></Annotations>"
    pairs = {
        "Tissue Images/TCGA-1.tif": "Annotations/TCGA-1.xml",
        "TCGA-2.tif": "TCGA-2.xml",  # as in the test data
    }
    for number, (image, mask) in enumerate(pairs.items()):
        write_image(source / image, picture(number))
        (source / mask).parent.mkdir(exist_ok=True)
        (source / mask).write_text(text)
    result = takes(source, pairs, layout("MoNuSeg"))
    assert [tile.nuclei for tile in result.tiles] == [1, 1]


def lizard(folder: Path) -> None:
    tiles = {
        1: ("lizard_images1/Lizard_Images1/consep_1.png", "Lizard_Labels/Labels/consep_1.mat"),
        2: ("lizard_images2/Lizard_Images2/crag_1.png", "Lizard_Labels/Labels/crag_1.mat"),
    }
    takes(folder / "Lizard", put(folder / "Lizard", tiles), layout("Lizard"))


def hovernet_json(folder: Path) -> None:
    """As its results lie, in a folder and in an archive."""
    corners = [[4, 6], [12, 6], [12, 14], [4, 14]]
    content = json.dumps({"mag": 40, "nuc": {"1": {"contour": corners, "type": 1}}})
    for used in ("json", "mat"):
        source = folder / used / "in"
        pairs = {f"images/t{n}.png": f"{used}/t{n}.{used}" for n in (1, 2)}
        put(source, dict(enumerate(pairs.items())) if used == "mat" else {})
        for n in (1, 2):
            write_image(source / "images" / f"t{n}.png", picture(n), overwrite=True)
            write_image(source / "overlay" / f"t{n}.png", picture(9))
            (source / "json").mkdir(exist_ok=True)
            (source / "json" / f"t{n}.json").write_text(content)
        takes(source, pairs)
        archive = shutil.make_archive(str(folder / used / "zip" / "packed"), "zip", source)
        tiles = prepared(Path(archive)).tiles
        assert {tile.source_mask for tile in tiles} == {f"packed.zip/{m}" for m in pairs.values()}


def hovernet_training(folder: Path) -> None:
    tiles = {
        1: ("Images/train/TCGA-1.png", "Labels/TCGA-1.mat"),
        2: ("Images/train/TCGA-2.png", "Labels/TCGA-2.mat"),
        3: ("Images/test/same_tissue/TCGA-3.png", "Labels/TCGA-3.mat"),
    }
    result = takes(folder / "kumar", put(folder / "kumar", tiles))
    assert result.subsets == {"train": 1, "val": 1, "test": 1, "unused": 0}
    assert result.tiles[2].split == "test"


def pannuke(folder: Path) -> None:
    source = folder / "PanNuke"
    for kind, values in (("images", picture(1)), ("masks", nuclei(1))):
        place = source / "Fold 1" / kind / "fold1"
        place.mkdir(parents=True)
        np.save(place / f"{kind}.npy", values[np.newaxis])
    words = ("Fold 1/images/fold1/ with 1 .npy file (images.npy)", "PanNuke", "Save every tile as")
    refuses(source, *words)
    refuses_to_measure(source, *words)
    refuses_to_segment(source, *words)


def conic(folder: Path) -> None:
    source = folder / "CoNIC"
    source.mkdir()
    for name, values in (("images", picture(1)), ("labels", nuclei(1))):
        np.save(source / f"{name}.npy", values[np.newaxis])
    words = ("Contents: 2 .npy files (images.npy, labels.npy)", "CoNIC", "Save every tile as")
    refuses(source, *words)
    refuses_to_measure(source, *words)


def own_subsets(folder: Path) -> None:
    for names in (("train", "val", "test"), ("Training", "validation", "testing")):
        source = folder / names[0] / "own"
        tiles = {
            10 * number + n: (f"{name}/images/{n}.png", f"{name}/masks/{n}.png")
            for number, name in enumerate(names)
            for n in (1, 2, 3)
        }
        result = takes(source, put(source, tiles))
        assert any("train and val and test" in message for message in result.messages)
        parts = {tile.source_image.split("/")[1]: tile.split for tile in result.tiles}
        assert parts == dict(zip(names, ("train", "val", "test"), strict=True))
        trained = open_training_set(source, seed=5)
        assert {tile.image.parts[-3] for tile in trained.train} == {names[0]}
        assert {tile.image.parts[-3] for tile in trained.validation} == {names[1]}
        assert re.search("3 tiles .*test not used", trained.notes[-1])
        shutil.copy(source / names[0] / "images" / "1.png", source / names[1] / "images" / "1.png")
        assert [finding.kind for finding in checked(source).problems] == ["leakage"]
        options = PrepareOptions(workers=1, split=SplitPlan(train=1.0))
        stated = run(prepare([source], folder / names[0] / "stated", options))
        assert stated.subsets["train"] == 8  # one is a repeat
        assert any(message.endswith("are ignored.") for message in stated.messages)


def subsets_in_names(folder: Path) -> None:
    for number, (images, masks) in enumerate(
        (("{}_images", "{}_masks"), ("images/{}", "masks/{}"), ("images_{}", "labels_{}"))
    ):
        source = folder / str(number) / "own"
        tiles = {
            n: (f"{images.format(part)}/{n}.png", f"{masks.format(part)}/{n}.png")
            for n, part in enumerate(("train", "train", "val", "test"))
        }
        result = takes(source, put(source, tiles))
        assert result.subsets == {"train": 2, "val": 1, "test": 1, "unused": 0}
    source = folder / "nnunet" / "Dataset001"
    tiles = {n: (f"imagesTr/case{n}_0000.png", f"labelsTr/case{n}.png") for n in (1, 2, 3)}
    tiles[4] = ("imagesTs/case4_0000.png", "labelsTs/case4.png")
    put(source, tiles)
    assert len(find_pairs(source).images) == 4
    assert prepared(source).subsets == {"train": 2, "val": 1, "test": 1, "unused": 0}


_ENDINGS = ("_mask", "_masks", "_label", "_labels", "-labelled", "_GT", "_gt", "_seg", "_nuclei")
_ENDINGS += ("_instances", "_cp_masks", " nuclei", " nuclei (my model)", "_seg_mask")


def endings(folder: Path) -> None:
    tiles = {n: (f"t{n}.png", f"t{n}{end}.png") for n, end in enumerate(_ENDINGS, start=1)}
    pairs = put(folder / "in", tiles)
    takes(folder / "in", pairs)
    found = find_images([folder / "in"])
    assert {path.name for path in found.images} == set(pairs)  # a mask is not segmented
    two = {n: (f"images/{image}", f"masks/{mask}") for n, (image, mask) in tiles.items()}
    assert len(find_pairs_in(folder / "two", two)) == len(tiles)
    put(folder / "in", {40: ("", "t1_seg.png")})
    left = {problem.name: problem.text for problem in checked(folder / "in").problems}
    assert set(left) == {"t1.png", "t1_mask.png", "t1_seg.png"}
    assert "(t1_mask.png, t1_seg.png)" in left["t1.png"]


_OF_PROGRAMS = {
    "a1.tif": "a1_Simple Segmentation.tif",  # ilastik
    "a2.tif": "a2_Object Identities.tif",
    "a3.tif": "Count Masks of a3.tif",  # ImageJ
    "a4.tif": "Mask of a4.tif",
    "a5-img.tif": "a5-instancemask.tif",  # CellBinDB
    "a6.tif": "a6.tif-labelled.png",  # QuPath, of the name with its suffix
    "a7.png": "a7.png_mask.png",
    "a8_ccd.tif": "a8_mask.tif",  # UCSB
    "a9.ome.tif": "a9.ome.tif_label_image.tif",
}


def names_by_programs(folder: Path) -> None:
    tiles = dict(enumerate(_OF_PROGRAMS.items(), start=1))
    takes(folder / "in", put(folder / "in", tiles))
    assert {path.name for path in find_images([folder / "in"]).images} == set(_OF_PROGRAMS)
    apart = {1: ("images/a.tif", "masks/a.tif.png"), 2: ("images/b.svs.png", "masks/b.png")}
    takes(folder / "apart" / "in", put(folder / "apart" / "in", apart))
    both = {1: ("t-img.tif", "t-mask.tif"), 2: ("", "t-instancemask.tif")}
    put(folder / "both", both)
    refuses(folder / "both", "t-img.tif: Several files", "t-instancemask.tif, ")


def accents(folder: Path) -> None:
    apart, composed = (unicodedata.normalize(form, "Gewebe é") for form in ("NFD", "NFC"))
    for number, (one, other) in enumerate(((apart, composed), (composed, apart))):
        source = folder / str(number) / "in"
        tiles = {
            1: (f"images/{one}.png", f"masks/{other}.png"),
            2: (f"{one}/images/1.png", f"{other}/masks/1.png"),
            3: (f"{one}3.png", f"{other}3_mask.png"),
            4: (f"{apart}4.png", f"{apart}4.mat"),
        }
        takes(source, put(source, tiles))


def beginnings(folder: Path) -> None:
    tiles = {n: (f"image_{n}.png", f"mask_{n}.png") for n in (1, 2, 10)}
    takes(folder / "in", put(folder / "in", tiles))
    apart = {n: (f"images/{image}", f"masks/{mask}") for n, (image, mask) in tiles.items()}
    assert len(find_pairs_in(folder / "apart", apart)) == 3
    of_either = folder / "either"
    put(of_either, {1: ("image_1.png", "mask_1.png"), 2: ("1.png", "")})
    refuses(of_either, "1.png: It and ", "image_1.png may each ", "mask_1.png. ")
    alone = {n: (f"{n}/image.png", f"{n}/mask.png") for n in (1, 2)}
    takes(folder / "alone" / "in", put(folder / "alone" / "in", alone))
    cellpose = {n: (f"img_{n}.tif", f"img_{n}_masks.tif") for n in (0, 1)} | {
        2: ("0.tif", "0_masks.tif")
    }
    assert len(find_pairs_in(folder / "cellpose", cellpose)) == 3


def images_of_any_name(folder: Path) -> None:
    tiles = {n: (f"p{n}/HE/a{n}.png", f"p{n}/masks/a{n}.png") for n in (1, 2)}
    pairs = put(folder / "in", tiles)
    put(folder / "in", {3: ("p1/HE/b.png", ""), 4: ("", "p2/masks/b.png")})
    takes(folder / "in", pairs, left=("p1/HE/b.png", "p2/masks/b.png"))


def find_pairs_in(folder: Path, tiles: dict[int, tuple[str, str]]) -> dict[str, str]:
    """Write tiles, find their pairs, and return these if they are the right ones."""
    wanted = put(folder, tiles)
    found = find_pairs(folder)
    names = [
        [path.relative_to(folder).as_posix() for path in paths]
        for paths in (found.images, found.masks)
    ]
    assert dict(zip(*names, strict=True)) == wanted
    return wanted


def qupath_outlines(folder: Path) -> None:
    ring = [[4, 6], [12, 6], [12, 14], [4, 14], [4, 6]]
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}
    pairs = {}
    for number, name in enumerate(("t1.png.geojson", "t2.geojson", "t3.tif.geojson"), start=1):
        image = name.removesuffix(".geojson")
        image = image if "." in image else f"{image}.png"
        write_image(folder / "in" / image, picture(number))
        (folder / "in" / name).write_text(json.dumps([feature]))
        pairs[image] = name
    takes(folder / "in", pairs)


def two_of_one_stem(folder: Path) -> None:
    source = folder / "in"
    pairs = put(source, {n: (f"images/{n}.png", f"masks/{n}.png") for n in (1, 2, 3)})
    Image.fromarray(picture(9)).save(source / "images" / "1.jpg")
    result = takes(source, pairs, left=("images/1.jpg",))
    (problem,) = result.problems
    assert "in/images/1.png" in problem.reason
    assert [path.name for path in find_images([source]).images][:2] == ["1.png", "1.jpg"]
    trained = open_training_set(source)
    assert re.search(r"images/1\.jpg: .*images/1\.png", " ".join(trained.notes))


def chosen_folder_called_mask(folder: Path) -> None:
    tiles = {1: ("a.png", "a_mask.png"), 2: ("b.png", "b_mask.png")}
    for name in ("nuclei mask dataset", "labels", "mat", "my images"):
        source = folder / "here" / name
        takes(source, put(source, tiles))
        shutil.rmtree(folder / "here")
        outer = {n: (f"{name}/{image}", f"{name}/{mask}") for n, (image, mask) in tiles.items()}
        assert len(find_pairs_in(folder / "outer", outer)) == 2
        shutil.rmtree(folder / "outer")


def image_beside_its_mat(folder: Path) -> None:
    for name in ("mat", "masks", "labels", "annotations"):
        source = folder / "here" / name
        pairs = put(source, {n: (f"patch{n}.png", f"patch{n}.mat") for n in (1, 2)})
        takes(source, pairs)
        image = source / "patch1.png"
        layers = get_reader(str(source / "patch1.mat"))(str(source / "patch1.mat"))
        assert [layer[2] for layer in layers] == ["image", "labels"]
        assert np.array_equal(layers[0][0], read_image(image).array)
        shutil.rmtree(folder / "here")


def two_formats_of_labels(folder: Path) -> None:
    """In a folder of masks a label image beside its .mat is a second format, and no picture."""
    for suffix in (".png", ".mat"):
        put_mask(folder / "masks" / f"a{suffix}", nuclei(1))
    refuses(folder / "masks", "Contents: 1 .mat file (a.mat) and 1 .png file (a.png)")
    source = folder / "in"
    pairs = put(source, {1: ("Image/seed1.png", "Mask/seed1.mat")})
    put_mask(source / "Mask" / "seed1.png", nuclei(1))
    takes(source, pairs, left=("Mask/seed1.png",))


def annotators(folder: Path) -> None:
    source = folder / "in"
    pairs = put(source, {1: ("images/1.png", "masks/1.png"), 2: ("images/2.png", "masks/2.png")})
    takes(source, pairs)
    shutil.rmtree(folder / "dataset")
    shutil.rmtree(source / "masks")
    for who in ("anna", "berta"):
        put_mask(source / f"masks_{who}" / "1.png", nuclei(1))
    both = "masks_anna/1.png, masks_berta/1.png"
    refuses(source, "images/1.png: Several files", "masks_anna/1.png, ")
    left = find_pairs(source)
    reasons = dict(zip(left.orphans, left.reasons, strict=True))
    assert f"({both})" in reasons[source / "images" / "1.png"]
    by_class = folder / "classes"
    put(by_class, {1: ("images/1.png", "masks/0/1.png"), 2: ("images/2.png", "masks/1/2.png")})
    refuses(by_class, NO_PAIR)  # nor where no name is there twice
    put_mask(by_class / "masks" / "1" / "1.png", nuclei(5))
    refuses(by_class, NO_PAIR)
    shutil.rmtree(by_class / "masks" / "1")
    takes(by_class, {"images/1.png": "masks/0/1.png"}, left=("images/2.png",))


def jpeg_masks(folder: Path) -> None:
    source = folder / "in"
    for n in (1, 2):
        write_image(source / "images" / f"t{n}.png", picture(n))
        (source / "masks").mkdir(exist_ok=True)
        Image.fromarray(nuclei(n).astype(np.uint8)).save(source / "masks" / f"t{n}.jpg")
    words = ("masks/ with 2 .jpg files (t1.jpg, t2.jpg)", "JPEG compression")
    refuses(source, *words, "as PNG")
    refuses_to_measure(source / "masks", "2 .jpg files", "as PNG")
    put_mask(source / "masks" / "t1.png", nuclei(1))
    takes(source, {"images/t1.png": "masks/t1.png"}, left=("images/t2.png",))
    (problem,) = checked(source).problems
    assert "masks/t2.jpg: JPEG compression" in problem.text


_OTHERS = {
    ".gif": "GIF files",
    ".npy": "NumPy files",
    ".npz": "NumPy files",
    ".h5": "HDF5 files",
    ".roi": "ROI files",
    ".nii.gz": "NIfTI files",
    ".svs": "Slides are not",
}


def other_types(folder: Path) -> None:
    for suffix, words in _OTHERS.items():
        source = folder / suffix[1:] / "in"
        write_image(source / "images" / "t1.png", picture(1))
        (source / "masks").mkdir()
        (source / "masks" / f"t1{suffix}").write_bytes(b"something")
        (source / ".DS_Store").write_bytes(b"junk")
        refuses(source, f"masks/ with 1 {suffix} file (t1{suffix})", words)
        refuses_to_measure(source / "masks", f"1 {suffix} file", words)
    seg = folder / "cellpose" / "in"
    write_image(seg / "a.png", picture(1))
    (seg / "a_seg.npy").write_bytes(b"something")
    refuses(seg, "Contents: 1 .png file (a.png) and 1 .npy file (a_seg.npy)", "Cellpose's _seg.npy")


def nothing_there(folder: Path) -> None:
    source = folder / "in"
    source.mkdir()
    for refused in (refuses, refuses_to_measure, refuses_to_segment):
        refused(source, NO_FILES)
    (source / "notes.txt").write_text("nothing yet")
    refuses(source, "Contents: 1 .txt file (notes.txt)")
    refuses_to_segment(source, "Contents: 1 .txt file (notes.txt)")
    write_image(source / "overlay" / "a.png", picture(1))
    refuses(source, "overlay/ with 1 .png file (a.png)", folder_ignored("overlay"))
    archive = folder / "bad.zip"
    archive.write_bytes(b"no archive")
    with pytest.raises(InputError, match=r"^bad\.zip: .*archive"):
        prepared(archive)


def archives(folder: Path) -> None:
    source = folder / "in"
    pairs = put(source, {1: ("images/t1.png", "masks/t1.png")})
    (source / "rest.tar.gz").write_bytes(b"something")
    rois, outer = source / "t1_RoiSet.zip", folder / "outer.zip"
    for archive, name in ((rois, "1.roi"), (outer, "inner.zip")):
        with zipfile.ZipFile(archive, "w") as opened:
            opened.writestr(name, b"something")
    messages = " ".join(prepared(source).messages)
    assert "t1_RoiSet.zip/1.roi: " in messages
    assert "in/rest.tar.gz: " in messages
    takes(folder / "in", pairs)
    (source / "masks" / "t1.png").rename(folder / "t1.png")
    refuses(source, "rest.tar.gz", "only .zip")
    (source / "rest.tar.gz").unlink()
    with pytest.raises(InputError, match=r"1\.roi.*ROI files"):
        run(prepare([source], folder / "other", PrepareOptions(workers=1)))
    with pytest.raises(InputError, match=r"inner\.zip.*Unpack"):
        run(prepare([outer], folder / "other", PrepareOptions(workers=1)))
    packed = folder / "packed"
    put(packed, {1: ("images/t1.png", "")})
    (packed / "masks").mkdir()
    (packed / "masks" / "t1.tif.gz").write_bytes(b"something")
    refuses(packed, "(t1.tif.gz)", PACKED)


def other_names(folder: Path) -> None:
    put(folder / "unsaid", {1: ("input/1.png", ""), 2: ("target/1.png", "")})
    reason, _ = find_pairs(folder / "unsaid").reasons
    assert "target/1.png" in reason
    source = folder / "in"
    put(source, {1: ("images/slide A.png", ""), 2: ("", "masks/annotation of A.png")})
    refuses(source, "images/ with 1 .png file (slide A.png)", "masks/ with 1 .png file (annotation")


def capitals(folder: Path) -> None:
    source = folder / "in"
    pairs = {"IMAGES/A.PNG": "MASKS/A.PNG", "IMAGES/b.Png": "MASKS/b.MAT"}
    pairs |= {"IMAGES/c.TIF": "MASKS/c.Tif"}
    for number, (image, mask) in enumerate(pairs.items()):
        for name in (image, mask):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
        kind = "TIFF" if image.endswith("TIF") else "PNG"
        Image.fromarray(picture(number)).save(source / image, kind)
        small = folder / f"small{Path(mask).suffix.lower()}"
        put_mask(small, nuclei(number))
        small.rename(source / mask)
    takes(source, pairs)
    assert len(find_images([source]).images) == 3


CASES: list[Case] = [
    Case(
        "SNOW as released, or its archives unpacked side by side",
        "accepted, with a note",
        (
            "`SNOW_Image/seed1.png` belongs to `mask_0_5000/mat/seed1.mat`; `json/` and `overlay/` "
            "are ignored."
        ),
        snow,
    ),
    Case(
        "HoVer-Net's output for tiles: `mat/NAME.mat` next to the folder of images",
        "accepted, with a note",
        "Same as SNOW.",
        hovernet,
    ),
    Case(
        "one folder per patient, some without an image or a mask",
        "accepted, with a note",
        (
            "Complete pairs are used. An unpaired image is never matched with another patient's "
            "mask of the same name; both are listed."
        ),
        two_patients,
    ),
    Case(
        "an image and a mask of different patients with the same name",
        "refused",
        (
            "Nothing is paired, whatever the folders are named: `A_images`, `B_masks`; `Slide_01`, "
            "`GT_02`; `train_images`, `val_masks`."
        ),
        other_patients,
    ),
    Case(
        "several chosen folders or archives, each with images and masks",
        "accepted",
        (
            "Each is matched separately; its name is added to tile names that repeat. Sources with "
            "only images or only masks are matched with the others."
        ),
        two_sources,
    ),
    Case(
        "the 2018 Data Science Bowl (DSB 2018): `ID/images/ID.png`, `ID/masks/*.png`",
        "accepted, with a note",
        (
            "The single-nucleus masks are merged into one label image, numbered in natural order of"
            " the files. Overlapping pixels go to the smaller nucleus, and their number is noted."
        ),
        bowl,
    ),
    Case(
        "a folder of masks with one file per class",
        "refused",
        (
            "A file with several nuclei is not a single-nucleus mask: the tile is skipped and the "
            "file named."
        ),
        classes_in_a_file_each,
    ),
    Case(
        "TNBC: `Slide_01/01_1.png`, `GT_01/01_1.png`",
        "accepted, with a note",
        "The folder numbers must match.",
        tnbc,
    ),
    Case(
        "NuInsSeg: `human bladder/tissue images`, `label masks modify`, `mask binary` and others",
        "accepted, with a note",
        (
            "`label masks modify` is used, as its authors advise, otherwise `label masks` or `mask "
            "binary`; a note names the choice. Distance maps, vague areas and similar files are "
            "ignored."
        ),
        nuinsseg,
    ),
    Case(
        "CryoNuSeg: `tissue images`, `Annotator 1 (biologist)/label masks modify`, `Annotator 2`",
        "refused",
        "Keep one annotator's folder; it is then read like NuInsSeg.",
        cryonuseg,
    ),
    Case(
        "NuCLS: `rgb/`, `mask/`, `visualization/`, `csv/`",
        "accepted",
        (
            "`visualization/` and `csv/` are ignored. The published masks are in colour, which is "
            "refused: save the product of their second and third channels as labels."
        ),
        nucls,
    ),
    Case(
        "CoNSeP: `Train/Images/train_1.png`, `Train/Labels/train_1.mat`, `Test/...`",
        "accepted, with a note",
        "`Train` and `Test` are kept as subsets; validation tiles are drawn from `Train`.",
        consep,
    ),
    Case(
        "HoVer-Net's results: `mat/`, `json/`, `overlay/`",
        "accepted",
        "`json/` provides the masks if there is no `mat/`; otherwise it is ignored.",
        hovernet_json,
    ),
    Case(
        "MoNuSeg: `Tissue Images/*.tif` with `Annotations/*.xml`, or both in one folder",
        "accepted, with a note",
        "ImageScope outlines are matched with the image of the same name.",
        monuseg,
    ),
    Case(
        "Lizard: `Lizard_Images1`, `Lizard_Images2`, `Labels/*.mat`",
        "accepted, with a note",
        "The masks of both image folders are in one folder.",
        lizard,
    ),
    Case(
        "`Images/train/a.png`, `Images/test/b.png` with all masks in `Labels/`",
        "accepted",
        "All masks are in one folder, so unique names are paired. Subsets are kept.",
        hovernet_training,
    ),
    Case(
        "PanNuke: `Fold 1/images/fold1/images.npy`, `masks.npy`",
        "refused",
        "The message says what to do: save every tile as `images/N.png` and `masks/N.png`.",
        pannuke,
    ),
    Case("CoNIC: `images.npy`, `labels.npy`, `counts.csv`", "refused", "Same as PanNuke.", conic),
    Case(
        "your own folders `train`, `val`, `test` (`training`, `valid`, `validation`, `testing`)",
        "accepted, with a note",
        (
            "`prepare`, `check` and `train` keep them as subsets. Without `val`, some tiles of "
            "`train` are drawn for validation. A split that you specify overrides them, with a "
            "note."
        ),
        own_subsets,
    ),
    Case(
        "`train_images/`, `train_masks/`; `images/train/`, `masks/train/`; nnU-Net's `imagesTr/`",
        "accepted, with a note",
        "As above. nnU-Net's `case1_0000.png` belongs to `case1.png`.",
        subsets_in_names,
    ),
    Case(
        "`a.png` beside `a_mask.png`, or `_masks _label _labels _GT _seg _nuclei _instances "
        "_cp_masks`, `-labelled`, and ` nuclei`, as **Save as** names it",
        "accepted",
        (
            "In one folder or two. If an image has two masks there, neither is used. `segment` "
            "skips the masks."
        ),
        endings,
    ),
    Case(
        "`image_1.png`, `mask_1.png`; or `1/image.png`, `1/mask.png`",
        "accepted",
        "In one folder or two. If `1.png` exists as well, neither is used.",
        beginnings,
    ),
    Case(
        "`a_Simple Segmentation.tif`, `a_Object Identities.tif` (ilastik), `Count Masks of a.tif` "
        "(ImageJ), `a-instancemask.tif`; `a.tif.png`, `a.tif_mask.png`, `a.tif-labelled.png`",
        "accepted",
        "Same as `a_mask.png`, also if the name includes the image's suffix.",
        names_by_programs,
    ),
    Case(
        "accented names from macOS and from other systems",
        "accepted",
        "Accented letters are equal, whether stored as one character or two.",
        accents,
    ),
    Case(
        "`p1/HE/a.png` with `p1/masks/a.png`",
        "accepted",
        "If all images of a folder are in one subfolder, its name does not matter.",
        images_of_any_name,
    ),
    Case(
        "`a.png` with QuPath's `a.png.geojson` or `a.geojson`",
        "accepted",
        "Outlines are matched with the image they are named after.",
        qupath_outlines,
    ),
    Case(
        "two images with the same name, `a.png` and `a.jpg`",
        "accepted, with a note",
        (
            "The one with the mask's suffix is used, otherwise PNG, TIFF, BMP, JPEG in this order; "
            "the other is listed."
        ),
        two_of_one_stem,
    ),
    Case(
        "images and masks in a folder that is itself named mask or labels",
        "accepted",
        "File names within the folder count for more than its own name.",
        chosen_folder_called_mask,
    ),
    Case(
        "images with their `.mat` in a folder named `mat`, `masks` or `labels`",
        "accepted",
        "The colour picture is the image.",
        image_beside_its_mat,
    ),
    Case(
        "`a.png` and `a.mat` with the same labels in a folder of masks",
        "refused",
        (
            "A label image is never read as a picture. With its image, the `.mat` is used and the "
            "other listed."
        ),
        two_formats_of_labels,
    ),
    Case(
        "masks of several annotators, `masks_anna/`, `masks_berta/`, or classes, `masks/0`, "
        "`masks/1`",
        "refused",
        "Choose which to use, and move the others elsewhere.",
        annotators,
    ),
    Case(
        "masks as JPEG",
        "refused",
        "JPEG compression changes pixel values. Save them as PNG.",
        jpeg_masks,
    ),
    Case(
        "masks as `.gif`, `.npy`, `.npz`, `.h5`, `.nii`, `.roi`; slides with masks",
        "refused",
        "The message gives the type, the number of files and the remedy.",
        other_types,
    ),
    Case(
        "an empty folder, text files, only overlays, a broken archive",
        "refused",
        "The message lists the contents.",
        nothing_there,
    ),
    Case(
        (
            "archives other than `.zip`, nested archives, ImageJ's `RoiSet.zip`, compressed "
            "`.tif.gz`"
        ),
        "refused",
        "The message names them and the remedy. Only `prepare` opens `.zip` files.",
        archives,
    ),
    Case(
        "images and masks with different names",
        "refused",
        "The message lists some of each.",
        other_names,
    ),
    Case(
        "suffixes in capitals: `.PNG`, `.TIF`, `.MAT`",
        "accepted",
        "Same as in lower case.",
        capitals,
    ),
]

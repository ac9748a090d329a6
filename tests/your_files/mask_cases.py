"""Rows of docs/your_files.md about masks."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy import ndimage

from mask_doors import SHAPE, TILES, dataset, nuclei, numbered, refuses, scores_of, takes
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import run
from napari_snow_unet.data.datasets.check.dataset import check_dataset
from napari_snow_unet.data.datasets.check.messages import unconnected_ids
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.formats.hovernet import write_hovernet_mat
from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.masks import messages, notes
from napari_snow_unet.unet.runs.dataset import open_training_set
from napari_snow_unet.unet.runs.masks import look_at_masks
from your_files import Case

ABOUT = (
    "The meaning of a mask is detected from its values, palette and transparency. "
    "Assumptions are listed in the manifest and the summary of `prepare`, as notes of "
    "`check`, below the scores of `evaluate`, before a training, and in the docks. "
    "`--masks-are labels`, `binary` or `classes` overrides the detection in the shell, "
    "**Masks are** in the docks."
)
CLASSES = np.array([0, 1, 2, 1, 2, 2])


def png(path: Path, values: np.ndarray) -> None:
    Image.fromarray(values).save(path)


def tif(path: Path, values: np.ndarray, **how) -> None:
    tifffile.imwrite(path, values, **how)


def labels_in_all_types(folder: Path) -> None:
    ids = np.array([0, 3, 9, 4, 12, 7])[nuclei()]
    wide = np.array([0, 70_000, 5, 4, 300, 6])[nuclei()]
    for number, (save, suffix) in enumerate(
        [
            (partial(png, values=ids.astype(np.uint8)), ".png"),
            (partial(png, values=ids.astype(np.uint8)), ".bmp"),
            (partial(png, values=(ids * 1000).astype(np.uint16)), ".png"),
            (partial(tif, values=wide.astype(np.uint32)), ".tif"),
            (partial(tif, values=wide.astype(np.float32)), ".tif"),
        ]
    ):
        takes(folder / str(number), save, nuclei(), suffix=suffix)


def binary(folder: Path) -> None:
    for value in (1, 128, 255):
        values = ((nuclei() > 0) * value).astype(np.uint8)
        takes(folder / str(value), partial(png, values=values), nuclei())
    values = (nuclei() > 0).astype(np.float32)
    takes(folder / "float", partial(tif, values=values), nuclei(), suffix=".tif")


def class_map(folder: Path) -> None:
    for number, values in enumerate((CLASSES, CLASSES * 80)):
        save = partial(png, values=values[nuclei()].astype(np.uint8))
        takes(folder / str(number), save, nuclei(), notes.classes(values).gist)


def soft_edges(folder: Path) -> None:
    mask = ((nuclei() > 0) * 255).astype(np.uint8)
    large = cv2.resize(mask, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    packed = io.BytesIO()
    Image.fromarray(mask).save(packed, "JPEG", quality=75)
    soft = {
        "resized": cv2.resize(large, SHAPE[::-1], interpolation=cv2.INTER_CUBIC),
        "enlarged": cv2.resize(mask, None, fx=1.7, fy=1.7, interpolation=cv2.INTER_LINEAR),
        "jpeg": np.array(Image.open(packed)),
        "turned": ndimage.rotate(mask, 20, reshape=False, order=1),
    }
    for name, values in soft.items():
        note = notes.soft_edges(values).gist
        takes(folder / name, partial(png, values=values), numbered(values > 127), note)


def transparent(folder: Path) -> None:
    seen = ((nuclei() > 0) * 255).astype(np.uint8)
    ids = nuclei().astype(np.uint8) * 9
    red = np.dstack([np.full_like(seen, 200), 0 * seen, 0 * seen, seen])
    takes(folder / "red", partial(png, values=red), nuclei(), notes.OPAQUE.gist)
    black = partial(png, values=np.dstack([0 * seen, seen]))
    refuses(folder / "black", black, "black and transparent")
    behind = np.dstack([np.where(ids, ids, 77), seen]).astype(np.uint8)
    takes(folder / "ids", partial(png, values=behind), nuclei())


def paletted(path: Path, indices: np.ndarray, colours: list[list[int]]) -> None:
    """Write the same picture as PNG or as TIFF."""
    if path.suffix == ".png":
        image = Image.fromarray(indices.astype(np.uint8))
        image.putpalette([value for colour in colours for value in colour])
        image.save(path)
        return
    table = np.zeros((3, 256), np.uint16)
    table[:, : len(colours)] = np.array(colours).T * 257
    tifffile.imwrite(path, indices.astype(np.uint8), photometric="palette", colormap=table)


def palettes(folder: Path) -> None:
    white, black, grey, red = [255] * 3, [0] * 3, [50] * 3, [200, 30, 30]
    mask = (nuclei() > 0).astype(int)
    for suffix in (".png", ".tif"):
        for name, indices, colours in (
            ("grey on white", mask, [white, grey]),
            ("black on white", mask, [white, black]),
            ("red on white", mask, [white, red]),
            ("white on black, reordered", 1 - mask, [white, black]),
            ("red on black, reordered", 1 - mask, [red, black]),
            ("ids", nuclei(), [black, red, white, grey, [9, 9, 90], [1, 80, 2]]),
        ):
            save = partial(paletted, indices=indices, colours=colours)
            takes(folder / suffix / name, save, nuclei(), suffix=suffix)


def void(folder: Path) -> None:
    around = ndimage.grey_dilation(nuclei(), (5, 5)) * (nuclei() == 0)
    for name, inner in (("binary", np.minimum(nuclei(), 1)), ("ids", nuclei())):
        values = np.where(around, 255, inner).astype(np.uint8)
        note = notes.void(255).gist
        takes(folder / name, partial(png, values=values), nuclei(), note)
        framed = inner.copy()
        framed[:5] = framed[-5:] = framed[:, :5] = framed[:, -5:] = 255
        save = partial(png, values=framed.astype(np.uint8))
        takes(folder / f"{name} framed", save, nuclei(), note)


def one_and_two(folder: Path) -> None:
    for number, values in enumerate((1 + (nuclei() > 0), CLASSES[nuclei()] + 1)):
        save = partial(png, values=values.astype(np.uint8))
        refuses(folder / str(number), save, messages.no_background(0, 1, 1).remedy)
        takes(folder / f"said {number}", save, nuclei(), notes.lowest(1).gist, are="binary")


def borders(folder: Path) -> None:
    thin = (nuclei() > 0) & ~ndimage.binary_erosion(nuclei() > 0, np.ones((5, 5)))
    for inside, border in ((255, 127), (1, 2), (2, 1)):
        values = np.where(thin, border, (nuclei() > 0) * inside).astype(np.uint8)
        save = partial(png, values=values)
        place = folder / f"{inside} {border}"
        refuses(
            place, save, messages.border(border, str(inside)).problem, messages.border(1, "").remedy
        )
        takes(place / "said", save, nuclei(), are="binary")


def probability_maps(folder: Path) -> None:
    soft = ndimage.gaussian_filter((nuclei() > 0).astype(float), 2)
    for name, values, suffix in (
        ("8", np.rint(soft * 255).astype(np.uint8), ".png"),
        ("16", np.rint(soft * 65535).astype(np.uint16), ".png"),
        ("float", soft.astype(np.float32), ".tif"),
    ):
        save = partial(tif if suffix == ".tif" else png, values=values)
        refuses(
            folder / name,
            save,
            "probability map",
            messages.grey_map("", 1, 1).remedy,
            suffix=suffix,
        )


def distance_maps(folder: Path) -> None:
    far = ndimage.distance_transform_edt(nuclei() > 0)
    save = partial(tif, values=far.astype(np.float32))
    refuses(folder / "float", save, "distance map", suffix=".tif")
    save = partial(png, values=np.rint(far / far.max() * 255).astype(np.uint8))
    refuses(folder / "8", save, "distance map")


def resampled_labels(folder: Path) -> None:
    ids = (nuclei() * 40).astype(np.uint8)
    small = cv2.resize(ids, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_NEAREST)
    values = cv2.resize(small, SHAPE[::-1], interpolation=cv2.INTER_LINEAR)
    refuses(folder, partial(png, values=values), messages.spoilt_labels(1, 1).remedy)


def colours(folder: Path) -> None:
    table = np.random.default_rng(1).integers(0, 255, (6, 3), np.uint8)
    refuses(folder / "rgb", partial(png, values=table[nuclei()]), "in colour")
    cmyk = np.dstack([table[nuclei()], 0 * nuclei()]).astype(np.uint8)
    save = partial(tif, values=cmyk, photometric="separated")
    refuses(folder / "cmyk", save, "in colour", suffix=".tif")


def inverted(folder: Path) -> None:
    save = partial(png, values=((nuclei() == 0) * 255).astype(np.uint8))
    takes(folder, save, numbered(nuclei() == 0), "invert it")
    source = dataset(folder / "real", save, ".png", nuclei())
    doubt = "inverted: in 2 of 2"
    assert any(doubt in str(each) for each in run(check_dataset(source, workers=1)).problems)
    assert doubt in look_at_masks(open_training_set(source))[1]


def empty(folder: Path) -> None:
    save = partial(png, values=np.zeros(SHAPE, np.uint8))
    takes(folder, save, nuclei(()), notes.NOTHING.gist)
    with pytest.raises(InputError, match=r"(?i)no mask"):
        look_at_masks(open_training_set(folder / "in"))
    write_labels(folder / "in" / "masks" / "t2.png", nuclei(), overwrite=True)
    assert look_at_masks(open_training_set(folder / "in")) == ((), "")


def full(folder: Path) -> None:
    whole = np.full(SHAPE, 1, np.int32)
    save = partial(png, values=np.full(SHAPE, 37, np.uint8))
    takes(folder, save, whole, notes.EVERYTHING.gist)
    with pytest.raises(InputError, match=r"(?i)every mask"):
        look_at_masks(open_training_set(folder / "in"))


def in_pieces(folder: Path) -> None:
    torn = nuclei()
    torn[:, 18:20] = 0
    takes(folder / "two", partial(png, values=torn.astype(np.uint16)), torn, "")
    again = np.array([0, 1, 2, 3, 4, 4])[nuclei()]
    said = notes.IN_PIECES, unconnected_ids(1, 4)
    source = dataset(folder / "again", partial(png, values=again.astype(np.uint8)), ".png", again)
    result = run(prepare([source], folder / "out", PrepareOptions(workers=1)))
    assert [(tile.nuclei, said[0] in tile.note) for tile in result.tiles] == [(4, True)] * 2
    assert said[1] in " ".join(map(str, run(check_dataset(source, workers=1)).findings))
    mask = source / "masks" / f"{TILES[0]}.png"
    assert scores_of(mask, mask).pooled_scores["pq"] == 1


def by_definition(folder: Path) -> None:
    """What would be a class map as an image: the format says that these are ids."""
    ids = CLASSES[nuclei()]
    expected = np.array([0, 1, 2])[ids]
    takes(folder / "mat", partial(write_hovernet_mat, labels=ids), expected, suffix=".mat")
    about = {"options": {"output": "nuclei"}}
    takes(folder / "own", partial(write_labels, labels=ids, about=about), expected)


def overruled(folder: Path) -> None:
    ids = CLASSES[nuclei()].astype(np.uint8)
    takes(folder / "labels", partial(png, values=ids), CLASSES[nuclei()], are="labels")
    takes(folder / "binary", partial(png, values=ids), nuclei(), are="binary")
    few = nuclei().astype(np.uint8)
    takes(folder / "classes", partial(png, values=few), nuclei(), are="classes")
    soft = np.rint(ndimage.gaussian_filter((nuclei() > 0) * 255.0, 2)).astype(np.uint8)
    cut = numbered(soft > soft.max() / 2)
    takes(folder / "map", partial(png, values=soft), cut, notes.CUT.gist, are="binary")


def too_many_for_8_bits(folder: Path) -> None:
    dots = np.zeros(SHAPE, np.int32)
    dots[2::5, 2::6] = dots[3::5, 2::6] = np.arange(1, 19 * 21 + 1).reshape(19, 21)
    assert dots.max() > 255
    save = partial(png, values=np.minimum(dots, 255).astype(np.uint8))
    takes(folder, save, dots, notes.clipped(255).gist)


def only_outlines(folder: Path) -> None:
    rims = np.where(ndimage.binary_erosion(nuclei() > 0, iterations=1), 0, nuclei())
    save = partial(png, values=((rims > 0) * 255).astype(np.uint8))
    takes(folder, save, rims, notes.OUTLINES.gist)


CASES: list[Case] = [
    Case(
        "labels: one number per nucleus, of any type, in PNG, TIFF or BMP",
        "accepted",
        "IDs are kept as they are, including gaps.",
        labels_in_all_types,
    ),
    Case(
        "a binary mask: 0 and 1, 0 and 255, or any one value",
        "accepted",
        "Its connected components are the nuclei.",
        binary,
    ),
    Case(
        "a class map: few values, each in many places",
        "accepted, with a note",
        "Each connected region of a class is one nucleus.",
        class_map,
    ),
    Case(
        "a binary mask that was resized with interpolation, or was once a JPEG",
        "accepted, with a note",
        "It is thresholded at half of its maximum.",
        soft_edges,
    ),
    Case(
        "a mask with transparency",
        "accepted",
        (
            "Transparent pixels are background. If all others have one colour, they are nucleus, "
            "with a note."
        ),
        transparent,
    ),
    Case(
        "a mask with a palette, such as QuPath and ImageJ write, on white or on black",
        "accepted",
        (
            "White or black at index 0 is background; other indices are the values, in PNG and TIFF"
            " alike."
        ),
        palettes,
    ),
    Case(
        "a mask with 255 or 65,535 for unannotated pixels: around nuclei, as a frame, an area",
        "accepted, with a note",
        "That value is background.",
        void,
    ),
    Case(
        "a mask without 0: 1 is background and 2 is nucleus, as ilastik writes it",
        "refused",
        (
            "Everything would be nucleus. Set the background to 0, or use `--masks-are binary`: "
            "then the lowest value is background."
        ),
        one_and_two,
    ),
    Case(
        "a mask whose nuclei have a border of another value (0, 127 and 255; 1 with 2 around it)",
        "refused",
        (
            "Set the border to nucleus or background, or use `--masks-are binary`: then everything "
            "except 0 is nucleus."
        ),
        borders,
    ),
    Case(
        "a probability map (8 or 16 bits, or fractions) instead of a mask",
        "refused",
        (
            "Apply a threshold, or use `--masks-are binary`, which cuts at half of the maximum. "
            "`evaluate` accepts maps with `--probability`."
        ),
        probability_maps,
    ),
    Case(
        "a distance map instead of a mask",
        "refused",
        "Apply a threshold.",
        distance_maps,
    ),
    Case(
        "labels that were resized with interpolation, or saved as JPEG",
        "refused",
        "IDs are lost at the edges. Export them again, and resize them by nearest neighbour.",
        resampled_labels,
    ),
    Case(
        "a mask in colour, or in CMYK",
        "refused",
        "Export it as a grey image with one number per nucleus.",
        colours,
    ),
    Case(
        "an inverted mask: nuclei 0, the rest 255",
        "accepted, with a note",
        (
            "`check` and training warn if most masks mark more than half of the image and its "
            "brighter part. Invert them."
        ),
        inverted,
    ),
    Case(
        "an empty mask",
        "accepted, with a note",
        "If no mask has a nucleus, training is refused.",
        empty,
    ),
    Case(
        "a mask that is all nucleus, such as a small tile inside one nucleus",
        "accepted, with a note",
        "If all masks are like this, training is refused.",
        full,
    ),
    Case(
        "labels in which a nucleus has several parts",
        "accepted",
        "It stays one nucleus, with a note if the parts are far apart.",
        in_pieces,
    ),
    Case(
        "8-bit labels of more than 255 nuclei, all further ones with the ID 255",
        "accepted, with a note",
        "Each connected region of 255 is one nucleus; the same holds for 65,535 in 16 bits.",
        too_many_for_8_bits,
    ),
    Case(
        "outlines instead of filled nuclei",
        "accepted, with a note",
        "Their insides are background: fill them to mark whole nuclei.",
        only_outlines,
    ),
    Case(
        "HoVer-Net's `.mat`, and labels that this package has written",
        "accepted",
        "Nothing is detected: every value is a nucleus.",
        by_definition,
    ),
    Case(
        "any of these, detected wrongly",
        "accepted",
        (
            "`--masks-are labels` (every value is a nucleus), `binary` (everything except the "
            "lowest value) or `classes` overrides it."
        ),
        overruled,
    ),
]

"""Reports on disk: what a program, a spreadsheet and a person get."""

import csv
import json
import re
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import run
from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.data.pixels.value_range import value_range
from napari_snow_unet.metrics.files.evaluation import Evaluation, evaluate
from napari_snow_unet.metrics.files.evaluation_task import make_task
from napari_snow_unet.metrics.report import figures, html_page
from napari_snow_unet.metrics.report import files as names
from napari_snow_unet.metrics.report.values import (
    document,
    score_in_words,
    shown_difference,
    shown_interval,
)
from napari_snow_unet.metrics.scores.score_names import KEYS
from napari_snow_unet.metrics.scores.summary import Mean
from napari_snow_unet.segmentation.plane.threshold import otsu_level

NAMES = ("a", "<b>&'\" onload='", "<script>")


@pytest.fixture
def evaluations(tmp_path: Path) -> list[Evaluation]:
    random = np.random.default_rng(5)
    for name in NAMES:
        truth = np.kron(random.integers(0, 40, (6, 6)), np.ones((5, 5), int))
        write_image(tmp_path / "images" / f"{name}.png", np.full((30, 30, 3), 200, np.uint8))
        write_labels(tmp_path / "masks" / f"{name}.png", truth)
        for shift, kind in enumerate(("exact", "shifted")):
            write_labels(tmp_path / kind / f"{name}.png", np.roll(truth, shift, 1))
            grey = np.where(np.roll(truth, shift, 1), 250, 3).astype(np.uint8)
            write_image(tmp_path / kind / f"{name}_probability.png", grey)
    tasks = [
        make_task(tmp_path / kind, tmp_path, probability=tmp_path / kind)
        for kind in ("shifted", "exact")
    ]
    return [run(evaluate(task, otsu_level)) for task in tasks]


def test_document_is_json_with_the_promised_keys(evaluations: list[Evaluation]) -> None:
    content = json.loads(json.dumps(document(evaluations[:1]), allow_nan=False))
    assert [entry["name"] for entry in content["tiles"]] == sorted(NAMES)
    for entry in (*content["tiles"], content["pooled"], content["mean"]):
        assert set(KEYS) <= set(entry)
        assert set(entry["at"]) == {"otsu", "0.5"}
    assert content["pooled"]["average_hausdorff"] is None
    assert content["missing"] == []
    dice = [entry["dice"] for entry in content["tiles"]]
    assert content["mean"]["dice"] == pytest.approx(np.mean(dice))
    low, high = content["mean_interval_95"]["dice"]
    assert min(dice) <= low <= content["mean"]["dice"] <= high <= max(dice)


def test_comparison_holds_differences(evaluations: list[Evaluation]) -> None:
    (other,) = document(evaluations)["compare"]
    assert other["mean"]["dice"] == 1
    first = document(evaluations)["mean"]["dice"]
    assert other["difference"]["dice"]["mean"] == pytest.approx(1 - first)
    assert other["difference"]["dice"]["interval_95"][0] > 0
    assert {entry["name"] for entry in other["most_different"]} == set(NAMES)


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_files_and_a_page_that_stands_alone(evaluations: list[Evaluation], tmp_path: Path) -> None:
    files = names.write_reports(tmp_path / "out", evaluations)
    assert [file.name for file in files] == ["scores.csv", "scores.json", "report.html"]
    with files[0].open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert float(rows[0]["dice"]) == evaluations[0].tiles[rows[0]["name"]]["dice"]
    assert json.loads(files[1].read_text())["prediction"] == "shifted"
    page = Page(files[2].read_text(encoding="utf-8"))
    images = [attrs for tag, attrs in page.tags if tag == "img"]
    assert all(image["src"].startswith("data:image/") for image in images)
    captions = [image["alt"] for image in images]
    assert captions.count("image") == captions.count("ground truth") == 3 + 3
    assert any("ROC" in caption for caption in captions)
    assert not {"b", "script"} & {tag for tag, _ in page.tags}  # names of tiles are no markup
    assert all(image.keys() == {"alt", "src"} for image in images)
    assert not re.search(r"(src|href)=\"(?!data:)", files[2].read_text())
    assert any("exact minus shifted" in word for word in page.words)


def test_a_picture_that_is_gone_is_said_in_its_place(evaluations: list[Evaluation]) -> None:
    for truth in evaluations[0].task.truths.values():
        truth.image.write_bytes(b"no image")
    page = Page(html_page.page(evaluations))
    figures_and_problems = [
        attrs.get("class") for tag, attrs in page.tags if tag in ("figure", "p")
    ]
    assert "tile" not in figures_and_problems
    assert figures_and_problems.count("problem") == 4 + 3 + 3  # four notes on masks


def test_nothing_is_overwritten_unasked(evaluations: list[Evaluation], tmp_path: Path) -> None:
    names.require_free(tmp_path / "out")
    names.write_reports(tmp_path / "out", evaluations[:1])
    with pytest.raises(InputError, match=r"scores\.csv"):
        names.require_free(tmp_path / "out")
    with pytest.raises(InputError, match=r"scores\.csv"):
        names.write_reports(tmp_path / "out", evaluations[:1])
    names.write_reports(tmp_path / "out", evaluations[:1], overwrite=True)


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((5, 9), np.uint8),
        np.zeros((5, 9, 4), np.uint8),
        np.arange(45, dtype=np.uint16).reshape(5, 9) * 900,
        np.linspace(0, 1, 45).reshape(5, 9),
        np.zeros((900, 1620, 3), np.uint8),
    ],
)
def test_every_kind_of_image_has_a_picture(image: np.ndarray) -> None:
    picture = Image.open(BytesIO(figures.picture_of_image(image, value_range(image))))
    assert picture.width / picture.height == pytest.approx(9 / 5, abs=0.01)
    assert max(picture.size) <= figures.LARGEST_SIDE


def test_errors_are_painted_in_their_colours() -> None:
    found, truth = np.array([[1, 1, 0, 0]]), np.array([[1, 0, 1, 0]])
    region = np.array([[True, True, True, False]])
    picture = np.array(Image.open(BytesIO(figures.picture_of_errors(found, truth, region))))
    assert ["#" + bytes(pixel).hex() for pixel in picture[0]] == [
        "#bbbbbb",
        "#d55e00",
        "#0072b2",
        "#ebebeb",
    ]


def test_neighbouring_labels_differ_in_colour() -> None:
    picture = np.array(Image.open(BytesIO(figures.picture_of_labels(np.arange(8)[None]))))
    assert len({bytes(pixel) for pixel in picture[0]}) == 8
    assert picture[0, 0].tolist() == [0, 0, 0]


def test_numbers_for_people() -> None:
    assert score_in_words("dice", 0.81234) == "0.8123"
    assert score_in_words("dice", None) == "–"
    assert score_in_words("n_truth", 1234) == "1,234"
    assert score_in_words("n_truth", 12.34) == "12.3"
    assert score_in_words("average_hausdorff", 1.234) == "1.23"
    assert shown_difference("dice", 0.1) == "+0.1000"
    assert shown_interval("dice", Mean(0, -0.5, 0.5, 9)) == "-0.5000 to 0.5000"
    assert shown_interval("dice", Mean(0, -0.5, 0.5, 9), of_difference=True).endswith("+0.5000")
    assert shown_interval("dice", Mean(1, None, None, 1)) == ""

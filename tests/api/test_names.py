"""The door of the package: what it costs, what it names, and what editors and mypy see of it."""

import ast
import inspect
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import napari_snow_unet as snow
from napari_snow_unet.batch import Outputs
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.splits import SplitPlan
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.unet.runs.options import TrainingOptions

STUB = Path(snow.__file__).with_suffix(".pyi")
STEPS = [name for name in snow.__all__ if name.endswith("_steps")]
LOAD = """
import sys, time
start = time.perf_counter()
import napari_snow_unet
spent = time.perf_counter() - start
print(spent, *sorted({"numpy", "napari", "napari_snow_unet.api"} & set(sys.modules)))
"""


def in_python(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_package_takes_no_time_and_loads_nothing():
    """5 ms; on a computer that is busy or slow, a quarter of what Python's own asyncio takes."""
    runs = [in_python(LOAD).split() for _ in range(5)]
    assert [names for _, *names in runs] == [[]] * 5
    usual = LOAD.replace("import napari_snow_unet\n", "import asyncio\n")
    asyncio = min(float(in_python(usual).split()[0]) for _ in range(3))
    assert min(float(spent) for spent, *_ in runs) < max(0.005, asyncio / 4)


@pytest.mark.parametrize("name", snow.__all__)
def test_a_name_is_a_function_with_its_documentation(name):
    function = getattr(snow, name)
    assert function.__name__ == name
    text = inspect.getdoc(function)
    for section in ("Parameters", "Returns"):
        assert f"\n{section}\n---" in text or name == "list_models"
    assert ("\nYields\n---" if name.endswith("_steps") else "\nReturns\n---") in text


@pytest.mark.parametrize("name", snow.__all__)
def test_every_keyword_is_documented(name):
    text = inspect.getdoc(getattr(snow, name))
    if name.endswith("_steps"):
        text += inspect.getdoc(getattr(snow, name.removesuffix("_steps")))
    named = set(re.findall(r"\w+", text))
    if name.startswith("segment_folder"):
        named |= set(re.findall(r"\w+", inspect.getdoc(snow.segment)))
    assert set(inspect.signature(getattr(snow, name)).parameters) <= named


def test_there_is_a_generator_for_everything_that_takes_long():
    assert {name.removesuffix("_steps") for name in STEPS} == {
        "check", "evaluate_folder", "prepare", "segment", "segment_folder", "train",
    }  # fmt: skip
    for name in STEPS:
        steps = inspect.signature(getattr(snow, name)).parameters
        blocking = inspect.signature(getattr(snow, name.removesuffix("_steps"))).parameters
        assert set(blocking) - set(steps) == {"progress"}
        assert {key: one.default for key, one in steps.items()}.items() <= {
            key: one.default for key, one in blocking.items()
        }.items()


@pytest.mark.parametrize(
    ("name", "classes", "elsewhere"),
    [
        ("segment", (Options,), set()),
        ("segment_folder", (Options, Outputs), set()),
        ("prepare", (PrepareOptions, SplitPlan), {"um_per_px", "split", "folds", "folders"}),
        ("train", (TrainingOptions,), set()),
    ],
)
def test_options_are_keywords_with_their_defaults(name, classes, elsewhere):
    shown = inspect.signature(getattr(snow, name)).parameters
    for cls in classes:
        for field in fields(cls):
            if field.name not in elsewhere:
                assert field.name in shown
                assert field.name == "folder" or shown[field.name].default == field.default


def test_the_stub_says_what_is_there():
    tree = ast.parse(STUB.read_text(encoding="utf-8"))
    stubbed = {
        alias.name: f"napari_snow_unet.{node.module}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(stubbed) == sorted(snow.__all__)
    assert stubbed == {name: getattr(snow, name).__module__ for name in snow.__all__}


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="segmnt"):
        snow.segmnt  # noqa: B018
    assert set(snow.__all__) <= set(dir(snow))


def test_a_name_loads_no_more_than_it_needs():
    loaded = in_python(
        "import sys, napari_snow_unet as snow; snow.segment, snow.evaluate, snow.train\n"
        "print(*{'napari', 'qtpy', 'openvino', 'tensorflow', 'keras', 'cv2'} & set(sys.modules))"
    )
    assert loaded.split() == []


def test_every_result_is_one_line_and_shows_itself_in_a_notebook(place):
    """Also with long names, many tiles and failures."""
    (place / "images" / f"{'long name ' * 12}.png").write_bytes(b"no image")
    dataset = snow.prepare(["images", "masks"], "dataset", val=1)
    done = snow.segment_folder("images", "out" * 30, "classical")
    result = snow.segment("tile.png", "classical")
    results = [
        dataset, *dataset.tiles, snow.check("dataset"), *snow.check("dataset").findings,
        snow.split("dataset", val=0.5, train=0.5, folds=2), result, done,
        result.relabel(threshold=0.5),
        *done.results, snow.evaluate(result, "truth.png"), snow.read_image("tile.png"),
        snow.evaluate_folder("out" * 30, "masks"), *snow.list_models(),
        snow.load_model("classical"),
    ]  # fmt: skip
    for one in results:
        assert len(repr(one)) <= 100, one
        assert type(one).__name__ in repr(one)
        assert "\n" not in repr(one)
        assert re.match(r"<(p|table|img)\b", one._repr_html_())


PROGRAM = """
import numpy as np
import napari_snow_unet as snow

result = snow.segment(np.zeros((64, 64), np.uint8), "classical", threshold=0.5)
reveal_type(result.labels)
reveal_type(snow.evaluate(result, result.labels)["dice"])
reveal_type(snow.prepare(["images", "masks"], "dataset").tiles)
reveal_type(snow.split("dataset", val=0.1).folds)
reveal_type(snow.train("dataset", "run", epochs=2).model)
snow.segmnt(result)
"""


def test_mypy_knows_what_the_names_return(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "program.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    revealed = re.findall(r'Revealed type is "(.*)"', done.stdout)
    for text, part in zip(revealed, ("int", "float", "Tile", "list", "Path"), strict=True):
        assert part in text
    (error,) = [line for line in done.stdout.splitlines() if " error: " in line]
    assert "segmnt" in error

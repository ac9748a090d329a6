"""An option is declared once: whoever walks the dataclasses finds it wherever it is used."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import pytest
import typer

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.options import declared
from napari_snow_unet.batch.job import Job
from napari_snow_unet.batch.outputs import Outputs
from napari_snow_unet.batch.run_options import continued_job, entry_as_words, run_options
from napari_snow_unet.cli import app
from napari_snow_unet.cli.options import values_of
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.split_options import SplitOptions
from napari_snow_unet.segmentation import classical
from napari_snow_unet.segmentation.options import Options, check_options_alone
from napari_snow_unet.segmentation.pipeline import label
from napari_snow_unet.segmentation.reproduction import Recipe, as_command, as_python
from napari_snow_unet.unet.runs.options import TrainingOptions, make_options
from napari_snow_unet.unet.runs.process import arguments_to_train

COMMANDS = typer.main.get_command(app).commands
IN_COMMAND = [
    ("segment", Options, ["image.png", "-o", "out"]),
    ("segment", Outputs, ["image.png", "-o", "out"]),
    ("train", TrainingOptions, ["dataset", "-o", "run"]),
    ("prepare", PrepareOptions, ["source", "-o", "out"]),
    ("prepare", SplitOptions, ["source", "-o", "out"]),
    ("split", SplitOptions, ["dataset"]),
]
#: A value of each option that is not its default, and can be chosen.
OTHER = {
    "threshold": 0.25, "output": "mask", "separate": False, "min_area": 12.0, "min_area_um2": 3.5,
    "fill_holes": False, "clear_border": True, "channel": "green", "pixel_size_um": 0.5,
    "tile": 512, "test_time_augmentation": True, "formats": ("csv", "mat"), "probability": True,
    "overlay": True, "overwrite": True, "resume": True, "preset": "paper", "epochs": 3,
    "batch_size": 2, "learning_rate": 0.01, "learning_rate_floor": 0.5, "loss": "bce",
    "augment": "none", "crop": 64, "schedule": "constant", "warm_up": 5, "optimizer": "adam",
    "weight_decay": 0.5, "patience": 7, "precision": "float32", "base_filters": 8, "levels": 4,
    "dropout": 0.2, "activation": "elu", "normalization": "batch", "validation_fraction": 0.5,
    "fold": 3, "seed": 9, "masks_are": "binary", "limit": 5, "shard": 100, "binary": True,
    "um_per_px": 0.3, "verify": True, "workers": 2, "train": "0.5", "val": "7", "test": "10%",
    "group_by": "p(.)", "stain": 0.5, "stain_share": 0.25, "artefacts": 0.2,
}  # fmt: skip
WALKED = [
    pytest.param(command, cls, words, one, id=f"{command}-{name}")
    for command, cls, words in IN_COMMAND
    for name, one in declared(cls).items()
]
DECLARED = [
    pytest.param(cls, one, id=f"{cls.__name__}-{name}")
    for cls in (Options, Outputs, TrainingOptions, PrepareOptions, SplitOptions)
    for name, one in declared(cls).items()
]


def other_value(one):
    value = OTHER[one.name]
    assert value != one.default
    return value


def test_every_field_is_declared():
    plain = {Outputs: {"folder"}, PrepareOptions: {"split"}}
    for cls in (Options, Outputs, TrainingOptions, PrepareOptions, SplitOptions):
        assert {field.name for field in fields(cls)} == set(declared(cls)) | plain.get(cls, set())


@pytest.mark.parametrize(("command", "cls", "words", "one"), WALKED)
def test_the_shell_has_a_flag_that_gives_the_value(command, cls, words, one):
    flags = {flag for each in COMMANDS[command].params for flag in each.opts}
    assert (one.flag in flags) == bool(one.flag)
    if not one.flag:
        return
    value = other_value(one)
    context = COMMANDS[command].make_context(command, [*words, *one.as_words(value)])
    if cls is TrainingOptions:
        assert str(context.params[one.name]) == str(value)
    else:
        assert values_of(cls, context.params)[one.name] == value
    texts = [each.help for each in COMMANDS[command].params if one.flag in each.opts]
    assert texts[0].startswith(one.option.help)


@pytest.mark.parametrize(("cls", "one"), DECLARED)
def test_json_gives_the_value_back_and_nonsense_is_refused(cls, one):
    value = other_value(one)
    assert one.from_plain(json.loads(json.dumps(one.as_plain(value)))) == value
    for wrong in ({"a": 1}, float("nan"), -1e12, "no such word", [1]):
        if one.type is str and not one.choices and isinstance(wrong, str):
            continue
        with pytest.raises(InputError, match=None if one.option.by else rf"\b{one.name} is "):
            one.from_plain(wrong)


@pytest.mark.parametrize("name", declared(Options))
def test_a_choice_of_a_segmentation_is_noted_taken_up_and_said_everywhere(name, tmp_path):
    options = replace(Options(), **{name: OTHER[name]})
    check_options_alone(options)
    model, outputs = classical.model(), Outputs(tmp_path)
    entries = run_options(model, options, outputs, use_pixel_size=True)
    assert entries[name] == OTHER[name]
    (tmp_path / "options.json").write_text(json.dumps(entries), encoding="utf-8")
    job, taken = continued_job(Job("classical", "float32", Options(), outputs), set())
    assert job.options == options
    assert taken == {name: OTHER[name]}
    recipe = Recipe(
        "image.png", "classical", options, OTHER["pixel_size_um"], (64, 64), False, [()],
        {"options": asdict(options)},
    )  # fmt: skip
    assert f"{name}={OTHER[name]!r}" in as_python(recipe)
    assert " ".join(entry_as_words(name, OTHER[name])) in as_command(recipe)


@pytest.mark.parametrize("name", declared(TrainingOptions))
def test_a_choice_of_a_training_reaches_the_process(name):
    one = declared(TrainingOptions)[name]
    more = {"learning_rate_floor": 0.0} if name == "schedule" else {}
    options = replace(make_options(), **{name: OTHER[name]}, **more)
    words = arguments_to_train(Path("dataset"), Path("run"), options)
    if one.flag:
        assert words[words.index(one.flag) + 1] == str(OTHER[name])


def test_what_a_preset_changes_back_is_said_too():
    options = replace(make_options("paper"), crop=256, precision="auto")
    words = arguments_to_train(Path("dataset"), Path("run"), options)
    assert words[words.index("--crop") + 1] == "256"
    assert words[words.index("--precision") + 1] == "auto"
    words = arguments_to_train(Path("dataset"), Path("run"), replace(make_options(), crop=None))
    assert words[words.index("--crop") + 1] == "0"


def test_names_of_0_1_are_taken_with_a_hint(capsys, tmp_path):
    (tmp_path / "options.json").write_text('{"split": false}', encoding="utf-8")
    job, _ = continued_job(Job("classical", "float32", Options(), Outputs(tmp_path)), set())
    assert job.options == Options(separate=False)
    words = ["image.png", "-o", "out", "--no-split"]
    params = COMMANDS["segment"].make_context("segment", words).params
    assert values_of(Options, params)["separate"] is False
    assert "--no-separate" in capsys.readouterr().err


@pytest.mark.parametrize(
    "entries",
    [
        {"threshold": np.float32(0.5)},
        {"tile": np.int64(512)},
        {"pixel_size_um": np.float32(0.25)},
        {"clear_border": np.True_},
        {"channel": "rgb"},
    ],
)
def test_numbers_of_numpy_are_numbers(entries):
    options = Options(**entries)
    check_options_alone(options)
    assert Options(**json.loads(json.dumps(asdict(options)))) == options


@pytest.mark.parametrize(
    "entries", [{"pixel_size_um": 0}, {"pixel_size_um": np.float64(-1)}, {"separate": 1}]
)
def test_what_is_none_is_refused_from_python(entries):
    with pytest.raises(InputError):
        check_options_alone(Options(**entries))


@pytest.mark.parametrize("entries", [{"min_area": -1.0}, {"min_area": float("nan")}])
def test_labelling_anew_refuses_it_too(entries):
    with pytest.raises(InputError, match=r"\bmin_area is "):
        label(np.zeros((8, 8), np.uint8), Options(**entries))


def test_blanks_in_a_part_are_nothing():
    assert SplitOptions(train=" ", val="", test=None).plan() is None
    plan = SplitOptions(train="1 ", val=" ", test=" 20% ", seed=3).plan()
    assert (plan.train, plan.val, plan.test) == (1, None, 0.2)
    assert isinstance(plan.train, int)
    with pytest.raises(InputError) as refused:
        SplitOptions(train="half").plan()
    assert refused.value.helps == ("train",)

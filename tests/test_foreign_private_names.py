"""Private names of libraries that the package stands on: listed in CONTRIBUTING.md, and tested.

Where a library changes such a name, the test that is called like it fails.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Labels
from napari.utils import progress
from superqt.utils import GeneratorWorker
from superqt.utils._qthreading import WorkerBase
from tifffile import TiffFile, imwrite

#: They begin with an underscore, and their libraries' documentation says what they do.
DOCUMENTED = {
    "_exit",
    "_fields",
    "_replace",
    "_worker_class",
    "_start_thread",
    "_ignore_errors",
    "_repr_html_",
}
#: Packages without an underscore that their libraries call their own.
PRIVATE_PACKAGES = re.compile(r"(?:tensorflow\.python|keras\.src)(?:\.\w+)*\.(\w+)")


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


class Names(ast.NodeVisitor):
    """The private names that a module binds itself, and those that it only uses."""

    def __init__(self, tree: ast.Module, methods_of: dict[str, set[str]]) -> None:
        self.foreign: set[str] = set()
        self._methods_of, self._own = methods_of, set(bound_in(tree))
        self._of_class: set[str] = set()
        self.visit(tree)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        around, self._of_class = self._of_class, own_names(node, self._methods_of)
        overriding = [base for base in node.bases if ast.unparse(base) not in self._methods_of]
        used = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
        methods = {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
        if overriding:  # a private method that nobody here calls is called by the base class
            self.foreign |= {name for name in methods - used if is_private(name)}
        self.generic_visit(node)
        self._of_class = around

    def visit_Attribute(self, node: ast.Attribute) -> None:
        of_self = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
        if is_private(node.attr) and node.attr not in (self._of_class if of_self else self._own):
            self.foreign.add(node.attr)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        asked = (
            node.args[1:2] if ast.unparse(node.func) in ("getattr", "setattr", "hasattr") else []
        )
        names = [str(each.value) for each in asked if isinstance(each, ast.Constant)]
        names += [keyword.arg for keyword in node.keywords if keyword.arg]
        self.foreign |= {name for name in names if is_private(name)} - self._own
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        found = PRIVATE_PACKAGES.fullmatch(node.value) if isinstance(node.value, str) else None
        self.foreign |= {found[1]} if found else set()

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        names = [*(node.module or "").split("."), *(each.name for each in node.names)]
        self.foreign |= {name for name in names if is_private(name)}

    def visit_Import(self, node: ast.Import) -> None:
        names = [part for each in node.names for part in each.name.split(".")]
        self.foreign |= {name for name in names if is_private(name)}


def bound_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def own_names(node: ast.ClassDef, methods_of: dict[str, set[str]]) -> set[str]:
    bases = [methods_of.get(ast.unparse(base), set()) for base in node.bases]
    return set(bound_in(node)).union(*bases)


def used_by(trees: list[ast.Module]) -> set[str]:
    """Return the private names that modules use and do not bind."""
    for tree in trees:
        for node in ast.walk(tree):  # types are never looked up
            if isinstance(node, ast.arg | ast.AnnAssign):
                node.annotation = None if isinstance(node, ast.arg) else ast.Constant("")
            elif isinstance(node, ast.FunctionDef):
                node.returns = None
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    methods_of: dict[str, set[str]] = {node.name: set() for node in classes}
    for node in classes * 3:  # bases of bases
        methods_of[node.name] |= own_names(node, methods_of)
    return set().union(*(Names(tree, methods_of).foreign for tree in trees)) - DOCUMENTED


@pytest.fixture(scope="module")
def listed(repository):
    """Return the names in the table."""
    text = (repository / "CONTRIBUTING.md").read_text("utf-8")
    section = text.split("### Private names of libraries")[1].split("\n#")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return set(re.findall(r"`(\w+)`", " ".join(rows)))


def test_every_private_name_that_is_used_is_listed_and_no_other(repository, listed):
    files = sorted((repository / "src").rglob("*.py"))
    assert used_by([ast.parse(path.read_text("utf-8")) for path in files]) == listed


def test_every_listed_name_has_a_test(listed):
    assert {name for name in listed if f"test_{name.strip('_')}" not in globals()} == set()


@pytest.mark.parametrize(
    "source",
    [
        "import napari._qt",
        "from napari._qt import qt_viewer",
        "from napari.layers import _labels",
        "import keras\nkeras.config._backend",
        "layer = open()\nlayer._history",
        "getattr(layer, '_history', ())",
        "open(_quietly=True)",
        "'keras.src.backend'",
        "class Mine(keras.Model):\n    def train(self):\n        self._history",
        "class Mine(keras.Model):\n    def _get_history(self): ...",
    ],
)
def test_a_name_that_is_not_listed_is_found(source):
    assert len(used_by([ast.parse(source)])) == 1


@pytest.mark.parametrize(
    "source",
    [
        "class Mine:\n    def _history(self): ...\n    def show(self):\n        self._history()",
        "class Mine:\n    _x = 1\nclass Ours(Mine):\n    def show(self):\n        self._x",
        "def _one(): ...\n_one()",
        "import os\nos._exit(1)",
    ],
)
def test_a_name_of_our_own_is_not(source):
    assert used_by([ast.parse(source)]) == set()


@pytest.fixture
def labels():
    return Labels(np.zeros((9, 9), np.int32))


def test_undo_history(labels):
    assert len(labels._undo_history) == 0
    labels.paint((4, 4), 1)
    assert len(labels._undo_history) == 1
    labels.undo()
    assert len(labels._undo_history) == 0


def test_redo_history(labels):
    labels.paint((4, 4), 1)
    labels.undo()
    assert len(labels._redo_history) == 1
    labels.redo()
    assert len(labels._redo_history) == 0


def test_all_instances():
    names = ["a.png", "b.png"]
    with progress(names) as bar:
        assert bar in progress._all_instances
        assert bar.iterable is names
    assert bar not in progress._all_instances


def test_qtpy(qapp):
    from magicgui.backends._qtpy.widgets import QBaseRangedWidget
    from magicgui.widgets.bases import RangedWidget
    from qtpy.QtWidgets import QSpinBox

    class Backend(QBaseRangedWidget):
        def __init__(self, **options):
            super().__init__(QSpinBox, **options)

    field = RangedWidget(widget_type=Backend, value=3, min=1, max=7)
    assert isinstance(field.native, QSpinBox)
    assert (field.native.value(), field.native.minimum(), field.native.maximum()) == (3, 1, 7)


def counts():
    yield 1


def test_worker_set():
    """Of all workers: napari asks each of them to quit when it is closed."""
    assert GeneratorWorker._worker_set is WorkerBase._worker_set
    assert "_worker_set" in inspect.getsource(WorkerBase.await_workers)


def test_gen():
    worker = GeneratorWorker(counts)
    assert inspect.isgenerator(worker._gen)
    worker._gen.close()


def test_finished(qtbot):
    worker = GeneratorWorker(counts)
    with qtbot.waitSignal(worker._finished):
        threading.Thread(target=worker.run).start()


def test_set_discard():
    worker = GeneratorWorker(counts)
    worker._worker_set.add(worker)
    worker._set_discard(worker)  # as its signal calls it
    assert worker not in WorkerBase._worker_set


def test_run_exitfuncs():
    """They are run at once, and not once more when Python ends."""
    program = "import atexit; atexit.register(print, 'ended'); atexit._run_exitfuncs(); print('on')"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.stdout.split() == ["ended", "on"]


def test_watershed_cy():
    from skimage.segmentation import _watershed_cy as compiled

    heights, marker, parts = np.zeros(9), np.array([4]), np.zeros(9, np.int32)
    parts[4] = 7
    inside = np.array([0, 1, 0, 1, 1, 1, 0, 1, 0], np.int8)
    compiled.watershed_raveled(
        heights, marker, np.array([-3, -1, 1, 3]), inside, np.array([3, 1]), 0.0, parts, False
    )
    assert parts.tolist() == [0, 7, 0, 7, 7, 7, 0, 7, 0]


def test_multifile(tmp_path):
    """Pixels that OME-XML says to be in another file are not looked for there."""
    imwrite(tmp_path / "a.ome.tif", np.zeros((4, 4), np.uint8))
    for follow in (True, False):
        with TiffFile(tmp_path / "a.ome.tif", _multifile=follow) as tiff:
            assert tiff._multifile is follow


def test_pywrap_dlopen_global_flags():
    """TensorFlow does without this module where it is missing."""
    inside = Path(importlib.util.find_spec("tensorflow").origin).parent / "python"
    assert (inside / "pywrap_dlopen_global_flags.py").is_file()
    asking = (inside / "pywrap_tensorflow.py").read_text("utf-8")
    asks = r"try:\s+(?:#.*\s+)*from tensorflow.python import pywrap_dlopen_global_flags"
    assert re.search(asks, asking)

"""What is left of the docks when napari is closed and Python ends."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("PyQt6")

# What is registered last is called first: `watch`, then PyQt deletes what is left, then `tell`.
SCRIPT = """
import atexit, gc, json, sys

called = set()

def tell():
    sys.setprofile(None)
    print(json.dumps({"left": left, "called": sorted(called)}))

atexit.register(tell)
import napari
from PyQt6 import sip
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QApplication, QWidget

viewer = napari.Viewer(show=False)
for name in ("Prepare a dataset", "Train a U-Net", "Segment nuclei", "Compare with ground truth"):
    viewer.window.add_plugin_dock_widget("napari-snow-unet", name)[1].show()
QApplication.processEvents()
viewer.close()
QApplication.processEvents()

def watch():
    for thing in gc.get_objects():
        if isinstance(thing, QWidget) and not sip.isdeleted(thing) and sip.ispyowned(thing):
            left.append(type(thing).__name__)
    sys.setprofile(note)

def note(frame, event, argument):
    if event == "call" and isinstance(frame.f_locals.get("self"), QObject):
        called.add(f"{type(frame.f_locals['self']).__name__}.{frame.f_code.co_name}")

left = []
atexit.register(watch)
"""


def test_nothing_of_a_dock_is_left_that_calls_python_while_pyqt_deletes_it():
    """PyQt goes through a table of its objects then, which a call of Python can move elsewhere."""
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=600
    )
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout.splitlines()[-1]) == {"left": [], "called": []}

"""A real napari with docks in it, and networks that one can check by eye."""

from __future__ import annotations

import re
import threading
import time
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QAbstractAnimation, Qt, QTimer
from qtpy.QtGui import QGuiApplication
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractSlider, QDoubleSpinBox, QFormLayout, QLabel, QWidget

from napari_snow_unet.napari_plugin import PLUGIN
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.widgets.common import run_bar
from napari_snow_unet.widgets.common.comparison import ERRORS_OF, is_segmented
from napari_snow_unet.widgets.common.dock import VerticalScroll
from napari_snow_unet.widgets.evaluate.messages import OUTDATED
from napari_snow_unet.widgets.segment import jobs

PATIENCE_MS = 300_000  # what has not come by then never comes, however busy the computer is


class PatientQtBot(QtBot):
    """Waits for what happens, never for a time, and as long as a busy computer may take."""

    def waitUntil(self, callback, *, timeout=PATIENCE_MS):
        super().waitUntil(callback, timeout=max(timeout, PATIENCE_MS))

    def waitExposed(self, widget, *, timeout=PATIENCE_MS):
        return super().waitExposed(widget, timeout=max(timeout, PATIENCE_MS))

    def turn(self, times=3):
        """Let happen what is due: events come in the order in which they were sent."""
        for _ in range(times):
            came = threading.Event()
            QTimer.singleShot(0, came.set)
            self.waitUntil(came.is_set)

    def settled(self, widget):
        """Wait until a window has laid out all that is in it, and stays as it is."""
        seen = []

        def the_same():
            window = widget.window()
            seen.append(looks_of(window))
            if window.isVisible() and not window.windowHandle().isExposed():
                return False
            return len(seen) >= 5 and all(look == seen[-1] for look in seen[-5:])

        for _ in range(2):
            seen.clear()
            QGuiApplication.sync()  # what the screen has to say has come
            self.waitUntil(the_same)

    def small_enough(self, frame):
        """Hold a dock to 400 by 500 pixels in letters of 9 pt, and napari with it to the screen.

        Where the screen is too low for napari itself, napari with the dock is no higher.
        """
        self.settled(frame)
        least, screen = frame.minimumSizeHint(), frame.screen().availableGeometry()
        letters = frame.findChild(QLabel).fontMetrics()  # in napari's size of text
        digit, line = letters.horizontalAdvance("0"), letters.height()
        assert least.width() <= min(50 * digit, screen.width())
        assert least.height() <= 36 * line
        beside = frame.window().minimumSizeHint().height()
        frame.hide()
        alone = frame.window().minimumSizeHint().height()
        frame.show()
        self.settled(frame)
        assert beside <= max(alone, screen.height())

    def close_dock(self, frame, widget):
        """Close a dock as its button does, and wait until it is gone."""
        gone = threading.Event()
        widget.destroyed.connect(lambda *_: gone.set())
        frame.destroyOnClose()
        self.waitUntil(gone.is_set)

    def runs_ended(self):
        """Wait until no work runs in a thread, and all that was sent from there has come."""
        names = lambda: [thread.name for thread in threading.enumerate()]  # noqa: E731
        self.waitUntil(lambda: "napari-snow-unet" not in names())
        self.turn()


def looks_of(window):
    """Return where everything in a window is, how far it scrolls, and whether it still moves."""
    widgets = [window, *window.findChildren(QWidget)]
    places = [one.geometry().getRect() if one.isVisible() else None for one in widgets]
    ranges = [one.maximum() for one in window.findChildren(QAbstractSlider) if one.isVisible()]
    moving = [
        one.currentTime()
        for one in window.findChildren(QAbstractAnimation)
        if one.state() == QAbstractAnimation.State.Running
    ]
    return places, ranges, moving


@pytest.fixture
def qtbot(qapp, request):
    """Wait without haste, in place of pytest-qt's own."""
    return PatientQtBot(request)


def darkness(pixels):
    return 1 - pixels[..., 0]


@pytest.fixture
def discs():
    """Return a function that draws dark discs on white; only the red channel is dark."""

    def draw(shape=(200, 300), pitch=50, radius=9):
        y, x = np.mgrid[: shape[0], : shape[1]]
        inside = (y % pitch - pitch // 2) ** 2 + (x % pitch - pitch // 2) ** 2 <= radius**2
        image = np.full((*shape, 3), 240, np.uint8)
        image[..., 0][inside] = 20
        return image

    return draw


class Pulse:
    """A timer of the window, and what this process has computed from each of its ticks to the next.

    A window is frozen while Python computes and does not get to its events; of the time that other
    programs take nothing is counted.
    """

    def __init__(self):
        self.ticks, self._timer = 0, QTimer()
        self._timer.timeout.connect(self._tick)

    def start(self):
        """Begin to tick, and to note how long is computed in between."""
        self._gaps, self._last = [], time.process_time()
        self._timer.start(20)

    def _tick(self):
        now = time.process_time()
        self._gaps.append(now - self._last)
        self._last, self.ticks = now, self.ticks + 1

    def stop(self):
        """Return the seconds that were computed from each tick to the next."""
        self._timer.stop()
        return np.array(self._gaps)


@pytest.fixture
def pulse(qapp):
    """Return a timer of the window."""
    return Pulse()


@pytest.fixture
def every_step(monkeypatch):
    """Let a bar show every step, however quickly they come."""
    monkeypatch.setattr(run_bar, "INTERVAL_S", 0)


class FakeNetwork:
    """A network of plain arithmetic: darkness is the probability; it may be held up or fail."""

    def __init__(self):
        self.calls, self.pause, self.error, self.fail_at = 0, 0.0, None, 1
        self.hold_at, self.go_on = None, threading.Event()
        self.threads = set()
        self.model = Model(self.predict, "darkness", checksum="0" * 64, halo=0)

    def predict(self, pixels):
        self.calls += 1
        self.threads.add(threading.get_ident())
        if self.error is not None and self.calls >= self.fail_at:
            raise self.error
        if self.hold_at is not None and self.calls >= self.hold_at:
            assert self.go_on.wait(PATIENCE_MS / 1000)
        if self.pause:
            time.sleep(self.pause)  # as a real network, which lets others run meanwhile
        return darkness(pixels)

    def hold(self, call=1):
        """Let calls from one of them on not end before `go_on` is set."""
        self.calls, self.hold_at = 0, call
        self.go_on.clear()


@pytest.fixture
def held(monkeypatch):
    """Return a function that lets the steps of a module stop behind one until an event is set."""
    go_on = threading.Event()

    def hold(module, name, at):
        begin = getattr(module, name)

        def steps(*args, **options):
            with closing(begin(*args, **options)) as running:
                try:
                    while True:
                        step = next(running)
                        yield step
                        if step.done == at < step.total:
                            assert go_on.wait(PATIENCE_MS / 1000)
                except StopIteration as end:
                    return end.value

        monkeypatch.setattr(module, name, steps)
        return go_on

    yield hold
    go_on.set()


@pytest.fixture
def network(monkeypatch):
    """Let whatever model is chosen be one that can be checked by eye."""
    fake = FakeNetwork()
    monkeypatch.setattr(jobs, "open_model", lambda name, **_: replace(fake.model, name=str(name)))
    yield fake
    fake.go_on.set()


class Dock:
    """A dock of a viewer, and what a person does with it."""

    title, groups = "", ()  # its name in the menu; the parts of its form that hold fields

    def __init__(self, viewer, qtbot):
        self.viewer, self.qtbot = viewer, qtbot
        self.frame, self.widget = viewer.window.add_plugin_dock_widget(PLUGIN, self.title)
        self.form, self.bar = self.widget.form, self.widget.bar
        self.gone = gone = threading.Event()
        self.widget.destroyed.connect(lambda *_: gone.set())

    @property
    def message(self):
        return self.bar.message.text()

    @property
    def told_problem(self):
        """Whether the message is shown as a problem."""
        return bool(self.bar.message.styleSheet())

    def fields(self):
        """Return the fields by their names, wherever they stand in the form."""
        return {field.name: field for group in self.groups for field in getattr(self.form, group)}

    def field(self, name):
        """Return the field of this name."""
        fields = self.fields()
        return fields[name] if name in fields else getattr(self.form, name)

    def choose(self, **values):
        """Give fields these values, one after the other."""
        for name, value in values.items():
            self.field(name).value = value

    def chosen(self, name):
        """Return the value of a field."""
        return self.field(name).value

    def text_of(self, name):
        """Return what stands in the box of a field, or in that beside its slider."""
        native = self.field(name).native
        beside = native.findChild(QDoubleSpinBox)
        return native.text() if beside is None else beside.text()

    def labels(self):
        """Return the labels before the fields of the form."""
        return [
            label.widget()
            for form in self.widget.findChildren(QFormLayout)
            for row in range(form.rowCount())
            if (label := form.itemAt(row, QFormLayout.ItemRole.LabelRole)) is not None
        ]

    def label_of(self, name):
        """Return the text of the label before a field."""
        native = self.field(name).native
        labels = (form.labelForField(native) for form in self.widget.findChildren(QFormLayout))
        return next(label.text() for label in labels if label is not None)

    def offers(self, name):
        """Return whether a field is there to be chosen."""
        return self.field(name).native.isVisibleTo(self.form)

    def scroll(self):
        """Return what the form scrolls in."""
        return self.widget.findChild(VerticalScroll)

    def live_scores(self):
        """Return the numbers that follow the threshold, in the order of `live_scores.SHOWN`."""
        return re.findall(r"\d\.\d+", self.form.live.text.text())

    def next_live_scores(self):
        """Wait until there are any, and return them."""
        self.qtbot.waitUntil(lambda: bool(self.live_scores()))
        return self.live_scores()

    def click(self, button):
        assert button.isEnabled(), button.toolTip()
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def click_row(self, table, row):
        place = table.visualRect(table.model().index(row, 0)).center()
        self.qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)

    def rows(self):
        """Return what stands in the table of the dock."""
        table = self.table.contents
        columns = range(table.columnCount())
        return [[table.index(row, at).data() for at in columns] for row in range(table.rowCount())]

    def press_run(self):
        self.click(self.bar.run_button)

    def wait(self):
        self.qtbot.waitUntil(lambda: not self.bar.running)

    def run(self, button=None):
        """Click Run, or another button that starts something, and wait for its end."""
        self.click(button or self.bar.run_button)
        assert self.bar.running, self.message
        self.wait()

    def nothing_due(self):
        """Wait until nothing is due that the dock has put off."""
        timers = [timer for timer in self.widget.findChildren(QTimer) if timer.isSingleShot()]
        self.qtbot.waitUntil(lambda: not any(timer.isActive() for timer in timers))

    def close(self):
        self.qtbot.close_dock(self.frame, self.widget)

    def reopen(self):
        """Open it again where it was closed."""
        self.__init__(self.viewer, self.qtbot)

    def leave(self):
        """Stop what runs, and let go of everything: napari looks for what is left."""
        if not self.gone.is_set():
            self.stop()
        self.__dict__.clear()

    def stop(self):
        self.bar.cancel()
        self.wait()


class SegmentDock(Dock):
    """The dock that segments; it begins with the classical method."""

    title, groups = "Segment nuclei", ("source", "files", "network", "nuclei")

    def __init__(self, viewer, qtbot):
        super().__init__(viewer, qtbot)
        self.menu, self.table = self.widget.menu, self.widget.folder_job.table
        self.offer = self.widget.offer
        self.choose(model="classical")

    def type_pixel_size(self, text, end=None):
        """Click into the field, type key by key, maybe end with a key; return what stood there."""
        box = self.field("pixel_size_um").native
        self.qtbot.settled(self.widget)
        self.widget.activateWindow()
        self.qtbot.waitUntil(self.widget.isActiveWindow)  # else the click gives no focus
        self.bar.run_button.setFocus()
        self.click(box.lineEdit())
        self.qtbot.waitUntil(lambda: box.lineEdit().selectedText() == box.text())
        for letter in text:
            QTest.keyClicks(box, letter)
            self.qtbot.turn(1)
        shown = box.lineEdit().text()
        if end is not None:
            QTest.keyClick(box, end)
        return shown

    def open_row(self, row):
        """Click on a file in the table of a folder, and wait until it is open."""
        self.click_row(self.table, row)
        self.wait()

    def result(self):
        """Return the layer that the sliders change."""
        return self.widget.current.layer

    def run(self, button=None):
        """Click Run, wait for its end, return the layer that is new or was brought up to date."""
        before = list(self.viewer.layers)
        super().run(button)
        new = [layer for layer in self.viewer.layers if layer not in before]
        return new[0] if new else self.result()

    def settle(self):
        """Wait until what the sliders have started has ended."""
        current = self.widget.current
        self.qtbot.waitUntil(lambda: not (current.relabelling or self.bar.running))

    def nuclei(self):
        """Return the layers with what was found."""
        return [layer for layer in self.viewer.layers if is_segmented(layer)]


class EvaluateDock(Dock):
    """The dock Compare with ground truth."""

    title, groups = "Compare with ground truth", ("fields",)

    def __init__(self, viewer, qtbot):
        super().__init__(viewer, qtbot)
        self.results, self.offer = self.widget.results, self.widget.offer

    @property
    def caption(self):
        """The layers in the caption of the results, whether outdated or not."""
        return self.results.caption.text().removesuffix(OUTDATED).rstrip()

    @property
    def outdated(self):
        """Whether the scores are marked as outdated."""
        return self.results.caption.text().endswith(OUTDATED)

    @property
    def scores(self):
        """The scores that are shown, by what they are of."""
        return self.results.scores.sets

    def wait(self):
        ready = lambda: not (self.bar.running or self.form.live.counting)  # noqa: E731
        self.qtbot.waitUntil(ready)

    def compare(self, prediction, truth):
        self.choose(prediction=prediction, truth=truth)
        self.wait()

    def errors(self):
        return [
            layer for layer in self.viewer.layers if ERRORS_OF in layer.metadata.get(PLUGIN, {})
        ]

    def stop(self):
        self.form.live.ask(None)
        super().stop()


class PreparingDock(Dock):
    """The dock that prepares datasets."""

    title, groups = "Prepare a dataset", ("target", "fields")

    def __init__(self, viewer, qtbot):
        super().__init__(viewer, qtbot)
        self.table, self.sources = self.widget.findings, self.form.sources

    def made(self):
        """Return the number of tiles and of new ones, with which the message starts."""
        numbers = re.findall(r"[\d,]+", self.message)[:2]
        return tuple(int(number.replace(",", "")) for number in numbers)


class TrainingDock(Dock):
    """The dock that trains; what it starts is a program of its own."""

    title, groups = "Train a U-Net", ("places", "main", "more", "computing")

    def __init__(self, viewer, qtbot):
        super().__init__(viewer, qtbot)
        self.follower, self.curves = self.widget.follower, self.widget.curves

    def wait(self):
        self.qtbot.waitUntil(lambda: not self.follower.following)

    def wait_for_epoch(self, number=1):
        def there():
            return len(self.curves.rows) >= number

        self.qtbot.waitUntil(lambda: there() or not self.follower.following)
        assert there(), self.message

    def part(self, part):
        """Return the layer that shows a part of the preview."""
        facts = ((layer, layer.metadata.get(PLUGIN, {})) for layer in self.viewer.layers)
        (layer,) = [layer for layer, about in facts if about.get("part") == part]
        return layer

    def stop(self):
        """Leave it to napari, as a person does."""


PAGES = {page.title: page for page in (SegmentDock, EvaluateDock, PreparingDock, TrainingDock)}


@pytest.fixture
def open_dock(make_napari_viewer_proxy, qtbot):
    """Return a function that opens a dock by its name, in a real napari of its own or in another.

    Its window is on the screen if that is asked for.
    """
    opened = []

    def open_one(name, viewer=None, *, show=False):
        viewer = make_napari_viewer_proxy(show=show) if viewer is None else viewer
        opened.append(PAGES[name](viewer, qtbot))
        return opened[-1]

    yield open_one
    for page in opened:
        page.leave()


@pytest.fixture
def dock(open_dock):
    """Open the segment dock in a real napari."""
    return open_dock(SegmentDock.title)


@pytest.fixture
def shown_dock(open_dock):
    """Open the segment dock in a napari whose window is on the screen."""
    return open_dock(SegmentDock.title, show=True)


@pytest.fixture(params=PAGES)
def title(request):
    """Return the name of each dock."""
    return request.param


@pytest.fixture
def make_napari_viewer(make_napari_viewer):
    """Let NAPARI_* variables hold, which napari's own fixture sets back together with the rest."""
    from napari.settings import get_settings

    settings = get_settings()
    settings.update(settings.env_settings)
    return make_napari_viewer

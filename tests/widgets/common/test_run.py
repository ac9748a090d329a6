"""The door to threads: progress, end, errors, cancelling and cleaning up, in a real napari."""

from __future__ import annotations

import gc
import threading
import time
from weakref import ref

import pytest
from napari.utils.progress import progress as activity
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QProgressBar, QPushButton, QWidget

from napari_snow_unet.base.errors import InputError, Message
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.widgets.common import messages
from napari_snow_unet.widgets.common import run as run_module
from napari_snow_unet.widgets.common.run import Run
from napari_snow_unet.widgets.common.run_bar import INTERVAL_S, RunBar


class Log:
    """Callbacks that write down what happened, in which thread."""

    def __init__(self):
        self.events, self.threads = [], set()

    def __getattr__(self, name):
        if not name.startswith("on_"):
            raise AttributeError(name)

        def called(*values):
            self.threads.add(threading.current_thread())
            self.events.append((name, *values))

        return called

    @property
    def names(self):
        return [event[0] for event in self.events]


def started(owner, steps, log, **options):
    run = Run(
        owner,
        steps,
        title="working",
        on_progress=log.on_progress,
        on_done=log.on_done,
        on_error=log.on_error,
        on_finished=log.on_finished,
        **options,
    )
    run.start()
    return run


@pytest.fixture
def viewer(make_napari_viewer):
    return make_napari_viewer()


@pytest.fixture
def owner(viewer, qtbot):
    widget = QWidget()
    qtbot.addWidget(widget)
    return widget


@pytest.fixture
def finish(qtbot):
    """Return a function that waits for the end of a run, and for whatever would still come."""

    def wait(log):
        qtbot.waitUntil(lambda: "on_finished" in log.names)
        qtbot.runs_ended()

    return wait


def counting(number, pause=0.0, closed=None):
    try:
        for done in range(1, number + 1):
            time.sleep(pause)
            yield Progress(done, number, f"step {done}")
        return "result"
    finally:
        if closed is not None:
            closed.append(threading.current_thread())


def endless(closed=None):
    """Count for longer than anybody waits."""
    return counting(10_000, pause=0.02, closed=closed)


class Gate:
    """Lets the steps of a run pass one by one."""

    def __init__(self):
        self._open = threading.Semaphore(0)

    def let(self, steps):
        self._open.release(steps)

    def counting(self, number):
        for done in range(1, number + 1):
            assert self._open.acquire(timeout=600)
            yield Progress(done, number, f"step {done}")
        assert self._open.acquire(timeout=600)
        return "result"


def failing(error):
    yield Progress(1, 3, "step 1")
    raise error


def test_progress_result_and_end_arrive_in_order_in_the_thread_of_the_window(owner, finish):
    log = Log()
    started(owner, lambda: counting(3), log)
    finish(log)
    steps = [Progress(done, 3, f"step {done}") for done in (1, 2, 3)]
    expected = [("on_progress", step) for step in steps]
    assert log.events == [*expected, ("on_done", "result"), ("on_finished",)]
    assert log.threads == {threading.main_thread()}


def test_every_run_has_a_thread_of_its_own(owner, finish):
    """TensorFlow crashes in threads of a pool, which come back with another thread state."""
    closed = []
    for _ in range(2):
        log = Log()
        started(owner, lambda: counting(1, closed=closed), log)
        finish(log)
    assert len({id(thread) for thread in (*closed, threading.main_thread())}) == 3
    assert {type(thread) for thread in closed} == {threading.Thread}  # not Qt's
    assert not any(thread.is_alive() for thread in closed)


@pytest.mark.parametrize(
    ("error", "cause", "remedy"),
    [
        (InputError(Message("It is a fish.", "Look again.")), "a fish", "Look again."),
        (MemoryError("cannot allocate 9 GiB"), "cannot allocate 9 GiB", "smaller tile size"),
        (MemoryError(), "not enough memory", "smaller tile size"),
        (ValueError("odd"), "ValueError: odd", "View Traceback"),
        (RuntimeError("CUDA out of order"), "CUDA out of order", "View Traceback"),
        (KeyError(), "KeyError", "View Traceback"),
        (SystemExit(2), "SystemExit", "View Traceback"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_an_error_is_told_once_with_cause_and_remedy_and_the_run_ends(
    owner, finish, notifications, error, cause, remedy
):
    """No error is silent, and none leaves a progress bar behind."""
    log = Log()
    started(owner, lambda: failing(error), log)
    finish(log)
    assert log.names == ["on_progress", "on_error", "on_finished"]
    (note,) = notifications()
    assert cause in note.message
    assert remedy in note.message
    assert str(note.severity) == "error"
    assert len(activity._all_instances) == 0


def test_an_error_before_the_first_step_is_told_too(owner, finish, notifications):
    log = Log()

    def broken():
        raise InputError(Message("Nothing is there.", "Bring it."))

    started(owner, broken, log)
    finish(log)
    assert log.names == ["on_error", "on_finished"]
    assert len(notifications()) == 1


def test_cancelling_closes_the_work_and_no_result_arrives(owner, finish, qtbot, notifications):
    log, closed = Log(), []
    run = started(owner, lambda: endless(closed), log)
    qtbot.waitUntil(lambda: len(log.events) >= 2)
    told = len(log.events)
    run.cancel()
    finish(log)
    assert closed  # files and models that the work had open are closed
    assert log.names == ["on_progress"] * told + ["on_finished"]
    assert notifications() == []


def test_cancelling_during_the_last_step_gives_no_result_either(owner, finish, qtbot):
    log, gate = Log(), Gate()
    run = started(owner, lambda: gate.counting(1), log)
    gate.let(1)
    qtbot.waitUntil(lambda: len(log.events) == 1)
    run.cancel()
    gate.let(1)
    finish(log)
    assert log.names == ["on_progress", "on_finished"]


def test_work_whose_owner_is_gone_is_closed_and_calls_nobody(viewer, qtbot, notifications):
    owner, log, closed = QWidget(), Log(), []
    started(owner, lambda: endless(closed), log)
    qtbot.waitUntil(lambda: len(log.events) >= 2)
    owner.deleteLater()
    qtbot.runs_ended()
    assert closed
    assert len(activity._all_instances) == 0
    assert set(log.names) == {"on_progress"}
    assert notifications() == []


def test_a_run_is_forgotten_when_it_has_ended(owner, finish):
    log = Log()
    run = started(owner, lambda: counting(2), log)
    known = ref(run)
    finish(log)
    del run
    gc.collect()
    assert known() is None


def bars_of(viewer):
    """Return the bars in napari's activity dock."""
    dialog = viewer.window._qt_window._activity_dialog
    return [
        bar
        for bar in dialog._baseWidget.findChildren(QProgressBar)
        if bar.parentWidget().progress in activity._all_instances
    ]


def test_the_activity_dock_shows_a_bar_of_known_length_while_it_runs(
    viewer, owner, finish, qtbot, monkeypatch
):
    monkeypatch.setattr(run_module, "ACTIVITY_INTERVAL_S", 0)
    log, gate = Log(), Gate()
    started(owner, lambda: gate.counting(4), log)
    for done in range(1, 5):
        gate.let(1)
        qtbot.waitUntil(lambda done=done: log.names.count("on_progress") == done)
        (bar,) = bars_of(viewer)
        assert (bar.value(), bar.maximum()) == (done, 4)
        assert "working" in bar.parentWidget().description_label.text()
    gate.let(1)
    finish(log)
    assert bars_of(viewer) == []


def test_work_of_unknown_length_comes_to_the_activity_dock_once_its_length_is_known(
    viewer, owner, finish, qtbot
):
    log, known, end = Log(), threading.Event(), threading.Event()

    def steps():
        yield Progress(0, 0, "loading")
        assert known.wait(60)
        yield Progress(0, 5, "computing")
        assert end.wait(60)

    waiting = started(owner, steps, log).findChild(QTimer)
    qtbot.waitUntil(lambda: log.names == ["on_progress"] and not waiting.isActive())
    qtbot.turn()
    assert bars_of(viewer) == []
    known.set()
    qtbot.waitUntil(lambda: len(bars_of(viewer)) == 1)
    assert bars_of(viewer)[0].maximum() == 5
    end.set()
    finish(log)
    assert bars_of(viewer) == []


def test_the_cancel_button_of_the_activity_dock_cancels(viewer, owner, finish, qtbot):
    log, closed = Log(), []
    run = started(owner, lambda: endless(closed), log)
    qtbot.waitUntil(lambda: len(bars_of(viewer)) == 1)
    button = bars_of(viewer)[0].parentWidget().findChild(QPushButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    finish(log)
    assert run.cancelled
    assert closed
    assert "on_done" not in log.names


def test_quiet_work_does_not_show_in_the_activity_dock(viewer, owner, finish):
    log, seen = Log(), []
    activity._all_instances.events.changed.connect(seen.append)
    started(owner, lambda: counting(2), log, quiet_ms=600_000)
    finish(log)
    activity._all_instances.events.changed.disconnect(seen.append)
    assert seen == []


def test_thousands_of_quick_steps_all_arrive(owner, finish):
    """napari handles events while its bar is drawn: progress within progress must not pile up."""
    log = Log()
    started(owner, lambda: counting(5000), log)
    finish(log)
    assert log.names.count("on_progress") == 5000
    assert ("on_done", "result") in log.events


def test_warnings_of_libraries_are_no_notifications(owner, finish, notifications):
    import warnings

    log = Log()

    def warns():
        yield Progress(1, 1)
        warnings.warn("a deprecation the user can do nothing about", stacklevel=1)

    started(owner, warns, log)
    finish(log)
    assert "on_done" in log.names
    assert notifications() == []


def test_napari_knows_that_work_is_running_and_closing_ends_it(viewer, owner, finish, qtbot):
    """napari asks before it is closed in the middle of a run, and the run ends with it."""
    log, closed = Log(), []
    started(owner, lambda: endless(closed), log)
    qtbot.waitUntil(lambda: len(log.events) >= 2)
    assert viewer.window._qt_window._window._task_status_manager.is_busy()
    viewer.close()
    qtbot.runs_ended()
    assert closed
    assert "on_done" not in log.names


@pytest.fixture
def bar(qtbot):
    made = RunBar(lambda: None)
    qtbot.addWidget(made)
    return made


def begin(bar, steps, **options):
    done = []
    bar.start(steps, title="working", on_done=done.append, **options)
    return done


def test_thousands_of_quick_steps_are_shown_now_and_then(viewer, bar, qtbot):
    shown, begun = [], time.monotonic()
    bar.show()
    bar.progress.valueChanged.connect(shown.append)
    done = begin(bar, lambda: counting(5000))
    qtbot.waitUntil(lambda: not bar.running)
    most = (time.monotonic() - begun) / INTERVAL_S
    assert len(shown) <= most + 4  # as well as before the first step and after the last
    assert done == ["result"]


def test_the_bar_counts_and_its_buttons_say_what_can_be_done(viewer, bar, qtbot):
    bar.show()
    gate = Gate()
    done = begin(bar, lambda: gate.counting(4))
    assert (bar.run_button.isEnabled(), bar.cancel_button.isEnabled()) == (False, True)
    qtbot.waitUntil(lambda: bar.progress.isVisible())
    for step in range(1, 5):
        gate.let(1)
        qtbot.waitUntil(lambda step=step: bar.progress.value() == step)
    gate.let(1)
    qtbot.waitUntil(lambda: not bar.running)
    assert done == ["result"]
    assert not bar.progress.isVisible()
    assert (bar.run_button.isEnabled(), bar.cancel_button.isEnabled()) == (True, False)


@pytest.mark.parametrize("error", [InputError(Message("It is odd.")), MemoryError()])
def test_after_an_error_the_bar_is_gone_and_run_can_be_clicked(
    viewer, bar, qtbot, notifications, error
):
    bar.show()
    failures = []
    bar.failed.connect(failures.append)
    begin(bar, lambda: failing(error))
    qtbot.waitUntil(lambda: not bar.running)
    assert not bar.progress.isVisible()
    assert bar.run_button.isEnabled()
    assert bar.message.text() == notifications()[0].message
    assert len(failures) == 1


def test_cancel_says_so(viewer, bar, qtbot):
    done = begin(bar, endless, cancelled="Enough.")
    qtbot.waitUntil(lambda: bar.progress.value() > 0)
    qtbot.mouseClick(bar.cancel_button, Qt.MouseButton.LeftButton)
    assert not bar.cancel_button.isEnabled()
    qtbot.waitUntil(lambda: not bar.running)
    assert bar.message.text() == "Enough."
    assert done == []


def test_a_hint_forbids_run_and_goes_when_it_no_longer_holds(viewer, bar):
    bar.set_tip("Does things.")
    bar.set_hint("Open an image.")
    assert not bar.run_button.isEnabled()
    assert bar.message.text() == bar.run_button.toolTip() == "Open an image."
    bar.set_hint("")
    assert bar.run_button.isEnabled()
    assert (bar.message.text(), bar.run_button.toolTip()) == ("", "Does things.")
    bar.say("24 nuclei")
    bar.set_hint("")
    assert bar.message.text() == "24 nuclei"


def test_an_error_shows_its_reason_before_its_file(viewer, bar, qtbot, notifications):
    """A notification shows the beginning of its text only."""
    path = "/a/very/long/path/of/somebody/who/files/things/well/tile.png"
    error = InputError(Message("The file is damaged.", "Copy it."), path=path)
    assert str(error).startswith(path)
    begin(bar, lambda: failing(error))
    qtbot.waitUntil(lambda: not bar.running)
    (note,) = notifications()
    places = [note.message.index(part) for part in (error.message.problem, "Copy it.", path)]
    assert places == sorted(places)
    assert places[0] == 0
    assert bar.message.text() == note.message


def test_files_that_are_written_when_cancel_comes_are_told(viewer, bar, qtbot):
    writing, go_on = threading.Event(), threading.Event()

    def steps():
        yield Progress(0, 0, "Writing…")
        writing.set()
        assert go_on.wait(60)
        return "a.png"

    for writes, said in ((True, f"{messages.TOO_LATE} Saved a.png."), (False, "Cancelled.")):
        writing.clear()
        go_on.clear()
        bar.start(
            steps,
            title="saving",
            on_done=lambda name: bar.say(f"Saved {name}."),
            cancelled="Cancelled.",
            writes=writes,
        )
        qtbot.waitUntil(writing.is_set)
        bar.cancel_button.click()
        go_on.set()
        qtbot.waitUntil(lambda: not bar.running)
        assert bar.message.text() == said
        assert bar.run_button.isEnabled()

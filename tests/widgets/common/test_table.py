"""The table of the docks: what columns show of rows, sorting, and what Ctrl+C copies."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QHeaderView

from napari_snow_unet.widgets.common.table import Column, TableView

LEFT, DOWN = Qt.MouseButton.LeftButton, Qt.SortOrder.DescendingOrder
ACROSS, UPRIGHT = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
NAMES = {"a": 10, "b": 9, "c": 1000}
COLUMNS = (
    Column("Name", str, tip="the {}".format),
    Column(
        "Number",
        lambda row: f"{NAMES[row]:,}",
        meaning="How many.",
        number=True,
        value=NAMES.__getitem__,
    ),
)


@pytest.fixture
def table(qtbot):
    made = TableView(COLUMNS)
    qtbot.addWidget(made)
    made.contents.show(NAMES)
    return made


def texts(table):
    model = table.model()
    places = range(model.columnCount())
    return [[model.index(row, at).data() for at in places] for row in range(model.rowCount())]


def test_numbers_are_sorted_as_numbers(table):
    assert texts(table) == [["a", "10"], ["b", "9"], ["c", "1,000"]]
    table.contents.sort(1)
    assert [name for name, _ in texts(table)] == ["b", "a", "c"]
    table.contents.sort(1, DOWN)
    assert [name for name, _ in texts(table)] == ["c", "a", "b"]
    table.contents.sort(0)
    assert [name for name, _ in texts(table)] == ["a", "b", "c"]
    table.contents.sort(-1)  # the header has no column to sort by
    assert [name for name, _ in texts(table)] == ["a", "b", "c"]


def test_cells_and_titles_explain_themselves(table):
    model, tip = table.model(), Qt.ItemDataRole.ToolTipRole
    assert model.index(1, 0).data(tip) == "the b"
    assert model.index(1, 1).data(tip) is None
    assert [model.headerData(at, ACROSS) for at in (0, 1)] == ["Name", "Number"]
    assert model.headerData(1, ACROSS, tip) == "How many."
    right = Qt.ItemDataRole.TextAlignmentRole
    assert model.index(1, 0).data(right) is None
    assert model.index(1, 1).data(right) & Qt.AlignmentFlag.AlignRight


def test_rows_have_a_heading_where_there_is_one(table):
    assert table.contents.headerData(0, UPRIGHT) is None
    table.contents.show("xy", COLUMNS[:1], heading=Column("", str.upper))
    assert [table.contents.headerData(row, UPRIGHT) for row in (0, 1)] == ["X", "Y"]
    assert texts(table) == [["x"], ["y"]]


def test_a_click_tells_the_row_as_it_is_sorted_and_keys_copy(table, qtbot):
    told = []
    table.on_click(told.append)
    table.show()
    table.contents.sort(1)
    place = table.visualRect(table.model().index(2, 1)).center()
    qtbot.mouseClick(table.viewport(), LEFT, pos=place)
    assert told == ["c"]
    qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "1,000"
    table.contents.append("a")
    assert texts(table)[-1] == ["a", "10"]
    assert table.verticalHeader().count() == 4  # the view has been told


def test_a_column_grows_with_a_row_that_comes_later(table, qtbot):
    header = table.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    table.contents.show("", [Column("Name", str)])
    table.show()
    before = header.sectionSize(0)
    table.contents.append("a name that is longer than the title")
    qtbot.waitUntil(lambda: header.sectionSize(0) >= table.sizeHintForColumn(0) > before)

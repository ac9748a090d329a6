"""What the fields of every dock are called, and that all of them explain themselves."""

from __future__ import annotations

import re

from qtpy.QtWidgets import QPushButton

SENTENCE_CASE = re.compile(r"[A-Zµ][^A-Z]*")


def test_labels_are_words_of_a_sentence_and_no_shell(open_dock, title):
    texts = [label.text() for label in open_dock(title).labels() if label.text()]
    assert len(texts) > 2
    assert [text for text in texts if not SENTENCE_CASE.fullmatch(text)] == []
    assert [text for text in texts if re.search(r"--|_|\bpx\b", text)] == []


def test_fields_labels_and_buttons_explain_themselves(open_dock, title):
    dock = open_dock(title)
    assert [name for name, field in dock.fields().items() if not field.tooltip] == []
    assert [label.text() for label in dock.labels() if label.text() and not label.toolTip()] == []
    buttons = dock.widget.findChildren(QPushButton)
    below = [button for button in buttons if not dock.form.isAncestorOf(button)]
    assert len(below) > 1
    assert [button.text() for button in below if not button.toolTip()] == []

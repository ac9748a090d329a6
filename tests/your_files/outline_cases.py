"""Rows of docs/your_files.md about outlines."""

from __future__ import annotations

from your_files import Case

ABOUT = "How outlines are read."

CASES: list[Case] = []

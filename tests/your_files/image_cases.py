"""Rows of docs/your_files.md about images."""

from __future__ import annotations

from your_files import Case

ABOUT = "How images are read."

CASES: list[Case] = []

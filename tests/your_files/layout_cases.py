"""Rows of docs/your_files.md about layouts."""

from __future__ import annotations

from your_files import Case

ABOUT = "How layouts are read."

CASES: list[Case] = []

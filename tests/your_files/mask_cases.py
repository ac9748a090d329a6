"""Rows of docs/your_files.md about masks."""

from __future__ import annotations

from your_files import Case

ABOUT = "How masks are read."

CASES: list[Case] = []

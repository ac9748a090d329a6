"""Write docs/your_files.md from the table that the tests check."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "your_files")]

from your_files import page  # noqa: E402

(ROOT / "docs" / "your_files.md").write_text(page(), encoding="utf-8")

import pytest

from your_files import page, sections


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{heading}: {case.title}")
        for heading, (_, cases) in sections().items()
        for case in cases
    ],
)
def test_what_the_page_says_is_what_happens(case, tmp_path):
    case.check(tmp_path)


def test_the_page_is_that_of_the_table(repository):
    """Written by tools/write_your_files_page.py."""
    assert (repository / "docs" / "your_files.md").read_text(encoding="utf-8") == page()

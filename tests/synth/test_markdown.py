"""The README's table of decoders is the recorded figures."""

from pathlib import Path

import pytest

from synth.expected import read_expected
from synth.markdown import END, START, replaced

README = Path(__file__).parents[2] / "README.md"


def test_readme_has_the_recorded_figures() -> None:
    page = README.read_text()
    assert replaced(page, read_expected()) == page, "make it anew: make expected"


def test_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^the page must have the lines"):
        replaced("no table here", {"designs": {}})


def test_what_stands_around_the_table_stays() -> None:
    page = replaced(f"before\n{START}\nold\n{END}\nafter", {"designs": {}})
    assert page.startswith("before\n")
    assert page.endswith(f"{END}\nafter")
    assert "old" not in page

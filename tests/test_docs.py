"""The examples in the documentation are run, and the links inside it lead somewhere."""

import doctest
import re
from pathlib import Path

import pytest

from golden.catalog import CATALOG, FORMATS
from hdl.emit import verilog

ROOT = Path(__file__).parents[1]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_give_what_the_page_says(page: Path) -> None:
    failed, _ = doctest.testfile(str(page), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert not failed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_format_page_runs_a_worked_example() -> None:
    for name in FORMATS:
        assert ">>> " in (ROOT / "docs" / f"{name}.md").read_text(), name


def test_the_readme_instantiates_a_decoder_with_all_its_ports() -> None:
    shown = re.search(r"```systemverilog\n(\w+) decoder \((.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert shown
    top = verilog(CATALOG[shown[1]]).partition(f"module {shown[1]}(")[2].partition(")")[0]
    assert sorted(re.findall(r"\.(\w+)", shown[2])) == sorted(top.split(", "))

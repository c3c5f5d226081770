"""Puts tables on the console and between the markers of a Markdown page."""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table as Shown

from hdl.files import write_atomic

Table = Sequence[Sequence[str]]  # cells by row, the first row the header


def show(tables: Mapping[str, Table], page: Path | None) -> None:
    """Print *tables* under their names, and replace what stands between the markers of *page*, if there is one.

    Raises:
        ValueError: *page* lacks the markers ``<!-- NAME -->`` and ``<!-- end -->`` of a table.
    """
    console = Console(width=None if sys.stdout.isatty() else 200)
    for name, (header, *cells) in tables.items():
        shown = Shown(*header, title=name, title_justify="left")
        for line in cells:
            shown.add_row(*line)
        console.print(shown)
    if page:
        text = page.read_text()
        for name, table in tables.items():
            text = between(text, name, markdown(table))
        write_atomic(page, text)


def between(text: str, name: str, content: str) -> str:
    """*text* with what stands between ``<!-- name -->`` and the next ``<!-- end -->`` replaced by *content*."""
    pattern = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"the page must have the markers '<!-- {name} -->' and '<!-- end -->', has not")
    return pattern.sub(lambda found: found[1] + content + found[2], text, count=1)


def markdown(table: Table) -> str:
    """A Markdown table, the first row its header."""
    header, *cells = table
    lines = [header, ["---"] * len(header), *cells]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)

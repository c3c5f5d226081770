"""The sign-off table: every format beside every check, each cell a figure and the command that makes it."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import jinja2
import joblib
from rich.markup import escape
from rich.table import Table

from hdl.files import DamagedFileError, read_json, write_atomic, write_json
from unprune.verify.checks import CHECKS, Row, check, digest

START, END = "<!-- sign-off: made by unprune verify --full --write PAGE -->", "<!-- end of sign-off -->"
DASH = "-"


def signoff(formats: Sequence[str], names: Sequence[str], *, full: bool, jobs: int) -> Iterator[Row]:
    """The rows of the checks *names* of *formats*, in whatever order they get done, *jobs* at a time."""
    work = (joblib.delayed(check)(format, name, full) for name in names for format in formats)
    yield from joblib.Parallel(n_jobs=jobs, return_as="generator_unordered")(work)


def earlier(output: Path, *, full: bool, versions: Mapping[str, str]) -> list[Row]:
    """The rows that *output* holds of a run of the same extent with the same tools, of decoders and checks that have not changed since."""
    try:
        found = read_json(output)
    except (OSError, DamagedFileError):
        return []
    rows: list[Row] = found["rows"] if (found.get("full"), found.get("versions")) == (full, dict(versions)) else []
    return [row for row in rows if row["digest"] == digest(row["check"])]


def explained(names: Sequence[str]) -> dict[str, str]:
    """What each check says, in a sentence."""
    return {name: " ".join((inspect.getdoc(CHECKS[name]) or "").split()) for name in names}


def _sides(rows: Sequence[Row]) -> tuple[list[str], list[str], dict[tuple[str, str], Row]]:
    """The formats, the checks that there are rows of, both in their order, and the row of each pair."""
    names = [name for name in CHECKS if any(row["check"] == name for row in rows)]
    return sorted({row["format"] for row in rows}), names, {(row["format"], row["check"]): row for row in rows}


def table(rows: Sequence[Row]) -> Table:
    """*rows* for the terminal: a line a check, a format a block of lines."""
    formats, names, cells = _sides(rows)
    made = Table(title="What was verified", caption="each line: unprune verify FORMAT --only CHECK")
    for title in ("format", "check", "figure", "s"):
        made.add_column(title, justify="right" if title == "s" else "left")
    for format in formats:
        for name in names:
            if row := cells.get((format, name)):
                said = escape(row["text"] + (f": {row['message']}" if row["message"] else ""))
                said = said if row["met"] else f"[red]{said}[/]"
                made.add_row(format, name, said, f"{row['seconds']:.0f}", end_section=name == names[-1])
    return made


def markdown(rows: Sequence[Row]) -> str:
    """*rows* as a table of a page, between its two markers: a line a format, a column a check."""
    formats, names, cells = _sides(rows)
    lines = [f"| format | {' | '.join(names)} |", "|---" * (1 + len(names)) + "|"]
    for format in formats:
        found = [cells.get((format, name)) for name in names]
        texts = [row["text"] + ("" if row["met"] else " (OPEN)") if row else DASH for row in found]
        lines.append(f"| {format} | {' | '.join(texts)} |")
    return "\n".join([START, *lines, "", *(f"- **{name}**: {what}" for name, what in explained(names).items()), END])


def write(rows: Sequence[Row], output: Path, *, full: bool, versions: Mapping[str, str]) -> None:
    """Write *rows* to the JSON file *output*, and the page beside it."""
    formats, names, cells = _sides(rows)
    ordered = [cells[format, name] for format in formats for name in names if (format, name) in cells]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("unprune"), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    page = environment.get_template("verify.html.j2").render(
        rows=ordered, open=[row for row in ordered if not row["met"]], full=full, formats=formats, checks=names, cells=cells, dash=DASH,
        explained=explained(names), versions=versions,
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    write_json(output, {"versions": dict(versions), "full": full, "rows": ordered})
    write_atomic(output.with_suffix(".html"), page)


def write_page(page: Path, rows: Sequence[Row]) -> None:
    """Put the table into *page*, between its markers.

    Raises:
        ValueError: the page has none.
    """
    before, after = parts(page)
    write_atomic(page, before + markdown(rows) + after)


def parts(page: Path) -> tuple[str, str]:
    """What stands before and after the table in *page*; errors as :func:`write_page`."""
    text = page.read_text()
    if START not in text or END not in text:
        raise ValueError(f"{page} must have the lines {START!r} and {END!r}")
    return text[: text.index(START)], text[text.index(END) + len(END) :]



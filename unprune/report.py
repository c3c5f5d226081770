"""What a job found, for people: a table for the terminal and one self-contained HTML page."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jinja2
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from golden.params.base import Parameters
from synth.figures import Figures
from synth.targets import TARGETS
from unprune import plots
from unprune.outcome import Outcome, Result

ROOM = 56  # characters for figures in a line of the terminal; the rest of 80 says what they are
NONE = "-"  # what a cell without a figure shows
MASK_NOTE = "a decoder that gives a mask leaves the survivors to be put in place, here by software; its area and rate are of the mask alone"


def summary(result: Result) -> Group:
    """The main table for the terminal: a figure a line, a decoder a column; below each other where there are many decoders."""
    formats, names = ([getattr(one.parameters, of) for one in result.outcomes] for of in ("format", "name"))
    headers = formats if len(set(formats)) == len(formats) else names  # the names are longer than the figures
    lines = summary_rows(result.outcomes)
    tables = []
    for part in _parts([max(len(text) for text in (header, *(cells[i] for _, cells in lines))) + 3 for i, header in enumerate(headers)]):
        table = Table(title_justify="left")
        table.add_column("")  # wraps, so that no figure is cut
        for header in headers[part]:
            table.add_column(header, justify="right", no_wrap=True)
        for name, cells in lines:
            table.add_row(name, *cells[part])
        tables.append(table)
    tables[0].title = escape(result.title)
    return Group(*tables, escape(_references(result)))


def _parts(widths: Sequence[int]) -> list[slice]:
    """Columns of these *widths* as runs that have room side by side."""
    starts, used = [0], 0
    for number, width in enumerate(widths):
        if used and used + width > ROOM:
            starts.append(number)
            used = 0
        used += width
    return [slice(start, stop) for start, stop in zip(starts, [*starts[1:], len(widths)], strict=True)]


def summary_rows(outcomes: Sequence[Outcome]) -> list[tuple[str, list[str]]]:
    """The main table's lines: what it is, with its unit, and the figure for each decoder as text."""
    rows = [
        ("the decoder gives", [one.parameters.output.name for one in outcomes]),
        ("weights checked, different", [f"{one.weights:,}, {one.differing_weights:,}" for one in outcomes]),
        ("density", [f"{one.density:.4f}" for one in outcomes]),
        ("bits per weight", [f"{one.bits_per_weight:.3f}" for one in outcomes]),
        ("entropy floor, bits per weight", [f"{one.floor:.3f}" for one in outcomes]),
        ("index bits per weight", [f"{one.index_bits_per_weight:.3f}" for one in outcomes]),
        ("index bits per survivor", [number(one.index_bits_per_survivor, 2) for one in outcomes]),
        ("kept magnitude, %", [f"{100 * one.kept_magnitude:.1f}" for one in outcomes]),
        ("weights per cycle", [f"{one.weights_per_cycle:.2f}" for one in outcomes]),
    ]
    for target in TARGETS.values():
        unit = "NAND2 / FF" if target.name == "gates" else "LUT / FF"
        rows.append((f"{target.title.split(' (')[0]}, {unit}", [area(_figures(one, target.name)) for one in outcomes]))
    rows.append(("ECP5 clock, MHz", [number(one.cost.clock.median_mhz if one.cost and one.cost.clock else None, 0) for one in outcomes]))
    rows.append(("ECP5, million weights/s", [number(_millions(one), 0) for one in outcomes]))
    if any(one.accuracy is not None for one in outcomes):
        rows.append(("test accuracy, %", [number(None if one.accuracy is None else 100 * one.accuracy, 1) for one in outcomes]))
    return rows


def number(value: float | None, digits: int) -> str:
    """*value* with *digits* decimals and thousands apart, or a dash."""
    return NONE if value is None else f"{value:,.{digits}f}"


def area(figures: Figures | None) -> str:
    """"logic / flip-flops" of one target, and its memories if there are any."""
    if figures is None:
        return NONE
    logic = figures.lut if figures.gates is None else figures.gates
    return f"{logic:,.0f} / {figures.ff:,}" + (f" + {figures.ram} RAM" if figures.ram else "")


def page(result: Result) -> str:
    """The HTML page: no script, nothing from outside, light and dark."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("unprune"), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"number": number, "area": area}
    outcomes = result.outcomes
    return environment.get_template("index.html.j2").render(
        result=result, outcomes=outcomes, targets=list(TARGETS.values()), figures=_figures, millions=_millions, values=_values, dash=NONE,
        mask_note=MASK_NOTE if any(one.parameters.output.name == "mask" for one in outcomes) else "",
        bits_plot=plots.bits_per_weight(outcomes),
        area_plot=plots.area_against_rate(outcomes) if any(one.weights_per_second for one in outcomes) else "",
        accuracy_plot=plots.accuracies(result.references, outcomes) if result.references else "",
    )


def _references(result: Result) -> str:
    parts = [f"{name} {100 * share:.1f} %" for name, share in result.references.items()]
    parts = [f"test accuracy of the network before: {', '.join(parts)}"] if parts else []
    parts.insert(0, f"decoders: {', '.join(one.parameters.name for one in result.outcomes)}")
    if any(one.parameters.output.name == "mask" for one in result.outcomes):
        parts.append(MASK_NOTE)
    if result.skipped:
        parts.append(f"left as they are: {', '.join(result.skipped)}")
    return "\n".join(parts)


def _figures(outcome: Outcome, target: str) -> Figures | None:
    return outcome.cost.figures.get(target) if outcome.cost else None


def _millions(outcome: Outcome) -> float | None:
    return None if outcome.weights_per_second is None else outcome.weights_per_second / 1e6


def _values(parameters: Parameters) -> dict[str, Any]:
    """The parameters by name, as a reader wants to see them."""
    given = {f.name: getattr(parameters, f.name) for f in dataclasses.fields(parameters) if f.name != "name"}
    return {name: " ".join(f"{one:#x}" for one in value) if isinstance(value, tuple) else value for name, value in given.items()}

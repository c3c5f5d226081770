"""The README's table of decoders, made from the catalogue and the recorded figures: ``python -m synth.markdown --write README.md``."""

import argparse
import dataclasses
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from golden.catalog import CATALOG
from golden.params.base import Parameters
from hdl.files import write_atomic
from synth.expected import read_expected
from synth.targets import TARGETS

START, END = "<!-- decoders: made by python -m synth.markdown -->", "<!-- end of decoders -->"


def _values(parameters: Parameters) -> str:
    """The values that differ from the defaults, taps left out."""
    fields = [f for f in dataclasses.fields(parameters) if f.name not in ("name", "taps")]
    chosen = [(f.name, getattr(parameters, f.name)) for f in fields if getattr(parameters, f.name) != f.default]
    return ", ".join(name if value is True else f"no {name}" if value is False else f"{name} {value}" for name, value in chosen)


FPGAS = ("xc7", "ecp5", "ice40")


def _blocks(recorded: Mapping[str, Any], target: str) -> int:
    """Blocks of memory: cells that store and take no look-up tables."""
    cells = ((TARGETS[target].cell(kind), count) for kind, count in recorded[target]["cells"].items())
    return sum(count for cell, count in cells if cell.ram and not cell.lut)


def _row(parameters: Parameters, recorded: Mapping[str, Any]) -> str:
    area = [f"{recorded[target]['lut']} / {recorded[target]['ff']}" for target in FPGAS]
    blocks = [_blocks(recorded, target) for target in FPGAS]
    area.append(" / ".join(map(str, blocks)) if any(blocks) else "")
    gates = f"{recorded['gates']['gates']:,.0f} / {recorded['gates']['ff']}"
    mhz = statistics.median(recorded["clock"].values())
    each = f"{parameters.rate * mhz / recorded['ecp5']['lut']:.2g}"
    cells = [f"`{parameters.name}`", _values(parameters), str(parameters.rate), str(parameters.latency), *area, gates, f"{mhz:.0f}", each]
    return f"| {' | '.join(cells)} |"


def decoders(expected: Mapping[str, Any]) -> str:
    """The table, between its two markers; a line for every catalogue entry that *expected* has figures of."""
    columns = [
        "decoder", "parameters", "elements per cycle", "latency", "xc7 LUT / FF", "ECP5 LUT / FF", "iCE40 LUT / FF", "block RAM, of each",
        "NAND2 eq. / FF", "ECP5 MHz", "ECP5 million elements/s per LUT",
    ]
    head = f"| {' | '.join(columns)} |"
    rows = [_row(parameters, expected["designs"][name]) for name, parameters in CATALOG.items() if name in expected["designs"]]
    return "\n".join([START, head, "|---|---|" + "---:|" * 9, *rows, END])


def replaced(page: str, expected: Mapping[str, Any]) -> str:
    """*page* with the table between its markers made anew.

    Raises:
        ValueError: the page has no markers.
    """
    if START not in page or END not in page:
        raise ValueError(f"the page must have the lines {START!r} and {END!r}")
    return page[: page.index(START)] + decoders(expected) + page[page.index(END) + len(END) :]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m synth.markdown", description="Print the README's table of decoders.")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put it into this page, between its markers")
    page: Path | None = parser.parse_args(arguments).write
    if page is None:
        sys.stdout.write(decoders(read_expected()) + "\n")
    else:
        write_atomic(page, replaced(page.read_text(), read_expected()))


if __name__ == "__main__":
    main()

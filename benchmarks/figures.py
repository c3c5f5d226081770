"""Every decoder on equal footing: ``make figures``, or ``python -m benchmarks.figures``.

Area and clock rate of each catalogue entry, as the tests hold them; what was aimed at beside what is reached; whole networks through each
format's decoders, compared with golden. Prints tables and writes the rows to out/figures.json. A goal that is missed is a row with
``met`` false and no failure: the pages say why, and the tests hold the figures.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from benchmarks import truth
from benchmarks.page import show
from golden.catalog import CATALOG
from hdl.files import write_json
from synth.cost import Cost, tools
from synth.sweep import sweep

Row = dict[str, Any]


@dataclass(frozen=True)
class Goal:
    """What an entry is to reach, both ends included: look-up tables on Xilinx 7 series at most, MHz on ECP5 at least."""

    entry: str
    lut: float
    mhz: float


GOALS = (
    Goal("rlc_eyeriss", 380, 170),
    Goal("rlc_eyeriss_n16", 1000, 150),
    Goal("bitmap_n128", 6500, 150),
    Goal("viterbi_k8q16c3_n8", math.inf, 220),
    Goal("viterbi_k8q16_n8", math.inf, 280),
    Goal("csr_survivors", 130, 190),
    Goal("csr_survivors_p4", 130, 190),  # the one that up to three empty rows anywhere cost nothing
)
GROWTH = 1.15 * (128 * 7) / (16 * 4)  # of the mask expander from 16 to 128 lanes: lanes times their logarithm, and 15 % more
PER_MASK_BIT = 1.25  # look-up tables for each mask bit of k = 8, q = 16, over what is not XOR trees in the design of one step


def entries(costs: Sequence[Cost]) -> list[Row]:
    """Look-up tables, clock rate, elements per second and per look-up table of every entry."""
    found = []
    for cost in costs:
        assert cost.clock
        speed = CATALOG[cost.name].rate * cost.clock.median_mhz
        values = {
            "xc7 LUT": cost.figures["xc7"].lut, "xc7 FF": cost.figures["xc7"].ff, "ECP5 LUT": cost.figures["ecp5"].lut,
            "ECP5 MHz": round(cost.clock.median_mhz, 1), "latency, cycles": CATALOG[cost.name].latency,
            "million elements/s": round(speed), "million elements/s per ECP5 LUT": round(speed / cost.figures["ecp5"].lut, 2),
        }  # fmt: skip
        found += [{"name": f"{cost.name}: {what}", "value": value, "unit": ""} for what, value in values.items()]
    return found


def goals(costs: Sequence[Cost]) -> list[Row]:
    """Each goal and whether it is met."""
    by_name = {cost.name: cost for cost in costs}
    found: list[Row] = []

    def at_most(name: str, value: float, bar: float) -> None:
        found.append({"name": name, "value": round(value, 2), "unit": "", "bar": round(bar, 2), "met": value <= bar})

    for goal in GOALS:
        cost = by_name[goal.entry]
        assert cost.clock
        if goal.lut < math.inf:
            at_most(f"{goal.entry}: xc7 LUT, at most", cost.figures["xc7"].lut or 0, goal.lut)
        mhz = cost.clock.median_mhz
        name = f"{goal.entry}: ECP5 MHz, at least"
        found.append({"name": name, "value": round(mhz, 1), "unit": "MHz", "bar": goal.mhz, "met": mhz >= goal.mhz})
    lut = {name: cost.figures["xc7"].lut or 0 for name, cost in by_name.items()}
    at_most("mask expander: LUT of 128 lanes / of 16, at most", lut["bitmap_n128"] / lut["bitmap_n16"], GROWTH)
    one, eight = CATALOG["viterbi_k8q16"].output.fields[0].bits, CATALOG["viterbi_k8q16_n8"].output.fields[0].bits
    at_most(
        "viterbi_k8q16_n8: LUT per mask bit more than viterbi_k8q16, at most",
        (lut["viterbi_k8q16_n8"] - lut["viterbi_k8q16"]) / (eight - one), PER_MASK_BIT,
    )
    return found


def main(
    large: Annotated[bool, typer.Option(help="also two million weights through every decoder, some ten minutes")] = True,
    truths: Annotated[bool, typer.Option("--networks/--no-networks", help="play networks at all")] = True,
) -> None:
    """Measure, print, write."""
    console = Console(stderr=True)
    with console.status("synthesising") as status:
        costs = sweep(CATALOG.values(), clock=True, jobs=-1, progress=lambda name: status.update(f"synthesising, {name} done"))
        say = lambda what: status.update(f"simulating {what}")  # noqa: E731
        rows = goals(costs)
        if truths:
            rows += [*truth.rlc_rates(say), *truth.rows(say, large)]
    table = [["what", "value", "goal", "met"]]
    for row in rows:
        value, bar = row["value"], row.get("bar")
        met = {None: "", True: "yes", False: "no"}[row.get("met")]
        table.append([row["name"], "" if value is None else f"{value:g}", "" if bar is None else f"{bar:g}", met])
    show({"figures": table}, None)
    Path("out").mkdir(exist_ok=True)
    write_json(Path("out/figures.json"), {"tools": tools(), "rows": entries(costs) + rows})


if __name__ == "__main__":
    typer.run(main)

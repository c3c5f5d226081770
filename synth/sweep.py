"""Synthesise many decoders: ``python -m synth.sweep`` prints the catalogue's costs as a table, ``--write`` records them."""

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import joblib
from rich.console import Console
from rich.table import Table

from golden.catalog import CATALOG
from golden.params.base import Parameters
from hdl.files import write_json
from synth.clock import DEVICE_TITLE
from synth.cost import Cost, measure, tools
from synth.expected import write_expected
from synth.figures import Figures
from synth.targets import TARGETS


def sweep(
    designs: Iterable[Parameters], targets: Sequence[str] = tuple(TARGETS), *,
    clock: bool, jobs: int = 1, fresh: bool = False, progress: Callable[[str], None] | None = None,
) -> list[Cost]:
    """The costs of *designs*, in their order, whatever *jobs* (processes at a time; -1 one a core).

    *progress* is called with each design's name when it is done. A Dask cluster serves instead of local processes inside
    ``joblib.parallel_config("dask")``. Designs are independent; a tool's one-time compile happens once, under a lock.

    Raises:
        hdl.yowasp.ToolError: a tool refused a design.
        ValueError: no such target.
    """
    for target in targets:  # before any tool starts
        if target not in TARGETS:
            raise ValueError(f"target must be one of {', '.join(TARGETS)}, was {target!r}")
    costs = []
    work = (joblib.delayed(measure)(parameters, targets, clock=clock, fresh=fresh) for parameters in designs)
    for cost in joblib.Parallel(n_jobs=jobs, return_as="generator")(work):
        costs.append(cost)
        if progress:
            progress(cost.name)
    return costs


def table(costs: Sequence[Cost]) -> Table:
    """*costs* side by side, a line a design."""
    made = Table(
        title=f"Synthesis figures, yosys {tools()['yosys']}",
        caption=f"LUT/FF/levels (gates: NAND2/FF/levels); MHz: ecp5, median of the seeds, {DEVICE_TITLE}",
    )
    made.add_column("design", no_wrap=True)
    for target in costs[0].figures if costs else ():
        made.add_column(target, justify="right", no_wrap=True)
    made.add_column("MHz", justify="right")
    for cost in costs:
        mhz = f"{cost.clock.median_mhz:.0f}" if cost.clock else "-"
        made.add_row(cost.name, *(_cell(figures) for figures in cost.figures.values()), mhz)
    return made


def _cell(figures: Figures) -> str:
    logic = figures.lut if figures.gates is None else round(figures.gates)
    levels = "-" if figures.depth is None else figures.depth
    return f"{logic}/{figures.ff}/{levels}" + (f" +{figures.ram} RAM" if figures.ram else "")


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m synth.sweep", description="Print what each decoder of the catalogue costs.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="catalogue entries; all when none is named")
    parser.add_argument("--write", action="store_true", help="record the figures of the whole catalogue in synth/expected.json")
    parser.add_argument("--no-clock", action="store_true", help="leave out place and route")
    parser.add_argument("--fresh", action="store_true", help="ask the tools even where the answer is known from before")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time, -1 for one a core")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/synth.json"), help="where the rows go as JSON (default %(default)s)")
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(chosen.names) - set(CATALOG))
    if unknown:
        parser.error(f"NAME must be one of {', '.join(CATALOG)}, was {', '.join(unknown)}")
    if chosen.write and (chosen.names or chosen.no_clock):
        parser.error("--write records everything: it takes no NAME and no --no-clock")
    console = Console()
    designs = [CATALOG[name] for name in chosen.names or CATALOG]
    with console.status("synthesising") as status:
        costs = sweep(
            designs, clock=not chosen.no_clock, jobs=chosen.jobs, fresh=chosen.fresh,
            progress=lambda name: status.update(f"synthesising, {name} done"),
        )
    console.print(table(costs))
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    rows = [one for cost in costs for one in cost.to_rows()]
    write_json(chosen.output, {"tools": tools(), "rows": rows})
    if chosen.write:
        write_expected(costs)


if __name__ == "__main__":
    main()

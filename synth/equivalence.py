"""Is what ships what was proven? ``python -m synth.equivalence`` compares the RTLIL that the proofs are about with the Verilog that ships,
and that Verilog with its netlist on every target.

Two designs are compared at their outputs, their flip-flops and other signals that have the same name in both: each gets the same value, or
next value, wherever all of these and the inputs have the same (yosys' ``equiv_simple``, or ``equiv_induct`` over up to four cycles). So two
that once agree never part. That they come to agree after a reset is for simulation to show: the netlists go through the decoder's bench.

Where that leaves something open (synthesis encodes states anew, and leaves no signal of a name that tells the new ones), the two are
compared at their ports alone, from a reset on and whatever state the second is in before it (:mod:`synth.ports`), or where that is not
decided from zeros, with which an FPGA starts: for small decoders that comes to an end.
"""

import argparse
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from golden.catalog import CATALOG
from golden.params.base import Parameters
from hdl import yowasp
from hdl.cache import scratch
from hdl.emit import decoder_rtlil, verilog
from hdl.files import write_json
from synth import ports
from synth.flow import map_to
from synth.targets import TARGETS, Target

SHIPPED = "verilog"  # what is compared with the RTLIL; the names of targets are compared with it
CHECKED = (SHIPPED, *(name for name, target in TARGETS.items() if target.models))

PREPARE = "proc; flatten; memory_map; opt_clean; setattr -unset init w:*"
MERGE = "opt_dff; simplemap; opt_merge; dffunmap; simplemap; opt_clean"  # synthesis makes one flip-flop of two that are always the same
# Signals of one name are not always the same: synthesis may change what lies between flip-flops where the change cannot be seen.
COMPARE = """
design -copy-from gold -as gold gold
design -copy-from gate -as gate gate
equiv_make -blacklist apart.txt gold gate equiv
hierarchy -top equiv
opt_clean
equiv_simple -undef
equiv_induct -undef
tee -q -o status.txt equiv_status
"""
EVERY_BIT = """
equiv_make gold gate equiv
hierarchy -top equiv
opt_clean
equiv_simple -undef
equiv_induct -undef -seq 1
tee -q -o status.txt equiv_status
"""
ROUNDS = 4  # comparisons, each without the inner signals that the one before could not show to be the same
SOON = 10  # seconds after the first of them for the comparison at the ports, which mostly takes less than another one


@dataclass(frozen=True)
class Equivalence:
    """What came out of one comparison.

    Attributes:
        name: The decoder.
        what: ``verilog``, compared with the RTLIL, or the target whose netlist was compared with the Verilog.
        points: Bits that were compared: all outputs, and what has the same name on both sides.
        unproven: Those of them for which the same value could not be shown.
        at_ports: Where there are such, what :mod:`synth.ports` says.
    """

    name: str
    what: str
    points: int
    unproven: tuple[str, ...]
    at_ports: str
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether the two are the same."""
        return self.points > 0 and (not self.unproven or self.at_ports in ("PASS", "ZEROS"))


def netlist(text: str, top: str, target: str) -> str:
    """The RTLIL of module *top* of Verilog *text*, mapped to the cells of *target*."""
    with scratch() as work:
        (Path(work) / "design.sv").write_text(text)
        yowasp.run("yosys", ["-q", "-p", f"{map_to(TARGETS[target], top)}; select {top}; write_rtlil -selected netlist.il"], Path(work))
        return (Path(work) / "netlist.il").read_text()


def with_models(target: Target, top: str) -> str:
    """The yosys commands that read ``netlist.il`` and put the models of *target*'s cells in their place."""
    return f"read_rtlil netlist.il; read_verilog -defer {target.models}; hierarchy -check -top {top}; setattr -set keep 1 w:*; {PREPARE}"


def simulatable(mapped: str, top: str, target: str) -> str:
    """The netlist *mapped* of :func:`netlist` as Verilog that a simulator takes, the models of *target*'s cells in their place.

    Its flip-flops have no initial values, so that what reset forgets stays unknown.
    """
    with scratch() as work:
        (Path(work) / "netlist.il").write_text(mapped)
        yowasp.run("yosys", ["-q", "-p", f"{with_models(TARGETS[target], top)}; write_verilog -noattr gates.v"], Path(work))
        return (Path(work) / "gates.v").read_text()


def shipped_equals_proven(parameters: Parameters, shipped: str | None = None) -> Equivalence:
    """Compare *shipped*, the emitted Verilog if it is not given, with the RTLIL that the proofs are about."""
    top = parameters.name
    files = {"proven.il": decoder_rtlil(parameters), "design.sv": shipped or verilog(parameters)}
    gold = f"read_rtlil proven.il; setattr -mod -unset top; hierarchy -check -top {top}; {PREPARE}"
    return _compare(parameters, SHIPPED, files, gold, f"read_verilog -sv design.sv; hierarchy -check -top {top}; {PREPARE}")


def netlist_equals_shipped(parameters: Parameters, target: str, mapped: str | None = None) -> Equivalence:
    """Compare *mapped*, the decoder's :func:`netlist` if it is not given, with the emitted Verilog."""
    top, shipped = parameters.name, verilog(parameters)
    files = {"design.sv": shipped, "netlist.il": mapped or netlist(shipped, top, target)}
    gold = f"read_verilog -sv design.sv; hierarchy -check -top {top}; {PREPARE}; {MERGE}"
    return _compare(parameters, target, files, gold, with_models(TARGETS[target], top))


def _compare(parameters: Parameters, what: str, files: dict[str, str], gold: str, gate: str) -> Equivalence:
    start, top, at_ports = time.monotonic(), parameters.name, ""
    sides_at_ports = parameters, files, gold, f"{gate}; setattr -unset keep w:*"
    apart: set[str] = set()
    with scratch() as work:
        folder = Path(work)
        for name, text in files.items():
            (folder / name).write_text(text)
        sides = f"{gold}; rename {top} gold; write_rtlil gold.il; design -reset; {gate}; rename {top} gate; write_rtlil gate.il"
        yowasp.run("yosys", ["-q", "-p", sides], folder)
        (folder / "compare.ys").write_text(f"read_rtlil gold.il; design -stash gold; read_rtlil gate.il; design -stash gate\n{COMPARE}")
        for _ in range(ROUNDS):
            (folder / "apart.txt").write_text("\n".join(sorted(apart)))
            yowasp.run("yosys", ["-q", "-s", "compare.ys"], folder)
            status = (folder / "status.txt").read_text()
            unproven = re.findall(r"Unproven \$equiv \S+: \\?(\S+)_gold( \[\d+\])?", status)
            if unproven and not apart and (answer := ports.same(*sides_at_ports, SOON)) != "UNKNOWN":
                at_ports = answer
                break
            inner = {name for name, _ in unproven if "_axis_" not in name} - apart
            if not inner:
                break
            apart |= {name for name in inner if re.search(r"_\d+_$", name)} or inner  # first those that have no name of their own
    if len(unproven) != status.count("Unproven $equiv"):
        raise yowasp.ToolError(f"{top}: yosys left open what has no name of the design: {status.strip().splitlines()[-1]}")
    if unproven and not at_ports:
        at_ports = ports.compare(*sides_at_ports)
    bits = tuple(a + b for a, b in unproven)
    return Equivalence(top, what, _compared(status), bits, at_ports, time.monotonic() - start)


def _compared(status: str) -> int:
    """How many bits yosys' ``equiv_status`` is about."""
    found = re.search(r"Found (\d+) \$equiv cells", status)
    return int(found[1]) if found else 0


def same_bit_by_bit(top: str, text: str, change: str) -> bool:
    """Whether no signal of the flat RTLIL *text* of module *top* means anything else after *change*, a command of yosys: so that each
    register's next value is the same function of all registers and inputs as before."""
    with scratch() as work:
        (Path(work) / "design.il").write_text(text)
        sides = f"read_rtlil design.il\n{change}\nrename {top} gate\ndesign -stash gate\nread_rtlil design.il\nrename {top} gold\n"
        (Path(work) / "compare.ys").write_text(f"{sides}design -copy-from gate -as gate gate\n{EVERY_BIT}")
        yowasp.run("yosys", ["-q", "-s", "compare.ys"], Path(work))
        status = (Path(work) / "status.txt").read_text()
    return bool(_compared(status)) and "Unproven" not in status


def check(parameters: Parameters, what: str) -> Equivalence:
    """The comparison *what*, one of :data:`CHECKED`, of a decoder.

    Raises:
        hdl.yowasp.ToolError: yosys refused a design.
    """
    return shipped_equals_proven(parameters) if what == SHIPPED else netlist_equals_shipped(parameters, what)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this module; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m synth.equivalence", description="Compare what ships with what was proven.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="catalogue entries; all when none is named")
    parser.add_argument("--what", action="append", choices=CHECKED, help="only this comparison; may be given again")
    parser.add_argument("-o", "--output", type=Path, default=Path("out/equivalence.json"), help="where the rows go (default %(default)s)")
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(chosen.names) - set(CATALOG))
    if unknown:
        parser.error(f"NAME must be one of {', '.join(CATALOG)}, was {', '.join(unknown)}")
    console, found = Console(), []
    for name in chosen.names or CATALOG:
        for what in chosen.what or CHECKED:
            with console.status(f"{name}: {what}"):
                found.append(check(CATALOG[name], what))
    table = Table(title="Equivalence", caption="verilog: to the RTLIL that was proven; others: netlist to that Verilog")
    for title in ("design", *(chosen.what or CHECKED)):
        table.add_column(title)
    for name in dict.fromkeys(one.name for one in found):
        table.add_row(name, *(_cell(one) for one in found if one.name == name))
    console.print(table)
    rows = [
        {"name": f"{one.name} {one.what}", "value": 0 if one.holds else len(one.unproven), "unit": "bits", "bar": 0, "met": one.holds,
         "compared": one.points, "seconds": round(one.seconds, 1),
         "unproven": one.unproven, "at_ports": one.at_ports}
        for one in found
    ]
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    write_json(chosen.output, {"tools": {"yosys": yowasp.version("yosys")}, "rows": rows})
    return 0 if all(one.holds for one in found) else 1


def _cell(one: Equivalence) -> str:
    if one.holds:
        how = {"": f"{one.points} bits", "PASS": "all ports", "ZEROS": "all ports, from zeros"}
        return f"[green]{how[one.at_ports]}[/]"
    return f"[red]{len(one.unproven)} of {one.points} open, at the ports {one.at_ports}: {', '.join(one.unproven[:3])}[/]"


if __name__ == "__main__":
    sys.exit(main())

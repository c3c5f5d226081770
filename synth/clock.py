"""The clock rate that a design reaches on ECP5, placed and routed inside a shell of registers.

A clock rate covers only paths between flip-flops, so the design stands in a shell that registers each of its inputs and outputs:
no path, not even one through an input, goes uncounted. The shell is made of flip-flop cells around the mapped design, after mapping:
it shares no logic with the design and nothing in it can be optimised away, and the design's netlist is the one whose area is reported.
Place and route is out of context, so that the number of ports is not bounded by a package's pins.
"""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hdl import yowasp
from hdl.cache import scratch
from synth import cache
from synth.flow import map_to
from synth.netlist import ModulePort, Netlist
from synth.targets import ECP5

DEVICE = ("--85k", "--package", "CABGA381", "--speed", "6")
DEVICE_TITLE = "LFE5U-85F-6, out of context"

SHELL = """
module unprune_shell(input {clock}, input [{inputs}-1:0] from_outside, output [{outputs}-1:0] to_outside);
  wire [{inputs}-1:0] inputs;
  wire [{outputs}-1:0] outputs;
  unprune_shell_registers #(.WIDTH({inputs})) input_registers(.clock({clock}), .d(from_outside), .q(inputs));
  unprune_shell_registers #(.WIDTH({outputs})) output_registers(.clock({clock}), .d(outputs), .q(to_outside));
  {top} design(.{clock}({clock}){connections});
endmodule
module unprune_shell_registers #(parameter WIDTH = 1) (input clock, input [WIDTH-1:0] d, output [WIDTH-1:0] q);
  for (genvar i = 0; i < WIDTH; i = i + 1) begin : bits
    (* keep *) TRELLIS_FF #(.GSR("AUTO"), .CEMUX("1"), .CLKMUX("CLK"), .LSRMUX("LSR"), .REGSET("RESET"))
      register(.CLK(clock), .LSR(1'b0), .DI(d[i]), .Q(q[i]));
  end
endmodule
"""


@dataclass(frozen=True)
class Clock:
    """Clock rate of one design.

    Attributes:
        median_mhz: Middle one of the rates (of an even number, the lower of the two in the middle), MHz to two decimals.
        per_seed: Rate per seed of place and route, MHz.
        critical_path: Where the slowest path of the middle run goes and what it is made of, one line.
    """

    median_mhz: float
    per_seed: dict[int, float]
    critical_path: str


def clock_rate(verilog: str, top: str, seeds: Sequence[int] = (1, 2, 3), *, clock: str = "aclk", fresh: bool = False) -> Clock:
    """Clock rate of module *top* of *verilog*, whose only clock is the port *clock*, on :data:`DEVICE_TITLE`.

    The same text and seeds give the same rates on every machine with the same tools. A small design takes 1 s and another for each seed;
    the second call for the same text reads the answer from the user's cache folder, unless *fresh*.

    Raises:
        hdl.yowasp.ToolError: yosys refused the text, or the design does not fit the device; one line with the tool's own error.
        ValueError: no seed, no port named *clock*, nothing but the clock on one side, or no register-to-register path at all.
    """
    if not seeds:
        raise ValueError(f"seeds must be at least one number, was {seeds!r}")
    question = ["clock", top, clock, list(seeds), DEVICE, yowasp.version("yosys"), yowasp.version("nextpnr_ecp5"), verilog]
    answer = cache.remember(question, lambda: asdict(_clock_rate(verilog, top, seeds, clock)), fresh=fresh)
    return Clock(answer["median_mhz"], {int(seed): mhz for seed, mhz in answer["per_seed"].items()}, answer["critical_path"])


def shell(top: str, ports: Sequence[ModulePort], clock: str) -> str:
    """Verilog of ``unprune_shell``: *top* with a flip-flop on each bit of *ports* but the clock; ECP5 cells."""
    if clock not in [port.name for port in ports if port.is_input]:
        raise ValueError(f"the clock of {top} must be one of its inputs {', '.join(p.name for p in ports if p.is_input)}, was {clock!r}")
    width = {True: 0, False: 0}
    connections = ""
    for port in ports:
        if port.name != clock:
            low = width[port.is_input]
            width[port.is_input] += port.bits
            connections += f", .{port.name}({'inputs' if port.is_input else 'outputs'}[{low + port.bits - 1}:{low}])"
    if not width[True] or not width[False]:
        raise ValueError(f"{top} must have an input besides its clock, and an output, had {width[True]} and {width[False]} bits")
    return SHELL.format(top=top, clock=clock, inputs=width[True], outputs=width[False], connections=connections)


def _clock_rate(verilog: str, top: str, seeds: Sequence[int], clock: str) -> Clock:
    with scratch() as name:
        folder = Path(name)
        (folder / "design.sv").write_text(verilog)
        design = f"{map_to(ECP5, top)}; write_rtlil mapped.il; select {top}; write_json -selected ports.json"
        yowasp.run("yosys", ["-q", "-p", design], folder)
        (folder / "shell.sv").write_text(shell(top, Netlist(folder / "ports.json", top).ports, clock))
        both = "read_rtlil mapped.il; setattr -mod -unset top *; read_verilog -sv shell.sv; hierarchy -check -top unprune_shell"
        yowasp.run("yosys", ["-q", "-p", f"{both}; proc; flatten; delete t:$scopeinfo; write_json shell.json"], folder)
        reports = {seed: _place_and_route(folder, seed) for seed in seeds}
    per_seed = {seed: _mhz(report, top) for seed, report in reports.items()}
    median = statistics.median_low(per_seed.values())
    middle = next(seed for seed in seeds if per_seed[seed] == median)
    return Clock(median, per_seed, _describe(reports[middle]["critical_paths"]))


def _place_and_route(folder: Path, seed: int) -> dict[str, Any]:
    arguments = ["-q", *DEVICE, "--out-of-context", "--seed", str(seed), "--json", "shell.json", "--report", "report.json"]
    yowasp.run("nextpnr_ecp5", arguments, folder)
    report: dict[str, Any] = json.loads((folder / "report.json").read_text())
    return report


def _mhz(report: dict[str, Any], top: str) -> float:
    if len(report["fmax"]) != 1:
        raise ValueError(f"{top} must have paths between flip-flops of one clock, had {len(report['fmax'])} clocks with such paths")
    (rate,) = report["fmax"].values()
    return round(float(rate["achieved"]), 2)


def _describe(paths: list[dict[str, Any]]) -> str:
    """One line about the slowest of *paths* that starts and ends at the clock."""
    clocked = [path["path"] for path in paths if path["from"] == path["to"]]
    steps = max(clocked, key=lambda path: sum(step["delay"] for step in path))
    logic = sum(step["type"] == "logic" for step in steps)
    delay = sum(step["delay"] for step in steps)
    routing = sum(step["delay"] for step in steps if step["type"] == "routing")
    ends = f"{steps[0]['from']['cell']} to {steps[-1]['to']['cell']}"
    return f"{ends}: {delay:.2f} ns, of it {routing:.2f} ns routing, through {logic} cells"

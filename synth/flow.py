"""From Verilog text to figures: synthesis by yosys for one target."""

from pathlib import Path

from hdl import yowasp
from hdl.cache import scratch
from synth import cache
from synth.figures import Figures
from synth.netlist import Netlist
from synth.targets import TARGETS, Target


def synthesise(verilog: str, top: str, target: str, *, fresh: bool = False) -> Figures:
    """Figures of module *top* of *verilog* (SystemVerilog text) on *target*, a key of :data:`synth.targets.TARGETS`.

    The same text gives the same figures on every machine with the same yosys. A call takes 0.3 s (gates) to 3 s (xc7) for a small design;
    the second one for the same text reads the answer from the user's cache folder, unless *fresh*.

    Raises:
        hdl.yowasp.ToolError: yosys refused the text; the message is one line and holds its own error.
        ValueError: no such target, or a cell that the target has no counting rule for.
    """
    if target not in TARGETS:
        raise ValueError(f"target must be one of {', '.join(TARGETS)}, was {target!r}")
    chosen = TARGETS[target]
    question = ["area", target, top, yowasp.version("yosys"), verilog]
    return Figures.from_dict(cache.remember(question, lambda: _synthesise(verilog, top, chosen).to_dict(), fresh=fresh))


def map_to(target: Target, top: str) -> str:
    """The yosys commands that read ``design.sv`` and leave *top* as one flat module of *target*'s cells."""
    return f"read_verilog -sv design.sv; {target.script.format(top=top)}; delete t:$scopeinfo"


def _synthesise(verilog: str, top: str, target: Target) -> Figures:
    with scratch() as name:
        folder = Path(name)
        (folder / "design.sv").write_text(verilog)
        # the netlist holds all figures; without the selection it would hold the target's cell library too (13 MB for xc7)
        yowasp.run("yosys", ["-q", "-p", f"{map_to(target, top)}; select {top}; write_json -selected netlist.json"], folder)
        netlist = Netlist(folder / "netlist.json", top)
    cells = netlist.count()
    rules = {kind: target.cell(kind) for kind in cells}
    sixths = sum(rules[kind].sixths * count for kind, count in cells.items())
    return Figures(
        target=target.name,
        lut=sum(rules[kind].lut * count for kind, count in cells.items()),
        ff=sum(rules[kind].ff * count for kind, count in cells.items()),
        carry=sum(rules[kind].carry * count for kind, count in cells.items()),
        ram=sum(rules[kind].ram * count for kind, count in cells.items()),
        gates=round(sixths / 6, 1) if any(rule.sixths for _, rule in target.cells) else None,
        depth=netlist.depth(target),
        cells=cells,
    )

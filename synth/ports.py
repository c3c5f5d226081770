"""Do two designs give the same at a decoder's ports, for ever? Sequential equivalence by property-directed reachability.

From a reset on the two have to agree, in every cycle: on what is ready, on what is valid, and on what is offered while it is valid. The
inputs keep the rules of AXI4-Stream: what is offered stays until it is taken, and of a beat's lanes the first ones are kept. So what no
user of the ports can ever see does not count. Before the reset the second is in any state whatever and the first in one like it, in which
registers of one name hold the same: so what is proven of the first from all its states is true of the second from all of its. Or both hold
zeros, as an FPGA does that was just configured.
"""

from collections.abc import Iterator, Mapping

from golden.params.base import Parameters
from hdl import pdr

PATIENCE = 30, 300  # seconds of each search of :func:`compare`: at first, and again where none of them came to an end


def compare(parameters: Parameters, files: Mapping[str, str], gold: str, gate: str) -> str:
    """As :func:`same` for any state before the reset; ``ZEROS`` where that is not found out, but holds from zeros.

    That takes seconds where registers have names in common, or from zeros: then those that are always the same are made one before anything
    is searched. Where neither is found out, both get more time, so that other work on the machine does not decide.
    """
    for seconds in PATIENCE:
        if (answer := same(parameters, files, gold, gate, seconds)) != "UNKNOWN":
            return answer
        if (from_zeros := same(parameters, files, gold, gate, seconds, zeros=True)) != "UNKNOWN":
            return "ZEROS" if from_zeros == "PASS" else from_zeros
    return "UNKNOWN"


def same(parameters: Parameters, files: Mapping[str, str], gold: str, gate: str, seconds: int, *, zeros: bool = False) -> str:
    """``PASS`` where the two agree for ever, ``FAIL`` where from some such states they do not, ``UNKNOWN`` where that was not found out in
    so many *seconds*.

    Args:
        parameters: Of the decoder, for its ports.
        files: Name and text of the files that *gold* and *gate* read.
        gold, gate: Commands of yosys that leave the design as one flat module that is named as *parameters* are.
        zeros: All registers of both are 0, and the first three cycles are a reset.

    Raises:
        hdl.yowasp.ToolError: yosys refused a design.
    """
    name = parameters.name
    prepare = [
        gold, f"rename {name} gold", "write_rtlil gold.il", "design -reset",
        gate, f"rename {name} gate", "write_rtlil gate.il", "design -reset",
        "read_rtlil gold.il", "read_rtlil gate.il", "read_verilog -sv -formal both.sv", "prep -top both -flatten", "",
    ]  # fmt: skip
    return pdr.decide(dict(files) | {"both.sv": _both(parameters)}, "\n".join(prepare), seconds, start="zeros" if zeros else "alike")[0]


def _both(parameters: Parameters) -> str:
    """The module that drives the two with the same inputs and asserts that their outputs are the same."""
    inputs = (parameters.shape, *parameters.inputs)
    output = f"m_axis_{parameters.output.name}"
    driven = [("aresetn", 1), (f"{output}_tready", 1)]
    compared = [f"{output}_tvalid", *(f"s_axis_{port.name}_tready" for port in inputs)]
    size = parameters.output.beat_bytes
    offered = {"tdata": 8 * size, "tkeep": size, "tlast": 1, "tuser": parameters.output.user_bits}
    rules: list[str] = []
    for port in inputs:
        prefix = f"s_axis_{port.name}"
        lines = {"tvalid": 1, "tdata": 8 * port.beat_bytes} | ({"tkeep": port.beat_bytes, "tlast": 1} if port.framed else {})
        driven += [(f"{prefix}_{line}", bits) for line, bits in lines.items()]
        held = f"{{{', '.join(f'{prefix}_{line}' for line in lines)}}}"
        bits = sum(lines.values())
        rules += [
            f"reg [{bits - 1}:0] {prefix}_was; reg {prefix}_waits = 0;",
            f"always @(posedge aclk) {prefix}_was <= {held};",
            f"always @(posedge aclk) {prefix}_waits <= aresetn && {prefix}_tvalid && !gold_{prefix}_tready;",
            f"always @* if ({prefix}_waits && aresetn) assume({held} == {prefix}_was);",
        ]
        if port.framed:
            kept = [f"{prefix}_tkeep[{lane * port.lane_bytes}]" for lane in range(port.lanes)]
            rules += [f"always @* assume(!{prefix}_tvalid || {kept[lane]} || !{kept[lane + 1]});" for lane in range(port.lanes - 1)]
    wires = dict.fromkeys(compared, 1) | {f"{output}_{line}": bits for line, bits in offered.items()}
    return "\n".join([
        f"module both(input aclk, {', '.join(f'input [{bits - 1}:0] {line}' for line, bits in driven)});",
        *(f"wire [{bits - 1}:0] gold_{line}, gate_{line};" for line, bits in wires.items()),
        *_instances([line for line, _ in driven], list(wires)),
        "reg begun = 0; always @(posedge aclk) if (!aresetn) begun <= 1;", "always @* if (begun) begin",
        *(f"  assert(gold_{line} == gate_{line});" for line in compared),
        *(f"  if (gold_{output}_tvalid) assert(gold_{output}_{line} == gate_{output}_{line});" for line in offered), "end", *rules,
        "endmodule", "",
    ])  # fmt: skip


def _instances(driven: list[str], wires: list[str]) -> Iterator[str]:
    for side, instance in zip(("gold", "gate"), pdr.SIDES, strict=True):
        ports = [f".{line}({line})" for line in ["aclk", *driven]] + [f".{line}({side}_{line})" for line in wires]
        yield f"{side} {instance[:-1]}({', '.join(ports)});"

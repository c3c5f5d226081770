"""The cases of the contract that a simulation is to reach at a decoder's ports, as SystemVerilog ``cover property`` statements."""

from collections.abc import Iterator

from golden.params.base import Parameters, Port


def cover(source: str, parameters: Parameters) -> str:
    """The decoder's Verilog *source* with a cover for each case at its ports; nothing else changes."""
    points = [*_shape(parameters.shape), *(point for port in parameters.inputs for point in _input(port)), *_output(parameters)]
    watched = _WATCHED.format(port=f"m_axis_{parameters.output.name}", bits=parameters.output.user_bits - 1)
    covers = "".join(f"  cover property (@(posedge aclk) {condition});  // {what}\n" for what, condition in points)
    return source.replace("endmodule", f"{watched}{covers}endmodule", 1)


# `it_goes`: an output beat does; `it_ended`: a matrix, in the cycle before, and `its_code`; `in_part`: a matrix has come out in part.
_WATCHED = """
  wire it_goes = aresetn & {port}_tvalid & {port}_tready;
  reg it_ended = 1'b0, in_part = 1'b0;
  reg [{bits}:0] its_code;
  always_ff @(posedge aclk) begin
    it_ended <= it_goes & {port}_tlast;
    if (!aresetn) in_part <= 1'b0;
    else if (it_goes) in_part <= ~{port}_tlast;
    if (!aresetn) its_code <= '0;
    else if (it_goes & {port}_tlast) its_code <= {port}_tuser;
  end
"""


def _stalls(name: str, port: str) -> Iterator[tuple[str, str]]:
    yield f"{name}: offered, and not taken", f"aresetn && {port}_tvalid && !{port}_tready"
    yield f"{name}: wanted, and not offered", f"aresetn && !{port}_tvalid && {port}_tready"


def _shape(port: Port) -> Iterator[tuple[str, str]]:
    yield from _stalls(port.name, f"s_axis_{port.name}")


def _input(port: Port) -> Iterator[tuple[str, str]]:
    name = f"s_axis_{port.name}"
    taken = f"aresetn && {name}_tvalid && {name}_tready"
    yield from _stalls(port.name, name)
    yield f"{port.name}: a beat without data that is not the last", f"{taken} && !{name}_tlast && {name}_tkeep == '0"
    yield f"{port.name}: a share without data, or ended by a beat without", f"{taken} && {name}_tlast && {name}_tkeep == '0"
    yield f"{port.name}: the last beat is full", f"{taken} && {name}_tlast && {name}_tkeep == '1"
    if port.lanes > 1:
        yield f"{port.name}: the last beat is not full", f"{taken} && {name}_tlast && {name}_tkeep != '1 && {name}_tkeep != '0"


def _output(p: Parameters) -> Iterator[tuple[str, str]]:
    name = f"m_axis_{p.output.name}"
    last = f"it_goes && {name}_tlast"
    good = f"{last} && {name}_tuser == 0"
    yield from _stalls(p.output.name, name)
    yield "a matrix without elements", f"{last} && {name}_tkeep == '0"
    yield "a matrix of one beat, full", f"{good} && !in_part && {name}_tkeep == '1"
    yield "a matrix of several beats, the last full", f"{good} && in_part && {name}_tkeep == '1"
    if p.output.lanes > 1:
        yield "a matrix of one beat, not full", f"{good} && !in_part && {name}_tkeep != '1 && {name}_tkeep != '0"
        yield "a matrix of several beats, the last not full", f"{good} && in_part && {name}_tkeep != '1"
    yield "no idle cycle between matrices", "it_ended && it_goes"
    yield "a reset in the midst of a matrix", "!aresetn && in_part"
    for error in p.errors:
        if error.value:
            yield f"{error.name}", f"{last} && {name}_tuser == {error.value}"
            yield f"a good matrix after {error.name}", f"{good} && {name}_tkeep != '0 && its_code == {error.value}"
            yield f"{error.name} after {error.name}", f"{last} && {name}_tuser == {error.value} && its_code == {error.value}"

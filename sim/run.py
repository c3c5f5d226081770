"""Simulate a decoder: emit its Verilog, build the simulation (once for each text, tool and option), run benches and read what they say."""

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version as package_version
from pathlib import Path
from typing import Any

from golden.params.base import Parameters
from hdl.emit import emit
from sim import tools, worker

_KEPT = 512  # simulations in the cache, about 2 MB each; the longest unused go first


@dataclass(frozen=True)
class Outcome:
    """What became of one cocotb test."""

    name: str  # module.function, with parameters if it has any
    message: str  # first line of the failure, "" where it passed
    simulated_ns: float
    seconds: float

    @property
    def passed(self) -> bool:
        """True where nothing failed."""
        return not self.message


@dataclass(frozen=True)
class Simulated:
    """A simulation in which every test passed."""

    outcomes: tuple[Outcome, ...]  # at least one
    simulated_ns: float
    seconds: float  # wall time of the simulator, its start included
    build_seconds: float  # wall time until the simulation was ready to run
    cached: bool  # True where it had been built before
    log: Path


class SimulationFailed(RuntimeError):  # noqa: N818 (an event, not an error of the caller)
    """A build or a test failed, or no test ran. The message is one line and ends with the log file's path.

    Attributes:
        outcomes: All tests that ended, passed and failed; empty where the build failed.
        log: What the tool printed.
    """

    def __init__(self, message: str, log: Path, outcomes: tuple[Outcome, ...] = ()) -> None:
        super().__init__(f"{message} (log: {log})")
        self.log = log
        self.outcomes = outcomes


def simulate(
    parameters: Parameters, bench: str | Sequence[str], *, folder: Path, simulator: str = "verilator",
    environment: Mapping[str, str] | None = None, seed: int = 1, coverage: bool = False, waves: bool = False,
) -> Simulated:
    """Emit the decoder of *parameters* into *folder* and run the bench (or benches) ``sim.BENCH`` against it.

    The bench finds the parameters as JSON in ``UNPRUNE_PARAMETERS``. Everything else is as in :func:`simulate_verilog`.
    """
    _check(simulator, coverage)  # before anything is made
    benches = [bench] if isinstance(bench, str) else list(bench)
    source = emit(parameters, folder)
    return simulate_verilog(
        source, [f"sim.{name}" for name in benches], top=parameters.name, folder=folder, simulator=simulator,
        environment=dict(environment or {}) | {"UNPRUNE_PARAMETERS": parameters.to_json()}, seed=seed, coverage=coverage, waves=waves,
    )


def simulate_verilog(
    source: Path, modules: Sequence[str], *, top: str, folder: Path, simulator: str = "verilator",
    environment: Mapping[str, str] | None = None, seed: int = 1, coverage: bool = False, waves: bool = False,
) -> Simulated:
    """Run the cocotb tests of *modules*, one after the other in one simulator, against the module *top* in *source*.

    Args:
        folder: Takes the logs (``TOP.SIMULATOR.build.log``, ``TOP.SIMULATOR.log``), the results and, as asked for, ``coverage.dat``
            (Verilator only) and ``TOP.vcd`` or ``TOP.fst``. Calls that run at the same time need folders of their own.
        simulator: ``"verilator"`` or ``"icarus"``.
        environment: Variables for the benches, on top of this process's.
        seed: ``cocotb.RANDOM_SEED``; with Verilator also of the values of registers before reset.

    Raises:
        SimulationFailed: the build or a test failed, or no test ran.
        ToolMissing: this machine lacks a tool.
    """
    _check(simulator, coverage)
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    built, cached = _build(source.absolute(), top, folder, simulator, coverage, waves)
    ready = time.monotonic()
    log, results = folder / f"{top}.{simulator}.log", folder / f"{top}.{simulator}.xml"
    arguments = {
        "simulator": simulator, "top": top, "built": str(built), "folder": str(folder), "modules": list(modules), "results": str(results),
        "seed": seed, "coverage": coverage, "waves": waves,
    }
    results.unlink(missing_ok=True)
    code = _run_worker("test", arguments, log, environment or {})
    outcomes = _read(results) if results.exists() else ()
    _require_passed(outcomes, code, top, log)
    return Simulated(outcomes, sum(o.simulated_ns for o in outcomes), time.monotonic() - ready, ready - start, cached, log)


def _check(simulator: str, coverage: bool) -> None:
    tools.require_known(simulator)
    if coverage and simulator != "verilator":
        raise ValueError(f"coverage must be False with {simulator}, was True")


def _require_passed(outcomes: tuple[Outcome, ...], code: int, top: str, log: Path) -> None:
    failed = [outcome for outcome in outcomes if not outcome.passed]
    if failed:
        more = f" and {len(failed) - 1} more" if len(failed) > 1 else ""
        raise SimulationFailed(f"{top}: {failed[0].name} failed{more}: {failed[0].message}", log, outcomes)
    if not outcomes:
        raise SimulationFailed(f"{top}: no test ran: {_last_error(log)}", log)
    if code:
        raise SimulationFailed(f"{top}: the simulator stopped with exit code {code}: {_last_error(log)}", log, outcomes)


def _build(source: Path, top: str, folder: Path, simulator: str, coverage: bool, waves: bool) -> tuple[Path, bool]:
    """The folder with the simulation, and whether it had been built before."""
    tools.check(simulator)
    shims = tools.shim_folder()
    made_by = [tools.version(simulator), package_version("cocotb"), str(shims), Path(worker.__file__).read_text()]
    made_by += [tools.compiler_version()] if simulator == "verilator" else []
    key = hashlib.sha256(json.dumps([source.read_text(), top, coverage, waves, made_by]).encode()).hexdigest()[:32]
    kept = tools.cache_folder() / "simulators" / key
    kept.parent.mkdir(exist_ok=True)
    with (kept.parent / f"{key}.lock").open("w") as lock:  # of two that need the same simulation, one builds and the other waits
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept.exists():
            os.utime(kept)
            return kept, True
        with tempfile.TemporaryDirectory(prefix="build-", dir=tools.cache_folder()) as temporary:
            arguments = {
                "simulator": simulator, "source": str(source), "top": top, "folder": f"{temporary}/build",
                "coverage": coverage, "waves": waves,
            }
            log = folder / f"{top}.{simulator}.build.log"
            if _run_worker("build", arguments, log, {}):
                raise SimulationFailed(f"{top}: {simulator} cannot build it: {_first_error(log)}", log)
            binary = top if simulator == "verilator" else "sim.vvp"
            made = Path(temporary) / key
            made.mkdir()
            shutil.copy2(Path(temporary) / "build" / binary, made / binary)
            tools.keep(made, kept)
    tools.forget(kept.parent, _KEPT)
    return kept, False


def _run_worker(step: str, arguments: dict[str, Any], log: Path, environment: Mapping[str, str]) -> int:
    """Run :mod:`sim.worker` with its output in *log*; gives its exit code. Nothing that it started outlives this call."""
    # make's and the user's own settings for cocotb and pytest would change what is built or which tests run.
    unwanted = ("COCOTB_", "PYTEST_", "MAKE", "MFLAGS", "WAVES", "GUI", "SIM_CMD_")
    variables = {name: value for name, value in tools.environment().items() if not name.startswith(unwanted)}
    variables |= {"COCOTB_ANSI_OUTPUT": "0"} | dict(environment)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as request, log.open("wb") as output:
        json.dump({"step": step, "shims": str(tools.shim_folder()), "arguments": arguments}, request)
        request.flush()
        process = subprocess.Popen(
            [sys.executable, "-m", "sim.worker", request.name],
            stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, env=variables, start_new_session=True,
        )
        try:
            return process.wait()
        finally:
            if process.returncode is None:  # Ctrl-C: it reaches only this process, the other's session is its own
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if process.stdin is not None:
                process.stdin.close()


def _read(results: Path) -> tuple[Outcome, ...]:
    """The outcomes in cocotb's results file."""
    outcomes = []
    for case in ElementTree.parse(results).getroot().iter("testcase"):
        bad = next((child for child in case if child.tag in ("failure", "error")), None)
        message = "" if bad is None else _first_line(bad)
        properties = {item.get("name"): item.get("value") for item in case.iter("property")}
        name = f"{case.get('classname')}.{case.get('name')}"
        outcomes.append(Outcome(name, message, float(properties.get("sim_time_duration") or 0), float(case.get("time") or 0)))
    return tuple(outcomes)


def _first_line(failure: ElementTree.Element) -> str:
    text = failure.get("error_msg") or failure.get("message") or failure.text or "no message"
    return text.strip().splitlines()[0]


def _first_error(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines[-1:] or ["it said nothing"])[0]


def _last_error(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return (errors or lines or ["the simulator said nothing"])[-1]

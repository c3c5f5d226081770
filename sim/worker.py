"""The process that builds and runs one simulation, started by :mod:`sim.run`: cocotb's runner reads its settings from the environment,
which is therefore set for this process alone.

Reads one JSON object from the file named as its argument. Its standard input is a pipe that the starting process holds open and never
writes to: when that process is gone, however it went, the pipe ends and this process ends with everything that it started.
"""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import cocotb_tools.config
from cocotb_tools.runner import Runner, Verilator, get_runner

TIMESCALE = ("1ns", "1ps")


class PortsOnly(Verilator):
    """Verilator with the top module alone open to the bench.

    cocotb's own runner opens every signal of every module, and keeps Verilator from optimising any of them away: a wide decoder then
    takes four times as long to build and twice as long to run.
    """

    def _build_command(self) -> list[list[str]]:
        commands: list[list[str]] = super()._build_command()
        commands[0].remove("--public-flat-rw")
        return commands


def _runner(simulator: str) -> Runner:
    return PortsOnly() if simulator == "verilator" else get_runner(simulator)


def main(request: dict[str, Any]) -> None:
    """Build (``request["step"] == "build"``) or run a simulation; output goes to standard output."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # make and the linker cannot take a space in a path, and these two are wherever Python is installed: go by the links.
    cocotb_tools.config.libs_dir = Path(request["shims"]) / "libs"
    cocotb_tools.config.share_dir = Path(request["shims"]) / "share"
    if request["step"] == "build":
        build(**request["arguments"])
    else:
        test(**request["arguments"])


def build(simulator: str, source: str, top: str, folder: str, coverage: bool, waves: bool) -> None:
    """Compile *source* into *folder*."""
    sources = [source]
    if simulator == "verilator":
        control = Path(folder).with_suffix(".vlt")
        control.write_text(f'`verilator_config\npublic_flat_rw -module "{top}" -var "*"\n')
        sources.insert(0, str(control))
    # A register without a reset starts with a random value, so that a bench sees it in two-state simulation too.
    # Warnings stay in the log: whether the Verilog is clean is for the tests of hdl to say, not for a user's simulation.
    arguments = ["--x-assign", "unique", "--x-initial", "unique", "-Wno-fatal"] if simulator == "verilator" else []
    _runner(simulator).build(
        sources=sources, hdl_toplevel=top, build_dir=folder, build_args=arguments + ["--coverage"] * coverage,
        timescale=TIMESCALE, waves=waves, always=True,
    )


def test(
    simulator: str, top: str, built: str, folder: str, modules: list[str], results: str, seed: int, coverage: bool, waves: bool
) -> None:
    """Run the benches *modules* with the simulation in *built*; *folder* is the working folder and takes all that is written."""
    arguments = []
    if simulator == "verilator":
        plus = ["+verilator+rand+reset+2", f"+verilator+seed+{seed % (2**31 - 1) + 1}"]
        plus += [f"+verilator+coverage+file+{folder}/coverage.dat"] * coverage
        arguments = ["--trace-file", f"{folder}/{top}.vcd"] if waves else []
    else:
        plus = [f"+dumpfile_path={folder}/{top}.fst"] if waves else []
    _runner(simulator).test(
        test_module=modules, hdl_toplevel=top, hdl_toplevel_lang="verilog", build_dir=built, test_dir=folder, results_xml=results,
        seed=seed, plusargs=plus, test_args=arguments, waves=waves, timescale=TIMESCALE,
    )


def _end_with_parent() -> None:
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))

"""Synthesis beside other work: a process of its own that measures decoders, one a core at a time, while this one encodes and simulates.

As a script it is that process: it reads one JSON object on its standard input and prints a line of JSON for each decoder. The starting
process holds the input open; when that process is gone, however it went, the input ends and all tools started here end with it.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from golden.catalog import from_dict
from golden.params.base import Parameters
from hdl.yowasp import ToolError
from synth.clock import Clock
from synth.cost import Cost, measure
from synth.figures import Figures


class Costing:
    """The costs of several decoders, measured in the background; made by :func:`costing`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._costs: dict[str, Cost] = {}

    def get(self, name: str) -> Cost:
        """Wait for the cost of the decoder *name*, which must be one of those asked for.

        Raises:
            ToolError: a tool refused a decoder, or the process ended; one line.
        """
        while name not in self._costs:
            line = self._process.stdout.readline() if self._process.stdout else ""
            if not line:
                raise ToolError(f"the synthesis of {name} ended without a result (exit code {self._process.wait()})")
            answer = json.loads(line)
            if "error" in answer:
                raise ToolError(answer["error"])
            cost = _cost_from(answer)
            self._costs[cost.name] = cost
        return self._costs[name]


@contextmanager
def costing(designs: Sequence[Parameters], targets: Sequence[str], *, clock: bool) -> Iterator[Costing]:
    """Start to measure *designs* on *targets* (with *clock*, place and route them too) in their order; ended with the ``with`` block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "unprune.costing"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        start_new_session=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(entry or "." for entry in sys.path)},
    )
    try:
        request = {"designs": [parameters.to_dict() for parameters in designs], "targets": list(targets), "clock": clock}
        if process.stdin:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        yield Costing(process)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


def _cost_from(answer: dict[str, Any]) -> Cost:
    figures = {target: Figures.from_dict(values) for target, values in answer["figures"].items()}
    clock = answer["clock"]
    if not clock:
        return Cost(answer["name"], figures, None)
    per_seed = {int(seed): mhz for seed, mhz in clock["per_seed"].items()}
    return Cost(answer["name"], figures, Clock(clock["median_mhz"], per_seed, clock["critical_path"]))


def _serve() -> None:
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # the tools are processes of their own
        work = [pool.submit(measure, from_dict(values), request["targets"], clock=request["clock"]) for values in request["designs"]]
        try:
            for cost in (one.result() for one in work):
                figures = {target: one.to_dict() for target, one in cost.figures.items()}
                clock = vars(cost.clock) if cost.clock else None
                print(json.dumps({"name": cost.name, "figures": figures, "clock": clock}), flush=True)
        except (ToolError, OSError, ValueError) as error:
            print(json.dumps({"error": str(error)}), flush=True)
            pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    _serve()

"""Coroutines that every format's bench reuses to hold a decoder to the contract.

A format's bench, ``sim/bench_FORMAT.py``, reads like this::

    from sim.bench_contract import measure_rate, reset_midway, run_matrices
    from sim.testbench import PATTERNS, parameters

    @cocotb.test(timeout_time=10, timeout_unit="ms")
    @cocotb.parametrize(idle=PATTERNS, pressure=PATTERNS)
    async def random_matrices(dut, idle, pressure):
        await run_matrices(dut, matrices(parameters()), idle=idle, pressure=pressure)

A *matrix* is given as its shares: a mapping from port name (``"shape"`` included) to the elements on that port.
``None`` is a beat with ``tkeep`` 0, ``[]`` is one such beat with ``tlast``; the last beat of a share always has ``tlast``.
"""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cocotb.triggers import ClockCycles

from golden.bits import Element
from golden.decoded import Decoded
from golden.params.base import Parameters
from sim.testbench import Shares, Testbench, parameters


@dataclass(frozen=True)
class Rate:
    """What :func:`measure_rate` found, in clock cycles."""

    latency: int  # from the edge that takes the deciding beats to the first edge that can take the output beat
    beats_per_cycle: float  # output beats per cycle from the first to the last beat of one matrix, 1.0 at full rate
    elements_per_cycle: float  # elements per cycle over the same stretch
    gap: int  # idle output cycles between the last beat of a matrix and the first beat of the next, 0 at full rate


def golden(shares: Shares, decoder: Parameters) -> Decoded:
    """What ``golden`` says that hardware gives for one matrix."""
    decoded: Decoded = importlib.import_module(f"golden.{decoder.format}").decode(shares, decoder)
    return decoded


def wrong_lengths(share: Sequence[Element | None], lanes: int) -> list[list[Element | None]]:
    """*share*, first as it is, then too long or too short in several ways, for a stream of *lanes*; the last one lacks nothing but that a
    beat ends after its first element.
    """
    long = [[*share, None], [*share, 0], [*share, *share]]
    short = [share[:-1], share[:lanes], [], [None], [*share[:-1], None], [None, *share[:-2], None]]
    return [list(one) for one in (share, *long, *short, [*share[:1], None, *share[1:]])]


async def run_matrices(dut: Any, matrices: Sequence[Shares], *, idle: str = "none", pressure: str = "none") -> int:
    """Reset, send all *matrices* back to back, compare each with ``golden`` and require that nothing is left over.

    *idle* and *pressure* name stall patterns (:data:`sim.testbench.PATTERNS`) of the sources and of the sink.
    Returns the clock cycles from the first accepted input beat to the last output beat, both included.
    """
    bench = Testbench(dut, parameters(), idle=idle, pressure=pressure)
    await bench.start()
    for shares in matrices:
        bench.send(shares)
    for number, shares in enumerate(matrices):
        await bench.check(golden(shares, bench.parameters), f"matrix {number} of {len(matrices)}")
    await bench.finish()
    return bench.monitor.taken[""][-1] - bench.monitor.taken["shape"][0] + 1


async def measure_rate(dut: Any, shares: Shares, *, output_beat: int = 0, deciding: Mapping[str, int] | None = None) -> Rate:
    """Reset, send one matrix three times back to back with no stalls and measure latency, rate and gap; values are checked too.

    Latency counts to output beat *output_beat* of the first matrix from the edge at which the last of the *deciding* beats (port name ->
    beat number in its share, the default is beat 0 of every port, shape included) was taken; where those beats decide that output beat
    it must be ``parameters().latency``. Rate and gap are of the second matrix, in steady state. The share must give an output beat.
    """
    bench = Testbench(dut, parameters())
    await bench.start()
    decoded = golden(shares, bench.parameters)
    frames = []
    for _ in range(3):
        bench.send(shares)
    for number in range(3):
        frames.append(await bench.check(decoded, f"matrix {number} of 3"))
    await bench.finish()
    taken, beats = bench.monitor.taken, len(frames[0].tdata)
    decided = max(taken[name][beat] for name, beat in (deciding or dict.fromkeys(shares, 0)).items())
    second = taken[""][beats : 2 * beats]
    cycles = second[-1] - second[0] + 1
    return Rate(
        latency=bench.monitor.offered[output_beat] - decided,
        beats_per_cycle=beats / cycles,
        elements_per_cycle=len(decoded.elements) / cycles,
        gap=taken[""][2 * beats] - second[-1] - 1,
    )


async def reset_midway(dut: Any, shares: Shares, *, cycles: int = 7) -> None:
    """Start a matrix, reset after *cycles* clock cycles, and require that the same matrix then decodes as after power-up.

    Fails where ``tvalid`` is high during the reset or a beat of the interrupted matrix comes out after it.
    """
    bench = Testbench(dut, parameters())
    await bench.start()
    bench.send(shares)
    await ClockCycles(dut.aclk, cycles)
    await bench.reset()
    beats = bench.monitor.beats_out
    await ClockCycles(dut.aclk, 16)
    assert bench.monitor.beats_out == beats, "a beat of the matrix before the reset came out after it"
    assert not bench.monitor.valid, "a beat of the matrix before the reset is on offer after it"
    bench.send(shares)
    await bench.check(golden(shares, bench.parameters), "the matrix after the reset")
    await bench.finish()

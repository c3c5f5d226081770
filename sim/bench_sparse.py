"""Holds the sparse view of a decoder to the contract: truth under stalls, errors in band, and its rate, whatever decoder is viewed."""

import random
from typing import Any, cast

import cocotb

from golden import sparse
from golden.bits import Element
from golden.params.base import Error, Port
from golden.params.nm import NmParameters
from golden.params.pairs import PairParameters
from golden.params.planes import PlanesParameters
from golden.params.sparse import SparseParameters
from golden.params.viterbi_weight import ViterbiWeightParameters
from sim.bench_contract import golden, measure_rate, reset_midway, run_matrices
from sim.testbench import PATTERNS, Shares, parameters


def view() -> SparseParameters:
    """The parameters of the view under test."""
    return cast(SparseParameters, parameters())


def rows_of(flat: list[int], columns: int) -> list[list[int]]:
    """*flat* as rows of *columns* weights where rows start new beats, else as one; what is left over, or of too many rows, is dropped."""
    p = view()
    if not p.of.rows_apart:
        return [flat]
    columns = min(len(flat), columns)
    most = (1 << p.of.shape.fields[0].bits) - 1
    return [flat[start : start + columns] for start in range(0, len(flat) - columns + 1, columns or 1)][:most]


def matrix(count: int, density: float, *, full: bool = False) -> dict[str, list[Element | None]]:
    """A matrix of *count* weights (or as many as the widths allow), each a survivor with probability *density* where the format lets it.

    Rows that start new beats have a beat and one weight more, so that every other beat is partial; with *full* they have three beats.
    """
    p, of = view(), view().of
    generator = random.Random(f"{cocotb.RANDOM_SEED} {count} {density}")
    values = range(1, 1 << min(p.output.fields[1].bits, getattr(of, "code_bits", 64)))
    count = min(count, (1 << p.count_bits) - 1)
    flat = [generator.choice(values) if generator.random() < density else 0 for _ in range(count)]
    if isinstance(of, NmParameters):
        for start in range(0, count, of.m):
            survivors = [place for place in range(start, min(start + of.m, count)) if flat[place]]
            for place in survivors[of.n :]:
                flat[place] = 0
    gains = [1 if weight else -1 for weight in flat] if isinstance(of, ViterbiWeightParameters) else None
    return sparse.encode(rows_of(flat, 3 * of.output.lanes if full else of.output.lanes + 1), p, gains=gains)


def matrices() -> list[dict[str, list[Element | None]]]:
    """Sizes at the edges of the decoder's beats; no survivor, few, all."""
    lanes = view().of.output.lanes
    sizes = [0, 1, 2, lanes - 1, lanes, lanes + 1, 3 * lanes, 5 * lanes + 1]
    return [matrix(size, density) for size in sizes for density in (0.0, 0.15, 1.0)]


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(idle=PATTERNS, pressure=PATTERNS)
async def matrices_under_stalls(dut: Any, idle: str, pressure: str) -> None:
    """Matrices of all interesting sizes and densities follow each other under every pair of stall patterns."""
    shuffled = matrices()
    random.Random(f"{cocotb.RANDOM_SEED} {idle} {pressure}").shuffle(shuffled)
    await run_matrices(dut, shuffled, idle=idle, pressure=pressure)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def malformed(dut: Any, stall: str) -> None:
    """The decoder's error stands on the last beat, be it a survivor or one without data; the next matrix is untouched."""
    p = view()
    bad: list[Shares] = []
    for density in (0.0, 0.3, 1.0):
        whole = matrix(4 * p.of.output.lanes + 1, density)
        for port in p.inputs:
            share = whole[port.name]
            more = share[:1] or [(0,) * len(port.fields) if len(port.fields) > 1 else 0]
            wrong = [share[:-1], share[: len(share) // 2], [], [*share, *more], [*share, None, *more]]
            bad += [whole | {port.name: one} for one in wrong]
    assert {golden(shares, p).error for shares in bad} >= {Error.SHORT}
    await run_matrices(dut, [one for shares in bad for one in (shares, matrix(9, 0.4))], idle=stall, pressure=stall)


def deciding_beat(shares: dict[str, list[Element | None]], port: Port) -> int:
    """The beat of a stream without which the decoder cannot give its first dense beat."""
    p = view()
    lanes, share = p.of.output.lanes, shares[port.name]
    first = golden(shares, p).elements[:lanes]
    parts = (shares | {port.name: [*share[:count], None]} for count in range(1, len(share) + 1))
    needed = next(count for count, part in enumerate(parts, 1) if golden(part, p).elements[:lanes] == first)
    return (needed - 1) // port.lanes


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def one_survivor_a_cycle(dut: Any) -> None:
    """Weights none of which is 0 come one a cycle from matrix to matrix; after the latency stated, where golden knows what decides it."""
    p = view()
    shares = matrix(24 * p.of.output.lanes, 1.0, full=True)
    rate = await measure_rate(dut, shares, deciding={"shape": 0} | {port.name: deciding_beat(shares, port) for port in p.inputs})
    if not isinstance(p.of, PlanesParameters):  # where nothing is 0 they have more patches than they take in time
        assert (rate.beats_per_cycle, rate.gap) == (1.0, 0), rate
    if isinstance(p.of, PairParameters):
        assert rate.latency == p.latency, rate


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def a_cycle_for_a_beat_of_zeros(dut: Any) -> None:
    """Zeros are skipped a whole dense beat a cycle."""
    lanes = view().of.output.lanes
    many, one = (matrix(beats * lanes, 0.0, full=True) for beats in (40, 1))
    cycles, fewest = await run_matrices(dut, [many]), await run_matrices(dut, [one])
    shape: Any = many["shape"][0]
    beats = -(-view().of.weights_of(shape if isinstance(shape, tuple) else (shape,)) // lanes)  # rows are of full beats
    assert cycles - fewest == beats - 1, f"{beats - 1} beats of zeros more took {cycles - fewest} cycles more"


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(cycles=[1, 3, 7, 12])
async def reset_in_flight(dut: Any, cycles: int) -> None:
    """After a reset in the midst of a matrix the next one decodes as after power-up."""
    await reset_midway(dut, matrix(40 * view().of.output.lanes, 0.3), cycles=cycles)

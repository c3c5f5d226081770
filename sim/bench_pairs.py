"""What the benches of all decoders of (run, level) pairs share: well-formed matrices under stalls, rates and latency, resets.

A bench imports the tests that it takes from here, and adds what is malformed in its own format.
"""

import importlib
import itertools
import random
from typing import Any, cast

import cocotb

from golden.params.pairs import PairParameters
from golden.rlc import cut_runs
from sim.bench_contract import measure_rate, reset_midway, run_matrices
from sim.testbench import PATTERNS, Shares, parameters

DENSITIES = (0.0, 0.02, 0.1, 0.3, 0.5, 0.75, 1.0)
EYERISS_RATES = {1.0: 3.0, 0.75: 3.6, 0.5: 3.9, 0.3: 3.98}  # elements per cycle, three pairs a word on 4 lanes: at least


def decoder() -> PairParameters:
    """The parameters of the decoder under test."""
    return cast(PairParameters, parameters())


def encode(flat: list[int]) -> Shares:
    """The shares of the matrix of these elements."""
    shares: Shares = importlib.import_module(f"golden.{decoder().format}").encode([flat], decoder())
    return shares


def most() -> int:
    """The most elements that a matrix of these tests has."""
    return min(40 * decoder().lanes * decoder().pairs_per_word, (1 << decoder().count_bits) - 1)


def random_elements(count: int, density: float = 0.5) -> list[int]:
    """*count* elements, a share of *density* of them not 0."""
    generator = random.Random(f"{cocotb.RANDOM_SEED} {count} {density}")
    level = range(1, 1 << decoder().level_bits)
    return [generator.choice(level) if generator.random() < density else 0 for _ in range(count)]


def random_matrix(count: int, density: float = 0.5) -> Shares:
    """A well-formed matrix of :func:`random_elements`."""
    return encode(random_elements(count, density))


def random_runs(generator: random.Random) -> list[int]:
    """Up to 11 runs, most of them short."""
    return [generator.choice((0, 0, 1, generator.randrange(decoder().longest_run + 1))) for _ in range(generator.randrange(12))]


def near(total: int, generator: random.Random) -> int:
    """*total*, or a count of elements that is a little or much off."""
    lanes = decoder().lanes
    count = total + generator.choice((0, 0, 0, 0, -1, 1, -2, 2, lanes, -lanes, generator.randrange(-total, total + 1)))
    return min(max(0, count), (1 << decoder().count_bits) - 1)


def some(end: int) -> list[int]:
    """A few numbers from 0 to *end* - 1: the first, the last, in between, and at the edges of a beat."""
    lanes = decoder().lanes
    return [n for n in sorted({0, 1, 2, lanes - 1, lanes, lanes + 1, end // 3, end // 2, end - 2, end - 1}) if 0 <= n < end]


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(idle=PATTERNS, pressure=PATTERNS)
async def matrices_under_stalls(dut: Any, idle: str, pressure: str) -> None:
    """Matrices of all sizes at the edges of beats and words, sparse and dense, follow each other under every pair of stall patterns."""
    p = decoder()
    longest = p.longest_run + 1
    edges = [p.lanes, 2 * p.lanes, longest, p.pairs_per_word * p.lanes]
    counts = [0, 1, 0, 0, *(edge + offset for edge in edges for offset in (-1, 0, 1)), 1, 2 * longest + p.lanes // 2 + 1]
    counts = [min(count, most(), 300) for count in counts]
    matrices = [random_matrix(count, density) for count, density in zip(counts, itertools.cycle(DENSITIES))]
    await run_matrices(dut, matrices, idle=idle, pressure=pressure)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(density=DENSITIES)
async def densities(dut: Any, density: float) -> None:
    """Larger matrices, and each count from 0 upward, at one density."""
    counts = [most(), *range(min(4 * decoder().lanes + 2, most()))]
    await run_matrices(dut, [random_matrix(count, density) for count in counts], idle="mixed", pressure="random")


def cycles_of(flat: list[int]) -> int:
    """The clock cycles that the docstring of the decoder promises for a matrix of these elements, the last of which is not 0."""
    p = decoder()
    pairs = cut_runs(flat, p.longest_run)
    words = [sum(run + 1 for run, _ in pairs[start : start + p.pairs_per_word]) for start in range(0, len(pairs), p.pairs_per_word)]
    cycles = given = 0
    for elements in words[:-1]:
        complete = (given + elements) // p.lanes - given // p.lanes
        given += elements
        cycles += max(1, complete)
    return cycles + -(-len(flat) // p.lanes) - given // p.lanes


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(density=DENSITIES)
async def stated_rate(dut: Any, density: float) -> None:
    """Without stalls a matrix takes the latency and the cycles that the docstring states, and not one more."""
    flat = random_elements(min(1998 * decoder().lanes, 7992, (1 << decoder().count_bits) - 1), density)
    flat[-1] = flat[-1] or 1
    cycles = await run_matrices(dut, [encode(flat)]) - decoder().latency
    assert cycles == cycles_of(flat), f"{cycles} cycles, must be {cycles_of(flat)}"
    if (decoder().pairs_per_word, decoder().lanes) == (3, 4) and density in EYERISS_RATES:
        rate = len(flat) / cycles
        assert rate >= EYERISS_RATES[density], f"{rate:.3f} elements per cycle, must be at least {EYERISS_RATES[density]}"


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def full_rate(dut: Any) -> None:
    """Where each word completes a beat there is one in every cycle, from matrix to matrix too; the latency is the one stated."""
    p = decoder()
    words = min(12 * p.lanes, most() // (p.pairs_per_word * (p.longest_run + 1)))
    rate = await measure_rate(dut, encode(([0] * p.longest_run + [1]) * p.pairs_per_word * words))
    if p.pairs_per_word * (p.longest_run + 1) >= p.lanes:
        assert (rate.latency, rate.beats_per_cycle, rate.gap) == (p.latency, 1.0, 0), rate
    else:
        assert rate.elements_per_cycle >= p.pairs_per_word * (p.longest_run + 1), rate


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def short_matrices_at_full_rate(dut: Any) -> None:
    """Matrices of one word and one beat follow each other without an idle cycle, empty ones among them."""
    cycles = await run_matrices(dut, [random_matrix(1, 1.0), random_matrix(0)] * 32)
    assert cycles == 64 + decoder().latency, f"64 matrices of one beat took {cycles} cycles"


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(cycles=[1, 2, 3, 4, 5, 7, 12])
async def reset_in_flight(dut: Any, cycles: int) -> None:
    """After a reset in the midst of a matrix the next one decodes as after power-up."""
    await reset_midway(dut, random_matrix(most(), 0.75), cycles=cycles)

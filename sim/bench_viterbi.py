"""Holds the Viterbi decompressor to the contract: truth under stalls, exact count, errors in band, rate and latency."""

import random
from typing import Any, cast

import cocotb

from golden.params.viterbi import ViterbiParameters
from sim.bench_contract import golden, measure_rate, reset_midway, run_matrices
from sim.testbench import PATTERNS, Shares, parameters


def decoder() -> ViterbiParameters:
    """The parameters of the decompressor under test."""
    return cast(ViterbiParameters, parameters())


def beat_weights() -> int:
    """Weights whose mask bits an index beat stands for."""
    return decoder().word_cycles * decoder().mask_bits


def random_matrix(count: int, extra: int = 0) -> Shares:
    """A matrix of *count* weights with random index bits; *extra* beats too many, or too few where negative."""
    p = decoder()
    generator = random.Random(f"{cocotb.RANDOM_SEED} {count} {extra}")
    beats = -(-count // beat_weights()) + extra
    return {"shape": [count], "index": [generator.getrandbits(p.index_bits) for _ in range(beats)]}


def interesting_counts() -> list[int]:
    """Counts at the edges of beats and blocks, and a few in between."""
    p = decoder()
    block = p.block_steps * p.q
    block = block if block <= 4096 else 8 * p.mask_bits
    edges = [p.mask_bits, 2 * p.mask_bits, block, 2 * block] + [beat_weights(), 2 * beat_weights()] * (p.word_cycles > 1)
    counts = [0, 1, 0, 0, *(edge + offset for edge in edges for offset in (-1, 0, 1)), 1, 2 * block + p.mask_bits // 2]
    return [min(count, (1 << p.count_bits) - 1) for count in counts]


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(idle=PATTERNS, pressure=PATTERNS)
async def matrices_under_stalls(dut: Any, idle: str, pressure: str) -> None:
    """Matrices of all interesting sizes follow each other under every pair of stall patterns."""
    await run_matrices(dut, [random_matrix(count) for count in interesting_counts()], idle=idle, pressure=pressure)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def malformed_index(dut: Any, stall: str) -> None:
    """A short or a long index ends in its code, and the good matrix after it is untouched."""
    p = decoder()
    most = min(5 * beat_weights() + 1, (1 << p.count_bits) - 1)
    good = random_matrix(min(2 * beat_weights() + p.mask_bits, most))
    beats = -(-most // beat_weights())
    index = list(random_matrix(most)["index"])
    bad: list[Shares] = [
        *(random_matrix(most, extra) for extra in (-beats, -1, 1, 2, 20)),
        {"shape": [most], "index": [*index[:-1], None]},  # the last beat without data
        {"shape": [most], "index": [*index, None]},  # tlast one beat late
        {"shape": [most], "index": [None, *index[:-2], None]},
        {"shape": [1], "index": []},
        {"shape": [1], "index": [1, 1]},
        {"shape": [0], "index": [1]},
        {"shape": [0], "index": [1, None, 1]},
    ]
    await run_matrices(dut, [matrix for one in bad for matrix in (one, good)], idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def beats_without_data(dut: Any, stall: str) -> None:
    """Beats without data in the midst of an index change nothing."""
    count = min(6 * beat_weights(), (1 << decoder().count_bits) - 1)
    index = [beat for bits in random_matrix(count)["index"] for beat in (None, bits)]
    await run_matrices(dut, [{"shape": [count], "index": index}, {"shape": [0], "index": [None, None]}] * 2, idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def full_rate(dut: Any) -> None:
    """One beat in every clock cycle, over blocks and from matrix to matrix; the latency is the one stated, and less behind the shape."""
    p = decoder()
    matrix = random_matrix(min(40 * p.mask_bits, (1 << p.count_bits) - 1))
    rate = await measure_rate(dut, matrix)
    assert (rate.latency, rate.beats_per_cycle, rate.gap) == (p.latency, 1.0, 0), rate
    if p.word_cycles == 1:  # else no index beat decides the third output beat
        assert (await measure_rate(dut, matrix, output_beat=2, deciding={"index": 2})).latency == p.latency - 3


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def short_matrices_at_full_rate(dut: Any) -> None:
    """Matrices of one beat follow each other without an idle cycle."""
    cycles = await run_matrices(dut, [random_matrix(1)] * 64)
    assert cycles <= 64 + decoder().latency + 4, f"64 matrices of one beat took {cycles} cycles"


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def any_block_alone(dut: Any) -> None:
    """A block of a larger matrix, taken out of its index and given as a matrix of its own, decodes to its part of the mask."""
    p = decoder()
    block, masks = p.block_steps * p.q, p.block_steps // p.steps
    beats = masks // p.word_cycles
    index = random_matrix(3 * block)["index"]
    whole = golden({"shape": [3 * block], "index": index}, p)
    for number in (2, 0, 1):
        part = index[number * beats : (number + 1) * beats]
        assert golden({"shape": [block], "index": part}, p).elements == whole.elements[number * masks : (number + 1) * masks]
        await run_matrices(dut, [{"shape": [block], "index": part}])


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(cycles=[1, 2, 3, 7, 12])
async def reset_in_flight(dut: Any, cycles: int) -> None:
    """After a reset in the midst of a matrix the next one decodes as after power-up."""
    await reset_midway(dut, random_matrix(min(40 * decoder().mask_bits, (1 << decoder().count_bits) - 1)), cycles=cycles)

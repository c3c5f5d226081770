"""Holds the N:M decoder to the contract: truth under stalls, exact count, errors in band, rate and latency."""

import random
from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import cocotb

from golden import nm
from golden.bits import Element
from golden.params.nm import NmError, NmParameters
from sim.bench_contract import golden, measure_rate, reset_midway, run_matrices, wrong_lengths
from sim.testbench import PATTERNS, Shares, parameters

Share: TypeAlias = Sequence[Element | None]


def decoder() -> NmParameters:
    """The parameters of the decoder under test."""
    return cast(NmParameters, parameters())


def random_matrix(count: int) -> dict[str, list[Element | None]]:
    """A matrix of *count* weights (or as many as the count's width allows), n random survivors in every group, one in four of them 0."""
    p = decoder()
    count = min(count, (1 << p.count_bits) - 1)
    generator = random.Random(f"{cocotb.RANDOM_SEED} {count}")
    flat = [0] * count
    for start in range(0, count, p.m):
        group = range(start, min(start + p.m, count))
        for position in generator.sample(group, min(p.n, len(group))):
            flat[position] = generator.getrandbits(p.value_bits) * (generator.random() < 0.75)
    return nm.encode([flat], p)


def interesting_counts() -> list[int]:
    """Counts at the edges of groups and beats, and a few in between."""
    p = decoder()
    edges = [p.m, p.lanes, 2 * p.lanes, 5 * p.lanes]
    return [0, 1, 0, 0, *(edge + offset for edge in edges for offset in (-1, 0, 1)), 1, 2 * p.lanes + p.lanes // 2]


def repeating(group: int) -> Shares:
    """Three beats and a partial group, where in group number *group* the last index repeats the one before it."""
    p = decoder()
    shares = random_matrix(3 * p.lanes + p.m - 1)
    beat, place = divmod(group, p.groups)
    words = [word for word in shares["index"] if isinstance(word, int)]
    low = place * p.group_bits + (p.n - 2) * p.index_bits
    before = words[beat] >> low & p.m - 1
    words[beat] = words[beat] & ~((p.m - 1) << low + p.index_bits) | before << low + p.index_bits
    return {**shares, "index": words}


def malformed() -> list[Shares]:
    """Matrices of which one stream, or both in every combination, is too short or too long, by values or by beats."""
    p = decoder()
    whole = random_matrix(3 * p.lanes + p.m - 1)
    index, value = whole["index"], whole["value"]
    per_beat = p.groups * p.n
    indices, values = wrong_lengths(index, 1), wrong_lengths(value, per_beat)
    bad: list[Shares] = [whole | {"index": i, "value": v} for i in indices for v in values if (i, v) != (index, value)]
    few: list[Share] = [[], [1], [None, 1], [1, None, 1], [None, 1, None], value]
    bad += [{"shape": [0], "index": i, "value": v} for i in few[:5] for v in few if i or v]
    bad += [{"shape": [1], "index": index[:1], "value": v} for v in (value[:per_beat], value[: p.n - 1])]
    return bad


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(idle=PATTERNS, pressure=PATTERNS)
async def matrices_under_stalls(dut: Any, idle: str, pressure: str) -> None:
    """Matrices of all interesting sizes follow each other under every pair of stall patterns."""
    await run_matrices(dut, [random_matrix(count) for count in interesting_counts()], idle=idle, pressure=pressure)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def malformed_lengths(dut: Any, stall: str) -> None:
    """Index and value of wrong and of different lengths end in their code, and the good matrix after them is untouched."""
    bad, good = malformed(), random_matrix(2 * decoder().lanes)
    codes = {golden(shares, decoder()).error for shares in bad}
    assert codes >= {NmError.SHORT, NmError.LONG}, codes
    await run_matrices(dut, [matrix for one in bad for matrix in (one, good)], idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def indices_out_of_order(dut: Any, stall: str) -> None:
    """A repeated index in any group clears the weights from its beat on; where another error comes first, that one is told."""
    p = decoder()
    if p.n == 1:  # a single index is always in order
        return
    groups = len(random_matrix(3 * p.lanes + p.m - 1)["value"]) // p.n
    bad = [repeating(group) for group in range(groups)]
    assert {golden(shares, p).error for shares in bad} == {NmError.ORDER}
    bad += [{**shares, "value": shares["value"][:-1]} for shares in (bad[0], bad[-1])]
    bad += [{**shares, "value": [*shares["value"], 1]} for shares in (bad[0], bad[-1])]
    good = random_matrix(2 * p.lanes)
    await run_matrices(dut, [matrix for one in bad for matrix in (one, good)], idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def indices_past_the_last_group(dut: Any) -> None:
    """Index bits that belong to no group of the matrix are not looked at."""
    p = decoder()
    shares = random_matrix(1)
    (word,) = shares["index"]
    assert isinstance(word, int)
    ones = (1 << p.groups * p.group_bits) - 1
    filled: Shares = shares | {"index": [word | ones >> p.group_bits << p.group_bits]}
    assert golden(filled, p) == golden(shares, p)
    await run_matrices(dut, [filled, shares])


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def beats_without_data(dut: Any, stall: str) -> None:
    """Beats without data in the midst of a stream change nothing, be they in step in the two or not."""
    p = decoder()
    whole = random_matrix(6 * p.lanes)
    index = [beat for word in whole["index"] for beat in (None, word)]
    per_beat = p.groups * p.n
    beats = [whole["value"][start : start + per_beat] for start in range(0, len(whole["value"]), per_beat)]
    value = [one for beat in beats for one in (None, None, *beat)]
    empty: Shares = {"shape": [0], "index": [None, None], "value": [None]}
    matrices = [whole | {"index": index}, whole | {"value": value}, empty, whole | {"index": index, "value": value}]
    assert [golden(shares, p) for shares in matrices if shares is not empty] == [golden(whole, p)] * 3
    await run_matrices(dut, matrices, idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def full_rate(dut: Any) -> None:
    """One beat in every clock cycle, also from matrix to matrix; the latency is the one stated."""
    p = decoder()
    rate = await measure_rate(dut, random_matrix(40 * p.lanes))
    assert (rate.latency, rate.beats_per_cycle, rate.gap) == (p.latency, 1.0, 0), rate


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(late=["index", "value"])
async def latency_from_a_late_stream(dut: Any, late: str) -> None:
    """The latency is the same where one stream keeps the other waiting."""
    p = decoder()
    shares = random_matrix(4 * p.lanes)
    delayed = {**shares, late: [*[None] * 9, *shares[late]]}
    rate = await measure_rate(dut, delayed, deciding={late: 9})
    assert rate.latency == p.latency, rate


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def short_matrices_at_full_rate(dut: Any) -> None:
    """Matrices of one beat and empty ones follow each other without an idle cycle."""
    cycles = await run_matrices(dut, [random_matrix(1), random_matrix(0)] * 32)
    assert cycles <= 64 + decoder().latency + 1, f"64 matrices of one beat took {cycles} cycles"


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(cycles=[1, 2, 3, 7, 12])
async def reset_in_flight(dut: Any, cycles: int) -> None:
    """After a reset in the midst of a matrix the next one decodes as after power-up."""
    await reset_midway(dut, random_matrix(40 * decoder().lanes), cycles=cycles)

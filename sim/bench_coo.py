"""Holds the coordinate decoder to the contract: truth under stalls, exact count, errors in band, rate and latency."""

import random
from typing import Any, cast

import cocotb

from golden import coo
from golden.bits import Element
from golden.params.coo import CooError, CooParameters
from sim.bench_contract import golden, measure_rate, reset_midway, run_matrices
from sim.testbench import PATTERNS, Shares, parameters

Matrix = dict[str, list[Element | None]]


def decoder() -> CooParameters:
    """The parameters of the decoder under test."""
    return cast(CooParameters, parameters())


def random_matrix(count: int, density: float = 0.4) -> Matrix:
    """A matrix of *count* weights (or as many as the width allows), each a survivor with probability *density*."""
    p = decoder()
    generator = random.Random(f"{cocotb.RANDOM_SEED} {count} {density}")
    count = min(count, (1 << p.count_bits) - 1)
    row = [generator.randrange(1, 1 << p.value_bits) if generator.random() < density else 0 for _ in range(count)]
    return coo.encode([row], p)


def spoilt(whole: Matrix) -> list[Shares]:
    """*whole*, which has some survivors, with one thing wrong in every way there is."""
    entries = whole["entry"]
    ((count, number),) = cast(list[tuple[int, int]], whole["shape"])
    past = min(count, (1 << decoder().count_bits) - 1)
    shares: list[list[Element | None]] = [entries[:-1], entries[:1], [], [None], [None, *entries[:-1], None]]
    shares += [[*entries, (0, 1)], [*entries, None], [*entries, *entries]]
    for place in range(len(entries)):
        shares.append([*entries[:place], (past, 1), *entries[place + 1 :]])  # out of range, where the position has room for it
        shares.append([*entries[:place], entries[max(place - 1, 0)], *entries[place + 1 :]])  # twice the same
        shares.append([*entries[:place], (0, 1), *entries[place + 1 :]])
    bad: list[Shares] = [whole | {"entry": share} for share in shares]
    bad += [whole | {"shape": [(count, other)]} for other in {0, 1, number - 1, min(number + 1, past)}]
    bad += [whole | {"shape": [(other, number)]} for other in {0, 1, count - 1}]
    return [*bad, {"shape": [(0, 0)], "entry": [(0, 1)]}, {"shape": [(3, 0)], "entry": [None, (0, 1), (1, 1)]}]


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(idle=PATTERNS, pressure=PATTERNS)
async def matrices_under_stalls(dut: Any, idle: str, pressure: str) -> None:
    """Matrices of sizes at the edges of beats, empty and full ones, follow each other under every pair of stall patterns."""
    lanes = decoder().lanes
    counts = [0, 1, lanes - 1, lanes, lanes + 1, 5 * lanes, 9 * lanes + 1]
    matrices = [random_matrix(count, density) for density in (0, 0.1, 0.5, 1) for count in counts]
    random.Random(f"{cocotb.RANDOM_SEED} {idle} {pressure}").shuffle(matrices)
    await run_matrices(dut, matrices, idle=idle, pressure=pressure)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def malformed(dut: Any, stall: str) -> None:
    """Every kind of error ends in its code, and the good matrix after it is untouched."""
    good = random_matrix(3 * decoder().lanes)
    bad = [one for density in (0.3, 0.9) for one in spoilt(random_matrix(6 * decoder().lanes + 1, density))]
    bad = [one for one in bad if one["entry"] or one["shape"]]
    assert {golden(shares, decoder()).error for shares in bad} == set(CooError)
    await run_matrices(dut, [matrix for one in bad for matrix in (one, good)], idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def beats_without_data(dut: Any, stall: str) -> None:
    """Beats without data in the midst of the entries change nothing."""
    whole = random_matrix(5 * decoder().lanes)
    spread: Matrix = whole | {"entry": [beat for entry in whole["entry"] for beat in (None, entry)]}
    assert golden(spread, decoder()) == golden(whole, decoder())
    await run_matrices(dut, [spread, {"shape": [(0, 0)], "entry": [None, None]}, spread], idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def full_rate(dut: Any) -> None:
    """One survivor in every clock cycle, from matrix to matrix; with dense beats one in every beat; the latency is the one stated."""
    p = decoder()
    count = min(40 * p.lanes, (1 << p.count_bits) - 1) // p.lanes * p.lanes
    shares = coo.encode([[int(place % p.lanes == 0) for place in range(count)]], p)
    # What decides the first beat of weights is the first entry of the second.
    late: Matrix = shares | {"entry": [*[None] * 9, *shares["entry"]]}
    assert (await measure_rate(dut, late, deciding={"entry": 9 + p.dense})).latency == p.latency
    rate = await measure_rate(dut, shares)
    assert (rate.beats_per_cycle, rate.gap) == (1.0, 0), rate


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def latency_of_the_last_entry(dut: Any) -> None:
    """The last beat waits for nothing that comes after it."""
    p = decoder()
    shares = random_matrix(1, 1)
    rate = await measure_rate(dut, shares | {"entry": [*[None] * 9, *shares["entry"]]}, deciding={"entry": 9})
    assert rate.latency == p.latency + p.dense, rate


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def cycles_of_many_and_of_no_survivors(dut: Any) -> None:
    """Survivors come one a cycle however many a beat has, and beats without one take a cycle each."""
    p = decoder()
    for density in (0, 1):
        shares = random_matrix(30 * p.lanes, density)
        ((count, number),) = cast(list[tuple[int, int]], shares["shape"])
        cycles = await run_matrices(dut, [shares])
        needed = max(number, -(-count // p.lanes) if p.dense else 1)
        assert needed <= cycles <= needed + p.latency + 5, f"{needed} took {cycles} cycles"


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def short_matrices_at_full_rate(dut: Any) -> None:
    """Matrices of one beat and empty ones follow each other without an idle cycle."""
    cycles = await run_matrices(dut, [random_matrix(1, 1), random_matrix(0)] * 32)
    assert cycles <= 64 + decoder().latency + 5, f"64 matrices of one beat took {cycles} cycles"


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(cycles=[1, 2, 3, 7, 12])
async def reset_in_flight(dut: Any, cycles: int) -> None:
    """After a reset in the midst of a matrix the next one decodes as after power-up."""
    await reset_midway(dut, random_matrix(40 * decoder().lanes), cycles=cycles)

"""Holds the look-up unit to the contract: truth under stalls, exact count, errors in band, rate and latency."""

import random
from typing import Any, cast

import cocotb

from golden import lookup
from golden.bits import Element
from golden.params.lookup import LookUpError, LookUpParameters
from sim.bench_contract import golden, measure_rate, reset_midway, run_matrices, wrong_lengths
from sim.testbench import PATTERNS, Shares, parameters

Matrix = dict[str, list[Element | None]]


def decoder() -> LookUpParameters:
    """The parameters of the unit under test."""
    return cast(LookUpParameters, parameters())


def matrix(rows: int, columns: int, survivors: int, requests: int, seed: str = "") -> Matrix:
    """A matrix of about that many rows, columns and survivors, at random places, and as many requests, half of them for survivors;
    less of each where ports and memory have no room for it.
    """
    p = decoder()
    rows, columns = min(rows, (1 << p.row_bits) - 1), min(columns, (1 << p.column_bits) - 1)
    generator = random.Random(f"{cocotb.RANDOM_SEED} {rows} {columns} {survivors} {seed}")
    places = [(i, j) for i in range(rows) for j in range(columns)]
    kept = generator.sample(places, min(survivors, len(places), (1 << p.survivor_bits) - 1))
    weights = [[0] * columns for _ in range(rows)]
    for i, j in kept:
        weights[i][j] = generator.randrange(1, 1 << p.value_bits)
    asked = [generator.choice(kept if kept and number % 2 else places) for number in range(min(requests, (1 << p.count_bits) - 1))]
    return lookup.encode(weights, p, columns, asked)


def of_all_kinds() -> list[Matrix]:
    """A few survivors, one and none; rows, columns or requests of which there are none, one or many."""
    matrices = [matrix(6, 9, count, 9) for count in (0, 1, 2, 3, 4, 7, 8, 30)]
    none = [matrix(3, 3, 3, 0), matrix(0, 3, 0, 0), matrix(3, 0, 0, 0)]
    return [*matrices, *none, *(matrix(2, 3, 2, 1, f"{number}") for number in range(3))]


def malformed() -> list[Shares]:
    """Every stream of every wrong length, wrong numbers in each, and shapes that promise something else."""
    p = decoder()
    whole = lookup.encode([[1, 1], [0, 1]], p, requests=[(0, 1), (1, 0), (1, 1), (0, 0), (1, 1)])
    other = (1 << p.column_bits) - 1
    wrong: dict[str, list[list[Element | None]]] = {
        "pointer": [[1, 2, 3], [0, 3, 2], [0, 2, 2], [0, 1, 3]],
        "column": [[0, other, 1], [1, 0, 1], [0, 0, 1]],
        "request": [[*whole["request"][:at], place, *whole["request"][at + 1 :]] for at in range(5) for place in ((2, 0), (0, other))],
    }
    bad: list[Shares] = [whole | {name: share} for name, shares in wrong.items() for share in shares]
    for port in p.inputs:
        zero: Element = (0, 0) if port.name == "request" else 0
        lengths = [[zero if beat == 0 else beat for beat in share] for share in wrong_lengths(whole[port.name], 1)]
        bad += [whole | {port.name: share} for share in lengths]
        bad += [whole | {"request": [(2, 2)]} | {port.name: share} for share in lengths[1:2]]
    shapes = [(2, 2, 3, 0), (2, 2, 0, 5), (2, 2, 2, 5), (1, 2, 3, 5), (2, 1, 3, 5), (2, 2, 3, 6), (0, 0, 0, 0)]
    bad += [whole | {"shape": [shape]} for shape in shapes]
    return [*bad, *({**shares, "shape": [(0, 0, 0, 0)]} for shares in bad[:4])]


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(idle=PATTERNS, pressure=PATTERNS)
async def matrices_under_stalls(dut: Any, idle: str, pressure: str) -> None:
    """Matrices of all kinds follow each other under every pair of stall patterns."""
    matrices = of_all_kinds()
    random.Random(f"{cocotb.RANDOM_SEED} {idle} {pressure}").shuffle(matrices)
    await run_matrices(dut, matrices, idle=idle, pressure=pressure)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=["none", "mixed"])
async def full_memories(dut: Any, stall: str) -> None:
    """As many survivors as the memory holds, one less, and half as many: in one row, and in many."""
    full = (1 << decoder().survivor_bits) - 1
    sizes = [(40, 40, full), (40, 40, full - 1), (1, 2 * full, full), (40, 40, full // 2), (40, 40, full // 2 + 1)]
    await run_matrices(dut, [matrix(*size, 100) for size in sizes], idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def malformed_streams(dut: Any, stall: str) -> None:
    """Every kind of error ends in its code, and the good matrix after it is untouched."""
    bad, good = malformed(), matrix(3, 3, 4, 6)
    assert {golden(shares, decoder()).error for shares in bad} == set(LookUpError)
    await run_matrices(dut, [shares for one in bad for shares in (one, good)], idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def beats_without_data(dut: Any, stall: str) -> None:
    """Beats without data in the midst of the streams change nothing."""
    whole = matrix(4, 9, 12, 20)
    spread = {name: [beat for number in share for beat in (None, number)] if name != "shape" else share for name, share in whole.items()}
    assert golden(spread, decoder()) == golden(whole, decoder())
    empty: Shares = {"shape": [(0, 0, 0, 0)], "pointer": [None, 0], "column": [None, None], "value": [], "request": [None, None]}
    await run_matrices(dut, [spread, empty, spread], idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def every_survivor_and_every_gap_is_found(dut: Any) -> None:
    """For each number of survivors that the memory holds, up to many: each of them is found, and nothing before, between and after them."""
    p = decoder()
    rows, columns = min(5, (1 << p.row_bits) - 1), min(7, (1 << p.column_bits) - 1)
    places = [(i, j) for i in range(rows) for j in range(columns)]
    value = (1 << p.value_bits) - 1
    matrices = []
    for count in range(min(len(places) // 2, (1 << p.survivor_bits) - 1) + 1):
        kept = set(places[1 : 2 * count : 2])
        weights = [[1 + (i + j) % value if (i, j) in kept else 0 for j in range(columns)] for i in range(rows)]
        matrices.append(lookup.encode(weights, p, requests=places[: (1 << p.count_bits) - 1]))
    await run_matrices(dut, matrices)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def an_answer_in_every_clock_cycle(dut: Any) -> None:
    """One answer per clock cycle, and none lost from matrix to matrix but one for each survivor; the latency is the one stated."""
    p = decoder()
    shares = matrix(1, 3, 3, 200)
    late: Matrix = shares | {"request": [*[None] * 30, *shares["request"]]}
    assert (await measure_rate(dut, late, deciding={"request": 30})).latency == p.latency
    rate = await measure_rate(dut, shares)
    assert (rate.beats_per_cycle, rate.gap) == (1.0, len(shares["value"])), rate


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(rows=[1, 5])
async def cycles_of_survivors_and_requests(dut: Any, rows: int) -> None:
    """Without stalls a matrix takes a cycle for each survivor and each request."""
    columns = min(12, (1 << decoder().column_bits) - 1)
    shares = matrix(rows, columns, rows * columns, 40)
    taken = 6 * (len(shares["value"]) + len(shares["request"]))
    cycles = await run_matrices(dut, [shares] * 6)
    assert taken <= cycles <= taken + decoder().latency + 10, f"6 matrices took {cycles} cycles, must be about {taken}"


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(cycles=[1, 3, 9, 25])
async def reset_in_flight(dut: Any, cycles: int) -> None:
    """After a reset in the midst of a matrix the next one decodes as after power-up."""
    await reset_midway(dut, matrix(5, 9, 15, 60), cycles=cycles)

"""Holds the codebook look-up to the contract: truth under stalls, exact count, errors in band, rate and latency."""

import random
from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import cocotb

from golden.bits import Element
from golden.codebook import encode
from golden.params.codebook import CodebookError, CodebookParameters
from sim.bench_contract import golden, measure_rate, reset_midway, run_matrices
from sim.testbench import PATTERNS, Shares, parameters

Share: TypeAlias = Sequence[Element | None]


def decoder() -> CodebookParameters:
    """The parameters of the look-up under test."""
    return cast(CodebookParameters, parameters())


def random_matrix(count: int, entries: int | None = None, seed: str = "") -> dict[str, list[Element | None]]:
    """A matrix of *count* weights, or as many as the count's width allows, and a table of its own; by default as large as can be."""
    p = decoder()
    count, entries = min(count, (1 << p.count_bits) - 1), min(entries or p.entries, p.entries)
    generator = random.Random(f"{cocotb.RANDOM_SEED} {count} {entries} {seed}")
    table = [generator.getrandbits(p.value_bits) for _ in range(entries)]
    return {"shape": [count], "table": [*table], "code": [generator.randrange(entries) for _ in range(count)]}


def interesting_counts() -> list[int]:
    """Counts at the edges of beats, and a few in between."""
    lanes = decoder().lanes
    return [0, 1, 0, 0, *(edge + offset for edge in (lanes, 2 * lanes, 5 * lanes) for offset in (-1, 0, 1)), 1, 2 * lanes + lanes // 2]


def malformed() -> list[Shares]:
    """Codes of every wrong length, codes past the table, tables of every length; each with each."""
    p = decoder()
    count = min(3 * p.lanes + 1, (1 << p.count_bits) - 1)
    whole = random_matrix(count, 2)
    table, code = whole["table"], [cast(int, one) for one in whole["code"]]
    codes: list[Share] = [code, [*code, None], [*code, 1], [*code, *code], code[:-1], code[: p.lanes], [], [None], [*code[:-1], None]]
    codes += [[None, *code[:-1], None], [*code[:1], None, *code[1:]]]
    codes += [[*code[:at], p.entries - 1, *code[at + 1 :]] for at in (0, p.lanes, count - 1)]
    full: list[Element | None] = [1] * p.entries
    tables: list[Share] = [table, [], [None], table[:1], [None, *table, None]]
    tables += [[*full, 1], [*full, None, 1, None], [*full, 1, None, None, 1]]
    return [{"shape": [few], "table": t, "code": c} for few in (count, 0, 1, p.lanes) for t in tables for c in codes]


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(idle=PATTERNS, pressure=PATTERNS)
async def matrices_under_stalls(dut: Any, idle: str, pressure: str) -> None:
    """Matrices of all sizes, with tables of all sizes, follow each other under every pair of stall patterns."""
    sizes = [1, 2, 3, 16, decoder().entries]
    matrices = [random_matrix(count, sizes[number % 5], f"{number}") for number, count in enumerate(interesting_counts())]
    await run_matrices(dut, matrices, idle=idle, pressure=pressure)


@cocotb.test(timeout_time=50, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def malformed_streams(dut: Any, stall: str) -> None:
    """Every malformed combination of codes and table ends in its code, and the good matrix after it is untouched."""
    bad, good = malformed(), random_matrix(2 * decoder().lanes, 2)
    assert {golden(shares, decoder()).error for shares in bad} == set(CodebookError)
    if decoder().entries > 64:  # tables that are too long take their time
        bad = [shares for number, shares in enumerate(bad) if len(shares["table"]) < 64 or number % 9 == 0]
    matrices = [matrix for number, one in enumerate(bad) for matrix in ([one, good] if number % 3 else [one])]
    await run_matrices(dut, matrices, idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def every_entry(dut: Any) -> None:
    """Every code gives its own entry, in every lane, from table to table."""
    p = decoder()
    most = min(p.entries, (1 << p.count_bits) - 1)
    values = [[(seed + 3 * number) % (1 << p.value_bits) for number in range(p.entries)] for seed in range(4)]
    codes = [[(number + turn) % p.entries for number in range(most)] for turn in range(4)]
    await run_matrices(dut, [{"shape": [most], "table": t, "code": c} for t, c in zip(values, codes, strict=True)])


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def beats_without_data(dut: Any, stall: str) -> None:
    """Beats without data in the midst of a stream change nothing."""
    p = decoder()
    whole = encode([[number % 2 for number in range(min(3 * p.lanes, (1 << p.count_bits) - 1))]], p)
    code = [one for start in range(0, len(whole["code"]), p.lanes) for one in (None, *whole["code"][start : start + p.lanes])]
    table = [one for entry in whole["table"] for one in (None, entry)]
    matrices: list[Shares] = [whole | {"code": code}, whole | {"table": [*table, None]}, whole | {"table": table, "code": code}]
    empty: Shares = {"shape": [0], "table": [None], "code": [None, None]}
    await run_matrices(dut, [*matrices, empty] * 3, idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def full_rate(dut: Any) -> None:
    """One beat in every clock cycle, also from matrix to matrix where the next table is no longer than the matrix; latency as stated."""
    p = decoder()
    shares = random_matrix(40 * p.lanes, 2)
    beats = -(-cast(int, shares["shape"][0]) // p.lanes)
    delayed: Shares = {**shares, "code": [*[None] * 9, *shares["code"]]}
    assert (await measure_rate(dut, delayed, deciding={"code": 9})).latency == p.latency
    cycles = await run_matrices(dut, [shares] * 8)
    assert cycles <= 8 * beats + p.latency + 4, f"8 matrices of {beats} beats took {cycles} cycles"


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def a_table_is_taken_while_the_matrix_before_is_decoded(dut: Any) -> None:
    """Matrices of as many beats as their tables have entries follow each other with no more than two idle cycles each."""
    p = decoder()
    entries = min(p.entries, ((1 << p.count_bits) - 1) // p.lanes)
    cycles = await run_matrices(dut, [random_matrix(entries * p.lanes, entries, f"{number}") for number in range(6)])
    assert cycles <= 7 * entries + 2 * 6 + p.latency + 4, f"6 matrices of {entries} beats took {cycles} cycles"


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(cycles=[1, 2, 3, 5, 7])
async def reset_in_flight(dut: Any, cycles: int) -> None:
    """After a reset in the midst of a matrix the next one decodes as after power-up."""
    await reset_midway(dut, random_matrix(20 * decoder().lanes, 3), cycles=cycles)

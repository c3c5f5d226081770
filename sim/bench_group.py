"""Holds the group decoder to the contract: truth under stalls, exact count, errors in band, rate and latency.

What each kind of malformed stream comes to is CSR's own, and its bench has more of them; here each code is met once.
"""

import itertools
import random
from collections.abc import Collection, Sequence
from typing import Any, cast

import cocotb

from golden import group
from golden.bits import Element
from golden.params.csr import CsrError
from golden.params.group import GroupParameters
from sim.bench_contract import golden, measure_rate, reset_midway, run_matrices
from sim.testbench import PATTERNS, Shares, parameters

Matrix = dict[str, list[Element | None]]

STREAMS = ("pointer", "column", "value")


def decoder() -> GroupParameters:
    """The parameters of the decoder under test."""
    return cast(GroupParameters, parameters())


def groups_a_beat() -> int:
    """Groups of an output beat."""
    return decoder().lanes // decoder().group


def limits() -> tuple[int, int]:
    """The most rows and groups a row that a matrix here has; all of them may survive."""
    p = decoder()
    return min((1 << p.row_bits) - 1, 8), min((1 << p.column_bits) - 1, 3 * groups_a_beat() + 1)


def matrix(kept: Sequence[Collection[int]], groups: int, seed: str = "") -> Matrix:
    """A matrix of *groups* groups a row (or as many as the width allows), of which each row has those of *kept* that there are."""
    p = decoder()
    generator = random.Random(f"{cocotb.RANDOM_SEED} {kept} {groups} {seed}")
    rows, most = limits()
    joined = [
        [generator.randrange(1, 1 << p.group * p.value_bits) if number in row else 0 for number in range(min(groups, most))]
        for row in kept[:rows]
    ]
    return group.encode([[level for number in row for level in group.split(number, p)] for row in joined], p)


def at_random(count: int) -> list[Matrix]:
    """Matrices of random size and density."""
    generator = random.Random(cocotb.RANDOM_SEED)
    most, widest = limits()
    made = []
    for number in range(count):
        groups, density = generator.randrange(1, widest + 1), generator.choice([0, 0.2, 0.5, 1])
        kept = [[one for one in range(groups) if generator.random() < density] for _ in range(generator.randrange(most + 1))]
        made.append(matrix(kept, groups, f"{number}"))
    return made


def malformed() -> list[tuple[Shares, CsrError]]:
    """Each error code, where a stream has one, in each stream; all but the first in the midst of a matrix."""
    good = matrix([[0, 1], [], [1]], 2)
    empty = matrix([[], []], 2)
    value = good["value"]
    cases: list[tuple[Shares, CsrError]] = [
        (good | {"pointer": [1, 2, 2, 3]}, CsrError.FIRST),
        (good | {"pointer": [0, 2, 1, 3]}, CsrError.DECREASE),
        (good | {"pointer": [0, 2, 2, 2]}, CsrError.COUNT),
        (good | {"column": [0, 2, 1]}, CsrError.RANGE),
        (good | {"column": [1, 0, 1]}, CsrError.ORDER),
        *((good | {name: good[name][:count]}, CsrError.SHORT) for name in STREAMS for count in range(3)),
        *((good | {"value": [*value[:1], None, *value[1:count]]}, CsrError.SHORT) for count in (1, 2)),
        *((good | {name: [*good[name], extra]}, CsrError.LONG) for name in STREAMS for extra in (None, good[name][-1])),
        *((empty | {name: good[name][:1]}, CsrError.LONG) for name in ("column", "value")),
        (good | {"shape": [(3, 0, 3)]}, CsrError.RANGE),
    ]
    return cases


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(idle=PATTERNS, pressure=PATTERNS)
async def matrices_under_stalls(dut: Any, idle: str, pressure: str) -> None:
    """Matrices of all sizes, empty and full ones, follow each other under every pair of stall patterns."""
    rows, groups = limits()
    full = [matrix([range(width)] * rows, width) for width in {1, min(groups, groups_a_beat()), groups}]
    empty = [matrix([], 0), matrix([[]], 0), matrix([[]] * rows, groups)]
    await run_matrices(dut, [*full, *empty, *at_random(8)], idle=idle, pressure=pressure)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def every_error_code(dut: Any, stall: str) -> None:
    """Each malformed matrix ends in its code, and the good one after it is untouched."""
    good = matrix([[0], [], [0, 1]], 2)
    cases = malformed()
    assert {code for _, code in cases} | {CsrError.NONE} == set(CsrError)
    for shares, code in cases:
        assert golden(shares, decoder()).error == code, f"the code of {shares} must be {code!r}"
    await run_matrices(dut, [shares for bad, _ in cases for shares in (bad, good)], idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def beats_without_data(dut: Any, stall: str) -> None:
    """Beats without data in the midst of the streams change nothing."""
    spread = [
        shares | {name: [beat for number in shares[name] for beat in (None, number)] or [None, None] for name in STREAMS}
        for shares in (matrix([[0], [], [0, 1]], 2), matrix([[], []], 2))
    ]
    await run_matrices(dut, spread * 2, idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def full_rate(dut: Any) -> None:
    """A beat in every cycle, over rows and from matrix to matrix, where each has one surviving group; the latency is the one stated."""
    rows, groups = limits()
    rate = await measure_rate(dut, matrix([range(0, groups, groups_a_beat())] * rows, groups), deciding={"pointer": 1})
    assert (rate.latency, rate.beats_per_cycle, rate.gap) == (decoder().latency, 1.0, 0), rate


def cycles_for_beats(shares: Shares) -> int:
    """Clock cycles that the beats of a well-formed matrix take: as many as each has surviving groups, and at least one."""
    ((_, groups, _),) = cast(list[tuple[int, int, int]], shares["shape"])
    columns, ends = cast(list[int], shares["column"]), cast(list[int], shares["pointer"])
    rows = [[number // groups_a_beat() for number in columns[start:end]] for start, end in itertools.pairwise(ends)]
    return sum(max(1, row.count(beat)) for row in rows for beat in range(-(-groups // groups_a_beat())))


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(density=["none", "mixed", "all"])
async def a_beat_takes_as_long_as_its_groups(dut: Any, density: str) -> None:
    """Without stalls a beat takes a cycle for each of its surviving groups, at least one; a matrix one for each row pointer."""
    rows, groups = limits()
    numbers = {"none": [0], "mixed": range(groups + 1), "all": [groups]}[density]
    shares = matrix([range(count) for count in itertools.islice(itertools.cycle(numbers), rows)], groups)
    cycles = await run_matrices(dut, [shares] * 8)
    taken = 8 * max(cycles_for_beats(shares), rows + 1)
    assert taken <= cycles <= taken + decoder().latency + 4, f"8 matrices took {cycles} cycles, must be about {taken}"


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(cycles=[1, 2, 3, 7, 12])
async def reset_in_flight(dut: Any, cycles: int) -> None:
    """After a reset in the midst of a matrix the next one decodes as after power-up."""
    rows, groups = limits()
    await reset_midway(dut, matrix([[], *[range(groups)] * (rows - 1)], groups), cycles=cycles)

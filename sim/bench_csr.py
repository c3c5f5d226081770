"""Holds the CSR decoder to the contract: truth under stalls, exact count, every malformed kind, rate and latency."""

import itertools
import random
from collections.abc import Sequence
from typing import Any, cast

import cocotb

from golden.bits import Element
from golden.csr import decode, encode
from golden.params.csr import CsrError, CsrParameters
from sim.bench_contract import measure_rate, reset_midway, run_matrices
from sim.testbench import PATTERNS, Shares, parameters

Beats = list[Element | None]

STREAMS = ("pointer", "column", "value")


def decoder() -> CsrParameters:
    """The parameters of the decoder under test."""
    return cast(CsrParameters, parameters())


def limits() -> tuple[int, int, int]:
    """The most rows, columns and survivors that a matrix here has."""
    p = decoder()
    return min((1 << p.row_bits) - 1, 12 if p.lanes < 16 else 6), min((1 << p.column_bits) - 1, 3 * p.lanes + 5), (1 << p.count_bits) - 1


def matrix(lengths: list[int], columns: int, seed: str = "") -> dict[str, Beats]:
    """A matrix of *columns* columns with so many survivors in each row, at random columns; what the shape cannot say is left out."""
    rows, most, survivors = limits()
    columns = min(columns, most)
    generator = random.Random(f"{cocotb.RANDOM_SEED} {lengths} {columns} {seed}")
    weights = []
    for length in lengths[:rows]:
        length = min(length, columns, survivors)
        survivors -= length
        kept = set(generator.sample(range(columns), length))
        weights.append([generator.randrange(1, 1 << decoder().value_bits) if column in kept else 0 for column in range(columns)])
    return encode(weights, decoder(), columns)


def at_the_edges() -> list[dict[str, Beats]]:
    """Empty rows first, in the midst, last, all; one row, one column, one survivor, none; full; no rows, no columns."""
    rows, columns, _ = limits()
    some = [[0, 0, 3, 1], [2, 0, 0, 2], [2, 1, 0, 0], [0] * rows, [], [1], [0, 1], [1, 0], [0, 2, 0]]
    lengths = [*some, [columns], [1] * rows, [columns] * 3]
    wide = [matrix(length, columns) for length in lengths]
    narrow = [matrix(length, 1) for length in lengths]
    single = [matrix([1], columns, f"{number}") for number in range(3)]
    return [*wide, matrix([0, 0], 0), matrix([], 0), *narrow, *single, matrix([], 3), matrix([], 1)]


def at_random(count: int) -> list[dict[str, Beats]]:
    """Matrices of random size and density."""
    generator = random.Random(cocotb.RANDOM_SEED)
    rows, columns, _ = limits()
    matrices = []
    for number in range(count):
        width = generator.randrange(1, columns + 1)
        most = generator.choice([0, 1, 2, width])
        lengths = [generator.randrange(most + 1) for _ in range(generator.randrange(rows + 1))]
        matrices.append(matrix(lengths, width, f"{number}"))
    return matrices


def changed(shares: Shares, **streams: Any) -> Shares:
    """*shares* with other beats in the streams that are named."""
    return {**shares, **streams}


def malformed() -> list[tuple[Shares, CsrError]]:
    """Each malformed kind, at the ends and in the midst, and its code."""
    good = changed(matrix([2, 0, 2], 3), column=[0, 2, 0, 1])
    rows, columns, survivors = cast(tuple[int, int, int], good["shape"][0])
    pointer, column, value = (good[name] for name in ("pointer", "column", "value"))
    steep = changed(good, column=[0, 1, 2, 0])  # for a first row of three
    trailing = matrix([1, 1, 0], 3)
    empty = matrix([0, 0], 2)
    # In dense rows what is wrong with a survivor is found before that there are too many of them, and counts however many rows follow.
    crowded = CsrError.ORDER if decoder().dense else CsrError.COUNT
    cases: list[tuple[Shares, CsrError]] = [
        (changed(good, pointer=[1, *pointer[1:]]), CsrError.FIRST),
        (changed(good, pointer=[3, 2, 2, 4]), CsrError.FIRST),
        (changed(good, pointer=[0, 2, 1, 4]), CsrError.DECREASE),
        (changed(steep, pointer=[0, 3, 4, 2]), CsrError.DECREASE),
        (changed(trailing, pointer=[0, 1, 2, 0]), CsrError.DECREASE),
        (changed(good, pointer=[0, 2, 2, 5]), CsrError.COUNT),
        (changed(steep, pointer=[0, 6, 6, 6]), crowded),
        (changed(good, pointer=[0, 2, 2, 3]), CsrError.COUNT),
        (changed(good, pointer=[0, 2, 2, 2]), CsrError.COUNT),
        (changed(good, pointer=[0, 0, 0, 0]), CsrError.COUNT),
        (changed(steep, pointer=[0, 4, 5, 6]), crowded),
        (changed(trailing, pointer=[0, 1, 2, 3]), CsrError.COUNT),
        (changed(empty, pointer=[0, 0, 2]), CsrError.COUNT),
        (changed(empty, pointer=[0, 2, 0]), CsrError.COUNT),
        (changed(matrix([2, 0, 0], 3), pointer=[0, 2, 4]), CsrError.COUNT),
        (changed(good, column=[2, 3, 0, 1]), CsrError.RANGE),
        (changed(good, column=[0, 1, 0, 3]), CsrError.RANGE),
        (changed(good, column=[0, 0, 0, 1]), CsrError.ORDER),
        (changed(good, column=[0, 1, 1, 0]), CsrError.ORDER),
        *((changed(good, pointer=pointer[:n]), CsrError.SHORT) for n in range(4)),
        *((changed(good, column=column[:n]), CsrError.SHORT) for n in range(4)),
        *((changed(good, value=value[:n]), CsrError.SHORT) for n in range(4)),
        (changed(trailing, pointer=[0, 1, 2]), CsrError.SHORT),
        (changed(empty, pointer=[0, 0]), CsrError.SHORT),
        (changed(good, column=[None, *column[:2], None, None]), CsrError.SHORT),
        (changed(good, value=[*value[:3], None]), CsrError.SHORT),
        # With several a beat one that is not full lacks the others.
        *((changed(good, **{name: [good[name][0], None, *good[name][1:]]}), CsrError.SHORT) for name in STREAMS[1:] if decoder().pairs > 1),
        *((changed(good, **{name: [*good[name], *extra]}), CsrError.LONG) for name in STREAMS for extra in ([1], [None], [1] * 9)),
        *((changed(empty, **{name: [*empty[name], 0, *extra]}), CsrError.LONG) for name in STREAMS for extra in ([], [None, 0])),
        (changed(trailing, pointer=[0, 1, 2, 2, 2]), CsrError.LONG),
        (changed(good, shape=[(rows, columns, survivors + 1)]), CsrError.COUNT),
        (changed(good, shape=[(rows, columns, survivors - 1)]), CsrError.LONG if decoder().dense else CsrError.COUNT),
        (changed(good, shape=[(rows, columns, 0)]), CsrError.COUNT),
        (changed(good, shape=[(rows, 0, survivors)]), CsrError.RANGE),
        (changed(good, shape=[(0, columns, survivors)]), CsrError.LONG),
        (changed(good, shape=[(0, columns, survivors)], pointer=[0]), CsrError.COUNT),
    ]
    return cases


def damaged(count: int) -> list[Shares]:
    """Matrices in which a few beats were lost, added or altered at random."""
    generator = random.Random(f"{cocotb.RANDOM_SEED} damage")
    p = decoder()
    bits = {"pointer": p.count_bits, "column": p.column_bits, "value": p.value_bits}
    matrices: list[Shares] = []
    for shares in at_random(count):
        for _ in range(generator.randrange(1, 3)):
            name = generator.choice(list(bits))
            beats, place = shares[name], generator.randrange(len(shares[name]) + 1)
            kind = generator.randrange(4)
            if kind == 0:
                del beats[place:]
            elif kind == 1:
                beats.insert(place, None)
            elif kind == 2:
                beats.insert(place, generator.randrange(min(1 << bits[name], 8)))
            else:
                beats[place : place + 1] = [generator.randrange(min(1 << bits[name], 8))]
        matrices.append(shares)
    return matrices


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(idle=PATTERNS, pressure=PATTERNS)
async def matrices_under_stalls(dut: Any, idle: str, pressure: str) -> None:
    """Matrices of all kinds follow each other under every pair of stall patterns."""
    await run_matrices(dut, [*at_the_edges(), *at_random(8)], idle=idle, pressure=pressure)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def every_malformed_kind(dut: Any, stall: str) -> None:
    """Each ends in its code, and the good matrix after it is untouched."""
    good = matrix([1, 0, 2], 3)
    for shares, code in malformed():
        assert decode(shares, decoder()).error == code, f"the code of {shares} must be {code!r}, was {decode(shares, decoder()).error}"
    await run_matrices(dut, [shares for bad, _ in malformed() for shares in (bad, good)], idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def damaged_matrices(dut: Any, stall: str) -> None:
    """Random damage, one matrix after the other, and a good one at the end."""
    await run_matrices(dut, [*damaged(150), matrix([1, 2], 3)], idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def beats_without_data(dut: Any, stall: str) -> None:
    """Beats without data in the midst of the streams change nothing."""
    padded = []
    for shares in (matrix([2, 0, 1], 3), matrix([0, 0], 3), matrix([1, 3], 3)):
        several = dict(zip(STREAMS, (1, decoder().pairs, decoder().pairs), strict=True))  # row pointers are of any number a beat
        starts = {name: range(0, len(shares[name]), lanes) for name, lanes in several.items()}
        encoded = {
            name: [beat for start in starts[name] for beat in (None, *shares[name][start : start + lanes])] or [None]
            for name, lanes in several.items()
        }
        padded.append({"shape": shares["shape"], **encoded})
    await run_matrices(dut, padded * 2, idle=stall, pressure=stall)


def steady() -> Shares:
    """A matrix whose survivors come one a cycle, in dense rows one a beat, with as many in each row, at least two.

    With several pairs a beat as many come in every cycle, and fill as many lanes of every beat.
    """
    p = decoder()
    rows, columns, survivors = limits()
    if not p.dense:
        length = min(columns, 6)
        return matrix([length] * min(rows, survivors // length), columns)
    columns -= columns % p.lanes if p.pairs > 1 else 0
    beats = -(-columns // p.lanes)
    rows = min(rows, survivors // (beats * p.pairs))
    row = [beat * p.lanes + lane for beat in range(beats) for lane in range(p.lanes - p.pairs, p.lanes)] if p.pairs > 1 else None
    return changed(
        matrix([beats * p.pairs] * rows, columns), column=(row or [beat * p.lanes for beat in range(beats)]) * rows
    )


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def full_rate(dut: Any) -> None:
    """A survivor, or a beat of a dense row, in every cycle, over rows and from matrix to matrix; the latency is the one stated."""
    p = decoder()
    rate = await measure_rate(dut, steady(), deciding={"pointer": 1 // p.pointers})
    assert (rate.latency, rate.beats_per_cycle, rate.gap) == (p.latency, 1.0, 0), rate


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def latency_from_columns(dut: Any) -> None:
    """From the column and the value of a survivor whose row is known it is 3 cycles, in dense rows 4, to its beat."""
    p = decoder()
    number = 3 + (p.pairs > 1) if p.dense else 1  # the first that is not taken before it is needed
    rate = await measure_rate(dut, steady(), output_beat=number, deciding={"column": number, "value": number})
    assert rate.latency == 3 + p.dense + p.skid, rate


def ends(shares: Shares) -> list[int]:
    """The row pointers of a well-formed matrix."""
    return cast(list[int], list(shares["pointer"]))


def cycles_for_survivors(matrices: Sequence[Shares]) -> int:
    """Clock cycles from the shape to the last survivor, both included, without stalls: the rule in the decoder's docstring.

    A row takes as many cycles as it has survivors, or as there are row pointers up to the one that ends the next row with any.
    """
    found: list[tuple[int, int]] = []  # number of the row pointer, survivors; a matrix without survivors counts as one at its end
    start = 0
    for shares in matrices:
        lengths = [b - a for a, b in itertools.pairwise(ends(shares))]
        found += [(start + number + 1, length) for number, length in enumerate(lengths) if length] or [(start + len(lengths), 1)]
        start += len(lengths) + 1
    rows = sum(max(length, after - here) for (here, length), (after, _) in itertools.pairwise(found))
    return found[0][0] + rows + found[-1][1] + decoder().latency


def cycles_for_beats(shares: Shares) -> int:
    """Clock cycles that the beats of a well-formed matrix take in dense rows: as many as each has input beats' survivors, at least one."""
    p = decoder()
    _, columns, _ = cast(tuple[int, int, int], shares["shape"][0])
    places = [(j // p.lanes, number // p.pairs) for number, j in enumerate(cast(list[int], shares["column"]))]
    rows = [places[start:end] for start, end in itertools.pairwise(ends(shares))]
    return sum(max(1, len({of for at, of in row if at == beat})) for row in rows for beat in range(-(-columns // p.lanes)))


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def row_pointers_run_ahead(dut: Any) -> None:
    """Without stalls the time is exactly what survivors and row pointers take, whatever the rows, and from matrix to matrix."""
    matrices = [*at_random(60), matrix([3, 1], 3)]
    cycles = await run_matrices(dut, matrices)
    needed = cycles_for_survivors(matrices)
    if decoder().pointers > 1:
        assert cycles <= needed, f"{cycles} cycles, must be at most {needed}"
    elif decoder().dense:  # the beats wait for survivors, or these for beats
        needed += sum(cycles_for_beats(shares) for shares in matrices)
        assert cycles <= needed, f"{cycles} cycles, must be at most {needed}"
    else:
        assert cycles == needed, f"{cycles} cycles, must be {needed}"


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(empty=[1, 2, 3])
async def empty_rows_leave_no_bubble(dut: Any, empty: int) -> None:
    """With several pointers a beat as many empty rows less one before every row of one survivor cost nothing, wherever they start.

    Nor does the next matrix, but where its first beat of pointers, of which one ends no row, ends no row with survivors.
    """
    p = decoder()
    rows, columns, survivors = limits()
    if empty >= p.pointers or empty >= rows:
        return
    periods = min(rows // (empty + 1), survivors)
    lengths = ([0] * empty + [1]) * periods
    generator = random.Random(f"{cocotb.RANDOM_SEED} {empty}")
    mixed = [n for _ in range(periods) for n in [0] * generator.randrange(empty + 1) + [1]]
    for one in (lengths, mixed):
        rate = await measure_rate(dut, matrix(one, columns))
        assert (rate.beats_per_cycle, rate.gap) == (1.0, not any(one[: p.pointers - 1])), (one, rate)


def cycles_for_pointers(shares: Shares) -> int:
    """Clock cycles that the row pointers of a well-formed matrix take: a beat as many as it ends rows with survivors, at least one."""
    several = decoder().pointers
    ended = [a != b for a, b in itertools.pairwise([0, *ends(shares)])]
    return sum(max(1, sum(ended[start : start + several])) for start in range(0, len(ended), several))


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def idle_cycles_of_several_pointers(dut: Any) -> None:
    """Rows of one survivor or none: an idle cycle for each beat of pointers that ends no row with one, and no other.

    So it is at the begin of a matrix, in its midst and at its end, in each of these alone and with all kinds mixed.
    """
    several = decoder().pointers
    if several == 1:
        return
    rows, _, survivors = limits()
    full, none = [1] * several, [0] * several
    begin, midst = [[*none, 1], [*none[1:], 1], [*none[2:], 1]], [[1, *none, 1], [1, *none[1:], 1]]
    alone = [*begin, *midst, [*full, *none], [*full, *none[1:]], [*full[1:], *none]]
    patterns = [list(one) for count in range(min(rows, 7) + 1) for one in itertools.product((0, 1), repeat=count)]
    random.Random(cocotb.RANDOM_SEED).shuffle(patterns)
    for lengths in (*([one] * 8 for one in alone if len(one) <= rows), patterns):
        matrices = [matrix(one, 2) for one in lengths if sum(one) <= survivors]
        needed = sum(cycles_for_pointers(shares) for shares in matrices) + decoder().latency
        cycles = await run_matrices(dut, matrices)
        assert cycles == needed, f"{lengths[0]}: {cycles} cycles, must be {needed}"


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(full=[False, True])
async def a_beat_takes_as_long_as_its_survivors(dut: Any, full: bool) -> None:
    """Without stalls: a survivor a cycle; a beat of dense rows takes one for all survivors that came in together, at least one."""
    rows, columns, survivors = limits()
    rows = min(rows, survivors // columns)
    shares = matrix([columns if full else 1 + number % columns for number in range(rows)], columns)
    cycles = await run_matrices(dut, [shares] * 8)
    taken = 8 * max(cycles_for_beats(shares) if decoder().dense else len(shares["column"]), rows + 1)
    assert taken <= cycles <= taken + decoder().latency + 4, f"8 matrices took {cycles} cycles, must be about {taken}"


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(rows=[0, 1, 2, 3])
async def short_matrices(dut: Any, rows: int) -> None:
    """A matrix takes no more than a cycle for each row pointer."""
    cycles = await run_matrices(dut, [matrix([1] * rows, 1)] * 64)
    taken = 64 * (rows + 1)
    assert cycles <= taken + decoder().latency + 4, f"64 matrices took {cycles} cycles, must be about {taken}"


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(cycles=[1, 2, 3, 5, 7, 8, 9, 12])
async def reset_in_flight(dut: Any, cycles: int) -> None:
    """After a reset in the midst of a matrix the next one decodes as after power-up."""
    rows, columns, _ = limits()
    await reset_midway(dut, matrix([0, 2, *[columns] * (rows - 2)], columns), cycles=cycles)

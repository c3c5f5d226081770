"""Holds the relative-index decoder to the contract: truth under stalls, exact count, errors in band, rate and latency."""

import itertools
import random
from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import cocotb

from golden.bits import Element
from golden.params.relative import RelativeError, RelativeParameters
from golden.relative import pairs, shares_of
from golden.rlc import Pair
from sim.bench_contract import golden, measure_rate, run_matrices
from sim.bench_pairs import (
    densities,
    encode,
    full_rate,
    matrices_under_stalls,
    most,
    near,
    random_elements,
    random_matrix,
    random_runs,
    reset_in_flight,
    short_matrices_at_full_rate,
    stated_rate,
)
from sim.testbench import PATTERNS, Shares, parameters

__all__ = ["densities", "full_rate", "matrices_under_stalls", "reset_in_flight", "short_matrices_at_full_rate", "stated_rate"]

Share: TypeAlias = Sequence[Element | None]


def decoder() -> RelativeParameters:
    """The parameters of the decoder under test."""
    return cast(RelativeParameters, parameters())


def of(count: int, given: Sequence[Pair]) -> dict[str, list[Element | None]]:
    """The shares of a matrix of so many weights and these pairs, which may not fit it."""
    return {"shape": [count], **shares_of(given, decoder())}


def of_lengths() -> list[Shares]:
    """One matrix whose streams are in every combination shortened, prolonged, doubled, emptied, and given beats without data."""
    p = decoder()
    count = min(3 * p.pairs_per_word + 1, (1 << p.count_bits) - 1)
    whole = of(count, [(0, 1)] * count)
    gap, value = whole["gap"], whole["value"]
    per_beat = p.pairs_per_word
    gaps: list[Share] = [gap, [*gap, None], [*gap, 0], [*gap, *gap], gap[:-1], gap[:1], [], [None]]
    gaps += [[*gap[:-1], None], [None, *gap[:-1], None]]
    values: list[Share] = [value, [*value, None], [*value, 1], [*value, *value], value[:-1], value[:per_beat], [], [None]]
    values += [[*value[:-1], None], [*value[:1], None, *value[1:]], [*value[: per_beat - 1], None, *value[per_beat - 1 :]]]
    return [{"shape": [few], "gap": g, "value": v} for few in sorted({0, 1, per_beat, count}) for g in gaps for v in values]


def of_counts() -> list[Shares]:
    """Pairs that end before the count, at it and past it, in each place of a word, by a gap or by a value; with words after the end."""
    p = decoder()
    bad: list[Shares] = []
    for ones in range(2 * p.pairs_per_word + 1):
        for gap in sorted({0, 1, p.longest_run}):
            here = [*[(0, 1)] * ones, (gap, 1)]
            end = ones + gap + 1
            counts = (end - 2, end - 1, end, end + 1, end + p.lanes)
            bad += [of(count, more) for count in counts for more in (here, [*here, (0, 1)], here[:-1])]
    count = min(2 * p.lanes + 1, most())
    full = [(0, 1)] * (-(-count // p.pairs_per_word) * p.pairs_per_word)
    after: list[list[Pair]] = [[], [(0, 1)], full * 3, [(p.longest_run, 1)] * 40]
    bad += [of(len(full) - less, [*full, *more]) for less in range(p.lanes + 1) for more in after]
    bad += [of(most(), []), of(most(), [(0, 1)]), of(most(), [(p.longest_run, 0)] * (most() // (p.longest_run + 1) + 1))]
    return [one for one in bad if 0 <= cast(int, one["shape"][0]) < 1 << p.count_bits]


@cocotb.test(timeout_time=50, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def malformed_streams(dut: Any, stall: str) -> None:
    """Streams of wrong and of different lengths and pairs past the count end in their code, and the good matrix after them is untouched."""
    bad, good = [*of_lengths(), *of_counts()], random_matrix(min(2 * decoder().lanes + 1, most()), 0.75)
    assert {golden(shares, decoder()).error for shares in bad} == set(RelativeError)
    matrices = [matrix for number, one in enumerate(bad) for matrix in ([one, good] if number % 3 else [one])]
    await run_matrices(dut, matrices, idle=stall, pressure=stall)


@cocotb.test(timeout_time=50, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def random_streams(dut: Any, stall: str) -> None:
    """Random gaps, values, counts and lengths: right or wrong, what comes out is what golden says."""
    p = decoder()
    generator = random.Random(f"{cocotb.RANDOM_SEED} {stall}")
    matrices: list[Shares] = []
    for _ in range(200):
        gaps = random_runs(generator)
        unused = generator.randrange((len(gaps) - 1) % p.pairs_per_word + 1) if gaps else 0  # at the end of the last word
        total = sum(gap + 1 for gap in gaps[: len(gaps) - unused])
        shares = of(near(total, generator), [(gap, generator.getrandbits(p.value_bits)) for gap in gaps])
        del shares["value"][len(gaps) - unused :]
        for _ in range(generator.choice((0, 0, 1, 2))):
            share = shares[generator.choice(("gap", "value"))]
            place = generator.randrange(len(share) + 1)
            new: list[Element | None] = [generator.choice((None, 1))]
            share[place : place + generator.choice((0, 1, len(share)))] = generator.choice((new, new[:0]))
        matrices.append(shares)
    await run_matrices(dut, matrices, idle=stall, pressure=stall)


@cocotb.test(timeout_time=50, timeout_unit="ms")
async def all_streams_of_two_beats(dut: Any) -> None:
    """For each small count every pair of streams of up to two beats: of all gaps where they are few, else of some that differ much."""
    p = decoder()
    bits = p.pairs_per_word * p.gap_bits
    words = range(1 << bits) if bits <= 2 else (0, 1 << p.gap_positions[0], (1 << p.gap_bits) - 1 << p.gap_positions[-1])
    beats = [None, *words]
    gaps: list[Share] = [[], *([word] for word in words), *([a, b] for a in beats for b in beats)]
    values: list[Share] = [[1] * n for n in range(2 * p.pairs_per_word + 1)]
    values += [[None, 1], [1, None, 1], *([*value, None] for value in values)]
    counts = range(min(1 << p.count_bits, 8)) if bits <= 2 else (0, 1, p.pairs_per_word + 1, 2 * p.lanes)
    await run_matrices(dut, [{"shape": [count], "gap": gap, "value": value} for count in counts for gap in gaps for value in values])


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def beats_without_data(dut: Any, stall: str) -> None:
    """Beats without data in the midst of a stream change nothing, be they in step in the two or not; nor do gaps past the last pair."""
    p = decoder()
    flat = [*random_elements(min(6 * p.lanes, most()) - 1), 1]
    whole = of(len(flat), pairs(flat, p))
    per_beat = p.pairs_per_word
    gap = [beat for word in whole["gap"] for beat in (None, word)]
    value = [one for start in range(0, len(whole["value"]), per_beat) for one in (None, None, *whole["value"][start : start + per_beat])]
    unused = itertools.chain(*(range(at, at + p.gap_bits) for at in p.gap_positions[(len(whole["value"]) - 1) % per_beat + 1 :]))
    filled = [*whole["gap"][:-1], cast(int, whole["gap"][-1]) | sum(1 << at for at in unused)]
    matrices: list[Shares] = [whole | {"gap": gap}, whole | {"value": value}, whole | {"gap": gap, "value": value}, whole | {"gap": filled}]
    assert [golden(shares, p) for shares in matrices] == [golden(whole, p)] * 4
    empty: Shares = {"shape": [0], "gap": [None, None], "value": [None]}
    await run_matrices(dut, [*matrices, empty] * 3, idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(late=["gap", "value"])
async def latency_from_a_late_stream(dut: Any, late: str) -> None:
    """The latency is the same where one stream keeps the other waiting."""
    p = decoder()
    shares = encode([0] * min(p.lanes - 1, p.longest_run) + [1])
    rate = await measure_rate(dut, {**shares, late: [*[None] * 9, *shares[late]]}, deciding={late: 9})
    assert rate.latency == p.latency, rate

"""Holds the RLC unpacker to the contract: truth under stalls, exact count, errors in band, rate and latency."""

import itertools
import random
from typing import Any, cast

import cocotb

from golden.params.rlc import RlcParameters
from golden.rlc import Pair, pack
from sim.bench_contract import run_matrices
from sim.bench_pairs import (
    densities,
    full_rate,
    matrices_under_stalls,
    most,
    near,
    random_matrix,
    random_runs,
    reset_in_flight,
    short_matrices_at_full_rate,
    some,
    stated_rate,
)
from sim.testbench import PATTERNS, Shares, parameters

__all__ = ["densities", "full_rate", "matrices_under_stalls", "reset_in_flight", "short_matrices_at_full_rate", "stated_rate"]


def decoder() -> RlcParameters:
    """The parameters of the unpacker under test."""
    return cast(RlcParameters, parameters())


def marked(words: list[int | None], number: int = -1) -> list[int | None]:
    """*words* with the marker only in the beat of that *number*, in none if there is no such beat; as they are if words have no marker."""
    at = decoder().marker_position
    if at is None:
        return words
    chosen = number if number >= 0 else len(words) + number
    return [word if word is None else word & ~(1 << at) | int(i == chosen) << at for i, word in enumerate(words)]


def code(pairs: list[Pair]) -> list[int | None]:
    """The words of these pairs."""
    return list(pack(pairs, decoder()))


def malformed() -> list[Shares]:
    """Every kind of malformed code, at several places in a matrix."""
    p = decoder()
    count = min(6 * p.lanes + 3, most())
    words = code([(0, 1)] * count)
    bad: list[Shares] = [{"shape": [count], "code": []}, {"shape": [1], "code": []}, {"shape": [count], "code": [None, None]}]
    # Too short: by many beats, by some words, and the last beat without data.
    bad += [{"shape": [most()], "code": code([(run, 1)] * pairs)} for run in (0, 1, p.longest_run) for pairs in (1, p.pairs_per_word)]
    bad += [{"shape": [count], "code": marked(words[:end])} for end in some(len(words)) if end]
    bad += [{"shape": [count], "code": [*words[:-1], None]}, {"shape": [count], "code": [None, *marked(words[:1], 7), None]}]
    # Too long: tlast one beat late, words after the end, counts that are smaller than the code's.
    for few, tail in itertools.product(range(1, 2 * p.lanes + 2), (None, 0)):
        dense = code([(0, 1)] * few)
        bad.append({"shape": [few], "code": [*marked(dense, len(dense)), tail]})
    bad += [{"shape": [count], "code": [*marked(words, len(words)), None]}, {"shape": [count], "code": marked(words * 2)}]
    bad += [{"shape": [count], "code": marked([*words, *[None, words[0]] * 9])}]
    bad += [{"shape": [fewer], "code": words} for fewer in some(count)]
    # A run past the count, in each pair of a word; a pair past the count that is not (0, 0).
    for pair in range(p.pairs_per_word):
        runs = [(0, 1)] * pair + [(p.longest_run, 1)]
        bad += [{"shape": [pair + extra], "code": code([*runs, (0, 1)])} for extra in (1, 2, p.longest_run, p.longest_run + 1)]
        for extra, past in itertools.product((1, 2), ((1, 0), (0, 1))):
            bad.append({"shape": [pair + extra], "code": code([(0, 1)] * pair + [(extra - 1, 1), past])})
    bad += [{"shape": [0], "code": marked([word])} for word in (0, words[0])]
    bad += [{"shape": [0], "code": [*marked([1, None, 1])]}, {"shape": [0], "code": marked([1, None], 7)}]
    # Unused pairs, which a decoder may take for a terminator, in each place of a word in the midst, and twice.
    for place in range(p.pairs_per_word):
        pairs = [(0, 1)] * place + [(0, 0)] + [(0, 1)] * 2 * p.pairs_per_word
        bad += [{"shape": [few], "code": marked(code(pairs)[:end])} for few in (0, place, place + 1, count) for end in (1, 2, 3)]
    # The marker in a wrong word, in none, in two; before and after the matrix is complete.
    bad += [{"shape": [few], "code": marked([*words, None, 0], at)} for at in some(len(words)) for few in (0, 1, count)]
    bad += [{"shape": [count], "code": marked(words, len(words))}, {"shape": [1], "code": marked(code([(0, 1)]), 1)}]
    bad += [{"shape": [count], "code": [*marked(words[:-1]), words[-1]]}, {"shape": [0], "code": marked([0], 1)}]
    return [one for one in bad if 0 <= cast(int, one["shape"][0]) < 1 << p.count_bits]


@cocotb.test(timeout_time=20, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def malformed_code(dut: Any, stall: str) -> None:
    """Each malformed code ends in the code of its first error, and the good matrix after it is untouched."""
    good = random_matrix(min(2 * decoder().lanes + 1, most()), 0.75)
    await run_matrices(dut, [matrix for one in malformed() for matrix in (one, good)], idle=stall, pressure=stall)


@cocotb.test(timeout_time=50, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def random_codes(dut: Any, stall: str) -> None:
    """Random words, counts, lengths and markers: right or wrong, what comes out is what golden says."""
    p = decoder()
    generator = random.Random(f"{cocotb.RANDOM_SEED} {stall}")
    matrices: list[Shares] = []
    for _ in range(200):
        pairs = [(run, generator.choice((0, 1, 1)) * generator.getrandbits(p.level_bits)) for run in random_runs(generator)]
        words = code(pairs)
        if generator.random() < 0.3:
            words.insert(generator.randrange(len(words) + 1), None)
        if generator.random() < 0.3 and words:
            words = marked(words, generator.randrange(2 * len(words)))
        matrices.append({"shape": [near(sum(run + 1 for run, _ in pairs), generator)], "code": words})
    await run_matrices(dut, matrices, idle=stall, pressure=stall)


@cocotb.test(timeout_time=50, timeout_unit="ms")
async def all_codes_of_two_beats(dut: Any) -> None:
    """For each small count every code of up to two beats: of all words there are where words are small, else of a few that differ much."""
    p = decoder()
    if p.word_bits <= 6:
        words = list(range(1 << p.word_bits))
    else:
        full = [(0, 1)] * (p.pairs_per_word - 1)
        firsts = [code(pairs)[0] for pairs in ([(0, 0)], [(0, 1), *full], [(1, 1), *full], [*full, (1, 0)], [(p.longest_run, 1)])]
        words = [word for first in firsts for number in (0, 1) for word in cast(list[int], marked([cast(int, first)], number))]
    beats = [None, *dict.fromkeys(words)]
    codes: list[list[int | None]] = [[], *([beat] for beat in beats), *([a, b] for a in beats for b in beats)]
    counts = range(min(1 << p.count_bits, 8))
    await run_matrices(dut, [{"shape": [count], "code": one} for count in counts for one in codes])


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def beats_without_data(dut: Any, stall: str) -> None:
    """Beats without data in the midst of a code change nothing."""
    matrix = random_matrix(min(6 * decoder().lanes, most()))
    words = [beat for word in matrix["code"] for beat in (None, word)]
    await run_matrices(dut, [{**matrix, "code": words}, {"shape": [0], "code": [None, None]}] * 3, idle=stall, pressure=stall)

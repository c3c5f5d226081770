"""Holds a decoder that puts packed values where a mask says to the contract: truth under stalls, exact count, errors in band, rate.

All that it knows of the format is its first stream, whatever the mask is stored as, and ``golden.FORMAT.masks``.
"""

import importlib
import random
from typing import Any

import cocotb

from golden.bits import Element
from golden.params.base import Error, Parameters
from sim.bench_contract import golden, measure_rate, reset_midway, run_matrices, wrong_lengths
from sim.testbench import PATTERNS, Shares, parameters

Matrix = dict[str, list[Element | None]]


def name_of_masks() -> str:
    """The stream that says which weights survive."""
    return parameters().inputs[0].name


def count_survivors(words: list[Element | None], count: int) -> int:
    """How many values a matrix of *count* weights needs."""
    p = parameters()
    masks, _ = importlib.import_module(f"golden.{p.format}").masks({"shape": [count], name_of_masks(): words}, p)
    return sum(sum(mask) for mask in masks)


def word_weights() -> int:
    """Weights that a beat of the first stream stands for."""
    return parameters().output.lanes * int(getattr(parameters(), "word_cycles", 1))


def random_matrix(count: int, density: float = 0.4) -> Matrix:
    """A matrix of *count* weights (or as many as its width allows); each bit of its first stream is 1 with probability *density*."""
    p: Parameters = parameters()
    count = min(count, (1 << p.count_bits) - 1)
    masks, values = p.inputs
    generator = random.Random(f"{cocotb.RANDOM_SEED} {count} {density}")
    words: list[Element | None] = [
        sum((generator.random() < density) << bit for bit in range(masks.fields[0].bits)) for _ in range(-(-count // word_weights()))
    ]
    survivors = count_survivors(words, count)
    return {
        "shape": [count],
        masks.name: words,
        values.name: [generator.getrandbits(values.fields[0].bits) for _ in range(survivors)],
    }


def beat_times(shares: Matrix) -> list[int]:
    """The clock cycle of each output beat where the matrix comes three times: values are gathered into rows, a beat in every cycle, the
    next row while one is in use; a mask waits for the row that holds the last of its survivors.
    """
    p = parameters()
    width, size = p.inputs[1].lanes, 1 << (max(lanes(), p.inputs[1].lanes) - 1).bit_length()
    masks, _ = importlib.import_module(f"golden.{p.format}").masks(shares, p)
    needs = [sum(mask) for mask in masks]
    times: list[int] = []
    now, taken = -1, 0  # taken: when the last row came into use
    for _ in range(3):
        left, unused = 0, sum(needs)  # values of the row in use, and of all rows after it
        for number, need in enumerate(needs, start=1):
            now += 1
            if need > left or (number == len(needs) and unused == sum(needs)):  # a matrix without survivors has a row too
                row = min(size, unused)
                now = taken = max(now, taken + max(-(-row // width), 1))
                left, unused = left + row, unused - row
            left -= need
            times.append(now)
    return times


def lanes() -> int:
    """Weights of an output beat."""
    return parameters().output.lanes


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(idle=PATTERNS, pressure=PATTERNS)
async def matrices_under_stalls(dut: Any, idle: str, pressure: str) -> None:
    """Matrices of all interesting sizes and densities follow each other under every pair of stall patterns."""
    edges = [edge + offset for edge in (lanes(), 2 * lanes(), 5 * lanes()) for offset in (-1, 0, 1)]
    counts = [0, 1, 0, 0, *edges, 1, 9 * lanes() + lanes() // 2]
    matrices = [random_matrix(count, density) for density in (0.1, 0.5, 1) for count in counts]
    await run_matrices(dut, [*matrices, random_matrix(3 * lanes(), 0)], idle=idle, pressure=pressure)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def malformed_lengths(dut: Any, stall: str) -> None:
    """Streams of wrong and of different lengths end in their code, and the good matrix after them is untouched."""
    masks, values = parameters().inputs
    whole, good = random_matrix(4 * lanes() + 1), random_matrix(2 * lanes())
    shares: list[Shares] = [
        whole | {masks.name: first, values.name: second}
        for first in wrong_lengths(whole[masks.name], 1)
        for second in wrong_lengths(whole[values.name], values.lanes)
    ]
    few: list[list[Element | None]] = [[], [1], [None, 1], [1, None, 1]]
    shares += [{"shape": [count], masks.name: first, values.name: second} for count in (0, 1) for first in few for second in few]
    assert {golden(one, parameters()).error for one in shares} == set(Error)
    await run_matrices(dut, [matrix for one in shares for matrix in (one, good)], idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def values_missing_at_every_place(dut: Any, stall: str) -> None:
    """A value stream cut anywhere, and one with a beat that is not full anywhere, clear the weights from the first that is missing on."""
    values = parameters().inputs[1].name
    whole = random_matrix(3 * lanes(), 0.6)
    places = range(0, len(whole[values]), max(1, len(whole[values]) // 16))
    cut: list[Shares] = [whole | {values: whole[values][:place]} for place in places]
    holed: list[Shares] = [whole | {values: [*whole[values][:place], None, *whole[values][place:]]} for place in places]
    await run_matrices(dut, [matrix for one in [*cut, *holed] for matrix in (one, whole)], idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def bits_past_the_last_weight(dut: Any) -> None:
    """What the last beat of the first stream holds past the last weight is not looked at."""
    shares = random_matrix(1, 1)
    (word,) = shares[name_of_masks()]
    filled = shares | {name_of_masks(): [(1 << parameters().inputs[0].fields[0].bits) - 1]}
    assert golden(filled, parameters()) == golden(shares | {name_of_masks(): [word]}, parameters())
    await run_matrices(dut, [filled, shares])


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def beats_without_data(dut: Any, stall: str) -> None:
    """Beats without data in the midst of a stream change nothing, be they in step in the two or not."""
    masks, values = parameters().inputs
    whole = random_matrix(6 * lanes())
    first = [beat for word in whole[masks.name] for beat in (None, word)]
    beats = [whole[values.name][start : start + values.lanes] for start in range(0, len(whole[values.name]), values.lanes)]
    second = [one for beat in beats for one in (None, None, *beat)]
    empty: Shares = {"shape": [0], masks.name: [None, None], values.name: [None]}
    changed: list[Shares] = [whole | {masks.name: first}, whole | {values.name: second}, whole | {masks.name: first, values.name: second}]
    assert [golden(shares, parameters()) for shares in changed] == [golden(whole, parameters())] * 3
    await run_matrices(dut, [changed[0], empty, *changed[1:]], idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(density=[0.0, 0.1, 0.5, 1.0])
async def full_rate(dut: Any, density: float) -> None:
    """One beat in every clock cycle, also from matrix to matrix, but where values do not come in time; the latency is the one stated."""
    p = parameters()
    shares = random_matrix(40 * lanes(), density)
    times = beat_times(shares)
    beats = len(times) // 3
    cycles = times[2 * beats - 1] - times[beats] + 1
    if p.inputs[1].lanes >= lanes():
        assert cycles == beats
    rate = await measure_rate(dut, shares, deciding={"shape": 0, name_of_masks(): 0})
    assert (rate.latency, rate.beats_per_cycle, rate.gap) == (p.latency, beats / cycles, times[2 * beats] - times[2 * beats - 1] - 1), rate


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def short_matrices_at_full_rate(dut: Any) -> None:
    """Matrices of one beat and empty ones follow each other without an idle cycle."""
    cycles = await run_matrices(dut, [random_matrix(1), random_matrix(0)] * 32)
    assert cycles <= 64 + parameters().latency + 4, f"64 matrices of one beat took {cycles} cycles"


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(cycles=[1, 2, 3, 7, 12, 20])
async def reset_in_flight(dut: Any, cycles: int) -> None:
    """After a reset in the midst of a matrix the next one decodes as after power-up."""
    await reset_midway(dut, random_matrix(40 * lanes()), cycles=cycles)

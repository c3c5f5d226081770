"""Holds the bit-plane decoder to the contract: truth under stalls, exact count, errors in band, patches of all kinds, rate and latency."""

import random
from typing import Any, cast

import cocotb

from golden import planes
from golden.bits import Element
from golden.params.base import Error
from golden.params.planes import PlanesParameters
from sim.bench_contract import golden, measure_rate, reset_midway, run_matrices, wrong_lengths
from sim.testbench import PATTERNS, Shares, parameters

Matrix = dict[str, list[Element | None]]


def decoder() -> PlanesParameters:
    """The parameters of the decoder under test."""
    return cast(PlanesParameters, parameters())


def random_matrix(count: int, patches: int | None = None) -> Matrix:
    """A matrix of *count* weights (or as many as the width allows), mask and words random, *patches* in each beat or a random number."""
    p = decoder()
    count = min(count, (1 << p.count_bits) - 1)
    beats = -(-count // p.lanes)
    generator = random.Random(f"{cocotb.RANDOM_SEED} {count} {patches}")
    flips = []
    for beat in range(beats):
        number = generator.choice([0, 0, 0, 0, 1, 1, p.patches + 1]) if patches is None else patches
        places = [(beat * p.lanes + generator.randrange(p.lanes), generator.randrange(p.value_bits)) for _ in range(number)]
        flips += sorted(places)
    return {
        "shape": [count],
        "mask": [generator.getrandbits(p.lanes) | generator.getrandbits(p.lanes) for _ in range(beats)],
        "word": [generator.getrandbits(p.word_bits) for _ in range(beats)],
        "patch": [*planes.patches_of(flips, p)],
    }


def patch(lane: int, plane: int, gap: int) -> int:
    """A patch; *lane* and *plane* may be beyond those that there are."""
    p = decoder()
    return lane | plane << p.lane_bits | min(gap, (1 << p.gap_bits) - 1) << p.lane_bits + p.plane_bits


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(idle=PATTERNS, pressure=PATTERNS)
async def matrices_under_stalls(dut: Any, idle: str, pressure: str) -> None:
    """Matrices at the edges of beats and blocks follow each other under every pair of stall patterns."""
    p = decoder()
    block = min(p.block, 6 * p.lanes)
    edges = [edge + offset for edge in (p.lanes, block) for offset in (-1, 0, 1)]
    counts = [0, 1, 0, 0, *edges, 1, 9 * p.lanes + p.lanes // 2]
    await run_matrices(dut, [random_matrix(count) for count in counts], idle=idle, pressure=pressure)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def malformed_lengths(dut: Any, stall: str) -> None:
    """Streams of wrong and of different lengths end in their code, and the good matrix after them is untouched."""
    p = decoder()
    whole, good = random_matrix(4 * p.lanes + 1, 1), random_matrix(2 * p.lanes)
    wrong = {port.name: wrong_lengths(whole[port.name], port.lanes) for port in p.inputs}
    bad: list[Shares] = [whole | {name: share} for name, shares in wrong.items() for share in shares]
    pairs = [("mask", "word"), ("mask", "patch"), ("word", "patch")]
    bad += [whole | {one: wrong[one][i], other: wrong[other][j]} for one, other in pairs for i in (1, 3, 4, 6) for j in (2, 5, 9)]
    few: list[list[Element | None]] = [[], [1], [None, 1], [1, None, 1]]
    bad += [{"shape": [0], "mask": few[i], "word": few[j], "patch": few[(i + j) % 4]} for i in range(4) for j in range(4)]
    assert {golden(shares, p).error for shares in bad} == set(Error)
    await run_matrices(dut, [one for shares in bad for one in (shares, good)], idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def patches_of_all_kinds(dut: Any, stall: str) -> None:
    """The same bit twice, lanes and planes that are none, pruned weights, weights past the last, gaps past the matrix, more than a beat."""
    p = decoder()
    plain = random_matrix(3 * p.lanes + 1, 0)
    last = p.lanes - 1
    no_lane, no_plane = (1 << p.lane_bits) - 1, (1 << p.plane_bits) - 1
    kinds: list[list[Element | None]] = [
        [patch(0, 0, 0)] * 2,
        [patch(0, 0, 0)] * (3 * p.patches + 1),
        [patch(lane % p.lanes, lane % p.value_bits, 0) for lane in range(2 * p.patches + 1)],
        [patch(no_lane, 0, 1), patch(last, no_plane, 1), patch(p.lanes, 0, 0), patch(last, p.value_bits - 1, 1)],
        [patch(no_lane, 0, 1), patch(last, 0, 1), patch(last, 0, 1), patch(last, 0, 0), patch(0, 0, 0)],  # weights past the last
        [None, patch(0, 0, 1), None, None, patch(1, 0, 1), patch(0, 0, 1), None],
        [patch(0, 0, 3)],  # the gap after the last patch is not looked at
        [patch(0, 0, 1), patch(0, 0, 1), patch(0, 0, 1), patch(0, 0, 1)],  # the gap of the last patch leads past the matrix
        [patch(0, 0, 1), patch(0, 0, 1), patch(0, 0, 1), patch(0, 0, 1), patch(0, 0, 1)],
        [patch(0, 0, 1), patch(0, 0, 1 << 16), patch(1, 0, 0), None, patch(1, 0, 0)],
    ]
    shares: list[Shares] = [one for kind in kinds for one in (plain | {"patch": kind}, plain | {"patch": kind, "mask": [0] * 4})]
    shares += [plain | {"patch": kind, "mask": plain["mask"][:2]} for kind in kinds]
    await run_matrices(dut, shares, idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(stall=PATTERNS)
async def beats_without_data(dut: Any, stall: str) -> None:
    """Beats without data in the midst of any stream change nothing."""
    whole = random_matrix(5 * decoder().lanes)
    shares: list[Shares] = []
    for names in (("mask",), ("word",), ("patch",), ("mask", "word", "patch")):
        matrix: Matrix = dict(whole)
        for name in names:
            matrix[name] = [beat for one in whole[name] for beat in (None, one)]
        assert golden(matrix, decoder()) == golden(whole, decoder())
        shares += [matrix, {"shape": [0], "mask": [None, None], "word": [None], "patch": [None, None, None]}]
    await run_matrices(dut, shares, idle=stall, pressure=stall)


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(full=[0, 1, 2])
async def full_rate(dut: Any, full: int) -> None:
    """One beat in every clock cycle, over blocks and from matrix to matrix, with and without patches; the latency is as stated."""
    p = decoder()
    shares = random_matrix(40 * p.lanes, (0, 1, p.patches)[full])
    rate = await measure_rate(dut, shares)
    assert (rate.latency, rate.beats_per_cycle, rate.gap) == (p.latency, 1.0, 0), rate


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(late=[("mask", 4), ("word", 4), ("patch", 2)])
async def latency_from_a_late_stream(dut: Any, late: tuple[str, int]) -> None:
    """Where one stream keeps the others waiting, the latency from it is the one of the docstring."""
    name, latency = late
    shares = random_matrix(4 * decoder().lanes, 1)
    rate = await measure_rate(dut, {**shares, name: [*[None] * 20, *shares[name]]}, deciding={name: 20})
    assert rate.latency == latency + decoder().skid, rate


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def rate_of_many_patches(dut: Any) -> None:
    """An output beat takes a cycle for each beat of patches that it needs."""
    p = decoder()
    needed = 3
    count = min(20 * p.lanes, (1 << p.count_bits) - 1)
    beats = -(-count // p.lanes)
    cycles = await run_matrices(dut, [random_matrix(count, needed * p.patches)])
    assert needed * beats <= cycles <= needed * beats + p.latency + 2, f"{beats} beats took {cycles} cycles"


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def short_matrices_at_full_rate(dut: Any) -> None:
    """Matrices of one beat and empty ones follow each other without an idle cycle."""
    cycles = await run_matrices(dut, [random_matrix(1, 1), random_matrix(0)] * 32)
    assert cycles <= 64 + decoder().latency + 4, f"64 matrices of one beat took {cycles} cycles"


@cocotb.test(timeout_time=10, timeout_unit="ms")
@cocotb.parametrize(cycles=[1, 2, 3, 7, 12])
async def reset_in_flight(dut: Any, cycles: int) -> None:
    """After a reset in the midst of a matrix the next one decodes as after power-up."""
    await reset_midway(dut, random_matrix(40 * decoder().lanes), cycles=cycles)

"""The N:M decoder against golden in Amaranth's own simulator: parameters past the catalogue, random matrices good and malformed."""

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from amaranth.sim import Simulator

from golden import nm
from golden.bits import Element
from golden.decoded import Decoded
from golden.params.base import Port
from golden.params.nm import NmParameters
from hdl.emit import emit
from hdl.nm import NmDecoder
from sim import tools

HANGS = 2000  # cycles in which a stream that is offered or awaited does not move
Shares = dict[str, list[Element | None]]

SETS = [
    NmParameters(n=1, m=2, value_bits=1, groups=1, count_bits=3),
    NmParameters(n=2, m=2, value_bits=3, groups=2, count_bits=5),
    NmParameters(n=4, m=4, value_bits=4, groups=3, count_bits=6),
    NmParameters(n=1, m=16, value_bits=2, groups=2, count_bits=7),
    NmParameters(n=3, m=4, value_bits=9, groups=5, count_bits=7),
    NmParameters(n=7, m=8, value_bits=2, groups=1, count_bits=6),
    NmParameters(n=2, m=4, value_bits=8, groups=4, count_bits=6),
]
sets = pytest.mark.parametrize("parameters", SETS, ids=lambda p: p.name)


def good_matrix(parameters: NmParameters, generator: random.Random, count: int) -> Shares:
    """A matrix of *count* random levels, about as sparse as the format can hold."""
    p = parameters
    flat = [0] * count
    for start in range(0, count, p.m):
        group = range(start, min(start + p.m, count))
        for position in generator.sample(group, min(p.n, len(group))):
            flat[position] = generator.getrandbits(p.value_bits)
    return nm.encode([flat], p)


def any_matrix(parameters: NmParameters, generator: random.Random) -> Shares:
    """A good matrix, or one with a few elements put in, taken out or changed at random places of its streams."""
    p = parameters
    shares = good_matrix(p, generator, generator.choice([0, 1, p.m, p.lanes, p.lanes + 1, generator.randrange(1 << p.count_bits)]))
    for _ in range(generator.choice([0, 1, 1, 2])):
        port = generator.choice(p.inputs)
        share = shares[port.name]
        place = generator.randrange(len(share) + 1)
        new: Element | None = generator.choice([None, generator.getrandbits(port.fields[0].bits)])
        put, taken = generator.choice([([new], 0), ([new], 1), ([], 1), ([], len(share))])
        share[place : place + taken] = put
    return shares


def beats(port: Port, share: list[Element | None]) -> Iterator[tuple[list[int], bool]]:
    """The lanes of each beat of a share, and whether it is the last."""
    given: list[list[int]] = [[]]
    for element in share:
        if not isinstance(element, int):
            given.append([])
        elif given[-1] and len(given[-1]) < port.lanes:
            given[-1].append(element)
        else:
            given.append([element])
    kept = given[1:] or given
    yield from ((lanes, number == len(kept) - 1) for number, lanes in enumerate(kept))


def decode(parameters: NmParameters, matrices: list[Shares], stall: float, seed: int) -> list[Decoded]:
    """What the decoder gives for *matrices*, one after the other; each stream stalls by itself, in *stall* of the cycles."""
    decoder = NmDecoder(parameters)
    simulator = Simulator(decoder)
    simulator.add_clock(1e-6)
    given: list[Decoded] = []

    def source(port: Port) -> Any:
        async def drive(context: Any) -> None:
            generator, stream = random.Random(f"{seed} {port.name}"), getattr(decoder, port.name)
            for shares in matrices:
                for lanes, last in beats(port, shares[port.name]):
                    while generator.random() < stall:
                        context.set(stream.payload.as_value(), generator.getrandbits(len(stream.payload.as_value())))  # means nothing
                        await context.tick()
                    payload = {"data": lanes + [0] * (port.lanes - len(lanes))}
                    framing = {"keep": (1 << len(lanes)) - 1, "last": last} if port.framed else {}
                    context.set(stream.payload, payload | framing)
                    context.set(stream.valid, 1)
                    for _ in range(HANGS):
                        *_, ready = await context.tick().sample(stream.ready)
                        if ready:
                            break
                    else:
                        raise AssertionError(f"{port.name} is not taken")
                    context.set(stream.valid, 0)

        return drive

    async def sink(context: Any) -> None:
        generator, stream = random.Random(f"{seed} sink"), decoder.weight
        elements: list[Element] = []
        idle = 0
        while len(given) < len(matrices):
            ready = generator.random() >= stall
            context.set(stream.ready, ready)
            *_, valid, payload = await context.tick().sample(stream.valid, stream.payload)
            idle = 0 if valid else idle + 1
            assert idle < HANGS, "nothing comes out"
            if not (valid and ready):
                continue
            lanes = [payload.data[lane] for lane in range(parameters.lanes)]
            kept = payload.keep.bit_count()
            assert payload.keep == (1 << kept) - 1
            assert not any(lanes[kept:])
            assert payload.last or (kept, payload.error) == (parameters.lanes, 0)
            elements += lanes[:kept]
            if payload.last:
                given.append(Decoded(elements, payload.error))
                elements = []

    for port in (parameters.shape, *parameters.inputs):
        simulator.add_testbench(source(port))
    simulator.add_testbench(sink)
    simulator.run()
    return given


@sets
@pytest.mark.parametrize("stall", [0, 0.5])
def test_random_matrices_good_and_malformed_give_what_golden_says(parameters: NmParameters, stall: float) -> None:
    generator = random.Random(f"{parameters.name} {stall}")
    matrices = [any_matrix(parameters, generator) for _ in range(150)]
    expected = [nm.decode(shares, parameters) for shares in matrices]
    assert {decoded.error for decoded in expected} >= ({0, 1, 2, 3} if parameters.n > 1 else {0, 1, 2})
    assert decode(parameters, matrices, stall, 1) == expected


def test_each_of_all_nibbles_gives_what_golden_says() -> None:
    parameters = NmParameters(groups=1, count_bits=4)
    matrices: list[Shares] = [{"shape": [count], "index": [nibble], "value": [5, 7]} for nibble in range(16) for count in (1, 2, 3, 4)]
    given = decode(parameters, matrices, 0, 1)
    assert given == [nm.decode(shares, parameters) for shares in matrices]
    assert [nibble for nibble in range(16) if not given[4 * nibble].error] == [0x4, 0x8, 0x9, 0xC, 0xD, 0xE]


@sets
def test_verilator_lints_it_without_a_warning(parameters: NmParameters, tmp_path: Path) -> None:
    source = emit(parameters, tmp_path)
    command = ["verilator", "--lint-only", "-Wall", "--quiet", source.name]
    done = subprocess.run(command, cwd=tmp_path, env=tools.environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")

"""What the tests of decoders in Amaranth's own simulator have in common."""

import importlib
import random
from collections.abc import Callable
from typing import Any

import pytest
from amaranth.sim import Simulator

from golden.bits import Element, beats_of
from golden.decoded import Decoded
from golden.params.base import Parameters, Port
from hdl.axis import decoder as make

HANGS = 2000  # cycles in which a stream that is offered or awaited does not move
Shares = dict[str, list[Element | None]]


def decode(parameters: Parameters, matrices: list[Shares], stall: float, seed: int) -> list[Decoded]:
    """What the decoder gives for *matrices*, one after the other; each stream stalls by itself, in *stall* of the cycles."""
    decoder = make(parameters)
    simulator = Simulator(decoder)
    simulator.add_clock(1e-6)
    given: list[Decoded] = []

    def source(port: Port) -> Any:
        async def drive(context: Any) -> None:
            generator, stream = random.Random(f"{seed} {port.name}"), getattr(decoder, port.name)
            for shares in matrices:
                cut = beats_of(shares[port.name], port.lanes)
                for number, lanes in enumerate(cut, 1):
                    while generator.random() < stall:
                        context.set(stream.payload.as_value(), generator.getrandbits(len(stream.payload.as_value())))  # means nothing
                        await context.tick()
                    payload = {"data": lanes + [0] * (port.lanes - len(lanes))}
                    framing = {"keep": (1 << len(lanes)) - 1, "last": number == len(cut)} if port.framed else {}
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
        generator, stream = random.Random(f"{seed} sink"), getattr(decoder, parameters.output.name)
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
            lanes = [payload.data[lane] for lane in range(parameters.output.lanes)]
            kept = payload.keep.bit_count()
            assert payload.keep == (1 << kept) - 1
            assert not any(lanes[kept:])
            assert payload.last or (kept, payload.error) == (parameters.output.lanes, 0)
            elements += lanes[:kept]
            if payload.last:
                given.append(Decoded(elements, payload.error))
                elements = []

    for port in (parameters.shape, *parameters.inputs):
        simulator.add_testbench(source(port))
    simulator.add_testbench(sink)
    simulator.run()
    return given


@pytest.fixture
def gives_what_golden_says() -> Callable[[Parameters, list[Shares], float], None]:
    """Compares what a decoder gives for matrices of shares with ``golden``, under stalls of every stream in that part of all cycles."""

    def compare(parameters: Parameters, matrices: list[Shares], stall: float) -> None:
        golden = importlib.import_module(f"golden.{parameters.format}")
        assert decode(parameters, matrices, stall, 1) == [golden.decode(shares, parameters) for shares in matrices]

    return compare


@pytest.fixture
def spoil() -> Callable[[Parameters, Shares, random.Random], Shares]:
    """Puts in, takes out or changes a few elements at random places of a matrix's streams, or leaves it as it is."""

    def change(parameters: Parameters, shares: Shares, generator: random.Random) -> Shares:
        for _ in range(generator.choice([0, 1, 1, 2])):
            port = generator.choice(parameters.inputs)
            share = shares[port.name]
            place = generator.randrange(len(share) + 1)
            numbers = tuple(generator.getrandbits(one.bits) for one in port.fields)
            new: Element | None = generator.choice([None, numbers if len(numbers) > 1 else numbers[0]])
            put, taken = generator.choice([([new], 0), ([new], 1), ([], 1), ([], len(share))])
            share[place : place + taken] = put
        return shares

    return change

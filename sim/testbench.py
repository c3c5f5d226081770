"""The test bench around one decoder: clock, reset, a bus model at every port, stalls, and a monitor of the stream rules.

The bus models are cocotbext-axi's, independent of everything here; the monitor watches every cycle whatever the bus models do. No value
that is X or Z is ever taken for a pass: with Icarus an unknown in a handshake or in valid data fails the test.
"""

import itertools
import logging
import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, Timer
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

from golden.bits import Element, to_beats
from golden.catalog import from_json
from golden.decoded import Decoded
from golden.params.base import Parameters, Port
from sim.monitor import Monitor

Shares = Mapping[str, Sequence[Element | None]]  # what one matrix is on each input port, "shape" included

CLOCK_NS = 10
PATTERNS = ("none", "alternate", "bursts", "random", "mixed")  # when a bus model pauses


@dataclass(frozen=True)
class Frame:
    """What came out for one matrix, as it stood on the wires: beat after beat."""

    tdata: tuple[bytes, ...]
    tkeep: tuple[bytes, ...]  # one flag a byte, 0 or 1
    tuser: tuple[int, ...]


def parameters() -> Parameters:
    """The parameters of the decoder under test, which the runner passes to the simulator as JSON."""
    return from_json(os.environ["UNPRUNE_PARAMETERS"])


def pauses(pattern: str, port: int, name: str) -> Iterator[bool] | None:
    """For each cycle, whether the bus model of port number *port* pauses; None where it never does.

    ``none``, ``alternate`` (every other cycle), ``bursts`` (7 cycles on, 5 off), ``random`` (half of the cycles, by the test's seed
    and *name*), ``mixed`` (each port another of these, so that one stream runs ahead of the other).
    """
    generator = random.Random(f"{cocotb.RANDOM_SEED} {name}")
    if pattern == "mixed":
        pattern = ("random", "bursts", "none", "alternate")[port % 4]
    if pattern == "none":
        return None
    if pattern == "alternate":
        return itertools.cycle((False, True))
    if pattern == "bursts":
        return itertools.cycle((False,) * 7 + (True,) * 5)
    if pattern == "random":
        return (generator.random() < 0.5 for _ in itertools.count())
    raise ValueError(f"a stall pattern must be one of {', '.join(PATTERNS)}, was {pattern!r}")


class Testbench:
    """A decoder with a driver on every port.

    Args:
        dut: The top module of the simulation.
        parameters: Of the decoder.
        idle: Stall pattern of the sources, one of :data:`PATTERNS`.
        pressure: Stall pattern of the sink.

    Members:
        monitor: The cycle count, and the cycles in which beats were taken at every port.
    """

    def __init__(self, dut: Any, parameters: Parameters, *, idle: str = "none", pressure: str = "none") -> None:
        self.dut = dut
        self.parameters = parameters
        self.inputs = (parameters.shape, *parameters.inputs)
        self.sources = {port.name: self._driver(AxiStreamSource, "s", port) for port in self.inputs}
        self.sink = self._driver(AxiStreamSink, "m", parameters.output)
        for number, port in enumerate(self.inputs):
            self.sources[port.name].set_pause_generator(pauses(idle, number, port.name))
        self.sink.set_pause_generator(pauses(pressure, 0, parameters.output.name))
        self.monitor = Monitor(dut, parameters, gates="UNPRUNE_GATES" in os.environ)

    def _driver(self, model: Any, side: str, port: Port) -> Any:
        bus = AxiStreamBus.from_prefix(self.dut, f"{side}_axis_{port.name}")
        # Without tkeep a model takes tdata for one wide byte unless it is told.
        width = {} if port.framed else {"byte_size": 8}
        logging.getLogger(f"cocotb.{self.dut._name}.{side}_axis_{port.name}").setLevel(logging.WARNING)  # or it prints every frame
        return model(bus, self.dut.aclk, self.dut.aresetn, reset_active_level=False, **width)

    async def start(self) -> None:
        """Start the clock and the monitor and reset the decoder."""
        # At first these lines have no value in some simulators and 0 in others, and the bus models wait for edges.
        self.dut.aclk.value, self.dut.aresetn.value = 0, 1
        await Timer(1, unit="ns")
        Clock(self.dut.aclk, CLOCK_NS, unit="ns").start()
        self.monitor.start()
        for port in self.inputs:
            cocotb.start_soon(self._scramble(port))
        await self.reset()

    async def _scramble(self, port: Port) -> None:
        """While a source offers nothing its other lines carry noise: a decoder which looks at them without ``tvalid`` is found out."""
        prefix = f"s_axis_{port.name}"
        valid = getattr(self.dut, f"{prefix}_tvalid")
        lines = [getattr(self.dut, f"{prefix}_{name}") for name in (("tdata", "tkeep", "tlast") if port.framed else ("tdata",))]
        generator = random.Random(f"{cocotb.RANDOM_SEED} noise {port.name}")
        while True:
            await RisingEdge(self.dut.aclk)
            await Timer(1, unit="ns")  # by now the source has driven what it drives in this cycle, in every simulator
            if valid.value == 0:
                for line in lines:
                    line.value = generator.getrandbits(len(line))

    async def reset(self, cycles: int = 4) -> None:
        """Hold ``aresetn`` low for *cycles* clock cycles; whatever was still to be sent or received is dropped."""
        self.dut.aresetn.value = 0
        for model in (*self.sources.values(), self.sink):
            model.clear()
        await ClockCycles(self.dut.aclk, cycles)
        self.dut.aresetn.value = 1
        await RisingEdge(self.dut.aclk)

    def send(self, shares: Shares) -> None:
        """Queue one matrix; its streams run independently of each other.

        Raises:
            ValueError: *shares* does not name exactly the input ports.
        """
        names = [port.name for port in self.inputs]
        if sorted(shares) != sorted(names):
            raise ValueError(f"the shares of a matrix must be for {', '.join(names)}, were for {', '.join(shares)}")
        for port in self.inputs:
            beats = list(to_beats(port, shares[port.name]))
            data, keep = b"".join(beat[0] for beat in beats), b"".join(beat[1] for beat in beats)
            self.sources[port.name].send_nowait(AxiStreamFrame(data, tkeep=list(keep)))

    async def receive(self) -> Frame:
        """The next matrix that comes out; fails where no beat moves at any port for :data:`sim.monitor.STUCK_CYCLES` cycles."""
        with self.monitor.expecting():
            frame = await self.sink.recv(compact=False)
        size = self.parameters.output.beat_bytes
        starts = range(0, len(frame.tdata), size)
        return Frame(
            tuple(bytes(frame.tdata[start : start + size]) for start in starts),
            tuple(bytes(frame.tkeep[start : start + size]) for start in starts),
            tuple(frame.tuser[start] for start in starts),
        )

    async def check(self, decoded: Decoded, what: str = "the matrix") -> Frame:
        """Receive one matrix and require that it is *decoded*, beat for beat, with the error in the last beat and 0 before.

        *what* names the matrix in the message of a failure.
        """
        frame = await self.receive()
        expected = list(to_beats(self.parameters.output, decoded.elements, decoded.row))
        assert len(frame.tdata) == len(expected), f"{what}: {len(frame.tdata)} beats came out, must be {len(expected)}"
        for number, (tdata, tkeep) in enumerate(expected):
            here = f"{what}, beat {number} of {len(expected)}"
            assert frame.tkeep[number] == tkeep, f"{here}: tkeep was {_bits(frame.tkeep[number])}, must be {_bits(tkeep)}"
            assert frame.tdata[number] == tdata, f"{here}: tdata was {_hex(frame.tdata[number])}, must be {_hex(tdata)}"
            error = decoded.error if number == len(expected) - 1 else 0
            assert frame.tuser[number] == error, f"{here}: tuser was {frame.tuser[number]}, must be {error}"
        return frame

    async def finish(self, cycles: int = 64) -> None:
        """Require that every source drains and that then, for *cycles* cycles, nothing more comes out and ``tvalid`` stays low."""
        with self.monitor.expecting():
            while not all(source.idle() for source in self.sources.values()):
                await RisingEdge(self.dut.aclk)
        beats = self.monitor.beats_out
        self.sink.set_pause_generator(None)
        self.sink.pause = False
        await ClockCycles(self.dut.aclk, cycles)
        assert self.sink.empty(), "a whole matrix came out after the last one that was asked for"
        assert self.monitor.beats_out == beats, f"{self.monitor.beats_out - beats} beats came out after the last matrix"
        self.dut._log.info(f"transfers {self.monitor.digest()}")


def _bits(flags: bytes) -> str:
    return "".join(map(str, reversed(flags)))


def _hex(data: bytes) -> str:
    return data[::-1].hex()

"""Plays files through a decoder at full speed: the sources always offer a beat, the sink always takes one.

``UNPRUNE_STREAMS`` names a folder with ``0000.npz``, ``0001.npz``, ...: one matrix each, played back to back in this order. Each holds
for every input port, ``shape`` included, an array named like the port (uint8, beats x bytes of ``tdata``) and for every port but ``shape``
``PORT_keep`` of the same shape (0 or 1 a byte); ``tlast`` goes with the last beat. Beside each one appears ``NNNN.out.npz`` with
``tdata`` and ``tkeep`` (uint8, beats x bytes) and ``tuser`` (one a beat). After each matrix a line "matrices beats cycles" is added to
the file ``progress``, and at the end ``summary.json`` says what it took. All but ``progress`` carry a checksum (:mod:`hdl.files`). One
matrix a port is in memory at a time. What came out is not judged here, but the rules of the stream are: nothing unknown, no beat too
many, and something moving.

The drivers are our own because cocotbext-axi handles every byte by itself: with beats of 16 bytes these are several times as fast,
as they move whole beats and convert them by the matrix.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge

from golden.params.base import Parameters, Port
from hdl.files import read_npz, write_json, write_npz
from sim.monitor import STUCK_CYCLES
from sim.testbench import CLOCK_NS, parameters

Beat = tuple[int, int, int]  # tdata, tkeep, tlast


class Source:
    """Drives one input port with the beats of all matrices; offers one in every cycle until the last is taken."""

    def __init__(self, dut: Any, port: Port, files: list[Path]) -> None:
        prefix = f"s_axis_{port.name}"
        self._port, self._files = port, files
        self._valid, self._ready = getattr(dut, f"{prefix}_tvalid"), getattr(dut, f"{prefix}_tready")
        self._signals = [getattr(dut, f"{prefix}_{name}") for name in (("tdata", "tkeep", "tlast") if port.framed else ("tdata",))]
        self._beats = self._read()
        self._driven: list[int | None] = [None] * len(self._signals)
        self._valid.value = 0
        self.offering = False
        self.taken = 0

    def _read(self) -> Iterator[Beat]:
        for file in self._files:
            arrays = read_npz(file)
            data = arrays[self._port.name]
            keep = _bytes(arrays[f"{self._port.name}_keep"]) if self._port.framed else data
            last = len(data) - 1
            for number, (tdata, tkeep) in enumerate(zip(_integers(data), _integers(keep), strict=True)):
                yield tdata, tkeep, int(number == last)

    def step(self) -> bool:
        """At a clock edge: see whether the beat on offer is taken, and if it is, offer the next. True where one was taken."""
        moved = False
        if self.offering:
            ready = str(self._ready.value)
            if ready != "1":
                assert ready == "0", f"s_axis_{self._port.name}_tready is {ready}"
                return False
            self.taken += 1
            moved = True
        beat = next(self._beats, None)
        if (beat is not None) != self.offering:
            self.offering = beat is not None
            self._valid.value = int(self.offering)
        if beat is not None:
            for number, signal in enumerate(self._signals):
                if beat[number] != self._driven[number]:  # a write costs as much as the rest of a step
                    signal.value = beat[number]
                    self._driven[number] = beat[number]
        return moved


class Sink:
    """Takes an output beat whenever there is one; writes the file of a matrix when its last beat is taken."""

    def __init__(self, dut: Any, port: Port, files: list[Path]) -> None:
        prefix = f"m_axis_{port.name}"
        self._port, self._files = port, files
        self._valid, self._last = getattr(dut, f"{prefix}_tvalid"), getattr(dut, f"{prefix}_tlast")
        self._payload = [getattr(dut, f"{prefix}_{name}") for name in ("tdata", "tkeep", "tuser")]
        self._taken: tuple[list[str], ...] = ([], [], [])
        getattr(dut, f"{prefix}_tready").value = 1
        self.matrices = self.beats = self.elements = 0

    def step(self) -> bool:
        """At a clock edge: take the beat on offer. True where there was one."""
        valid = str(self._valid.value)
        if valid != "1":
            assert valid == "0", f"m_axis_{self._port.name}_tvalid is {valid}"
            return False
        for bits, signal in zip(self._taken, self._payload, strict=True):
            bits.append(str(signal.value))
        self.beats += 1
        last = str(self._last.value)
        if last != "0":
            assert last == "1", f"m_axis_{self._port.name}_tlast is {last}"
            self._write()
        return True

    def _write(self) -> None:
        assert self.matrices < len(self._files), "a matrix came out after the last one"
        file = self._files[self.matrices]
        data, keep, user = (_bits(strings, f"m_axis_{self._port.name} of {file.name}") for strings in self._taken)
        for strings in self._taken:
            strings.clear()
        self.matrices += 1
        self.elements += int(keep.sum()) // self._port.lane_bytes
        arrays = {"tdata": _bytes(data), "tkeep": keep, "tuser": _bytes(user)[:, 0]}
        write_npz(file.with_suffix(".out.npz"), arrays, compress=False)


def _integers(data: np.ndarray[Any, Any]) -> list[int]:
    """The rows of bytes (uint8, rows x bytes) as little-endian integers."""
    width = data.shape[1]
    flat = np.ascontiguousarray(data, dtype=np.uint8).tobytes()
    return [int.from_bytes(flat[start : start + width], "little") for start in range(0, len(flat), width)]


def _bytes(bits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.packbits(bits, axis=1, bitorder="little")


def _bits(strings: list[str], what: str) -> np.ndarray[Any, Any]:
    """Values as the simulator writes them, highest bit first, as rows of bits, lowest first; fails where one is neither 0 nor 1."""
    rows = np.frombuffer("".join(strings).encode(), dtype=np.uint8).reshape(len(strings), -1)[:, ::-1] - ord("0")
    assert rows.max() <= 1, f"{what} has unknown bits in beat {int((rows > 1).any(axis=1).argmax())}"
    return rows


async def play(dut: Any, decoder: Parameters, folder: Path) -> dict[str, int]:
    """Play every matrix in *folder*; gives what ``summary.json`` holds."""
    files = sorted(file for file in folder.glob("*.npz") if file.stem.isdigit())
    assert files, f"{folder} must hold files named 0000.npz, 0001.npz, ..., it holds none"
    sources = [Source(dut, port, files) for port in (decoder.shape, *decoder.inputs)]
    sink = Sink(dut, decoder.output, files)
    dut.aresetn.value = 0
    Clock(dut.aclk, CLOCK_NS, unit="ns").start()
    await ClockCycles(dut.aclk, 4)
    dut.aresetn.value = 1
    edge = RisingEdge(dut.aclk)
    await edge
    cycle = moved = first = reported = last = 0
    with (folder / "progress").open("a") as progress:
        while sink.matrices < len(files) or any(source.offering for source in sources):
            if sink.step():
                first, last, moved = first or cycle, cycle, cycle
            for source in sources:
                if source.step():
                    moved = cycle
            if sink.matrices > reported:
                reported = sink.matrices
                print(reported, sink.beats, cycle, file=progress, flush=True)
            assert cycle - moved <= STUCK_CYCLES, f"no beat moved for {STUCK_CYCLES} cycles after {sink.matrices} of {len(files)} matrices"
            await edge
            cycle += 1
    for _ in range(64):
        assert not sink.step(), "a beat came out after the last matrix"
        await edge
    return {
        "matrices": sink.matrices, "cycles": last, "beats": sink.beats, "elements": sink.elements,
        "stall_cycles": last - first + 1 - sink.beats,
    }


@cocotb.test(timeout_time=1000, timeout_unit="sec")  # simulated time; a decoder that stops is found much sooner
async def streams(dut: Any) -> None:
    """Play the folder and write ``summary.json``.

    It holds ``matrices``, ``cycles`` (from the first offer to the last output beat), ``beats`` and ``elements`` that came out, and
    ``stall_cycles``: those between the first and the last output beat without one, which nobody but the decoder caused.
    """
    folder = Path(os.environ["UNPRUNE_STREAMS"])
    write_json(folder / "summary.json", await play(dut, parameters(), folder))

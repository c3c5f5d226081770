"""Watches a decoder's ports in every cycle: the rules of AXI4-Stream, nothing unknown, something moving, and when each beat was taken."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cocotb
from cocotb.triggers import RisingEdge

from golden.params.base import Parameters

STUCK_CYCLES = 2000  # while a matrix is awaited some beat moves at least this often


class Monitor:
    """A task that fails the test in the cycle in which a rule is broken.

    The rules, for ``m_axis``: ``tvalid`` is low from the first clock edge in reset on; once high it stays, and the payload with it, until
    the beat is taken; a valid payload is known in every bit. For every ``s_axis``: ``tready`` is known after reset.

    Args:
        gates: The design is a netlist of gates; what these make of unknown registers at the first edge may be unknown until the second.

    Members:
        cycle: Clock cycles since the start.
        taken: For every input port, and ``""`` for the output, the cycles in which a beat was taken.
        offered: The cycles in which an output beat was first on offer, in step with ``taken[""]``.
        valid: True where an output beat is on offer.
    """

    def __init__(self, dut: Any, parameters: Parameters, *, gates: bool = False) -> None:
        self._clock, self._reset, self._gates = dut.aclk, dut.aresetn, gates
        names = [parameters.shape.name, *(port.name for port in parameters.inputs)]
        self._inputs = [(name, getattr(dut, f"s_axis_{name}_tvalid"), getattr(dut, f"s_axis_{name}_tready")) for name in names]
        prefix = f"m_axis_{parameters.output.name}"
        self._valid, self._ready = getattr(dut, f"{prefix}_tvalid"), getattr(dut, f"{prefix}_tready")
        self._payload = [getattr(dut, f"{prefix}_{signal}") for signal in ("tdata", "tkeep", "tlast", "tuser")]
        self.cycle = 0
        self.taken: dict[str, list[int]] = {name: [] for name in (*names, "")}
        self.offered: list[int] = []
        self.valid = False
        self._held: list[str] | None = None  # the payload that was on offer and not taken
        self._in_reset = 0  # edges
        self._awaiting = False
        self._moved = 0

    @property
    def beats_out(self) -> int:
        """Beats that were taken at the output."""
        return len(self.taken[""])

    def digest(self) -> str:
        """Of the cycles from the first transfer on in which a beat was offered or taken: two simulators that agree on it agree."""
        first = min((cycles[0] for cycles in self.taken.values() if cycles), default=0)
        moved = [[cycle - first for cycle in cycles] for cycles in (*self.taken.values(), self.offered)]
        return hashlib.sha256(repr(moved).encode()).hexdigest()[:16]

    def start(self) -> None:
        """Watch from the next clock edge on."""
        cocotb.start_soon(self._run())

    @contextmanager
    def expecting(self) -> Iterator[None]:
        """Within it a decoder at which nothing moves for :data:`STUCK_CYCLES` fails the test."""
        self._awaiting, self._moved = True, self.cycle
        try:
            yield
        finally:
            self._awaiting = False

    async def _run(self) -> None:
        edge = RisingEdge(self._clock)
        while True:
            await edge
            self.cycle += 1
            if str(self._reset.value) == "1":
                self._in_reset = 0
                self._watch_inputs()
                self._watch_output()
                self._watch_motion()
            else:
                # The first edge is what resets the registers.
                valid = str(self._valid.value)
                unknown = "X" * (self._gates and self._in_reset == 1)
                assert not self._in_reset or valid in "0" + unknown, f"tvalid is {valid} in reset"
                self._in_reset, self._held, self.valid = self._in_reset + 1, None, False

    def _watch_inputs(self) -> None:
        for name, valid, ready in self._inputs:
            taking = str(ready.value)
            assert taking in "01", f"s_axis_{name}_tready is {taking} in cycle {self.cycle}"
            if taking == "1" and str(valid.value) == "1":
                self.taken[name].append(self.cycle)
                self._moved = self.cycle

    def _watch_output(self) -> None:
        valid = str(self._valid.value)
        assert valid in "01", f"m_axis tvalid is {valid} in cycle {self.cycle}"
        self.valid = valid == "1"
        if not self.valid:
            assert self._held is None, f"tvalid fell in cycle {self.cycle} before the beat was taken"
            return
        payload = [str(signal.value) for signal in self._payload]
        for signal, bits in zip(self._payload, payload, strict=True):
            assert not bits.strip("01"), f"{signal._name} is {bits} in cycle {self.cycle} while tvalid is high"
        if self._held is None:
            self.offered.append(self.cycle)
        else:
            assert payload == self._held, f"the payload changed in cycle {self.cycle} before the beat was taken"
        self._held = payload
        if str(self._ready.value) == "1":
            self._held = None
            self.taken[""].append(self.cycle)
            self._moved = self.cycle

    def _watch_motion(self) -> None:
        if self._awaiting and self.cycle - self._moved > STUCK_CYCLES:
            waiting = [f"s_axis_{name}" for name, valid, _ in self._inputs if str(valid.value) == "1"]
            raise AssertionError(f"no beat moved for {STUCK_CYCLES} cycles; offered and not taken: {', '.join(waiting) or 'none'}")

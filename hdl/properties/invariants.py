"""What the invariants of all formats share: how they are asserted, and registers that hold what a queue of the model holds."""

from collections.abc import Callable
from functools import partial
from typing import Any

from amaranth.hdl import Assert, Const, Module, Value

from hdl.nm import State
from hdl.properties.model import Phase
from hdl.properties.queue import Queue
from hdl.properties.spec import Internals

Slot = tuple[str, Value, Value]  # of a register: what it is called, whether it holds something, and what


def each(m: Module, queue: Queue, slots: list[tuple[str, Value, Callable[[int, str], None]]]) -> None:
    """Assert that as many of *slots* are full as *queue* has entries.

    Args:
        slots: Registers, that of the oldest entry first: what each is called, whether it is full, and what asserts that it then holds
            entry *i*, with a name for it.
    """
    ahead: Value = Const(0)
    for name, full, must in slots:
        for i in range(len(queue.entries)):
            with m.If(full & (ahead == i)):
                must(i, f"{name}, {i} before it")
        ahead = ahead + full
    m.d.comb += Assert(queue.level == ahead, f"invariant: as many entries as are in {', '.join(name for name, _, _ in slots)}")


def holds(m: Module, queue: Queue, slots: list[Slot]) -> None:
    """Assert that *queue* has exactly what the full ones of *slots* hold, the first of them its oldest entry."""

    def must(register: Value, i: int, what: str) -> None:
        m.d.comb += Assert(register == Value.cast(queue.entries[i]), f"invariant: the {what}")

    each(m, queue, [(name, full, partial(must, register)) for name, full, register in slots])


def skid_slots(m: Module, internals: Internals, part: str) -> list[Slot]:
    """The two registers of the skid buffer that is submodule *part*; asserts that they are filled in order."""
    full, spare_full = internals[f"{part}.o__valid"], internals[f"{part}.spare_valid"]
    m.d.comb += Assert(full | ~spare_full, f"invariant: {part} is filled in order")
    return [(f"{part} register", full, internals[f"{part}.front"]), (f"{part} spare register", spare_full, internals[f"{part}.spare"])]


IDLE, DECODE, PAD, DRAIN = (Const.cast(state) for state in (State.IDLE, State.DECODE, State.PAD, State.DRAIN))


class Invariants:
    """The invariants of one decoder; those of a format are asserted by :meth:`hold`.

    Attributes:
        m: Where they are asserted.
        model, p: What is owed, and the parameters.
    """

    p: Any

    def __init__(self, m: Module, model: Any, internals: Internals) -> None:
        self.m, self.model, self._internals = m, model, internals
        self.p = model.parameters

    def hold(self) -> None:
        """Assert them all."""
        raise NotImplementedError

    def _get(self, name: str) -> Any:
        return self._internals[f"decoder.{name}"]

    def _must(self, condition: Value, what: str) -> None:
        self.m.d.comb += Assert(condition, f"invariant: {what}")

    def _owed(self, slots: list[Slot]) -> None:
        """The decoder's *slots*, oldest first, and the skid buffer behind it, hold the beats that are owed."""
        holds(self.m, self.model.beats, (skid_slots(self.m, self._internals, "skid") if self.p.skid else []) + slots)

    def _state(self) -> Value:
        """The phase is that of the decoder's state, of four; gives the state."""
        m, model, state = self.m, self.model, self._get("state")
        for at, phase in ((IDLE, Phase.READ), (DECODE, Phase.READ), (PAD, Phase.PAD), (DRAIN, Phase.DROP)):
            with m.If(state == at):
                self._must(model.phase == phase, f"the phase in state {at.value}")
        self._must((model.shapes.level != 0) == (state != IDLE), "a matrix is at work unless the decoder is idle")
        self._must((state != IDLE) | ~model.begun, "an idle decoder has begun no matrix")
        with m.If((state == DECODE) | (state == PAD)):
            self._must(~model.begun | (model.left != 0), "a matrix that has begun has weights left")
        return state

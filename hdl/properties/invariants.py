"""What the invariants of all formats share: registers that hold, oldest first, what a queue of the model holds."""

from amaranth.hdl import Assert, Const, Module, Value

from hdl.properties.queue import Queue
from hdl.properties.spec import Internals

Slot = tuple[str, Value, Value]  # of a register: what it is called, whether it holds something, and what


def holds(m: Module, queue: Queue, slots: list[Slot]) -> None:
    """Assert that *queue* has exactly what the full ones of *slots* hold, the first of them its oldest entry."""
    ahead: Value = Const(0)
    for name, full, register in slots:
        for i, entry in enumerate(queue.entries):
            with m.If(full & (ahead == i)):
                m.d.comb += Assert(register == Value.cast(entry), f"invariant: the {name}, {i} before it")
        ahead = ahead + full
    m.d.comb += Assert(queue.level == ahead, f"invariant: as many entries as are in {', '.join(name for name, _, _ in slots)}")


def skid_slots(m: Module, internals: Internals, part: str) -> list[Slot]:
    """The two registers of the skid buffer that is submodule *part*; asserts that they are filled in order."""
    full, spare_full = internals[f"{part}.o__valid"], internals[f"{part}.spare_valid"]
    m.d.comb += Assert(full | ~spare_full, f"invariant: {part} is filled in order")
    return [(f"{part} register", full, internals[f"{part}.front"]), (f"{part} spare register", spare_full, internals[f"{part}.spare"])]

"""The memory of the look-up unit, and the search in it: one step a memory, each memory twice as large as the one before."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory, ReadPort, WritePort
from amaranth.lib.wiring import In, Out

from golden.params.lookup import SMALL, LookUpParameters
from hdl.compare import below, equal


def item_layout(p: LookUpParameters) -> data.StructLayout:
    """What goes down the steps: a survivor that is to be stored, or a search.

    ``load``, ``search``: which of them, if any. ``key``: row and column. ``place``: the survivor's number, or how many survivors there are
    to search. ``value``: the survivor's, or 0.
    """
    flags = {"load": 1, "search": 1}
    return data.StructLayout(flags | {"place": p.survivor_bits, "key": p.row_bits + p.column_bits, "value": p.value_bits})


class Step:
    """An item on its way to step number *depth*, in registers.

    The bits of ``place`` that steps before that one have decided are ``path``, the word that it meets there; the others are ``rest``. Those
    of a search are still of the number of survivors; ``edge``: those of ``path`` are the same, so that what is beyond was not stored.
    """

    def __init__(self, p: LookUpParameters, name: str, depth: int) -> None:
        self.load, self.search = Signal(name=f"{name}_load"), Signal(name=f"{name}_search")
        self.edge = Signal(name=f"{name}_edge", reset_less=True)
        self.path = Signal(depth, name=f"{name}_path", reset_less=True)
        self.rest = Signal(p.survivor_bits - depth, name=f"{name}_rest", reset_less=True)
        self.key = Signal(p.row_bits + p.column_bits, name=f"{name}_key", reset_less=True)
        self.value = Signal(p.value_bits, name=f"{name}_value", reset_less=True)

    def follow(self, m: Module, before: Any, **changed: Value) -> None:
        """Be what *before* was a cycle ago, but for what has *changed*."""
        m.d.sync += [register.eq(changed.get(name, getattr(before, name, 0))) for name, register in vars(self).items()]


def memory(m: Module, name: str, width: int, depth: int) -> tuple[WritePort, ReadPort]:
    """A memory of *depth* words: its ports, to write in this cycle and to read; what is read stays until the next is."""
    m.submodules[name] = words = Memory(shape=width, depth=depth, init=[])
    layout: dict[str, Any] = {"addr_width": (depth - 1).bit_length(), "shape": width}
    write = WritePort(WritePort.Signature(**layout), memory=words, domain="sync", path=(f"{name}_write",))
    return write, ReadPort(ReadPort.Signature(**layout), memory=words, domain="sync", path=(f"{name}_read",))


class Search(wiring.Component):
    """Survivors in the order of their keys, and searches among those that came last: one of either per clock cycle.

    A survivor goes down the steps as a search does, and is stored on its way: so a search finds all survivors that came before it, and none
    that came after. Latency to ``found``: ``parameters.cycles``.

    Attributes:
        small: Words of the largest memory that is taken for one made of logic.

    Members:
        item: What comes; see :func:`item_layout`.
        found: There is the answer to a search.
        value: The value of the survivor with its key, 0 where there is none.
    """

    def __init__(self, parameters: LookUpParameters) -> None:
        self._parameters, self.small = parameters, SMALL
        super().__init__({"item": In(item_layout(parameters)), "found": Out(1), "value": Out(parameters.value_bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        step = Step(self._parameters, "step_0", 0)
        step.follow(m, self.item, edge=Const(1), rest=self.item.place)
        node = Signal(len(step.key) + len(step.value), name="node_0", reset_less=True)
        with m.If(step.load & ~step.rest[-1]):
            m.d.sync += node.eq(Cat(step.value, step.key))
        for depth in range(1, self._parameters.survivor_bits):
            step, node = self._descend(m, step, node, depth)
        m.d.comb += [self.found.eq(step.search), self.value.eq(self._compare(m, step, node, self._parameters.survivor_bits - 1)[1])]
        return m

    def _compare(self, m: Module, step: Step, node: Value, depth: int) -> tuple[Value, Value]:
        """The bit of its place that *node* decides for a search, and the value that the item then has.

        Of the survivors that are left half have the bit 0, half 1. The node is the last one of the first half, if that was stored.
        """
        bit, value, key = step.rest[-1], node[: len(step.value)], node[len(step.value) :]
        stored = ~step.edge | bit
        beyond = Signal(name=f"beyond_{depth}")
        m.d.comb += beyond.eq(stored & ~below(m, f"order_{depth}", step.key, key))
        same = stored & step.search & equal(m, f"same_{depth}", step.key, key)
        return beyond, step.value | (value & same.replicate(len(value)))  # of a search it is 0 until the one that is the same

    def _descend(self, m: Module, step: Step, node: Value, depth: int) -> tuple[Step, Value]:
        """The next step, number *depth*, and what the item meets there."""
        beyond, value = self._compare(m, step, node, depth - 1)
        write, read = memory(m, f"memory_{depth}", len(node), 1 << depth)
        bit = Signal(name=f"bit_{depth}")
        path = Cat(bit, step.path)
        m.d.comb += bit.eq(Mux(step.load, step.rest[-1], beyond))
        arriving, arrived = (Step(self._parameters, name, depth) for name in (f"step_{depth}_read", f"step_{depth}"))
        arriving.follow(m, step, edge=step.edge & (beyond | ~step.rest[-1]), path=path, rest=step.rest[:-1], value=value)
        arrived.follow(m, arriving)
        # A small memory, made of logic, is read with an address from registers, into a register. A block has both inside: it is given the
        # address a cycle earlier, and what it gives, which is late, is put into a register.
        small = 1 << depth <= self.small
        stored = arriving if small else step
        m.d.comb += [
            # Every survivor of the first half is written there: it is the last one that stays.
            write.en.eq(stored.load & ~(arriving.rest[-1] if small else step.rest[-2])),
            write.data.eq(Cat(stored.value, stored.key)),
            read.en.eq(~stored.load),
            *(port.addr.eq(arriving.path if small else path) for port in (write, read)),
        ]
        if small:
            return arrived, read.data
        held = Signal(len(node), name=f"node_{depth}", reset_less=True)
        m.d.sync += held.eq(read.data)
        return arrived, held

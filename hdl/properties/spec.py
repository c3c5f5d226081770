"""What every specification shares: it wraps a design, drives its inputs freely, and may read its registers by name."""

from collections.abc import Iterator
from typing import Any

from amaranth.hdl import Assume, ClockDomain, Const, DomainRenamer, Fragment, Module, ResetSignal, Signal
from amaranth.hdl._mem import MemoryInstance
from amaranth.lib import wiring
from amaranth.lib.wiring import In


class Internals:
    """A component's signals by hierarchical name, for invariants and nothing else.

    Attributes:
        fragment: The component, elaborated: it goes into the specification in the component's place.
    """

    def __init__(self, component: wiring.Component) -> None:
        self.fragment = Fragment.get(component, None)
        self._inside = inside = getattr(component, "inside", "")  # a design that is wrapped to be broken keeps its names
        self._signals = {name.removeprefix(inside): signal for name, signal in _signals(self.fragment, "")}

    def __getitem__(self, name: str) -> Any:
        """The signal *name*, such as ``decoder.state``: the names of submodules, then its own; ``decoder.table_0[3]`` is a row of a memory.

        Raises:
            KeyError: there is none.
        """
        if name not in self._signals:
            raise KeyError(f"the name of a signal must be one of {', '.join(sorted(self._signals))}, was {name}")
        return self._signals[name]

    def part(self, name: str) -> Any:
        """The component that is submodule *name*, such as ``decoder.bitmap``, with its ports."""
        fragment = self.fragment
        for step in (self._inside + name).split("."):
            fragment = next(part for part, called, _ in fragment.subfragments if called == step)
        return fragment.origins[0]


def _signals(fragment: Fragment, path: str) -> Iterator[tuple[str, Signal]]:
    for statements in fragment.statements.values():
        for statement in statements:
            for signal in statement._lhs_signals():
                yield path + signal.name, signal
    if isinstance(fragment, MemoryInstance):
        yield from _memory(fragment, path)
    for part, name, _ in fragment.subfragments:
        yield from _signals(part, f"{path}{name}.")


def _memory(memory: MemoryInstance, path: str) -> Iterator[tuple[str, Signal]]:
    """What the memory's ports read, and each of its rows, for which it gets a port that only looks on."""
    for port in memory._read_ports:
        yield path + port._data.name, port._data
    for row in range(memory._data.depth):
        signal = Signal(memory._data.shape, name=f"row_{row}")
        address = Const(row, range(memory._data.depth))
        memory.read_port(domain="comb", addr=address, data=signal, en=Const(1), transparent_for=())
        yield f"{path.removesuffix('.')}[{row}]", signal


class Spec(wiring.Component):
    """A specification of *design*: a component whose inputs are those of the design, so that the solver drives them.

    It begins with a reset, and reset may come again at any time. Before the first one the design is in any state whatever, so what is
    proven holds whatever preceded it. A subclass says in :meth:`specify` what has to hold.

    Attributes:
        design: The component under test; it is submodule ``dut``.
        invariants: Whether to assert what induction needs beside the ports' properties. It reads the registers of the sound design,
            and a broken one has to be caught by its ports alone.
        legal_inputs: Whether to assume that the inputs keep the stream rules. Proofs without bound do without it, but for the
            shapes of CSR's dense rows and of the Viterbi weight decompressor; covers are more telling with it.
    """

    def __init__(self, design: wiring.Component, *, invariants: bool = True, legal_inputs: bool = False) -> None:
        self.design, self.invariants, self.legal_inputs = design, invariants, legal_inputs
        self._inputs = {
            "__".join(map(str, path)): (member.shape, signal)
            for path, member, signal in design.signature.flatten(design) if member.flow == In
        }
        super().__init__({name: In(shape) for name, (shape, _) in self._inputs.items()})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        internals = Internals(self.design)
        m.submodules.dut = self._clocked(m, internals.fragment)
        m.d.comb += [signal.eq(getattr(self, name)) for name, (_, signal) in self._inputs.items()]
        begun = Signal(reset_less=True)
        m.d.sync += begun.eq(1)
        m.d.comb += Assume(begun | ResetSignal(), "the first cycle is one of reset")
        self.specify(m, internals)
        return m

    def _clocked(self, m: Module, fragment: Fragment) -> Fragment:
        """The design with its clock; the specification makes its own from ``aclk`` and ``aresetn``, for it trusts nothing here."""
        if "aclk" not in self._inputs:
            return fragment
        m.domains.sync = domain = ClockDomain("sync")
        m.d.comb += [domain.clk.eq(self.aclk), domain.rst.eq(~self.aresetn)]
        return DomainRenamer("dut")(fragment)

    def specify(self, m: Module, internals: Internals) -> None:
        """Add the properties to *m*."""
        raise NotImplementedError

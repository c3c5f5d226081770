"""A claim: one specification of one design, and what the solver is expected to say of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hdl.properties.prove import Mode, Proof, prove


@dataclass(frozen=True)
class Claim:
    """One row of ``make prove``.

    Attributes:
        what: What is claimed, or what is broken in the design.
        design: Name of the design and its parameters.
        spec: Makes the specification around the design.
        mode: How it is put to the solver; ``bmc`` for broken designs.
        depth: See :func:`hdl.properties.prove.prove`.
        rejects: "" where the claim has to hold; of a broken design, the part of the message of a property that has to be violated.
    """

    what: str
    design: str
    spec: Callable[[], wiring.Component]
    mode: Mode
    depth: int
    rejects: str = ""

    @property
    def name(self) -> str:
        """Unique among all claims."""
        return f"{self.design} {self.mode}: {self.what}"

    def check(self, folder: Path, solver: str = "yices") -> tuple[bool, Proof]:
        """Whether the solver says what is expected, and what it says; a counterexample is kept in *folder*."""
        proof = prove(self.spec(), mode=self.mode, depth=self.depth, solver=solver, folder=folder)
        if not self.rejects:
            return proof.passed, proof
        caught = proof.message.startswith("violated") and self.rejects in proof.message and "invariant" not in proof.message
        return not proof.passed and caught, proof


Tamper = Callable[[Module, Any, Any], None]


class Tampered(wiring.Component):
    """*design* with its ports tampered with: a broken design that a specification has to reject.

    Args:
        tamper: Called with the module, this component and *design*, whose ports are already joined; what it assigns overrides the joint.

    Attributes:
        inside: What the names of the design's own signals begin with.
    """

    inside = "design."

    def __init__(self, design: wiring.Component, tamper: Tamper) -> None:
        self._design, self._tamper = design, tamper
        super().__init__(design.signature)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.design = self._design
        ports = zip(self.signature.flatten(self), self._design.signature.flatten(self._design), strict=True)
        for (_, member, outer), (_, _, inner) in ports:
            m.d.comb += inner.eq(outer) if member.flow == In else outer.eq(inner)
        self._tamper(m, self, self._design)
        return m

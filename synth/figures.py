"""What a design costs on one target, and the rows in which that is reported."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from synth.targets import FLIP_FLOP_GATES


@dataclass(frozen=True)
class Figures:
    """Cost of one design on one target.

    Attributes:
        target: Name of the target, a key of :data:`synth.targets.TARGETS`.
        lut: Look-up tables (iCE40 and ECP5: 4 inputs, 7 series: up to 6), those inside carry chains and distributed RAM included.
            0 where the target has none.
        ff: Flip-flops.
        carry: Cells of carry chains (iCE40 SB_CARRY: 1 bit, ECP5 CCU2C: 2 bits, 7 series CARRY4: 4 bits).
        ram: Memory cells, block and distributed together; ``cells`` tells which.
        gates: NAND2 equivalents of the combinational logic, to one decimal; None where the target counts LUTs.
        depth: LUTs or gates on the longest path between two of ports, flip-flops and RAMs; a carry chain counts as one level (its first
            LUT), a slice's own multiplexers as none. None where cells form a loop.
        cells: The target's own cells by type.
    """

    target: str
    lut: int
    ff: int
    carry: int
    ram: int
    gates: float | None
    depth: int | None
    cells: dict[str, int]

    @property
    def gates_with_flip_flops(self) -> float | None:
        """NAND2 equivalents of logic and flip-flops together, a flip-flop being :data:`synth.targets.FLIP_FLOP_GATES`."""
        return None if self.gates is None else round(self.gates + self.ff * FLIP_FLOP_GATES, 1)

    def to_dict(self) -> dict[str, Any]:
        """The figures under their names; plain JSON types only."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The figures that :meth:`to_dict` gave."""
        return cls(**values)

    def to_rows(self, design: str) -> list[dict[str, Any]]:
        """The figures that this target has, one row each, named "*design* TARGET FIGURE"."""
        units = {"ff": "flip-flops", "depth": "levels"}
        if self.gates is None:
            units |= {"lut": "LUT", "carry": "cells", "ram": "cells"}
        else:
            units |= {"gates": "NAND2", "gates_with_flip_flops": "NAND2"}
        return [row(f"{design} {self.target} {name}", getattr(self, name), unit) for name, unit in units.items()]


def row(name: str, value: float | str | None, unit: str) -> dict[str, Any]:
    """One measured value as every command reports it; no goal is set for a cost, so ``bar`` and ``met`` are None."""
    return {"name": name, "value": value, "unit": unit, "bar": None, "met": None}


def difference(expected: Mapping[str, Any], measured: Mapping[str, Any]) -> str:
    """One line that says which values moved, "lut 19 -> 20, cells.LUT4 15 -> 16"; empty when none did."""
    moved = []
    for name in expected.keys() | measured.keys():
        before, now = expected.get(name), measured.get(name)
        if isinstance(before, dict) and isinstance(now, dict):
            moved += [f"{name}.{part}" for part in [difference(before, now)] if part]
        elif before != now:
            moved.append(f"{name} {before} -> {now}")
    return ", ".join(sorted(moved))

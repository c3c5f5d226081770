"""What can be read from the netlist that yosys' ``write_json`` gives: a module's ports, its cells and the depth of its logic."""

import graphlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synth.targets import Target


@dataclass(frozen=True)
class ModulePort:
    """A port of a module: its name, whether it is an input, and its width in bits."""

    name: str
    is_input: bool
    bits: int


class Netlist:
    """Module *top* of the JSON netlist in *path*, flat and mapped to *target*'s cells."""

    def __init__(self, path: Path, top: str) -> None:
        module: dict[str, Any] = json.loads(path.read_text())["modules"][top]
        self._cells: dict[str, dict[str, Any]] = module["cells"]
        self.ports = [ModulePort(name, port["direction"] == "input", len(port["bits"])) for name, port in module["ports"].items()]

    def count(self) -> dict[str, int]:
        """Cells by type, in alphabetical order."""
        return dict(sorted(Counter(cell["type"] for cell in self._cells.values()).items()))

    def depth(self, target: Target) -> int | None:
        """Logic levels of the longest path between two of ports, flip-flops and RAMs; None where cells form a loop.

        A cell is taken as a whole: each of its outputs may depend on each of its inputs.
        """
        rules = {name: target.cell(cell["type"]) for name, cell in self._cells.items()}
        inside = {name: cell for name, cell in self._cells.items() if not rules[name].ends_path}
        driver = {bit: name for name, cell in inside.items() for _, bit in _bits(cell, "output")}
        before = {name: {driver[bit] for _, bit in _bits(cell, "input") if bit in driver} for name, cell in inside.items()}
        level: dict[str, int] = {}
        try:
            for name in graphlib.TopologicalSorter(before).static_order():
                rule = rules[name]
                level[name] = max(
                    ((level[driver[bit]] if bit in driver else 0) + (0 if port in rule.free else rule.level)
                     for port, bit in _bits(inside[name], "input")),
                    default=rule.level,
                )
        except graphlib.CycleError:
            return None
        return max(level.values(), default=0)


def _bits(cell: dict[str, Any], direction: str) -> Iterator[tuple[str, int]]:
    """The nets on the cell's ports of one direction, with the port's name; constants are left out."""
    for port, bits in cell["connections"].items():
        if cell["port_directions"][port] == direction:
            yield from ((port, bit) for bit in bits if isinstance(bit, int))

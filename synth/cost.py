"""The whole cost of one decoder: figures on each target, and the clock rate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from golden.params.base import Parameters
from hdl import emit, yowasp
from synth.clock import Clock, clock_rate
from synth.figures import Figures, row
from synth.flow import synthesise


@dataclass(frozen=True)
class Cost:
    """What the tools say of one decoder: its name, :class:`Figures` by target, and :class:`Clock` where it was asked for."""

    name: str
    figures: dict[str, Figures]
    clock: Clock | None

    def to_dict(self) -> dict[str, Any]:
        """Figures under their target, MHz by seed under ``clock``; plain JSON types only."""
        given = {target: figures.to_dict() for target, figures in self.figures.items()}
        if self.clock:
            given["clock"] = {str(seed): mhz for seed, mhz in self.clock.per_seed.items()}
        return given

    def to_rows(self) -> list[dict[str, Any]]:
        """One row a measured value."""
        rows = [one for figures in self.figures.values() for one in figures.to_rows(self.name)]
        if self.clock:
            rows.append(row(f"{self.name} ecp5 clock", self.clock.median_mhz, "MHz"))
        return rows


def measure(parameters: Parameters, targets: Sequence[str], *, clock: bool, fresh: bool = False) -> Cost:
    """Emit the decoder that *parameters* describe and synthesise it for each of *targets*; with *clock*, place and route it too.

    *fresh* asks the tools even where the answer is known from before.

    Raises:
        hdl.yowasp.ToolError: a tool refused the design.
        ValueError: no such target.
    """
    verilog = emit.verilog(parameters)
    figures = {target: synthesise(verilog, parameters.name, target, fresh=fresh) for target in targets}
    return Cost(parameters.name, figures, clock_rate(verilog, parameters.name, fresh=fresh) if clock else None)


def tools() -> dict[str, str]:
    """Versions of the tools on which the figures depend."""
    return {tool: yowasp.version(tool) for tool in ("yosys", "nextpnr_ecp5")}

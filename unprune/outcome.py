"""What became of a network that went through one decoder: the figures that every report states, with their units."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from golden.params.base import Parameters
from synth.cost import Cost


@dataclass(frozen=True)
class LayerFigures:
    """One layer in one format.

    Attributes:
        name: Of the layer.
        shape: Rows, columns.
        survivors: Weights that the mask keeps.
        lost: Survivors that rounded to level 0.
        index_bits: Bits that say which weights survive, padding to a bus not counted.
        value_bits: Bits of the survivors' levels.
        mask_floor_bits: Weights times the entropy of a mask bit: what no index code that treats every weight alike can beat.
        value_floor_bits: Survivors times the entropy of their levels.
        kept: Sum of the magnitudes that the mask keeps, before pruning and retraining.
        most: That sum for the best mask with as many survivors.
    """

    name: str
    shape: tuple[int, int]
    survivors: int
    lost: int
    index_bits: int
    value_bits: int
    mask_floor_bits: float
    value_floor_bits: float
    kept: float
    most: float

    @property
    def weights(self) -> int:
        """Rows times columns."""
        return self.shape[0] * self.shape[1]


@dataclass(frozen=True)
class Outcome:
    """A network in one format, after its Verilog was simulated.

    Attributes:
        parameters: Of the decoder.
        layers: Those that went through the decoder; one or more.
        beats: Output beats that golden gives.
        differing_beats: Beats in which the Verilog gave something else.
        differing_weights: Weights that came out with another level than went in.
        cycles: Clock cycles from the first offer to the last output beat.
        stall_cycles: Cycles between the first and the last output beat in which no beat came out.
        rebuilt: All arrays of the network: those of ``layers`` (float32) as the Verilog's output says, the others as they went in.
        seconds: Wall time by step.
        accuracy: Share of the test images that the rebuilt network gets right; None where there are no images.
        cost: What synthesis says of the decoder; None until it is known.
    """

    parameters: Parameters
    layers: tuple[LayerFigures, ...]
    beats: int
    differing_beats: int
    differing_weights: int
    cycles: int
    stall_cycles: int
    rebuilt: dict[str, NDArray[Any]] = field(repr=False)
    seconds: dict[str, float]
    accuracy: float | None = None
    cost: Cost | None = None

    def _sum(self, of: Callable[[LayerFigures], float]) -> float:
        return sum(of(layer) for layer in self.layers)

    @property
    def good(self) -> bool:
        """True where nothing differs."""
        return not self.differing_beats and not self.differing_weights

    @property
    def weights(self) -> int:
        """Weights that went through the decoder."""
        return int(self._sum(lambda layer: layer.weights))

    @property
    def survivors(self) -> int:
        """Weights that the masks keep."""
        return int(self._sum(lambda layer: layer.survivors))

    @property
    def density(self) -> float:
        """Survivors over weights."""
        return self.survivors / self.weights

    @property
    def index_bits_per_weight(self) -> float:
        """Bits per weight that say which weights survive."""
        return self._sum(lambda layer: layer.index_bits) / self.weights

    @property
    def value_bits_per_weight(self) -> float:
        """Bits per weight of the survivors' levels."""
        return self._sum(lambda layer: layer.value_bits) / self.weights

    @property
    def bits_per_weight(self) -> float:
        """Index and values together."""
        return self.index_bits_per_weight + self.value_bits_per_weight

    @property
    def index_bits_per_survivor(self) -> float | None:
        """Index bits over survivors; None without survivors."""
        return self._sum(lambda layer: layer.index_bits) / self.survivors if self.survivors else None

    @property
    def bits_per_survivor(self) -> float | None:
        """All bits over survivors; None without survivors."""
        return self.bits_per_weight * self.weights / self.survivors if self.survivors else None

    @property
    def mask_floor(self) -> float:
        """Entropy floor of the index, bits per weight."""
        return self._sum(lambda layer: layer.mask_floor_bits) / self.weights

    @property
    def value_floor(self) -> float:
        """Entropy floor of the values, bits per weight."""
        return self._sum(lambda layer: layer.value_floor_bits) / self.weights

    @property
    def floor(self) -> float:
        """Entropy floor of index and values together, bits per weight."""
        return self.mask_floor + self.value_floor

    @property
    def kept_magnitude(self) -> float:
        """Sum of magnitudes kept over the sum that magnitude pruning keeps at the same counts; 1 if that is 0."""
        most = self._sum(lambda layer: layer.most)
        return self._sum(lambda layer: layer.kept) / most if most else 1.0

    @property
    def weights_per_cycle(self) -> float:
        """Weights over clock cycles, simulated."""
        return self.weights / self.cycles if self.cycles else 0.0

    @property
    def weights_per_second(self) -> float | None:
        """Weights per cycle times the clock rate that ECP5 reaches; None where that was not measured."""
        return self.weights_per_cycle * self.cost.clock.median_mhz * 1e6 if self.cost and self.cost.clock else None

    def to_rows(self) -> list[dict[str, Any]]:
        """One row a figure, named "DECODER FIGURE": name, value, unit, and for what has a goal the bar and whether it is met."""
        measured: list[tuple[str, float | None, str]] = [
            ("weights checked", self.weights, "weights"), ("beats checked", self.beats, "beats"),
            ("density", round(self.density, 6), "1"),
            ("bits per weight", round(self.bits_per_weight, 4), "bit"),
            ("index bits per weight", round(self.index_bits_per_weight, 4), "bit"),
            ("value bits per weight", round(self.value_bits_per_weight, 4), "bit"),
            ("bits per survivor", _rounded(self.bits_per_survivor), "bit"),
            ("index bits per survivor", _rounded(self.index_bits_per_survivor), "bit"),
            ("entropy floor", round(self.floor, 4), "bit"), ("entropy floor of the mask", round(self.mask_floor, 4), "bit"),
            ("kept magnitude", round(self.kept_magnitude, 4), "1"), ("cycles", self.cycles, "cycles"),
            ("stall cycles", self.stall_cycles, "cycles"), ("elements per cycle", round(self.weights_per_cycle, 3), "1/cycle"),
        ]
        if self.accuracy is not None:
            measured.append(("test accuracy", round(self.accuracy, 4), "1"))
        if self.weights_per_second is not None:
            measured.append(("weights per second on ecp5", round(self.weights_per_second), "1/s"))
        name = self.parameters.name
        rows = [row(f"{name} {figure}", value, unit) for figure, value, unit in measured]
        rows += [
            row(f"{name} beats that differ from golden", self.differing_beats, "beats", bar=0),
            row(f"{name} weights that differ from what was encoded", self.differing_weights, "weights", bar=0),
        ]
        return rows + (self.cost.to_rows() if self.cost else [])


@dataclass(frozen=True)
class Result:
    """What a job found.

    Attributes:
        title: Of the network.
        command: That makes the same again.
        outcomes: One a decoder, with cost.
        references: Name to test accuracy of the network without any format; empty where there are no images.
        skipped: Layers that were left as they are.
        left_out: Arrays of the model file that are no layers, with the reason.
        bits: Width of the levels.
        seconds: Wall time.
        versions: Of the tools.
    """

    title: str
    command: str
    outcomes: tuple[Outcome, ...]
    references: dict[str, float]
    skipped: tuple[str, ...]
    left_out: dict[str, str]
    bits: int
    seconds: float
    versions: dict[str, str]

    def to_rows(self) -> list[dict[str, Any]]:
        """All figures: name, value, unit, bar, met."""
        rows = [row(f"{name} test accuracy", round(value, 4), "1") for name, value in self.references.items()]
        rows += [one for outcome in self.outcomes for one in outcome.to_rows()]
        return [*rows, row("wall time", round(self.seconds, 1), "s")]


def row(name: str, value: float | None, unit: str, *, bar: float | None = None) -> dict[str, Any]:
    """One measured value; with *bar*, the goal, which is met where the value is not above it."""
    return {"name": name, "value": value, "unit": unit, "bar": bar, "met": None if bar is None or value is None else value <= bar}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)

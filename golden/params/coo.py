"""Parameters of the coordinate decoder."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from golden.params.base import Field, Parameters, Port, check, check_range


class CooError(enum.IntEnum):
    """Error codes of coordinates."""

    NONE = 0
    SHORT = 1  # the entries ended before the matrix was complete
    LONG = 2  # they go on after it is complete
    RANGE = 3  # a position is not below the number of weights
    ORDER = 4  # a position is not above the one before it


@dataclass(frozen=True, kw_only=True)
class CooParameters(Parameters):
    """A coordinate decoder: position and value of each survivor in; all weights out, or the survivors, counted and checked.

    ``count_bits`` is the width of a position, and of the numbers of weights and of survivors.

    Attributes:
        value_bits: Width of a value and so of a weight, 1 to 64.
        dense: True gives all weights, zeros included; False gives the survivors.
        lanes: Weights a beat, a power of two from 1 to 256; without *dense* it has to be 1.
    """

    format: ClassVar[str] = "coo"
    errors: ClassVar[type[enum.IntEnum]] = CooError

    value_bits: int = 8
    dense: bool = True
    lanes: int = 8

    def _check(self) -> None:
        check_range("value_bits", self.value_bits, 1, 64)
        if not isinstance(self.dense, bool):
            raise TypeError(f"dense must be True or False, was {self.dense!r}")
        check_range("lanes", self.lanes, 1, 256 if self.dense else 1)
        check(self.lanes.bit_count() == 1, "lanes", "a power of two", self.lanes)
        check(self.lanes < 1 << self.count_bits, "lanes", f"below 2**count_bits = {1 << self.count_bits}", self.lanes)

    def _slug(self) -> str:
        return f"coo_{f'dense{self.lanes}' if self.dense else 'survivors'}_v{self.value_bits}"

    @classmethod
    def weights(cls, lanes: int, **values: Any) -> Self:
        """As many lanes."""
        return cls(lanes=lanes, **values)

    @property
    def shape(self) -> Port:
        """Two fields: the number of weights and of survivors."""
        return Port("shape", (Field("count", self.count_bits), Field("survivors", self.count_bits)), framed=False)

    @property
    def entry(self) -> tuple[Field, Field]:
        """What a survivor is: its position in the matrix, row-major, and its value."""
        return Field("position", self.count_bits), Field("value", self.value_bits)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """``entry``: position and value of a survivor, one a beat."""
        return (Port("entry", self.entry),)

    @property
    def survivor(self) -> Port:
        """``survivor``: as ``entry``; with *dense* a stream inside the decoder."""
        return Port("survivor", self.entry, user_bits=3)

    @property
    def output(self) -> Port:
        """``weight``: *lanes* weights a beat; without *dense* ``survivor``."""
        return Port("weight", (Field("weight", self.value_bits),), lanes=self.lanes, user_bits=3) if self.dense else self.survivor

    def weights_of(self, shape: Sequence[int]) -> int:
        """The first number."""
        return shape[0]

    @property
    def latency(self) -> int:
        """3 from an entry to its survivor; with *dense* 3 more, to the beat before that of the entry; 1 more for *skid*."""
        return 3 + 3 * self.dense + self.skid

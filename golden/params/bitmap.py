"""Parameters of the bitmap decoder."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from golden.params.base import Field, Parameters, Port, check, check_range


@dataclass(frozen=True, kw_only=True)
class BitmapParameters(Parameters):
    """A bitmap decoder: one mask bit per weight and the packed values of those whose bit is 1 in, all weights out.

    Source: the compressed weights of NVDLA (mask and non-zero weights apart).

    Attributes:
        lanes: Weights a beat, and so mask bits a beat, 1 to 256.
        value_bits: Width of a value and so of a weight, 1 to 64.
        values: Values a beat, a power of two, 1 to 256; fewer than *lanes* bound the rate where the mask is dense.
    """

    format: ClassVar[str] = "bitmap"

    lanes: int = 16
    value_bits: int = 8
    values: int = 16

    def _check(self) -> None:
        check_range("lanes", self.lanes, 1, 256)
        check_range("value_bits", self.value_bits, 1, 64)
        check_range("values", self.values, 1, 256)
        check(self.values.bit_count() == 1, "values", "a power of two", self.values)

    def _slug(self) -> str:
        return f"bitmap_n{self.lanes}_v{self.value_bits}_s{self.values}"

    @classmethod
    def weights(cls, lanes: int, **values: Any) -> Self:
        """As many values a beat as lanes, so that a dense mask keeps the rate."""
        return cls(**{"lanes": lanes, "values": 1 << max(lanes - 1, 0).bit_length()} | values)

    @property
    def slots(self) -> int:
        """Values that hardware holds as one row of its ring: the power of two that holds a beat of either side."""
        return max(1 << (self.lanes - 1).bit_length(), self.values)

    @property
    def shape(self) -> Port:
        """One field: the number of weights of the matrix."""
        return Port("shape", (Field("count", self.count_bits),), framed=False)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """``mask``: *lanes* mask bits a beat, as one field, the first in bit 0; ``value``: *values* values a beat."""
        return Port("mask", (Field("mask", self.lanes),)), Port("value", (Field("value", self.value_bits),), lanes=self.values)

    @property
    def output(self) -> Port:
        """``weight``: *lanes* weights a beat."""
        return Port("weight", (Field("weight", self.value_bits),), lanes=self.lanes, user_bits=2)

    @property
    def latency(self) -> int:
        """8 from shape and mask beat, where the values wait already, and 1 more for *skid*."""
        return 8 + self.skid

"""Parameters of the N:M decoder."""

import enum
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from golden.params.base import Field, Parameters, Port, check, check_range


class NmError(enum.IntEnum):
    """Error codes of N:M."""

    NONE = 0
    SHORT = 1  # a stream ended before the matrix was complete, or a value beat lacks a value of its groups
    LONG = 2  # a stream goes on after the matrix is complete, or its last value beat holds a value too many
    ORDER = 3  # the indices of a group do not increase


@dataclass(frozen=True, kw_only=True)
class NmParameters(Parameters):
    """An N:M decoder: in each group of *m* consecutive weights *n* survive; indices and values in, all weights out.

    Source: NVIDIA's 2:4 structured sparsity: Mishra et al., "Accelerating sparse deep neural networks", 2021.

    Attributes:
        n: Survivors of a group, 1 to *m*.
        m: Weights of a group, a power of two, 2 to 16.
        value_bits: Width of a value and so of a weight, 1 to 64.
        groups: Groups a clock cycle, 1 to 64; a beat is ``groups * m`` weights.
    """

    format: ClassVar[str] = "nm"
    errors: ClassVar[type[enum.IntEnum]] = NmError

    n: int = 2
    m: int = 4
    value_bits: int = 8
    groups: int = 4

    def _check(self) -> None:
        check_range("m", self.m, 2, 16)
        check(self.m.bit_count() == 1, "m", "a power of two", self.m)
        check_range("n", self.n, 1, self.m)
        check_range("value_bits", self.value_bits, 1, 64)
        check_range("groups", self.groups, 1, 64)
        fewest = self.lanes.bit_length()
        check(self.count_bits >= fewest, "count_bits", f"at least {fewest} for {self.lanes} lanes", self.count_bits)

    def _slug(self) -> str:
        return f"nm_{self.n}_{self.m}_v{self.value_bits}_g{self.groups}"

    @classmethod
    def weights(cls, lanes: int, **values: Any) -> Self:
        """*lanes* is a multiple of *m*."""
        m = values.get("m", cls.m)
        check(lanes % m == 0, "lanes", f"a multiple of m = {m}", lanes)
        return cls(groups=lanes // m, **values)

    @property
    def index_bits(self) -> int:
        """Bits of one index, log2(m)."""
        return self.m.bit_length() - 1

    @property
    def group_bits(self) -> int:
        """Bits of the indices of one group."""
        return self.n * self.index_bits

    @property
    def lanes(self) -> int:
        """Weights a beat."""
        return self.groups * self.m

    @property
    def shape(self) -> Port:
        """One field: the number of weights of the matrix."""
        return Port("shape", (Field("count", self.count_bits),), framed=False)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """``index``: the indices of *groups* groups a beat, as one field, the first in bit 0; ``value``: their ``groups * n`` values."""
        index = Port("index", (Field("indices", self.groups * self.group_bits),))
        return index, Port("value", (Field("value", self.value_bits),), lanes=self.groups * self.n)

    @property
    def output(self) -> Port:
        """``weight``: ``groups * m`` weights a beat."""
        return Port("weight", (Field("weight", self.value_bits),), lanes=self.lanes, user_bits=2)

    @property
    def latency(self) -> int:
        """2 from the last to come of shape, index beat and value beat, and 1 more for *skid*."""
        return 2 + self.skid

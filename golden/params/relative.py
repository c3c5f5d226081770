"""Parameters of the relative-index decoder."""

import enum
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from golden.params.base import Field, Port, check, check_range
from golden.params.pairs import PairParameters

ORDERS = ("low", "high")


class RelativeError(enum.IntEnum):
    """Error codes of the relative index."""

    NONE = 0
    SHORT = 1  # one stream ended before the other, or a pair in the midst lacks a gap or a value
    LONG = 2  # a pair stands past the count, or beats follow the one that completes the matrix


@dataclass(frozen=True, kw_only=True)
class RelativeParameters(PairParameters):
    """A decoder of relative indices: gaps and values in, all weights out; a pair stands for *gap* zeros and then *value*.

    Source: Han et al., "Deep compression: compressing deep neural networks with pruning, trained quantization and Huffman coding", ICLR
    2016.

    Attributes:
        gap_bits: Width of a gap, 1 to 16. A longer gap is bridged by fillers (longest, 0), each of which stands for longest + 1 zeros.
        value_bits: Width of a value and so of a weight, 1 to 32.
        pairs_per_word: Pairs in a beat of either stream, 1 to 16.
        order: "low" packs the first gap into the lowest bits of a beat, as in the files released with the paper; "high" has the first of
            the two gaps of each byte in the high half, so it takes 4-bit gaps, an even number of them.
        lanes: Weights an output beat, a power of two, 1 to 64, so that no division is needed to tell a weight's beat and lane.
    """

    format: ClassVar[str] = "relative"
    errors: ClassVar[type[enum.IntEnum]] = RelativeError

    gap_bits: int = 4
    value_bits: int = 8
    pairs_per_word: int = 4
    order: str = "low"
    lanes: int = 4

    def _check(self) -> None:
        check_range("gap_bits", self.gap_bits, 1, 16)
        check_range("value_bits", self.value_bits, 1, 32)
        check_range("pairs_per_word", self.pairs_per_word, 1, 16)
        check(self.order in ORDERS, "order", f"one of {', '.join(ORDERS)}", self.order)
        nibbles = self.gap_bits == 4 and self.pairs_per_word % 2 == 0
        check(self.order == "low" or nibbles, "order", "low but for an even number of 4-bit gaps", self.order)
        self._check_lanes()

    def _slug(self) -> str:
        return f"relative_g{self.gap_bits}_v{self.value_bits}_p{self.pairs_per_word}_n{self.lanes}"

    @classmethod
    def weights(cls, lanes: int, **values: Any) -> Self:
        """As many pairs a beat as lanes, 16 at most."""
        return cls(**{"lanes": lanes, "pairs_per_word": min(lanes, 16)} | values)

    @property
    def run_bits(self) -> int:
        """Width of a gap."""
        return self.gap_bits

    @property
    def level_bits(self) -> int:
        """Width of a value."""
        return self.value_bits

    @property
    def some_missing(self) -> bool:
        """True: the last beats may have fewer pairs."""
        return True

    @property
    def gap_positions(self) -> tuple[int, ...]:
        """The lowest bit of each gap in a beat, that of the first pair first."""
        swap = self.order == "high"
        return tuple((pair ^ swap) * self.gap_bits for pair in range(self.pairs_per_word))

    @property
    def inputs(self) -> tuple[Port, ...]:
        """``gap``: the gaps of *pairs_per_word* pairs a beat, as one field; ``value``: their values, fewer in the last beat."""
        gap = Port("gap", (Field("gaps", self.pairs_per_word * self.gap_bits),))
        return gap, Port("value", (Field("value", self.value_bits),), lanes=self.pairs_per_word)

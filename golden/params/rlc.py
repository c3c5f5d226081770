"""Parameters of the run-length code (RLC) unpacker."""

import enum
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from golden.params.base import Field, Port, check, check_range
from golden.params.pairs import PairParameters

ORDERS = ("msb", "lsb")


class RlcError(enum.IntEnum):
    """Error codes of the RLC unpacker."""

    NONE = 0
    SHORT = 1  # the code ended before the matrix was complete
    LONG = 2  # a run goes past the count, a pair past it is not (0, 0), or words follow the one that completes it
    MARKER = 3  # what marks the last word is in another word: the marker, or a terminator; or the marker is not set in the last


@dataclass(frozen=True, kw_only=True)
class RlcParameters(PairParameters):
    """An RLC unpacker: words of (run, level) pairs in, one element a lane out; a pair stands for *run* zeros and then *level*.

    Source: Chen et al., "Eyeriss: an energy-efficient reconfigurable accelerator for deep convolutional neural networks", JSSC 2017.

    Attributes:
        run_bits: Width of a run, 1 to 16. A longer run is cut: (longest, 0) stands for longest + 1 zeros.
        level_bits: Width of a level and so of an element, 1 to 32.
        pairs_per_word: Pairs in a word, 1 to 16.
        word_bits: Width of a word, at least what pairs and marker take, at most 1024. Spare bits are written 0 and not read.
        marker: True where a word has a bit that says that it is the last of the code (Eyeriss).
        terminator: True where the pair (0, 0) ends the code (the lecture form): what follows in its word means nothing, and all other
            elements of the matrix are zeros. It may be missing only where the matrix is complete without.
        order: "msb" packs run 0, level 0, run 1, ... from the highest bit downward and has the marker in bit 0, as Eyeriss's figure reads;
            "lsb" packs them from bit 0 upward and has the marker in the highest bit.
        lanes: Elements an output beat, a power of two, 1 to 64, so that no division is needed to tell an element's beat and lane.
    """

    format: ClassVar[str] = "rlc"
    errors: ClassVar[type[enum.IntEnum]] = RlcError

    run_bits: int = 5
    level_bits: int = 16
    pairs_per_word: int = 3
    word_bits: int = 64
    marker: bool = True
    terminator: bool = False
    order: str = "msb"
    lanes: int = 4

    def _check(self) -> None:
        check_range("run_bits", self.run_bits, 1, 16)
        check_range("level_bits", self.level_bits, 1, 32)
        check_range("pairs_per_word", self.pairs_per_word, 1, 16)
        for name in ("marker", "terminator"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be True or False, was {getattr(self, name)!r}")
        check_range("word_bits", self.word_bits, self.pair_bits * self.pairs_per_word + self.marker, 1024)
        check(self.order in ORDERS, "order", f"one of {', '.join(ORDERS)}", self.order)
        self._check_lanes()

    def _slug(self) -> str:
        return f"rlc_r{self.run_bits}_l{self.level_bits}_p{self.pairs_per_word}_w{self.word_bits}_n{self.lanes}"

    @classmethod
    def weights(cls, lanes: int, **values: Any) -> Self:
        """Levels of 8 bits where nothing else is said, and as many pairs in a word of 64 bits as it holds."""
        wanted = {"run_bits": 4, "level_bits": 8} | values
        pairs = max(1, 63 // (wanted["run_bits"] + wanted["level_bits"]))
        return cls(**{"lanes": lanes, "pairs_per_word": pairs} | wanted)

    @property
    def some_missing(self) -> bool:
        """Whether pairs after a terminator do not count."""
        return self.terminator

    @property
    def pair_bits(self) -> int:
        """Bits of a word that one pair takes."""
        return self.run_bits + self.level_bits

    @property
    def run_positions(self) -> tuple[int, ...]:
        """The lowest bit of each pair's run in a word, pair 0 first."""
        if self.order == "lsb":
            return tuple(pair * self.pair_bits for pair in range(self.pairs_per_word))
        return tuple(self.word_bits - pair * self.pair_bits - self.run_bits for pair in range(self.pairs_per_word))

    @property
    def level_positions(self) -> tuple[int, ...]:
        """The lowest bit of each pair's level in a word, pair 0 first."""
        offset = self.run_bits if self.order == "lsb" else -self.level_bits
        return tuple(position + offset for position in self.run_positions)

    @property
    def marker_position(self) -> int | None:
        """The bit that marks the last word of a code; None where there is none."""
        if not self.marker:
            return None
        return self.word_bits - 1 if self.order == "lsb" else 0

    @property
    def spare_positions(self) -> tuple[int, ...]:
        """The bits of a word that mean nothing."""
        used = {at + i for at in self.run_positions for i in range(self.run_bits)} | {self.marker_position}
        used |= {at + i for at in self.level_positions for i in range(self.level_bits)}
        return tuple(at for at in range(self.word_bits) if at not in used)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """``code``: one word a beat."""
        return (Port("code", (Field("word", self.word_bits),)),)

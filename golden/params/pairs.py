"""What the parameters of all decoders of (run, level) pairs have in common."""

from abc import abstractmethod
from dataclasses import dataclass

from golden.params.base import Field, Parameters, Port, check, check_range

GROUP = 4  # pairs whose runs are added up in one clock cycle


@dataclass(frozen=True, kw_only=True)
class PairParameters(Parameters):
    """A decoder that takes *pairs_per_word* pairs at a time and gives *lanes* elements a beat; a pair is *run* zeros and then *level*."""

    @property
    @abstractmethod
    def run_bits(self) -> int:
        """Width of a run."""

    @property
    @abstractmethod
    def level_bits(self) -> int:
        """Width of a level and so of an element."""

    @property
    @abstractmethod
    def pairs_per_word(self) -> int:
        """Pairs that are taken together."""

    @property
    @abstractmethod
    def lanes(self) -> int:
        """Elements an output beat, a power of two, so that no division is needed to tell an element's beat and lane."""

    @property
    def some_missing(self) -> bool:
        """True where the last word of a matrix may have fewer pairs, and elements that no pair gives are zeros."""
        return False

    def _check_lanes(self) -> None:
        check_range("lanes", self.lanes, 1, 64)
        check(self.lanes.bit_count() == 1, "lanes", "a power of two", self.lanes)
        fewest = self.lanes.bit_length()
        check(self.count_bits >= fewest, "count_bits", f"at least {fewest} for {self.lanes} lanes", self.count_bits)

    @property
    def longest_run(self) -> int:
        """The longest run of one pair, in zeros."""
        return (1 << self.run_bits) - 1

    @property
    def lane_bits(self) -> int:
        """Bits of a lane's number."""
        return self.lanes.bit_length() - 1

    @property
    def shape(self) -> Port:
        """One field: the number of elements of the matrix."""
        return Port("shape", (Field("count", self.count_bits),), framed=False)

    @property
    def output(self) -> Port:
        """``weight``: *lanes* levels a beat."""
        return Port("weight", (Field("level", self.level_bits),), lanes=self.lanes, user_bits=2)

    @property
    def latency(self) -> int:
        """5: sums of runs, places of levels, beats, choice of a lane's level, output; 1 more each for over 4 pairs and for *skid*."""
        return 5 + (self.pairs_per_word > GROUP) + self.skid

"""What the parameters of all decoders of (run, level) pairs have in common."""

from abc import abstractmethod
from dataclasses import dataclass

from golden.params.base import Field, Port
from golden.params.lanes import LaneParameters

GROUP = 4  # pairs whose runs are added up in one clock cycle


@dataclass(frozen=True, kw_only=True)
class PairParameters(LaneParameters):
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
    def some_missing(self) -> bool:
        """True where the last word of a matrix may have fewer pairs, and elements that no pair gives are zeros."""
        return False

    @property
    def longest_run(self) -> int:
        """The longest run of one pair, in zeros."""
        return (1 << self.run_bits) - 1

    @property
    def output(self) -> Port:
        """``weight``: *lanes* weights a beat."""
        return Port("weight", (Field("weight", self.level_bits),), lanes=self.lanes, user_bits=2)

    @property
    def latency(self) -> int:
        """5: sums of runs, places of levels, beats, choice of a lane's level, output; 1 more each for over 4 pairs and for *skid*."""
        return 5 + (self.pairs_per_word > GROUP) + self.skid

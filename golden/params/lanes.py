"""What the parameters of decoders share that give a power of two of elements a beat and are told nothing but their number."""

from abc import abstractmethod
from dataclasses import dataclass

from golden.params.base import Field, Parameters, Port, check, check_range


@dataclass(frozen=True, kw_only=True)
class LaneParameters(Parameters):
    """A decoder that gives *lanes* elements a beat."""

    @property
    @abstractmethod
    def lanes(self) -> int:
        """Elements an output beat, a power of two, so that no division is needed to tell an element's beat and lane."""

    def _check_lanes(self) -> None:
        check_range("lanes", self.lanes, 1, 64)
        check(self.lanes.bit_count() == 1, "lanes", "a power of two", self.lanes)
        fewest = self.lanes.bit_length()
        check(self.count_bits >= fewest, "count_bits", f"at least {fewest} for {self.lanes} lanes", self.count_bits)

    @property
    def lane_bits(self) -> int:
        """Bits of a lane's number."""
        return self.lanes.bit_length() - 1

    @property
    def shape(self) -> Port:
        """One field: the number of elements of the matrix."""
        return Port("shape", (Field("count", self.count_bits),), framed=False)

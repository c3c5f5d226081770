"""Parameters of the codebook look-up."""

import enum
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from golden.params.base import Field, Port, check_range
from golden.params.lanes import LaneParameters


class CodebookError(enum.IntEnum):
    """Error codes of the codebook look-up."""

    NONE = 0
    SHORT = 1  # the codes ended before the matrix was complete, or a beat lacks a code
    LONG = 2  # the table has more entries than codes can tell, or the codes go on after the matrix is complete
    RANGE = 3  # a code is not that of an entry of the table


@dataclass(frozen=True, kw_only=True)
class CodebookParameters(LaneParameters):
    """A codebook look-up: a table of values, then codes in, the values that they stand for out.

    Source: Han et al., "Deep compression", ICLR 2016: weights share the values of a codebook of 16 or 256 entries a layer.

    Attributes:
        code_bits: Width of a code, 1 to 12; a table has at most 2**code_bits entries.
        value_bits: Width of an entry of the table and so of a weight, 1 to 64.
        lanes: Codes a beat, a power of two, 1 to 64.
    """

    format: ClassVar[str] = "codebook"
    errors: ClassVar[type[enum.IntEnum]] = CodebookError

    code_bits: int = 4
    value_bits: int = 16
    lanes: int = 4

    def _check(self) -> None:
        check_range("code_bits", self.code_bits, 1, 12)
        check_range("value_bits", self.value_bits, 1, 64)
        self._check_lanes()

    def _slug(self) -> str:
        return f"codebook_c{self.code_bits}_v{self.value_bits}_n{self.lanes}"

    @classmethod
    def weights(cls, lanes: int, **values: Any) -> Self:
        """Codes and values of 8 bits where nothing else is said."""
        return cls(**{"lanes": lanes, "code_bits": 8, "value_bits": 8} | values)

    @property
    def entries(self) -> int:
        """The most entries that a table has."""
        return 1 << self.code_bits

    @property
    def inputs(self) -> tuple[Port, ...]:
        """``table``: one entry a beat, that of code 0 first; ``code``: *lanes* codes a beat."""
        return Port("table", (Field("value", self.value_bits),)), Port("code", (Field("code", self.code_bits),), lanes=self.lanes)

    @property
    def output(self) -> Port:
        """``weight``: *lanes* weights a beat."""
        return Port("weight", (Field("weight", self.value_bits),), lanes=self.lanes, user_bits=2)

    @property
    def latency(self) -> int:
        """3 from the code beat, where shape and table came before it: check of the codes, memory, output; 1 more for *skid*."""
        return 3 + self.skid

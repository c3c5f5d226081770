"""Parameters of the Viterbi weight decompressor."""

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

from golden.params.base import Field, Port, check, check_range
from golden.params.bitmap import BitmapParameters
from golden.params.viterbi import ViterbiParameters

# 0.885 of the magnitude that magnitude pruning keeps at the same density: python -m unprune.encode.taps --k 5 --q 4 --comparator 3
# --density 0.0844 --tries 5000 --seed 1
TAPS_K5_Q4_C3 = (0x2b, 0x2d, 0x3b, 0x29, 0x31, 0x3b, 0x3f, 0x23, 0x3d, 0x2f, 0x3f, 0x35)


@dataclass(frozen=True, kw_only=True)
class ViterbiWeightParameters(ViterbiParameters):
    """A Viterbi decompressor with a mask expander behind it: compressed mask bits and packed values in, all weights out.

    Source: Lee et al., ICLR 2018, as for :class:`golden.params.viterbi.ViterbiParameters`, whose values it has, and:

    Attributes:
        value_bits: Width of a value and so of a weight, 1 to 64.
        values: Values a beat, a power of two, 1 to 256; fewer than ``steps * q`` bound the rate where the mask is dense.
    """

    format: ClassVar[str] = "viterbi_weight"

    value_bits: int = 8
    values: int = 16

    def _check(self) -> None:
        super()._check()
        check_range("steps * q", self.mask_bits, 1, 256)
        _ = self.expansion  # checks the rest

    def _slug(self) -> str:
        return f"{super()._slug().replace('viterbi', 'viterbi_weight')}_v{self.value_bits}_s{self.values}"

    @classmethod
    def weights(cls, lanes: int, **values: Any) -> Self:
        """Of a code that is given, with *k*, *q* and *taps*, or of one with q = 4; *lanes* is *q* times a divisor of *block_steps*."""
        if not {"k", "p", "q", "comparator", "taps"} & set(values):
            values = {"k": 5, "q": 4, "comparator": 3, "taps": TAPS_K5_Q4_C3} | values
        missing = [name for name in ("k", "q", "taps") if name not in values]
        check(not missing, "the parameters of viterbi_weight", f"given with {', '.join(missing)}", sorted(values))
        check(lanes % values["q"] == 0, "lanes", f"a multiple of q = {values['q']}", lanes)
        return cls(**{"steps": lanes // values["q"], "values": 1 << max(lanes - 1, 0).bit_length()} | values)

    @property
    def mask(self) -> ViterbiParameters:
        """Of the decompressor inside, which gives the mask."""
        return ViterbiParameters(**{f.name: getattr(self, f.name) for f in fields(ViterbiParameters)} | {"name": "", "skid": False})

    @property
    def expansion(self) -> BitmapParameters:
        """Of the bitmap decoder inside, which takes the mask."""
        return BitmapParameters(lanes=self.mask_bits, value_bits=self.value_bits, values=self.values, count_bits=self.count_bits)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """``index``: that of the Viterbi decompressor; ``value``: *values* values a beat."""
        return (*super().inputs, Port("value", (Field("value", self.value_bits),), lanes=self.values))

    @property
    def output(self) -> Port:
        """``weight``: ``steps * q`` weights a beat."""
        return Port("weight", (Field("weight", self.value_bits),), lanes=self.mask_bits, user_bits=2)

    @property
    def latency(self) -> int:
        """From shape and index beat, where the values wait already: what the two decoders inside have, and 1 more for *skid*."""
        return self.mask.latency + self.expansion.latency + self.skid

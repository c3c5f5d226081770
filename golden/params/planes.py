"""Parameters of the bit-plane decoder: the Viterbi decompressor as a lossless fixed-to-fixed code for the survivors' value bits."""

import hashlib
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from golden.params.base import Field, Parameters, Port, check, check_range
from golden.params.viterbi import ViterbiParameters

MOST_BLOCK_BITS = 1 << 22  # outputs of a block, so that a block's mismatches fit in the upper bits of a 32-bit metric


@dataclass(frozen=True, kw_only=True)
class PlanesParameters(Parameters):
    """One decompressor a bit plane: *k* flip-flops and XOR trees turn *p* input bits into *q* output bits at every step; patches mend them.

    Window, taps and blocks are those of :class:`golden.params.viterbi.ViterbiParameters` without a comparator; k may be 0.
    Sources: Kwon et al., "Structured compression by weight encryption for unstructured pruning and quantization", CVPR 2020
    (k = 0), and Park et al., "Encoding weights of irregular sparsity for fixed-to-fixed model compression", ICLR 2022 (k = N_s * p).

    Attributes:
        value_bits: Planes, that is bits of a value and so of a weight, 1 to 32.
        k: Bits of history, 0 to 16. N_s words of history are ``k = N_s * p``.
        p: Input bits a step and plane, 1 to 8.
        q: Output bits a step, each for one weight of the plane, 1 to 256.
        taps: *q* masks of ``k + p`` bits, none zero; output j is the parity of window AND ``taps[j]``. Where none are given,
            :func:`drawn_taps` makes them.
        block_steps: Steps after which the window restarts from 0, a multiple of *steps*; ``block_steps * q`` is at most 2**22.
        steps: Steps a clock cycle, so that a beat is ``steps * q`` weights, at most 256.
        gap_bits: Width of the gap in a patch, 1 to 16.
        patches: Patches a beat of their stream, and so flips a clock cycle, 1 to 8.
    """

    format: ClassVar[str] = "planes"

    value_bits: int = 8
    k: int = 12
    p: int = 4
    q: int = 40
    taps: tuple[int, ...] = ()
    block_steps: int = 512
    steps: int = 1
    gap_bits: int = 3
    patches: int = 2

    def _check(self) -> None:
        check_range("value_bits", self.value_bits, 1, 32)
        check_range("k", self.k, 0, 16)
        check_range("p", self.p, 1, 8)
        check_range("q", self.q, 1, 256)
        check_range("gap_bits", self.gap_bits, 1, 16)
        check_range("patches", self.patches, 1, 8)
        check_range("block_steps", self.block_steps, 1, MOST_BLOCK_BITS // self.q)
        if self.taps == ():
            object.__setattr__(self, "taps", drawn_taps(self.k, self.p, self.q))
        _ = self.plane  # checks the rest
        check_range("the largest of taps", max(self.taps), 1, (1 << self.k + self.p) - 1)
        check_range("steps * q", self.lanes, 1, 256)
        check_range("steps * value_bits * p", self.word_bits, 1, 4096)

    def _slug(self) -> str:
        return f"planes_v{self.value_bits}_k{self.k}_p{self.p}_q{self.q}_n{self.steps}_s{self.patches}"

    @classmethod
    def weights(cls, lanes: int, **values: Any) -> Self:
        """Steps of the largest part of *lanes* up to 64, with inputs for a density of about 0.1; where *q* is given it divides *lanes*."""
        q = values.get("q", next(part for part in range(min(max(lanes, 1), 64), 0, -1) if lanes % part == 0))
        check(lanes % q == 0, "lanes", f"a multiple of q = {q}", lanes)
        # More history would match more, but the encoder's time for a step doubles with every bit, and narrow beats are many steps.
        return cls(**{"k": 12 if q >= 32 else 6, "q": q, "p": min(max(1, q // 10), 8), "steps": lanes // q} | values)

    @property
    def plane(self) -> ViterbiParameters:
        """Of the decompressor of one plane; without history it has a flip-flop that no tap reads."""
        return ViterbiParameters(
            k=max(self.k, 1), p=self.p, q=self.q, taps=self.taps, block_steps=self.block_steps, steps=self.steps, count_bits=self.count_bits
        )

    @property
    def lanes(self) -> int:
        """Weights of a beat."""
        return self.steps * self.q

    @property
    def block(self) -> int:
        """Weights of a block."""
        return self.block_steps * self.q

    @property
    def word_bits(self) -> int:
        """Input bits of a beat: of *steps* steps, of all planes."""
        return self.steps * self.value_bits * self.p

    @property
    def lane_bits(self) -> int:
        """Bits that tell the lane in a patch, with one number left at least that is no lane's."""
        return self.lanes.bit_length()

    @property
    def plane_bits(self) -> int:
        """Bits that tell the plane in a patch."""
        return (self.value_bits - 1).bit_length()

    @property
    def patch_bits(self) -> int:
        """Bits of a patch: lane, plane and gap, the lane lowest."""
        return self.lane_bits + self.plane_bits + self.gap_bits

    @property
    def shape(self) -> Port:
        """One field: the number of weights of the matrix."""
        return Port("shape", (Field("count", self.count_bits),), framed=False)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """``mask``: the mask bits of a beat as one field, the first in bit 0; ``word``: its input bits; ``patch``: *patches* a beat."""
        mask, word = Port("mask", (Field("mask", self.lanes),)), Port("word", (Field("word", self.word_bits),))
        return mask, word, Port("patch", (Field("patch", self.patch_bits),), lanes=self.patches)

    @property
    def output(self) -> Port:
        """``weight``: ``steps * q`` weights a beat."""
        return Port("weight", (Field("weight", self.value_bits),), lanes=self.lanes, user_bits=2)

    @property
    def latency(self) -> int:
        """8 from the shape, where mask, word and patch wait already, and 1 more for *skid*."""
        return 8 + self.skid


def drawn_taps(k: int, p: int, q: int, seed: int = 0) -> tuple[int, ...]:
    """Taps by a stated rule: the windows with an odd number of bits that a hash names, those without a new bit left out, none twice.

    Candidate i = 0, 1, ... is the SHA-256 of "*seed* i" (decimal, ASCII), read as a big-endian number, modulo ``2**(k + p)``. Once all
    masks that fit have been taken they may be taken again. An odd mask is never the sum of two others: no two or three outputs of a step
    depend on each other, so that fewer sets of care bits contradict each other than with random taps.
    """
    fitting = (1 << k + p - 1) - (1 << k >> 1)  # odd masks, less those of history alone
    taps: list[int] = []
    i = 0
    while len(taps) < q:
        mask = int.from_bytes(hashlib.sha256(f"{seed} {i}".encode()).digest(), "big") % (1 << k + p)
        if mask.bit_count() & 1 and mask % (1 << p) and mask not in taps[len(taps) // fitting * fitting :]:
            taps.append(mask)
        i += 1
    return tuple(taps)

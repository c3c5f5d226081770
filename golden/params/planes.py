"""Parameters of the bit-plane code: the Viterbi decompressor as a lossless fixed-to-fixed code for the survivors' value bits."""

import hashlib
from dataclasses import dataclass

from golden.params.base import check, check_range

MOST_BLOCK_BITS = 1 << 22  # outputs of a block, so that a block's mismatches fit in the upper bits of a 32-bit metric


@dataclass(frozen=True, kw_only=True)
class PlanesParameters:
    """One decompressor a bit plane: *k* flip-flops and XOR trees turn *p* input bits into *q* output bits at every step.

    Window, taps and blocks are those of :class:`golden.params.viterbi.ViterbiParameters` without a comparator; k may be 0.
    Sources: Kwon et al., "Structured compression by weight encryption for unstructured pruning and quantization", CVPR 2020
    (k = 0), and Park et al., "Encoding weights of irregular sparsity for fixed-to-fixed model compression", ICLR 2022 (k = N_s * p).

    Attributes:
        bits: Planes, that is bits of a value, 1 to 32.
        k: Bits of history, 0 to 16. N_s words of history are ``k = N_s * p``.
        p: Input bits a step, 1 to 8.
        q: Output bits a step, each for one weight of the plane, 1 to 256.
        taps: *q* masks of ``k + p`` bits, none zero; output j is the parity of window AND ``taps[j]``. :func:`drawn_taps` makes some.
        block_steps: Steps after which the window restarts from 0; ``block_steps * q`` is at most 2**22.
        gap_bits: Width of an entry of the patch stream, 2 to 16. The largest entry is a filler.
    """

    bits: int
    k: int
    p: int = 8
    q: int
    taps: tuple[int, ...]
    block_steps: int = 512
    gap_bits: int = 8

    def __post_init__(self) -> None:
        check_range("bits", self.bits, 1, 32)
        check_range("k", self.k, 0, 16)
        check_range("p", self.p, 1, 8)
        check_range("q", self.q, 1, 256)
        check_range("gap_bits", self.gap_bits, 2, 16)
        check_range("block_steps", self.block_steps, 1, MOST_BLOCK_BITS // self.q)
        if not isinstance(self.taps, tuple):
            raise TypeError(f"taps must be a tuple of integers, was {self.taps!r}")
        check(len(self.taps) == self.q, "the number of taps", f"q = {self.q}", len(self.taps))
        for j, tap in enumerate(self.taps):
            check_range(f"taps[{j}]", tap, 1, (1 << self.k + self.p) - 1)

    @property
    def block(self) -> int:
        """Weights of a block."""
        return self.block_steps * self.q

    @property
    def count_bits(self) -> int:
        """Width of the number of patch entries of a block, of which there are no more than care bits."""
        return self.block.bit_length()

    @property
    def filler(self) -> int:
        """The patch entry that advances by as many care bits and flips none."""
        return (1 << self.gap_bits) - 1


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

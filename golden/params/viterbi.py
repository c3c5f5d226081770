"""Parameters of the Viterbi decompressor."""

from dataclasses import dataclass
from typing import Any, ClassVar

from golden.params.base import Field, Parameters, Port, check, check_range


@dataclass(frozen=True, kw_only=True)
class ViterbiParameters(Parameters):
    """A Viterbi decompressor: *k* flip-flops and XOR trees turn *p* compressed bits into *q* mask bits at every step.

    Source: Lee et al., "Viterbi-based pruning for sparse matrix with fixed and high index compression ratio", ICLR 2018.

    Attributes:
        k: Flip-flops, 1 to 24. The window that a step sees is ``k + p`` bits.
        p: Compressed bits a step, 1 to 8.
        q: Mask bits a step, 1 to 256. The index compression ratio is ``q / p``.
        taps: ``q * c`` masks of ``k + p`` bits, none zero, where c is *comparator* or 1. XOR output j is the parity
            of window AND ``taps[j]``; window bit i is the compressed bit of i positions ago.
        comparator: Number of XOR outputs that form one comparator input, the first its bit 0; None gives the plain XOR output.
        threshold: The mask bit is 1 when the comparator input is below it, 1 to ``2**comparator - 1``; without comparator it has to be 1.
            The density that random input gives is ``threshold / 2**comparator``.
        block_steps: Steps after which the window restarts from 0; a multiple of *steps*.
        steps: Steps a clock cycle (n), so that a beat is ``steps * p`` compressed bits in and ``steps * q`` mask bits out.
        word_bits: Compressed bits of a memory word, which is a beat of ``index``: a multiple of ``steps * p``, up to 4096; *block_steps* is
            whole words. None is ``steps * p``, so that every clock cycle takes a beat of its own.
        pipeline: True puts a register between the XOR trees and the comparator: one more cycle of latency, a higher clock rate.
    """

    format: ClassVar[str] = "viterbi"

    k: int
    p: int = 1
    q: int
    taps: tuple[int, ...]
    comparator: int | None = None
    threshold: int = 1
    block_steps: int = 1024
    steps: int = 1
    pipeline: bool = False
    word_bits: int | None = None

    def _check(self) -> None:
        check_range("k", self.k, 1, 24)
        check_range("p", self.p, 1, 8)
        check_range("q", self.q, 1, 256)
        if self.comparator is not None:
            check_range("comparator", self.comparator, 1, 8)
        check_range("threshold", self.threshold, 1, (1 << self.outputs) - 1)
        check_range("steps", self.steps, 1, 256)
        check_range("block_steps", self.block_steps, 1, 1 << 24)
        check(self.block_steps % self.steps == 0, "block_steps", f"a multiple of steps ({self.steps})", self.block_steps)
        if self.word_bits is not None:
            check_range("word_bits", self.word_bits, 1, 4096)
            cycle = self.steps * self.p
            check(self.word_bits % cycle == 0, "word_bits", f"a multiple of steps * p = {cycle}", self.word_bits)
            steps = self.word_bits // self.p
            check(self.block_steps % steps == 0, "block_steps", f"a multiple of the {steps} steps of a word", self.block_steps)
        if not isinstance(self.pipeline, bool):
            raise TypeError(f"pipeline must be True or False, was {self.pipeline!r}")
        if not isinstance(self.taps, tuple):
            raise TypeError(f"taps must be a tuple of integers, was {self.taps!r}")
        check(len(self.taps) == self.q * self.outputs, "the number of taps", f"q * c = {self.q * self.outputs}", len(self.taps))
        for j, tap in enumerate(self.taps):
            check_range(f"taps[{j}]", tap, 1, (1 << self.k + self.p) - 1)

    def _slug(self) -> str:
        comparator = f"_c{self.comparator}t{self.threshold}" if self.comparator else ""
        word = f"_w{self.word_bits}" if self.word_bits else ""
        return f"viterbi_k{self.k}_p{self.p}_q{self.q}{comparator}_n{self.steps}{word}"

    def to_dict(self) -> dict[str, Any]:
        """As of all parameters, but without ``word_bits`` where that is None: so a set without has the digest that it always had."""
        values = super().to_dict()
        if self.word_bits is None:
            del values["word_bits"]
        return values

    @property
    def outputs(self) -> int:
        """XOR outputs per mask bit (c)."""
        return self.comparator or 1

    @property
    def density(self) -> float:
        """Fraction of mask bits that are 1 when the compressed bits are random."""
        return self.threshold / (1 << self.outputs)

    @property
    def mask_bits(self) -> int:
        """Mask bits, and so weights, per clock cycle."""
        return self.steps * self.q

    @property
    def index_bits(self) -> int:
        """Compressed bits of a beat of ``index``."""
        return self.word_bits or self.steps * self.p

    @property
    def word_cycles(self) -> int:
        """Clock cycles that such a beat lasts."""
        return self.index_bits // (self.steps * self.p)

    @property
    def shape(self) -> Port:
        """One field: the number of weights of the matrix."""
        return Port("shape", (Field("count", self.count_bits),), framed=False)

    @property
    def inputs(self) -> tuple[Port, ...]:
        """``index``: ``steps * p`` or *word_bits* compressed bits a beat, the first in bit 0."""
        return (Port("index", (Field("bits", self.index_bits),)),)

    @property
    def output(self) -> Port:
        """``mask``: ``steps * q`` mask bits a beat as one lane, the first weight's in bit 0; bits past the last weight are 0."""
        return Port("mask", (Field("mask", self.mask_bits),), user_bits=2)

    @property
    def rate(self) -> int:
        """Mask bits per clock cycle."""
        return self.mask_bits

    @property
    def latency(self) -> int:
        """7 from shape and index beat, and 1 more each for *pipeline* and *skid*; 3 less where the shape has been there before."""
        return 7 + self.pipeline + self.skid

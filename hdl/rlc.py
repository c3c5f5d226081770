"""The RLC unpacker: words of (run, level) pairs in, one element a lane out, a whole word or a whole beat every clock cycle."""

from amaranth.hdl import Cat, Const, Module, Signal, Value

from golden.params.rlc import RlcError, RlcParameters
from hdl.rlc_core import PairDecoder
from hdl.rlc_words import Word, places_in_groups


class RlcUnpacker(PairDecoder):
    """RLC unpacker: words of *pairs_per_word* (run, level) pairs in, *lanes* elements a beat out.

    Zeros are never made: of each level only its beat and its lane are known, and the lanes that no level takes are reset.

    Rate: a word that completes k beats takes max(1, k) clock cycles, so in every cycle a word is taken or a beat is given; a long
    run costs one cycle a beat. The last word of a matrix takes as many cycles as it has beats left. No idle cycle between matrices.
    Latency: 5 clock cycles, 6 with more than 4 pairs a word.
    ``code.ready`` and ``shape.ready`` follow ``weight.ready`` combinationally (``parameters.skid`` cuts that outside, see hdl.axis).

    Members:
        shape: One beat starts a matrix: its number of elements.
        code: One word a beat; ``last`` with the last word of a matrix. A matrix of no elements has one beat without ``keep``.
        weight: *lanes* elements a beat; in the last beat lanes past the last element are 0 and without ``keep``.
            ``error`` on the last beat: 1 the code ended early; 2 a run goes past the count, a pair past it is not (0, 0), or the word that
            completes the matrix is not the last; 3 a word's marker is not its ``last``, or a word that is not the last has a terminator.
            Elements that did not come before the first error are 0, and the code is dropped up to its ``last``.

    Source: Chen et al., JSSC 2017 (Eyeriss); the order of bits is ours (docs/rlc.md).
    """

    parameters: RlcParameters
    bad = RlcError.MARKER

    def _words(self, m: Module, step: Value) -> Word:
        m.d.comb += self.code.ready.eq(step)
        return self._read(m).registered(m, step, "summed")

    def _read(self, m: Module) -> Word:
        """The word that *code* offers."""
        p, beat = self.parameters, self.code.payload
        bits, data = beat.data[0], beat.keep & self.code.valid
        runs = [bits[at : at + p.run_bits] for at in p.run_positions]
        levels = [bits[at : at + p.level_bits] for at in p.level_positions]
        zero = [(run == 0) & (level == 0) for run, level in zip(runs, levels, strict=True)]
        right = Const(1) if p.marker_position is None else bits[p.marker_position] == beat.last
        # With a terminator the pairs before it are all there are; without, what matters is whether the last ones are unused.
        there = [~Cat(zero[: i + 1]).any() for i in range(p.pairs_per_word)] if p.terminator else []
        if p.terminator:
            right &= there[-1] | beat.last
        if p.spare_positions:
            unused_spare = Signal(len(p.spare_positions), attrs={"keep": 1})  # for the reader and for linters; synthesis drops it
            m.d.comb += unused_spare.eq(Cat(bits[at] for at in p.spare_positions))
        return Word(
            valid=self.code.valid & (beat.keep | beat.last),
            good=data & right,
            bad=data & ~right,
            last=self.code.valid & beat.last,
            levels=levels,
            rest_zero=[] if there else [Cat(zero[i + 1 :]).all() for i in range(p.pairs_per_word - 1)],
            there=there,
            closed=[data & ~there[-1]] if there else [],
            places=places_in_groups(runs),
        )


DECODER = RlcUnpacker

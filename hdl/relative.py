"""The relative-index decoder: gaps and values of the survivors in, all weights out, several pairs or a whole beat every clock cycle."""

from typing import Any

from amaranth.hdl import Module, Signal, Value

from golden.params.relative import RelativeError, RelativeParameters
from hdl.rlc_core import PairDecoder
from hdl.rlc_words import Word, places_in_groups


class Held:
    """A beat of one of the two streams, held until the other's is there, for neither may wait for the other.

    Members:
        valid: There is a beat.
        keep, last: As in the stream.
        over: The stream has ended and the other one has not: a beat that is held belongs to the next matrix.
        there: There is a beat of this matrix, or there will be none any more.
        ended: There will be none after it.
    """

    def __init__(self, name: str, lanes: int) -> None:
        self.valid, self.over = Signal(name=f"{name}_valid"), Signal(name=f"{name}_over")
        self.keep = Signal(lanes, name=f"{name}_keep", reset_less=True)
        self.last = Signal(name=f"{name}_last", reset_less=True)
        self.there, self.ended = self.valid | self.over, self.last | self.over

    def follow(self, m: Module, stream: Any, taken: Value, complete: Value, content: list[tuple[Signal, Value]]) -> None:
        """Take the next beat of *stream*, and its *content*, as soon as there is room; skip those without data that are not the last.

        *taken*: what is there is taken, together with that of the other stream; *complete*: these end both streams.
        """
        beat = stream.payload
        m.d.comb += stream.ready.eq(~self.valid | taken & ~self.over)
        with m.If(stream.ready):
            m.d.sync += [self.valid.eq(stream.valid & (beat.keep[0] | beat.last)), self.keep.eq(beat.keep), self.last.eq(beat.last)]
            m.d.sync += [mine.eq(other) for mine, other in content]
        with m.If(taken):
            m.d.sync += self.over.eq(self.ended & ~complete)


class RelativeDecoder(PairDecoder):
    """Relative-index decoder: *pairs_per_word* gaps and as many values a beat in, *lanes* weights a beat out.

    Zeros are never made: of each value only its beat and its lane are known, and the lanes that no value takes are reset.

    Rate: a pair of beats that completes k output beats takes max(1, k) clock cycles, so in every cycle a pair is taken or a beat is given.
    The last pair of a matrix takes as many cycles as it has beats left. No idle cycle between matrices.
    Latency: 5 clock cycles from the later of gap and value beat, 6 with more than 4 pairs.
    ``gap.ready``, ``value.ready`` and ``shape.ready`` follow ``weight.ready`` combinationally (``parameters.skid`` cuts that outside, see
    hdl.axis).

    Members:
        shape: One beat starts a matrix: its number of weights.
        gap: The gaps of a beat's pairs; ``last`` with the last beat of a matrix. What stands past the last pair is not looked at.
        value: The values of a beat's pairs; ``keep`` is set from lane 0 upward, for all but in the last beat of a matrix. A matrix without
            survivors has one beat without ``keep`` in either stream.
        weight: *lanes* weights a beat; in the last beat lanes past the last weight are 0 and without ``keep``. ``error`` on the last beat:
            1 a stream ended before the other, or a gap or a value is missing; 2 a pair stands past the count, or the beats that complete
            the matrix are not the last. Weights that did not come before the first error are 0, and both streams are dropped up to
            their ``last``.

    Source: Han et al., ICLR 2016; what is ours is said in docs/relative.md.
    """

    parameters: RelativeParameters
    bad = RelativeError.SHORT

    def _words(self, m: Module, step: Value) -> Word:
        p, gaps = self.parameters, self.gap.payload.data[0]
        # Gaps are added up on their way in, so that holding them takes no stage of its own.
        sums = places_in_groups([gaps[at : at + p.gap_bits] for at in p.gap_positions])
        places = [Signal(len(place), name=f"summed_place_{i}", reset_less=True) for i, place in enumerate(sums)]
        values = [Signal(p.value_bits, name=f"held_value_{i}", reset_less=True) for i in range(p.pairs_per_word)]
        gap, value = Held("gap", 1), Held("value", p.pairs_per_word)
        both, complete, lacking = Signal(name="both"), Signal(name="complete"), Signal(name="lacking")
        m.d.comb += [
            both.eq(gap.there & value.there),
            complete.eq(gap.ended & value.ended),
            lacking.eq((gap.ended ^ value.ended) | (gap.keep ^ value.keep[0]) | ~complete & ~value.keep[-1]),
        ]
        gap.follow(m, self.gap, step & both, complete, list(zip(places, sums, strict=True)))
        value.follow(m, self.value, step & both, complete, list(zip(values, self.value.payload.data, strict=True)))
        return Word(
            valid=both,
            good=both & ~lacking,
            bad=both & lacking,
            last=both & complete,
            levels=list(values),
            rest_zero=[],
            there=list(value.keep),
            closed=[],
            places=list(places),
        )

    def _incomplete(self, word: Word) -> Any:
        return RelativeError.NONE


DECODER = RelativeDecoder

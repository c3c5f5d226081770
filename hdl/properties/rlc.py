"""The RLC unpacker behind its AXI4-Stream ports: equal to its definition for ever, whatever comes in.

What is proven is said in :class:`hdl.properties.truth.Truth`; :class:`RlcModel` is the definition, most of
it in :mod:`hdl.properties.pairs`.
"""

from dataclasses import replace
from typing import Any

from amaranth.hdl import Cat, Const, Module, Value

from golden.catalog import CATALOG
from golden.params.pairs import GROUP
from golden.params.rlc import RlcError, RlcParameters
from golden.params.sparse import SparseParameters
from hdl.properties.broken import Wrong, broken_claims, proof_claims
from hdl.properties.claims import Claim
from hdl.properties.pairs import PairModel, PairTruth
from hdl.rlc import RlcUnpacker
from hdl.rlc_core import Control, Hand


class RlcModel(PairModel):
    """RLC by its definition: every beat of the code is a word."""

    parameters: RlcParameters
    wrong = RlcError.MARKER

    def __init__(self, parameters: RlcParameters) -> None:
        super().__init__(parameters, held=3 + (parameters.pairs_per_word > GROUP))
        self.words = self.streams["code"]

    def pairs(self, word: Any) -> list[tuple[Value, Value]]:
        p, bits = self.parameters, word.data[0]
        starts = zip(p.run_positions, p.level_positions, strict=True)
        return [(bits[run : run + p.run_bits], bits[level : level + p.level_bits]) for run, level in starts]

    def there(self, word: Any) -> list[Value]:
        """All, or those before the terminator."""
        pairs = self.pairs(word)
        if not self.parameters.terminator:
            return [Const(1)] * len(pairs)
        return [~Cat((run == 0) & (level == 0) for run, level in pairs[: i + 1]).any() for i in range(len(pairs))]

    def good(self, word: Any) -> Value:
        good: Value = word.keep & ~self.bad(word)
        return good

    def bad(self, word: Any) -> Value:
        """Whether the marker of a word is not what its ``tlast`` is, or it has a terminator and is not the last."""
        at = self.parameters.marker_position
        marked = word.last if at is None else word.data[0][at]
        bad: Value = word.keep & ((marked != word.last) | self._terminated(word) & ~word.last)
        return bad

    def closed(self, word: Any) -> Value:
        closed: Value = word.keep & self._terminated(word)
        return closed

    def _terminated(self, word: Any) -> Value:
        return ~self.there(word)[-1] & 1


class RlcTruth(PairTruth):
    """The RLC unpacker gives what :class:`RlcModel` owes."""

    parameters: RlcParameters
    definition = RlcModel

    def wants(self) -> dict[str, Value]:
        at_work = self.model.shapes.level != 0
        return {"shape": ~at_work, "code": at_work & (self.model.streams["code"].level == 0)}

    def codes(self) -> list[Any]:
        markers = self.parameters.marker or self.parameters.terminator
        return [code for code in super().codes() if code != RlcError.MARKER or markers]


class Deaf(RlcUnpacker):
    """An unpacker that finds no error."""

    def _error(self, m: Module, c: Control, hand: Hand, reach: Value) -> Value:
        return super()._error(m, c, hand, reach) & 0


class Lax(RlcUnpacker):
    """An unpacker that does not look at the pairs after the last element."""

    def _error(self, m: Module, c: Control, hand: Hand, reach: Value) -> Value:
        hand.word = replace(hand.word, rest_zero=[Const(1) for _ in hand.word.rest_zero])
        return super()._error(m, c, hand, reach)


TINY = RlcParameters(name="rlc_broken", run_bits=1, level_bits=1, pairs_per_word=2, word_bits=5, lanes=2, count_bits=3)
WRONG: Wrong = {
    "errors are not told": (Deaf, "first error's code"),
    "pairs past the count are not looked at": (Lax, "first error's code"),
    "a word is read from the wrong end": (lambda p: RlcUnpacker(replace(p, order="lsb")), "a step only where it can be"),
}


# Of each kind one at least: Eyeriss's word, one lane, no marker, a terminator, one pair in a word and many lanes.
FROM_CATALOG = ("rlc_tiny", "rlc_lecture_tiny", "rlc_one_pair_n8", "rlc_unmarked_n2", "rlc_eyeriss_lsb_n1", "rlc_eyeriss")
VIEWED = ("sparse_rlc_tiny", "sparse_rlc_n1")


def designs() -> list[RlcParameters]:
    """Some of the catalogue, those inside its smaller sparse views, and small ones with one lane, without marker, with skid, with levels
    of several bits, with more than four pairs, and these with marker and terminator.
    """
    views = (p for p in CATALOG.values() if isinstance(p, SparseParameters) and p.name in VIEWED)
    return [
        *(p for p in CATALOG.values() if isinstance(p, RlcParameters) and p.name in FROM_CATALOG),
        *(replace(view.of, name=f"rlc_in_{view.name}") for view in views if isinstance(view.of, RlcParameters)),
        replace(TINY, name="rlc_one_lane", lanes=1, order="lsb"),
        replace(TINY, name="rlc_unmarked_skid", marker=False, skid=True),
        replace(TINY, name="rlc_five", pairs_per_word=5, word_bits=11, count_bits=4),
        replace(TINY, name="rlc_five_lecture", pairs_per_word=5, word_bits=12, count_bits=4, terminator=True, order="lsb"),
        replace(TINY, name="rlc_wide", lanes=4, run_bits=2, level_bits=2, pairs_per_word=3, word_bits=16, count_bits=4),
    ]


def claims() -> list[Claim]:
    """The RLC unpacker's claims."""
    made = proof_claims(RlcTruth, designs(), covered_in=20)
    return made + broken_claims(RlcTruth, TINY, WRONG, depth=16)

"""The benches of (run, level) decoders and of the codebook find one that is broken, and pass parameters past the catalogue."""

from pathlib import Path

import pytest

from golden.params.pairs import PairParameters
from golden.params.relative import RelativeParameters
from golden.params.rlc import RlcParameters
from sim.run import simulate

PAST_THE_CATALOGUE = [
    RlcParameters(run_bits=1, level_bits=1, pairs_per_word=1, word_bits=2, marker=False, lanes=1, count_bits=2),
    RlcParameters(run_bits=3, level_bits=9, pairs_per_word=9, word_bits=120, order="lsb", lanes=32, count_bits=32, skid=True),
    RlcParameters(run_bits=5, level_bits=32, pairs_per_word=16, word_bits=1024, lanes=2),
    RelativeParameters(gap_bits=1, value_bits=1, pairs_per_word=1, lanes=1, count_bits=2),
    RelativeParameters(gap_bits=3, value_bits=9, pairs_per_word=11, lanes=32, count_bits=32, skid=True),
    RelativeParameters(gap_bits=4, pairs_per_word=16, order="high", lanes=2, count_bits=9),
]

BROKEN = {
    # what is broken: the decoder, what is replaced in its Verilog and by what, the test that has to find it
    "levels of the next beat": ("rlc_tiny", "next__1 <= ", "next__1 <= 1'h0 & ", "matrices_under_stalls"),
    "words after a complete matrix": ("rlc_eyeriss", "covered <= ", "covered <= 1'h0 & ", "malformed_code"),
    "unused pairs that are not zero": ("rlc_tiny", "placed_rest_zero_0 <= ", "placed_rest_zero_0 <= 1'h1 | ", "all_codes_of_two_beats"),
    "the marker": ("rlc_tiny", "summed_bad <= ", "summed_bad <= 1'h0 & ", "malformed_code"),
    "beats without an element of the word": ("rlc_eyeriss", " past <= ", " past <= 1'h0 & ", "malformed_code"),
    "no idle cycle after an RLC code": ("rlc_eyeriss", " known <= ", " known <= idle & ", "short_matrices_at_full_rate"),
    "zeros after a terminator": ("rlc_lecture_tiny", " summed_closed_0 <= ", " summed_closed_0 <= 1'h0 & ", "all_codes_of_two_beats"),
    "pairs after a terminator": ("rlc_lecture_tiny", " summed_there_1 <= ", " summed_there_1 <= 1'h1 | ", "all_codes_of_two_beats"),
    "values that are missing": ("relative_tiny", " assign lacking = ", " assign lacking = 1'h0 & ", "all_streams_of_two_beats"),
    "a gap stream that is over": ("relative_g4_n8", " gap_over <= ", " gap_over <= 1'h0 & ", "malformed_streams"),
    "a value stream that is over": ("relative_g4_n8", " value_over <= ", " value_over <= 1'h0 & ", "malformed_streams"),
    "pairs that are not there": ("relative_tiny", " value_keep <= ", " value_keep <= 2'h3 | ", "all_streams_of_two_beats"),
    "the end of a word that lacks pairs": ("relative_g5_n16", " assign exact = ", " assign exact = 1'h1 | ", "malformed_streams"),
    "codes past the table": ("codebook_c4_n4", " limit_1 <= ", " limit_1 <= 5'h10 | ", "malformed_streams"),
    "a table that is too long": ("codebook_c4_n4", " long_0 <= ", " long_0 <= 1'h0 & ", "malformed_streams"),
    "a table that is too long before its end": ("codebook_c4_n4", " over <= ", " over <= 1'h0 & ", "malformed_streams"),
    "two banks": ("codebook_c4_n4", "{ writing, place[3:0] }", "{ 1'h0, place[3:0] }", "every_entry"),
}


QUICK = ("levels of the next beat", "values that are missing")


@pytest.mark.parametrize("what", [pytest.param(w, marks=() if w in QUICK else pytest.mark.slow) for w in BROKEN])
def test_finds_what_is_broken(what, caught):
    assert caught(*BROKEN[what])


@pytest.mark.slow
@pytest.mark.parametrize("parameters", PAST_THE_CATALOGUE, ids=lambda p: p.name)
def test_keeps_the_contract_past_the_catalogue(parameters: PairParameters, tmp_path: Path) -> None:
    simulate(parameters, f"bench_{parameters.format}", folder=tmp_path)

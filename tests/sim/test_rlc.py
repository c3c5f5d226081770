"""The RLC bench finds an unpacker that is broken, and passes parameters past the catalogue, which is shown elsewhere."""

from pathlib import Path

import pytest

from golden.params.rlc import RlcParameters
from sim.run import simulate

PAST_THE_CATALOGUE = [
    RlcParameters(run_bits=1, level_bits=1, pairs_per_word=1, word_bits=2, marker=False, lanes=1, count_bits=2),
    RlcParameters(run_bits=3, level_bits=9, pairs_per_word=9, word_bits=120, order="lsb", lanes=32, count_bits=32, skid=True),
    RlcParameters(run_bits=5, level_bits=32, pairs_per_word=16, word_bits=1024, lanes=2),
]

BROKEN = {
    # what is broken: the unpacker, what is replaced in its Verilog and by what, the test that has to find it
    "levels of the next beat": ("rlc_tiny", "next__1 <= ", "next__1 <= 1'h0 & ", "matrices_under_stalls"),
    "words after a complete matrix": ("rlc_eyeriss", "covered <= ", "covered <= 1'h0 & ", "malformed_code"),
    "unused pairs that are not zero": ("rlc_tiny", "placed_rest_zero_0 <= ", "placed_rest_zero_0 <= 1'h1 | ", "all_codes_of_two_beats"),
    "the marker": ("rlc_tiny", "summed_bad <= ", "summed_bad <= 1'h0 & ", "malformed_code"),
    "beats without an element of the word": ("rlc_eyeriss", " past <= ", " past <= 1'h0 & ", "malformed_code"),
    "no idle cycle between matrices": ("rlc_eyeriss", " known <= ", " known <= idle & ", "short_matrices_at_full_rate"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_finds_what_is_broken(what, caught):
    assert caught(*BROKEN[what])


@pytest.mark.slow
@pytest.mark.parametrize("parameters", PAST_THE_CATALOGUE, ids=lambda p: p.name)
def test_keeps_the_contract_past_the_catalogue(parameters: RlcParameters, tmp_path: Path) -> None:
    simulate(parameters, "bench_rlc", folder=tmp_path)

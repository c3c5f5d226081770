"""The RLC bench finds an unpacker that is broken; that it passes the right ones is shown for the whole catalogue elsewhere."""

from pathlib import Path

import pytest

from golden.catalog import CATALOG
from hdl.emit import verilog
from sim.run import SimulationFailed, simulate_verilog

BROKEN = {
    # what is broken: the unpacker, what is replaced in its Verilog and by what, the test that has to find it
    "levels of the next beat": ("rlc_tiny", "next__1 <= ", "next__1 <= 1'h0 & ", "matrices_under_stalls"),
    "dropping what is left over": ("rlc_tiny", "chosen_give <= ", "chosen_give <= 1'h0 & ", "matrices_under_stalls"),
    "making up for a short code": ("rlc_tiny", "ends <= ", "ends <= 1'h0 & ", "malformed_code"),
    "words after a complete matrix": ("rlc_eyeriss", "covered <= ", "covered <= 1'h0 & ", "malformed_code"),
    "unused pairs that are not zero": ("rlc_tiny", "placed_rest_zero_0 <= ", "placed_rest_zero_0 <= 1'h1 | ", "all_codes_of_two_beats"),
    "lanes past the last element": ("rlc_tiny", "chosen_keep_1 <= ", "chosen_keep_1 <= 1'h1 | ", "malformed_code"),
    "the marker": ("rlc_tiny", "summed_bad <= ", "summed_bad <= 1'h0 & ", "malformed_code"),
    "beats without an element of the word": ("rlc_eyeriss", " past <= ", " past <= 1'h0 & ", "malformed_code"),
    "no idle cycle between matrices": ("rlc_eyeriss", " known <= ", " known <= idle & ", "short_matrices_at_full_rate"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_finds_what_is_broken(what: str, tmp_path: Path) -> None:
    name, right, wrong, test = BROKEN[what]
    text = verilog(CATALOG[name])
    assert right in text
    source = tmp_path / f"{name}.sv"
    source.write_text(text.replace(right, wrong))
    with pytest.raises(SimulationFailed) as failure:
        simulate_verilog(
            source, ["sim.bench_rlc"], top=name, folder=tmp_path, environment={"UNPRUNE_PARAMETERS": CATALOG[name].to_json()}
        )
    found = [outcome.name for outcome in failure.value.outcomes if not outcome.passed]
    assert any(test in name for name in found), found

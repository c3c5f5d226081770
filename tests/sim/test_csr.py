"""The CSR bench finds a decoder that is broken; that it passes the right ones is shown for the whole catalogue elsewhere."""

from pathlib import Path

import pytest

from golden.catalog import CATALOG
from hdl.emit import verilog
from sim.run import SimulationFailed, simulate_verilog

BROKEN = {
    # what is broken: the decoder, what is replaced in its Verilog and by what, the test that has to find it
    "order of columns": ("csr_survivors_tiny", "staged_unordered <= ", "staged_unordered <= 1'h0 & ", "every_malformed_kind"),
    "running ahead": ("csr_survivors_tiny", "assign read = ", "assign read = ~rows__valid; wire unused_read = ", "row_pointers_run_ahead"),
    "wait for the last row pointer": ("csr_survivors_tiny", "current_closing <= ", "current_closing <= 1'h1 | ", "every_malformed_kind"),
    "collecting a beat": ("csr_dense_tiny", "begun <= ", "begun <= 1'h0 & ", "matrices_under_stalls"),
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
            source, ["sim.bench_csr"], top=name, folder=tmp_path, environment={"UNPRUNE_PARAMETERS": CATALOG[name].to_json()}
        )
    found = [outcome.name for outcome in failure.value.outcomes if not outcome.passed]
    assert any(test in name for name in found), found

"""The CSR bench finds a decoder that is broken; that it passes the right ones is shown for the whole catalogue elsewhere."""

import pytest

BROKEN = {
    # what is broken: the decoder, what is replaced in its Verilog and by what, the test that has to find it
    "order of columns": ("csr_survivors_tiny", "staged_unordered <= ", "staged_unordered <= 1'h0 & ", "every_malformed_kind"),
    "running ahead": ("csr_survivors_tiny", "assign ready = ", "assign ready = load; wire unused_ready = ", "row_pointers_run_ahead"),
    "wait for the last row pointer": ("csr_survivors_tiny", "current_done <= ", "current_done <= 1'h1 | ", "every_malformed_kind"),
    "collecting a beat": ("csr_dense_tiny", "begun <= ", "begun <= 1'h0 & ", "matrices_under_stalls"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_finds_what_is_broken(what, caught):
    assert caught(*BROKEN[what])

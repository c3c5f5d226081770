"""The CSR bench finds a decoder that is broken; that it passes the right ones is shown for the whole catalogue elsewhere."""

import random
from pathlib import Path

import pytest

from golden.csr import encode
from golden.params.csr import CsrParameters
from hdl.emit import verilog
from sim import player

BROKEN = {
    # what is broken: the decoder, what is replaced in its Verilog and by what, the test that has to find it
    "order of columns": ("csr_survivors_tiny", "staged_unordered <= ", "staged_unordered <= 1'h0 & ", "every_malformed_kind"),
    "running ahead": ("csr_survivors_tiny", "assign ready = ", "assign ready = load; wire unused_ready = ", "row_pointers_run_ahead"),
    "wait for the last row pointer": ("csr_survivors_tiny", "current_done <= ", "current_done <= 1'h1 | ", "every_malformed_kind"),
    "collecting a beat": ("csr_dense_tiny", "begun <= ", "begun <= 1'h0 & ", "matrices_under_stalls"),
}


@pytest.mark.parametrize("what", [pytest.param(w, marks=() if w == "order of columns" else pytest.mark.slow) for w in BROKEN])
def test_finds_what_is_broken(what, caught):
    assert caught(*BROKEN[what])


@pytest.mark.parametrize(
    ("row_bits", "pointers"), [(3, 4), *(pytest.param(*each, marks=pytest.mark.slow) for each in ((1, 2), (1, 4), (2, 4), (3, 2), (4, 4)))]
)
def test_row_pointers_that_are_too_many_are_noticed_however_many_and_alike(row_bits, pointers, tmp_path):
    p = CsrParameters(row_bits=row_bits, column_bits=2, count_bits=4, value_bits=2, pointers=pointers)
    program = player.build(verilog(p), p)
    survivor, nothing = {"column": [0], "value": [2]}, {"column": [], "value": []}
    matrices = [
        {"shape": [(rows, 1, ends)], "pointer": [0] + [ends] * more} | (survivor if ends else nothing)
        for rows in range(1, 1 << row_bits) for ends in (0, 1) for more in range(40)
    ]  # fmt: skip
    (tmp_path / "session").write_bytes(player.to_bytes(player.Session(matrices, [(0, 1)] * 5), p))
    played = player.play(program, tmp_path / "session")
    assert (played.wrong, played.matrices) == ("", len(matrices))


@pytest.mark.slow
@pytest.mark.parametrize("pairs", [1, 4])
def test_the_cycles_a_beat_are_those_of_the_page(pairs, tmp_path):
    parameters = CsrParameters(count_bits=16, dense=True, lanes=16, pairs=pairs)
    program = player.build(verilog(parameters), parameters)
    measured = []
    for density in (0.05, 0.1, 0.25, 0.5):
        draw = random.Random(1)
        rows = [[draw.randrange(1, 256) if draw.random() < density else 0 for _ in range(256)] for _ in range(256)]
        session = player.Session([encode(rows[start : start + 32], parameters) for start in range(0, 256, 32)], [(0, 1)] * 5)
        (tmp_path / "session").write_bytes(player.to_bytes(session, parameters))
        played = player.play(program, tmp_path / "session")
        assert not played.wrong
        measured.append(f"{played.cycles / played.beats:.2f}")
    page = Path(__file__).parents[2] / "docs" / "csr.md"
    assert f"| {pairs} | {' | '.join(measured)} |" in page.read_text()

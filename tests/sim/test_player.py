"""The player finds what breaks the contract, and nothing where it is kept."""

from dataclasses import replace
from pathlib import Path

import pytest

from golden import nm
from golden.catalog import CATALOG
from golden.params.nm import NmParameters
from hdl.emit import verilog
from sim import player
from sim.player import Session

TINY = CATALOG["nm_2_4_tiny"]
assert isinstance(TINY, NmParameters)
QUIET = ((0, 1),) * 4
STALLS = ((64, 1), (128, 1), (200, 7), (128, 3))
STALLED = "reg was; always_ff @(posedge aclk) was <= inner & ~m_axis_weight_tready"
MATRICES = [nm.encode([[1, 2, 0, 0, 0, 3, 0, 1, 2][:count]], TINY) for count in (9, 0, 3, 8, 1)] * 3


def played(tmp_path: Path, source: str, *sessions: Session) -> player.Played:
    """What becomes of *sessions* in the decoder whose Verilog is *source*."""
    file = tmp_path / "sessions"
    file.write_bytes(b"".join(player.to_bytes(session, TINY) for session in sessions))
    return player.play(player.build(source, TINY), file)


def test_every_beat_of_every_session_is_compared(tmp_path: Path) -> None:
    sessions = [Session(MATRICES, stalls, seed) for seed in range(4) for stalls in (QUIET, STALLS)]
    found = played(tmp_path, verilog(TINY), *sessions)
    assert (found.wrong, found.matrices) == ("", 8 * len(MATRICES))
    assert found.beats == 8 * 3 * (3 + 1 + 1 + 2 + 1)


def test_a_session_that_is_broken_off_counts_what_came_out_of_it(tmp_path: Path) -> None:
    found = played(tmp_path, verilog(TINY), Session(MATRICES, QUIET, cut=9), Session(MATRICES, QUIET))
    assert found.wrong == ""
    assert len(MATRICES) < found.matrices < 2 * len(MATRICES)


@pytest.mark.parametrize(
    ("port", "instead", "says"),
    [
        ("m_axis_weight_tlast", "1'b1", "tlast: session 0, beat 0, cycle "),
        ("m_axis_weight_tuser", "inner ^ 1", "tuser: session 0, beat 0, cycle "),
        ("m_axis_weight_tdata", "inner ^ 1", "tdata: session 0, beat 0, cycle "),
        ("m_axis_weight_tvalid", f"inner & ~was; {STALLED}", "tvalid fell before the beat was taken: session 0, beat "),
        ("m_axis_weight_tvalid", "1'b1", "tvalid is high in reset: "),
        ("m_axis_weight_tvalid", "1'b0", "nothing moves: session 0, beat 0, cycle "),
    ],
)
def test_what_is_broken_at_a_port_is_named_with_its_place(tmp_path: Path, port: str, instead: str, says: str) -> None:
    source = verilog(TINY)
    broken = source.replace(f"({port})", "(inner)").replace(f"assign {port} = ", "assign inner = ")
    place = broken.index("  assign")
    broken = f"{broken[:place]}  wire [31:0] inner;\n  assign {port} = {instead};\n{broken[place:]}"
    assert played(tmp_path, broken, Session(MATRICES, STALLS)).wrong.startswith(says)


def test_a_beat_after_the_last_one_is_too_many(tmp_path: Path) -> None:
    data = player.to_bytes(Session(MATRICES, QUIET), TINY)
    fewer = player.to_bytes(Session(MATRICES[:-1], QUIET), TINY)
    beats = 4 * (3 + 2 * 4 + 3)  # where the number of output beats stands, after those of the three inputs
    owed = int.from_bytes(fewer[beats : beats + 4], "little")
    file = tmp_path / "sessions"
    beat = 4 + 1 + 1 + 1  # bytes of an output beat: tdata, tkeep, tlast, tuser
    left_out = len(data) - beat * (int.from_bytes(data[beats : beats + 4], "little") - owed)
    file.write_bytes(data[:beats] + owed.to_bytes(4, "little") + data[beats + 4 : left_out])
    assert player.play(player.build(verilog(TINY), TINY), file).wrong.startswith("a beat too many")


def test_verilog_that_cannot_be_built_is_said_in_one_line() -> None:
    with pytest.raises(player.BuildFailed, match=r"^nm_2_4_tiny: Verilator cannot build it: %Error.*$"):
        player.build(verilog(TINY).replace("endmodule", "endmodul"), TINY)
    with pytest.raises(player.BuildFailed):
        player.build(verilog(TINY), replace(TINY, name="another_name"))

"""The test bench judges: a small decoder written by hand passes under every stall pattern, and each way of breaking it is caught."""

import numpy as np
import pytest

from golden.params.viterbi import ViterbiParameters
from hdl.files import read_json, read_npz, write_npz
from sim import tools
from sim.run import SimulationFailed, simulate_verilog

# One flip-flop, one tap on the newest bit: the mask is the index. So the decoder below passes bits on and counts them.
PARAMETERS = ViterbiParameters(name="by_hand", k=1, q=1, taps=(1,), block_steps=1)

VERILOG = """
module by_hand(
  input logic aclk, aresetn,
  input logic [23:0] s_axis_shape_tdata, input logic s_axis_shape_tvalid, output logic s_axis_shape_tready,
  input logic [7:0] s_axis_index_tdata, input logic s_axis_index_tkeep, s_axis_index_tlast,
  input logic s_axis_index_tvalid, output logic s_axis_index_tready,
  output logic [7:0] m_axis_mask_tdata, output logic m_axis_mask_tkeep, m_axis_mask_tlast,
  output logic m_axis_mask_tvalid, input logic m_axis_mask_tready,
  output logic [1:0] m_axis_mask_tuser
);
  logic busy, free;
  logic [23:0] left;
  assign free = !m_axis_mask_tvalid || m_axis_mask_tready;
  assign s_axis_shape_tready = !busy;
  assign s_axis_index_tready = busy && free;
  always_ff @(posedge aclk) begin
    if (free) m_axis_mask_tvalid <= 0;
    if (!busy && s_axis_shape_tvalid) begin
      busy <= 1;
      left <= s_axis_shape_tdata;
    end
    if (s_axis_index_tready && s_axis_index_tvalid) begin
      m_axis_mask_tvalid <= 1;
      m_axis_mask_tdata <= s_axis_index_tdata & 8'd1;
      m_axis_mask_tkeep <= 1;
      m_axis_mask_tlast <= left == 1;
      m_axis_mask_tuser <= 0;
      left <= left - 1;
      if (left == 1) busy <= 0;
    end
    if (!aresetn) begin
      busy <= 0;
      m_axis_mask_tvalid <= 0;
    end
  end
endmodule
"""

BENCH = """
import cocotb
from sim.bench_contract import measure_rate, reset_midway, run_matrices
from sim.testbench import PATTERNS

def matrix(count):
    return {"shape": [count], "index": [number % 3 % 2 for number in range(count)]}

@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(idle=PATTERNS, pressure=PATTERNS)
async def matrices(dut, idle, pressure):
    await run_matrices(dut, [matrix(count) for count in (1, 9, 2, 30)], idle=idle, pressure=pressure)

@cocotb.test(timeout_time=1, timeout_unit="ms")
async def interrupted(dut):
    await reset_midway(dut, matrix(20))

@cocotb.test(timeout_time=1, timeout_unit="ms")
async def rate(dut):
    rate = await measure_rate(dut, matrix(20))
    assert (rate.latency, rate.beats_per_cycle, rate.elements_per_cycle, rate.gap) == (1, 1.0, 1.0, 1), f"it was {rate}"
"""

BROKEN = {
    "wrong data": ("tdata & 8'd1", "tdata & 8'd1 ^ 8'(left == 2)", r"beat \d+ of \d+: tdata was 0[01], must be 0[01]"),
    "wrong tkeep": ("tkeep <= 1", "tkeep <= left != 3", r"beat \d+ of \d+: tkeep was 0, must be 1"),
    "early error": ("tuser <= 0", "tuser <= 2'(left == 2)", r"beat \d+ of \d+: tuser was 1, must be 0"),
    "looks at an idle line": (
        "if (free) m_axis_mask_tvalid <= 0;",
        "if (free) m_axis_mask_tvalid <= 0; if (busy && !s_axis_index_tvalid && s_axis_index_tdata[7]) left <= left - 1;",
        r"(\d+ beats came out, must be \d+|no beat moved)",
    ),
    "a beat too few": ("tlast <= left == 1;", "tlast <= left == 2;", r"\d+ beats came out, must be \d+"),
    "a beat too many": (
        "if (free) m_axis_mask_tvalid <= 0;",
        "if (free) m_axis_mask_tvalid <= m_axis_mask_tvalid && m_axis_mask_tlast && !busy && !s_axis_shape_tvalid;",
        r"came out after the last",
    ),
    "valid falls": ("if (free) m_axis", "m_axis", r"tvalid fell in cycle \d+ before the beat was taken"),
    "payload changes": (
        "if (free) m_axis_mask_tvalid <= 0;",
        "if (free) m_axis_mask_tvalid <= 0; else m_axis_mask_tkeep <= 0;",
        r"the payload changed in cycle \d+ before the beat was taken",
    ),
    "stuck": (
        "busy && free;",
        "busy && free && left != 7;",
        r"no beat moved for \d+ cycles; offered and not taken: s_axis_shape, s_axis_index",
    ),
    "valid in reset": ("m_axis_mask_tvalid <= 0;\n    end", "m_axis_mask_tvalid <= 1;\n    end", r"tvalid is 1 in reset"),
    "slow": ("busy && free;", "busy && free && !m_axis_mask_tvalid;", r"it was Rate\(latency=1, beats_per_cycle=0\.5"),
}

UNKNOWN = {
    "unknown data": ("tdata & 8'd1;", "tdata & 8'd1 | 8'bx0000000;", r"m_axis_mask_tdata is X000000[01] in cycle \d+ while tvalid is high"),
    "unknown tuser": ("m_axis_mask_tuser <= 0;", "", r"m_axis_mask_tuser is XX in cycle \d+ while tvalid is high"),
    "unknown valid": ("m_axis_mask_tvalid <= 0;\n    end", "m_axis_mask_tvalid <= 1'bx;\n    end", r"tvalid is X in reset"),
    "unknown ready": ("s_axis_index_tready = busy", "s_axis_index_tready = 1'bx && busy", r"s_axis_index_tready is X in cycle \d+"),
    "register without reset": ("busy <= 0;\n      m_axis", "m_axis", r"s_axis_shape_tready is X in cycle \d+"),
}

SIMULATOR = "icarus" if tools.icarus_available() else "verilator"  # Icarus builds in no time


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Simulate a text of Verilog under the bench above."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "bench_by_hand.py").write_text(BENCH)

    def simulate(verilog, simulator, bench="bench_by_hand"):
        source = tmp_path / "by_hand.sv"
        source.write_text(verilog)
        environment = {"UNPRUNE_PARAMETERS": PARAMETERS.to_json(), "UNPRUNE_STREAMS": str(tmp_path)}
        return simulate_verilog(source, [bench], top="by_hand", folder=tmp_path, simulator=simulator, environment=environment)

    return simulate


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_a_decoder_that_keeps_the_rules_passes(run, simulator):
    if simulator == "icarus" and not tools.icarus_available():
        pytest.skip("Icarus is not installed")
    assert len(run(VERILOG, simulator).outcomes) == 5 * 5 + 2


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_decoder_is_caught(run, name):
    old, new, message = BROKEN[name]
    assert VERILOG.count(old) == 1
    with pytest.raises(SimulationFailed, match=message):
        run(VERILOG.replace(old, new), SIMULATOR)


@pytest.mark.skipif(not tools.icarus_available(), reason="Icarus is not installed, and Verilator knows no X")
@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_value_is_never_taken_for_a_pass(run, name):
    old, new, message = UNKNOWN[name]
    assert VERILOG.count(old) == 1
    with pytest.raises(SimulationFailed, match=message):
        run(VERILOG.replace(old, new), "icarus")


@pytest.fixture
def streams(tmp_path):
    """Three matrices as the files that bench_stream plays; gives the index bits of each."""
    generator = np.random.default_rng(1)
    matrices = [generator.integers(0, 2, (count, 1), dtype=np.uint8) for count in (5, 1, 300)]
    for number, index in enumerate(matrices):
        shape = np.array([list(len(index).to_bytes(3, "little"))], dtype=np.uint8)
        write_npz(tmp_path / f"{number:04}.npz", {"shape": shape, "index": index, "index_keep": np.ones_like(index)})
    return matrices


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_files_are_played_and_what_came_out_is_written(run, streams, tmp_path, simulator):
    if simulator == "icarus" and not tools.icarus_available():
        pytest.skip("Icarus is not installed")
    run(VERILOG, simulator, "sim.bench_stream")
    for number, index in enumerate(streams):
        out = read_npz(tmp_path / f"{number:04}.out.npz")
        assert out["tdata"].tolist() == index.tolist()
        assert out["tkeep"].tolist() == [[1]] * len(index)
        assert out["tuser"].tolist() == [0] * len(index)
    summary = read_json(tmp_path / "summary.json")
    # One idle cycle between matrices, and three from the first shape on offer until the first mask bit is taken.
    assert summary == {"matrices": 3, "cycles": 3 + 306 + 1, "beats": 306, "elements": 306, "stall_cycles": 2}
    lines = [[int(word) for word in line.split()[:2]] for line in (tmp_path / "progress").read_text().splitlines()]
    assert lines == [[1, 5], [2, 6], [3, 306]]
    assert not list(tmp_path.glob("tmp*"))


@pytest.mark.usefixtures("streams")
@pytest.mark.parametrize("name", ["a beat too few", "a beat too many", "stuck", "valid in reset"])
def test_a_broken_decoder_does_not_play_files_to_the_end(run, tmp_path, name):
    old, new, _ = BROKEN[name]
    with pytest.raises(SimulationFailed, match=r"sim\.bench_stream\.streams failed: "):
        run(VERILOG.replace(old, new), SIMULATOR, "sim.bench_stream")
    assert not (tmp_path / "summary.json").exists()


@pytest.mark.usefixtures("streams")
@pytest.mark.skipif(not tools.icarus_available(), reason="Icarus is not installed, and Verilator knows no X")
@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_value_does_not_reach_the_files(run, tmp_path, name):
    old, new, _ = UNKNOWN[name]
    with pytest.raises(SimulationFailed, match=r"sim\.bench_stream\.streams failed: .*( is |unknown)"):
        run(VERILOG.replace(old, new), "icarus", "sim.bench_stream")
    assert not (tmp_path / "0000.out.npz").exists()
